"""The lives that are played: what citizens and staff do with a request, whatever breaks meanwhile, and how it may end.

Everybody looks before they act, and looks again where they are refused: a clock, a rung of the chain or somebody else may
have been quicker.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.ledger import Sent
from chaos.people import GaveUp, People

LAMP = "小区门口的路灯不亮，晚上很黑，请安排维修。"
BUS = "公交车很久不来，发车间隔太长。"
WAGES = "公司拖欠工资三个月没有发。"
PARCEL = "快递丢失，快递公司不管。"
FUMES = "工厂夜里排放废气，气味刺鼻。"
RIDDLE = "不知道找谁，事情一直没有解决。"
ORDINARY = (LAMP, BUS, WAGES, PARCEL, FUMES)

End = tuple[str, str | None]
"""State and outcome."""
OVER = frozenset({"closed", "declined", "transferred", "merged", "withdrawn"})

_LONGEST_WAIT_SECONDS = 420.0
_LOOK_FIRST_SECONDS, _LOOK_SLOWER, _LOOK_LAST_SECONDS = 0.25, 1.4, 2.0
_MOST_STEPS = 60
_REVIEW_IN = timedelta(days=20)


@dataclass
class Case:
    """One request in the hands of people who do not give up."""

    people: People
    sent: Sent
    _actions: int = 0
    _photo: bool = False

    async def citizen(self, action: str, **body: Any) -> bool:
        return await self.people.tell(self.sent, action, body)

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


Life = Callable[[Case], Awaitable[frozenset[End]]]
"""Plays the request; gives the ends that are right."""

# Where nobody has rated before the time for it was over, the request is closed without a reply.
_CLOSED_UNHEARD: End = ("closed", "no_reply")
SOLVED = frozenset({("closed", "solved"), _CLOSED_UNHEARD})


async def rated(case: Case) -> frozenset[End]:
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=5)
    return SOLVED


async def worked_on(case: Case) -> frozenset[End]:
    await case.citizen("supplement", text="补充：是从东数第二盏。")
    await case.citizen("urge")
    await case.goes_on_to("in_progress")
    await case.staff("handler", "contact", how="phone")
    await case.staff("handler", "progress", note="配件已经订购。", public=True)
    await case.adds_photo()
    await case.goes_on_to("resolved", outcome="explained")
    await case.citizen("rate", solved="partly", satisfied=3)
    return frozenset({("closed", "partly_solved"), _CLOSED_UNHEARD})


async def without_reply(case: Case) -> frozenset[End]:
    await case.goes_on_to("resolved")
    return frozenset({_CLOSED_UNHEARD})


async def neglected(case: Case) -> frozenset[End]:
    """Nobody moves until the last rung has heard of it."""
    if (await case.reaches("assigned", "triage"))["state"] == "assigned":
        await case.is_escalated_to(3)
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=4)
    return SOLVED


async def reopened(case: Case) -> frozenset[End]:
    await case.goes_on_to("resolved")
    if await case.citizen("rate", solved="no", satisfied=1, text="晚上又不亮了。"):
        await case.reaches("assigned", "closed")
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=4)
    return SOLVED


async def asked(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    await case.staff("handler", "ask_citizen", question="请问是从哪天开始的？")
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=5)
    return SOLVED


async def never_answered(case: Case) -> frozenset[End]:
    """The question is not answered: the work goes on without."""
    await case.goes_on_to("in_progress")
    if await case.staff("handler", "ask_citizen", question="请问是从哪天开始的？"):
        await case.reaches("in_progress", "assigned", "in_review", "resolved")
    await case.goes_on_to("resolved")
    return frozenset({_CLOSED_UNHEARD})


async def returned(case: Case) -> frozenset[End]:
    if (await case.reaches("assigned", "triage"))["state"] == "assigned":
        await case.staff("lead", "return_request", reason="不属于本部门职责。", department="housing")
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=5)
    return SOLVED


async def helped(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    if await case.staff("handler", "add_co_handler", department="public_safety", task="请协助维持秩序。"):
        other = case.people.handler_of("public_safety")
        note = {"note": "已经协助。"}
        await case.people.act(other, case.sent.reference, "finish_co_handling", f"{case.sent.reference}-helper", note)
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=5)
    return SOLVED


async def declined(case: Case) -> frozenset[End]:
    await case.reaches("triage")
    await case.staff("dispatcher", "decline", reason_code="court")
    return frozenset({("declined", None)})


async def transferred(case: Case) -> frozenset[End]:
    await case.reaches("assigned", "triage")
    await case.staff("dispatcher", "transfer", target="neighbouring_city")
    return frozenset({("transferred", None)})


async def withdrawn(case: Case) -> frozenset[End]:
    await case.citizen("supplement", text="补充：越来越严重。")
    if await case.citizen("withdraw", text="已经修好了。"):
        return frozenset({("withdrawn", None)})
    # Refused, because it is over: perhaps by this very message, whose answer was lost on the way.
    return await rated(case) | {("withdrawn", None)}


LIVES: tuple[tuple[Life, str | None], ...] = (
    (rated, None), (worked_on, None), (without_reply, None), (neglected, None), (reopened, None), (rated, RIDDLE),
    (asked, None), (declined, RIDDLE), (withdrawn, None), (returned, None), (transferred, None),
    (helped, None), (never_answered, None), (worked_on, None), (rated, None),
)  # fmt: skip
"""Each with what its citizen writes, where that matters."""


# Those that stay as they are, promised by the city's own calendar: their clocks have to survive everything.


async def left_assigned(case: Case) -> frozenset[End]:
    await case.reaches("assigned", "triage")
    return frozenset({("assigned", None), ("triage", None)})


async def left_in_triage(case: Case) -> frozenset[End]:
    await case.reaches("triage", "assigned")
    return frozenset({("triage", None), ("assigned", None)})


async def left_in_progress(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    await case.staff("handler", "contact", how="phone")
    return frozenset({("in_progress", None)})


async def left_with_a_question(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    await case.staff("handler", "ask_citizen", question="请问是从哪天开始的？")
    return frozenset({("awaiting_citizen", None)})


async def left_on_hold(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    is_held = await _is_put_on_hold(case)
    return frozenset({("on_hold" if is_held else "in_progress", None)})


async def left_extended(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    if await case.staff("lead", "request_extension", days=3, reason="需要等待配件。"):
        await case.staff("dispatcher", "grant_extension")
    return frozenset({("in_progress", None)})


async def left_resolved(case: Case) -> frozenset[End]:
    await case.goes_on_to("resolved")
    return frozenset({("resolved", None)})


async def left_closed(case: Case) -> frozenset[End]:
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=5)
    await case.reaches("closed")
    return frozenset({("closed", "solved")})


LEFT: tuple[tuple[Life, str | None], ...] = (
    (left_assigned, None), (left_in_progress, None), (left_in_triage, RIDDLE), (left_with_a_question, None),
    (left_resolved, None), (left_on_hold, None), (left_closed, None), (left_extended, None),
)  # fmt: skip


async def _is_put_on_hold(case: Case) -> bool:
    review_on = (datetime.now(UTC) + _REVIEW_IN).date().isoformat()
    asked_for = await case.staff("lead", "request_hold", review_on=review_on, reason="材料齐全后才能施工。")
    return asked_for and await case.staff("supervisor", "approve_hold")
