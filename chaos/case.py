"""One request in the hands of people who do not give up.

Everybody looks before they act, and looks again where they are refused: a clock, a rung of the chain or somebody else may
have been quicker.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.ledger import Sent
from chaos.people import GaveUp, People

OVER = frozenset({"closed", "declined", "transferred", "merged", "withdrawn"})

_LONGEST_WAIT_SECONDS = 420.0
_LOOK_FIRST_SECONDS, _LOOK_SLOWER, _LOOK_LAST_SECONDS = 0.25, 1.4, 2.0
_MOST_STEPS = 60


@dataclass
class Case:
    """The request that was sent; `people` act on it."""

    people: People
    sent: Sent
    _actions: int = 0
    _photo: bool = False

    async def citizen(self, action: str, **body: Any) -> bool:
        return await self.people.tell(self.sent, action, body)

    async def once_more(self) -> Case:
        """The same citizen sends the same again."""
        sent = self.sent
        key = f"{sent.reference}-once-more"
        return Case(self.people, await self.people.submit(sent.number, sent.description, sent.phone, key))

    async def staff(self, by: str, action: str, **body: Any) -> bool:
        """`by` is a role, or `handler` or `lead` of the department that has it; False where it is refused."""
        account = self.people.with_role(by) if by not in ("handler", "lead") else await self._own(by == "lead")
        self._actions += 1
        key = f"{self.sent.reference}-{self._actions}"
        return await self.people.act(account, self.sent.reference, action, key, body)

    async def adds_photo(self) -> str | None:
        """The handler does, of what was done; its id, or None where that is refused."""
        return await self.people.add_photo(await self._own(lead=False), self.sent.reference)

    async def _own(self, lead: bool) -> Any:
        department = (await self.people.look(self.sent))["department"]
        return self.people.handler_of(department, lead=lead)

    async def reaches(self, *states: str) -> dict[str, Any]:
        """Raises GaveUp where it does not within a time in which everything ought to have happened."""
        deadline, pause = time.monotonic() + _LONGEST_WAIT_SECONDS, _LOOK_FIRST_SECONDS
        while (told := await self.people.look(self.sent))["state"] not in states:
            if time.monotonic() > deadline:
                raise GaveUp(f"{self.sent.reference} is {told['state']} for good, not {' or '.join(states)}")
            await asyncio.sleep(pause)
            pause = min(pause * _LOOK_SLOWER, _LOOK_LAST_SECONDS)
        return told

    async def is_escalated_to(self, level: int) -> None:
        deadline, supervisor = time.monotonic() + _LONGEST_WAIT_SECONDS, self.people.with_role("supervisor")
        while (await self.people.see(supervisor, self.sent.reference))["escalation_level"] < level:
            if time.monotonic() > deadline:
                raise GaveUp(f"{self.sent.reference} does not escalate to level {level}")
            await asyncio.sleep(_LOOK_LAST_SECONDS)

    async def goes_on_to(self, *states: str, outcome: str = "solved") -> str:
        """Whoever has to act does, one step after the other, until it is in one of these states or over."""
        for _ in range(_MOST_STEPS):
            told = await self.people.look(self.sent)
            state: str = told["state"]
            if state in states or state in OVER:
                return state
            if not await self._step(state, outcome):
                await asyncio.sleep(_LOOK_LAST_SECONDS)
        raise GaveUp(f"{self.sent.reference} does not get on")

    async def _step(self, state: str, outcome: str) -> bool:
        reply: Mapping[str, Any] = {"outcome": outcome, "reply": "已经处理完毕，请查看。"}
        match state:
            case "received":
                await self.reaches("triage", "assigned")
                return True
            case "triage":
                return await self.staff("dispatcher", "assign", department="housing", category="property_management")
            case "assigned":
                return await self.staff("handler", "accept")
            case "awaiting_citizen":
                return await self.citizen("answer", text="是昨天晚上发现的。")
            case "on_hold":
                return await self.staff("supervisor", "resume", reason="可以继续办理。")
            case "in_progress":
                return await self.staff("handler", "resolve", **reply) or await self._resolved_with_photo(reply)
            case "in_review":
                return await self.staff("dispatcher", "approve")
            case "adjudication":
                why = {"decision": "assign", "department": "housing", "reason": "经审定。"}
                return await self.staff("supervisor", "decide", **why)
        return False

    async def _resolved_with_photo(self, reply: Mapping[str, Any]) -> bool:
        """Some categories ask for a photo of what was done."""
        if self._photo:
            return False
        self._photo = True
        photo = await self.adds_photo()
        return photo is not None and await self.staff("handler", "resolve", attachments=[photo], **reply)
