"""The lives that are played: what citizens and staff do with a request, whatever breaks meanwhile, and how it may end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from chaos.case import Case

LAMP = "小区门口的路灯不亮，晚上很黑，请安排维修。"
BUS = "公交车很久不来，发车间隔太长。"
WAGES = "公司拖欠工资三个月没有发。"
PARCEL = "快递丢失，快递公司不管。"
FUMES = "工厂夜里排放废气，气味刺鼻。"
RIDDLE = "不知道找谁，事情一直没有解决。"
ORDINARY = (LAMP, BUS, WAGES, PARCEL, FUMES)

End = tuple[str, str | None]
"""State and outcome."""

_REVIEW_IN = timedelta(days=20)


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


async def referred(case: Case) -> frozenset[End]:
    """The dispatcher does not agree with the return: a supervisor decides."""
    if (await case.reaches("assigned", "triage"))["state"] == "assigned":
        await case.staff("lead", "return_request", reason="不属于本部门职责。", department="housing")
        await case.staff("dispatcher", "refer", reason="职责清单上有此事项。")
    return await rated(case)


async def helped(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    if await case.staff("handler", "add_co_handler", department="public_safety", task="请协助维持秩序。"):
        other = case.people.handler_of("public_safety")
        note = {"note": "已经协助。"}
        await case.people.act(other, case.sent.reference, "finish_co_handling", f"{case.sent.reference}-helper", note)
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=5)
    return SOLVED


async def merged(case: Case) -> frozenset[End]:
    """Somebody else has reported the same: this one follows theirs to its end."""
    other = await _is_merged(case)
    if other is None:
        return await rated(case)
    await rated(other)
    return frozenset({("merged", None)})


async def separated(case: Case) -> frozenset[End]:
    """It was a matter of its own after all."""
    other = await _is_merged(case)
    if other is not None:
        await case.staff("dispatcher", "unmerge", reason="经核实是两件事。")
        await rated(other)
    return await rated(case)


async def _is_merged(case: Case) -> Case | None:
    """Into another request of the same citizen, which is given; None where that is refused."""
    other = await case.once_more()
    await other.reaches("assigned", "triage")
    await case.reaches("assigned", "triage")
    if await case.staff("dispatcher", "merge", parent=other.sent.reference):
        return other
    await rated(other)
    return None


async def corrected(case: Case) -> frozenset[End]:
    await case.reaches("assigned", "triage")
    await case.staff("dispatcher", "reassign", department="housing", category="property_management", reason="改派。")
    await case.staff("dispatcher", "reclassify", category="street_light", reason="类别有误。")
    await case.staff("dispatcher", "set_urgency", urgency="urgent", reason="涉及夜间出行安全。")
    return await rated(case)


async def passed_up(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    await case.staff("handler", "escalate", reason="需要上级协调。")
    return await rated(case)


async def sent_back(case: Case) -> frozenset[End]:
    if await case.goes_on_to("in_review", "resolved", outcome="not_solved") == "in_review":
        await case.staff("dispatcher", "send_back", reason="答复不够具体。")
    return await rated(case)


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
    (merged, LAMP), (separated, LAMP), (corrected, None), (passed_up, None), (sent_back, None), (referred, None),
)  # fmt: skip
"""Each with what its citizen writes, where that matters."""


# Those that stay as they are, promised by the city's own calendar: their clocks have to survive everything.


async def left_assigned(case: Case) -> frozenset[End]:
    await case.reaches("assigned", "triage")
    return frozenset({("assigned", None), ("triage", None)})


async def left_in_triage(case: Case) -> frozenset[End]:
    await case.reaches("triage", "assigned")
    return frozenset({("triage", None), ("assigned", None)})


async def left_helped(case: Case) -> frozenset[End]:
    """Another department has been asked, and its part has clocks of its own."""
    await case.goes_on_to("in_progress")
    await case.staff("handler", "add_co_handler", department="public_safety", task="请协助维持秩序。")
    return frozenset({("in_progress", None)})


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


async def left_to_a_supervisor(case: Case) -> frozenset[End]:
    """Returned by the department, and the dispatcher does not agree."""
    if (await case.reaches("assigned", "triage"))["state"] == "triage":
        return frozenset({("triage", None)})
    is_returned = await case.staff("lead", "return_request", reason="不属于本部门职责。", department="public_safety")
    is_referred = is_returned and await case.staff("dispatcher", "refer", reason="职责清单上有此事项。")
    return frozenset({("adjudication" if is_referred else "triage" if is_returned else "assigned", None)})


async def left_passed_up(case: Case) -> frozenset[End]:
    await case.goes_on_to("in_progress")
    await case.staff("handler", "escalate", reason="需要上级协调。")
    return frozenset({("in_progress", None), ("assigned", None)})


async def left_resolved(case: Case) -> frozenset[End]:
    await case.goes_on_to("resolved")
    return frozenset({("resolved", None)})


async def left_closed(case: Case) -> frozenset[End]:
    await case.goes_on_to("resolved")
    await case.citizen("rate", solved="yes", satisfied=5)
    await case.reaches("closed")
    return frozenset({("closed", "solved")})


LEFT: tuple[tuple[Life, str | None], ...] = (
    (left_helped, None), (left_on_hold, None), (left_in_triage, RIDDLE), (left_assigned, None), (left_in_progress, None),
    (left_with_a_question, None), (left_resolved, None), (left_closed, None), (left_extended, None),
    (left_to_a_supervisor, None), (left_passed_up, None),
)  # fmt: skip


ACTIONS = frozenset({
    "supplement", "urge", "withdraw", "rate", "answer", "assign", "accept", "decide", "contact", "progress", "resolve", "approve",
    "send_back", "ask_citizen", "request_extension", "grant_extension", "request_hold", "approve_hold", "return_request", "refer",
    "add_co_handler", "finish_co_handling", "decline", "transfer", "merge", "unmerge", "reassign", "reclassify", "set_urgency",
    "escalate",
})  # fmt: skip
"""What a full trial has to have done at least once, whatever is refused on the way."""


async def _is_put_on_hold(case: Case) -> bool:
    review_on = (datetime.now(UTC) + _REVIEW_IN).date().isoformat()
    asked_for = await case.staff("lead", "request_hold", review_on=review_on, reason="材料齐全后才能施工。")
    return asked_for and await case.staff("supervisor", "approve_hold")
