"""The play: messages are sent at their pace, and staff and citizens act on what they see, until every request is over."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2

from demonstration.chance import chance
from demonstration.interface import Account, DemonstrationFailed, Interface
from demonstration.messages import CitizenMessage
from demonstration.parts import Deed, Part, Row
from demonstration.phones import fictitious_phone
from demonstration.public import Public
from demonstration.staff import Staff
from domain.request import Role, State

DAYS_OF_PATIENCE = 75
"""How many working days the slowest request may take: a complex matter, all escalations, two reworks, three silences."""
SECONDS_OF_PATIENCE = 60.0
"""What a busy machine may need beside."""

_AT_ONCE = 24
_LOOKS_A_DAY = 4
_LONGEST_LOOK_SECONDS = 1.0
_DONE, _FORBIDDEN, _UNAVAILABLE = frozenset({200, 202}), frozenset({403, 404, 409}), frozenset({0, 503})


@dataclass(frozen=True, slots=True)
class Progress:
    """How many have been sent, are beyond the first look, and are over."""

    sent: int
    looked_at: int
    over: int


@dataclass
class Story:
    """What happened, as the players remember it."""

    began_at: datetime
    parts: dict[str, Part] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    accepted: Counter[str] = field(default_factory=Counter)  # by action
    refused: Counter[str] = field(default_factory=Counter)
    unavailable: int = 0
    ended_in_time: bool = True


class Play:
    """One performance."""

    def __init__(
        self,
        interface: Interface,
        staff: Staff,
        public: Public,
        messages: Sequence[CitizenMessage],
        rate_per_second: float,
        tell: Callable[[Progress], None],
    ) -> None:
        self._interface = interface
        self._staff = staff
        self._public = public
        self._messages = messages
        self._rate = rate_per_second
        self._tell = tell
        self._story = Story(datetime.now(UTC))
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._fresh_after: dict[str, float] = {}
        self._looks_from = _someone(interface.accounts, Role.SUPERVISOR)

    async def run(self) -> Story:
        """Ends when every request is over, or when the patience is at its end. Raises DemonstrationFailed."""
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send_all())
            looking = group.create_task(self._look_and_act(group, sending))
            await looking
        return self._story

    # The citizens send.

    async def _send_all(self) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, message in enumerate(self._messages):
                await asyncio.sleep(began + number / self._rate - time.monotonic())
                group.create_task(self._send(number, message))

    async def _send(self, number: int, message: CitizenMessage) -> None:
        body = {
            "description": message.body,
            "title": message.title or None,
            "contact": {"phone": fictitious_phone(number)},
        }
        async with self._gate:
            receipt = await self._interface.submit(body | {"language": "zh"}, key=f"demonstration-{uuid.uuid4()}")
        self._story.parts[receipt.reference] = Part(receipt.reference, receipt.token, message.label)

    # Everybody looks and acts.

    async def _look_and_act(self, group: asyncio.TaskGroup, sending: asyncio.Task[None]) -> None:
        day = self._public.day.total_seconds()
        deadline = None
        while not (sending.done() and self._is_over()):
            if sending.done() and deadline is None:
                deadline = time.monotonic() + DAYS_OF_PATIENCE * day + SECONDS_OF_PATIENCE
            if deadline is not None and time.monotonic() > deadline:
                self._story.ended_in_time = False
                break
            looked = time.monotonic()
            await self._look()
            for reference in self._story.rows.keys() - self._in_hand.keys():
                if self._fresh_after.get(reference, 0.0) < looked:
                    self._act_on(group, reference)
            await asyncio.sleep(min(day / _LOOKS_A_DAY, _LONGEST_LOOK_SECONDS))

    def _is_over(self) -> bool:
        rows, parts = self._story.rows, self._story.parts
        return not self._in_hand and len(rows) == len(parts) and all(
            self._public.is_content(rows[reference], part) for reference, part in parts.items()
        )  # fmt: skip

    async def _look(self) -> None:
        try:
            found = await self._interface.rows(self._looks_from, self._story.began_at)
        except httpx2.TransportError:
            self._story.unavailable += 1
            return
        # Others may use the system at the same time: their requests are none of our business.
        self._story.rows |= {row.reference: row for row in found if row.reference in self._story.parts}
        rows = self._story.rows.values()
        self._tell(
            Progress(
                sent=len(self._story.parts),
                looked_at=sum(row.state is not State.RECEIVED for row in rows),
                over=sum(row.is_over for row in rows),
            )
        )

    def _act_on(self, group: asyncio.TaskGroup, reference: str) -> None:
        row, part, now = self._story.rows[reference], self._story.parts[reference], datetime.now(UTC)
        deed = self._public.next_deed(row, part, now) or self._staff.next_deed(row, part, now)
        if deed is not None:
            self._in_hand[reference] = group.create_task(self._do(part, deed))

    async def _do(self, part: Part, deed: Deed) -> None:
        try:
            async with self._gate:
                status = await self._done(part, deed)
            self._note(part, deed, status)
        finally:
            self._fresh_after[part.reference] = time.monotonic()
            del self._in_hand[part.reference]

    async def _done(self, part: Part, deed: Deed) -> int:
        if deed.by == "citizen":
            return await self._interface.tell(part.reference, part.token, deed.action, deed.body)
        account = account_for(self._interface.accounts, deed, part.reference)
        if not deed.photo:
            return await self._interface.act(account, part.reference, deed.action, deed.body)
        photo = await self._interface.add_photo(account, part.reference)
        if photo is None:
            return 0
        return await self._interface.act(account, part.reference, deed.action, deed.body | {"attachments": [photo]})

    def _note(self, part: Part, deed: Deed, status: int) -> None:
        if status in _DONE:
            self._story.accepted[deed.action] += 1
            if deed.by == "citizen":
                self._public.note(part, deed)
            part.returned += deed.action == "return_request"
        elif status in _FORBIDDEN:
            # Somebody else was quicker, or the rules forbid it: they look again. What may be tried once, is not tried again.
            self._story.refused[deed.action] += 1
            part.returned += 9 * (deed.action == "return_request")
            part.done |= {deed.action} & {"reopen"}
        elif status in _UNAVAILABLE:
            self._story.unavailable += 1
            part.done = {what for what in part.done if what.split()[0] != deed.action}
        else:
            raise DemonstrationFailed(
                f"The interface answered {status} to the action {deed.action}, which it should not."
            )


def account_for(accounts: Sequence[Account], deed: Deed, reference: str) -> Account:
    """Whose part the deed is: a person of that role, in the department if it is a department's; the same for a reference."""
    if deed.by in ("handler", "lead"):
        own = [each for each in accounts if "handler" in each.roles and deed.department in each.departments]
        fitting = [each for each in own if each.lead == (deed.by == "lead")] or own
    else:
        fitting = [each for each in accounts if deed.by in each.roles]
    if not fitting:
        raise DemonstrationFailed(
            f"There is no demonstration account for a {deed.by} of {deed.department or 'the city'}."
        )
    return fitting[int(chance(reference, deed.by) * len(fitting))]


def _someone(accounts: Sequence[Account], role: Role) -> Account:
    for account in accounts:
        if role in account.roles:
            return account
    raise DemonstrationFailed(f"There is no demonstration account of a {role}.")
