"""How a notice is sent once: who may try, what is written before and after a try, and what an unclear answer leads to.

A provider in our own database keeps the message and finishes the notice in one statement: exactly once, whatever is
killed when. A gateway is a stranger, and with it the promise has an edge that is stated here in full:

1. The attempt is written and committed before the gateway is called, and a notice has one attempt in hand at a time.
2. A clear answer settles the attempt. A process that dies in between, or a call that ends without a clear answer, leaves
   the attempt unclear: the gateway may have the message or not.
3. An unclear attempt is left alone for a grace (60 seconds). Any receipt of it within that time proves that the gateway
   has the message. Without one it is taken not to have it, and the notice is tried anew.

So a notice goes out twice only if the worker dies, or the answer is lost, within the milliseconds between the gateway's
taking the message and our knowing it, and the receipt does not reach us within the grace either: the network, the API or
the SMS centre is down or slow as well. A late receipt of the first attempt still stops a second that has not begun.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard
from uuid import UUID

import structlog

from activities.providers.port import (
    Accepted,
    Answer,
    Message,
    Permanent,
    PromptProvider,
    Provider,
    Temporary,
    Uncertain,
)
from activities.wording import Policies, Unsendable, Wording
from db import notices
from db.ids import new_id
from db.notices import NoticeState, Unsent
from db.pool import Pool
from db.sealing import KeyRing
from domain.errors import HuishengError

GRACE = timedelta(seconds=60)
# A process that was stopped after its claim, and wakes up late, must not send what somebody else may have taken over.
LATEST_START = 0.5  # of the grace

SWEEP_EVERY = timedelta(seconds=30)
OVERLOOKED_AFTER = timedelta(minutes=2)

IN_HAND, TOO_LATE, UNSENDABLE = "in_hand", "too_late", "unsendable"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sending:
    """What is left: when the first notice that quiet hours hold back is due, and why others could not be settled."""

    held_until: datetime | None = None
    unsettled: str | None = None
    provider_fails: bool = False


class NoticeSender:
    """Sends what is owed; safe to call from several processes at once for the same notice."""

    def __init__(
        self,
        pool: Pool,
        keys: KeyRing,
        policies: Policies,
        provider: Provider,
        public_url: str,
        *,
        grace: timedelta = GRACE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        given_up: Callable[[str], None] = lambda because: None,
    ) -> None:
        """`given_up` hears why each notice ends that cannot be sent."""
        self._pool = pool
        self._wording = Wording(keys, policies, public_url, now)
        self._provider = provider
        self._grace = grace
        self._given_up = given_up

    async def send_request(self, request_id: UUID, at: datetime | None = None) -> Sending:
        """Sends all notices of a request that are due, to each recipient in the order they were owed.

        Due is also what is held back until `at`.
        """
        return await self._send(await notices.unsent_of_request(self._pool, request_id, self._grace, at))

    async def send_one(self, notice_id: UUID) -> Sending:
        """Sends that notice now, whatever else is owed."""
        return await self._send(await notices.unsent_notice(self._pool, notice_id, self._grace))

    async def send_overlooked(self, quiet: timedelta, most: int = 10_000) -> int:
        """Sends what nobody has touched for `quiet`, until the provider fails; gives the number of requests it came to.

        Several processes may do so at once: whoever claims a notice sends it.
        """
        overlooked = await notices.overlooked(self._pool, quiet, most)
        for number, request_id in enumerate(overlooked, start=1):
            if (await _to_its_end(self.send_request(request_id))).provider_fails:
                return number
        return len(overlooked)

    async def _send(self, unsent: Sequence[Unsent]) -> Sending:
        held_until = min((notice.not_before for notice in unsent if notice.held and notice.not_before), default=None)
        due = [notice for notice in unsent if not notice.held]
        if _is_prompt(self._provider):
            # What another provider has left unclear is the sweep's: nobody waits for it here.
            await self._send_in_turn(await self._send_together(self._provider, due), None)
            return Sending(held_until)
        return await self._send_in_turn(due, held_until)

    async def _send_together(self, provider: PromptProvider, due: Sequence[Unsent]) -> list[Unsent]:
        """Sends those that are in nobody's hand, and gives the others: an earlier provider's, not yet settled."""
        messages = await self._written([notice for notice in due if notice.state == NoticeState.OWED])
        if messages:
            await provider.finish(messages)
        return [notice for notice in due if notice.state != NoticeState.OWED]

    async def _send_in_turn(self, due: Sequence[Unsent], held_until: datetime | None) -> Sending:
        """One after the other: a recipient gets no later notice before an unclear one, a failing gateway none at all."""
        waiting: dict[str, str] = {}
        for notice in due:
            if notice.recipient in waiting:
                continue
            answer = Uncertain(IN_HAND) if notice.is_unclear else await self._try(notice)
            if isinstance(answer, Temporary):
                return Sending(held_until, answer.reason, provider_fails=True)
            if isinstance(answer, Uncertain):
                waiting[notice.recipient] = answer.reason
        return Sending(held_until, next(iter(waiting.values()), None))

    async def _try(self, notice: Unsent) -> Answer:
        """One attempt, from its row to its end. No connection is held while the provider is asked."""
        written = await self._written([notice])
        if not written:
            return Permanent(UNSENDABLE)
        (message,) = written
        asked_at = time.monotonic()
        if not await notices.claim(self._pool, notice, message.attempt_id, self._provider.name):
            return Uncertain(IN_HAND)
        late = time.monotonic() - asked_at > self._grace.total_seconds() * LATEST_START
        answer = Temporary(TOO_LATE) if late else await self._provider.send(message)
        await self._settle(message.attempt_id, answer)
        return answer

    async def _settle(self, attempt_id: UUID, answer: Answer) -> None:
        match answer:
            case Accepted():
                await notices.finish_sent(self._pool, attempt_id)
            case Temporary(reason):
                await notices.finish_for_now(self._pool, attempt_id, reason)
            case Permanent(reason):
                await notices.finish_for_good(self._pool, attempt_id, reason)
            case Uncertain(reason):
                await notices.leave_unclear(self._pool, attempt_id, reason)

    async def _written(self, due: Sequence[Unsent]) -> list[Message]:
        """The messages of those notices that can be sent. Those that never can be end here.

        One that lacks a key or its policy stays owed: somebody may bring that back, and the sweep tries again.
        """
        messages: list[Message] = []
        ended: list[tuple[UUID, NoticeState, str | None]] = []
        for notice in due:
            try:
                written = await self._wording.message(notice, new_id(datetime.now(UTC)))
            except HuishengError as error:
                logger.error("notice_cannot_be_written", notice=str(notice.id), error=error.code)
                continue
            if isinstance(written, Unsendable):
                ended.append((notice.id, written.state, written.reason))
            else:
                messages.append(written)
        if ended:
            await notices.give_up(self._pool, ended)
            for _, state, reason in ended:
                self._given_up(reason or state)
        return messages


async def sweep_notices(
    sender: NoticeSender, *, every: timedelta = SWEEP_EVERY, overlooked_after: timedelta = OVERLOOKED_AFTER
) -> None:
    """Sends, until it is cancelled, the notices that nobody sends any more.

    Such are one-time codes whose sender died, and notices of a request whose workflow was terminated or has given up, or
    that quiet hours held back beyond its end.
    """
    while True:
        try:
            await sender.send_overlooked(overlooked_after)
        except Exception as error:
            # The database may be away for a while. Without the error's text: it can hold anything.
            logger.error("sweep_of_notices_failed", error=type(error).__qualname__)
        await asyncio.sleep(every.total_seconds())


async def _to_its_end(sending: Coroutine[Any, Any, Sending]) -> Sending:
    """Waits for it even when cancelled meanwhile: a message may be under way, and would be left in doubt."""
    task = asyncio.create_task(sending)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _is_prompt(provider: Provider) -> TypeGuard[PromptProvider]:
    return provider.prompt
