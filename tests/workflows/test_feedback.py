"""What follows the answer: rows 27 to 30 of PROCESS.md, and when a run ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain import commands as c
from domain.request import Outcome, Result, Solved, State
from tests.town import Request, Town, a_text, refused
from workflows.contract import Message
from workflows.delivery import signal_run

WINDOW = timedelta(days=30, hours=1)


async def a_resolved_request(town: Town) -> Request:
    request = await town.submit()
    await request.resolved()
    return request


@pytest.mark.parametrize(("solved", "outcome"), [(Solved.YES, Outcome.SOLVED), (Solved.PARTLY, Outcome.PARTLY_SOLVED)])
async def test_rated_request_is_closed_with_what_the_citizen_says(town: Town, solved: Solved, outcome: Outcome) -> None:
    request = await a_resolved_request(town)
    await request.hear("rated", solved=solved, satisfied=4, text=a_text())
    after = await request.snapshot()
    assert (after.state, after.outcome, after.solved, after.satisfied) == (State.CLOSED, outcome, solved, 4)
    assert await request.notices("rate") == [("rated", "handler")]


async def test_not_solved_reopens_at_once_with_a_new_due_date_and_is_watched(town: Town) -> None:
    request = await a_resolved_request(town)
    before = await request.snapshot()
    await request.wait(timedelta(days=1))
    await request.rated(Solved.NO, 1)
    after = await request.snapshot()
    assert (await request.actions())[-2:] == ["rate", "reopen"]
    assert (after.state, after.department, after.rework_count, after.escalation_level) == (
        State.ASSIGNED,
        "housing",
        1,
        1,
    )
    assert (after.outcome, after.resolved_at, after.solved) == (None, None, Solved.NO)
    assert after.due_at != before.due_at
    assert await request.notices("rate") == []
    assert await request.notices("reopen") == [
        ("reopened", "citizen"), ("reopened_department", "lead"), ("reopened_department", "supervisor"),
    ]  # fmt: skip


async def test_reworked_request_goes_through_review(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.rated(Solved.NO, 2)
    await request.accepted()
    taken = await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    assert taken.state is State.IN_REVIEW


async def a_request_reworked_in_vain(town: Town) -> Request:
    request = await a_resolved_request(town)
    for _ in range(2):
        await request.rated(Solved.NO, 1)
        await request.resolved()
    await request.rated(Solved.NO, 1)
    return request


async def test_not_solved_after_two_reworks_asks_for_a_decision(town: Town) -> None:
    request = await a_request_reworked_in_vain(town)
    after = await request.snapshot()
    assert (after.state, after.rework_count, after.department) == (State.ADJUDICATION, 2, "housing")
    assert after.triage_reason == "reworked_in_vain"
    assert await request.notices("reopen") == [("needs_decision", "supervisor")]


async def test_decision_after_reworks_in_vain_fixes_a_due_date_that_lies_ahead(town: Town) -> None:
    request = await a_request_reworked_in_vain(town)
    await request.wait(timedelta(days=20))
    await request.act(c.Decide(town.actor("supervisor"), c.Decision.ASSIGN, a_text(), department="health"))
    after = await request.snapshot()
    assert after.due_at is not None
    assert after.due_at > await town.environment.get_current_time()


async def test_unsatisfied_citizen_reopens_a_closed_request_within_the_window(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.rated(Solved.PARTLY, 2)
    await request.wait(timedelta(days=29))
    text = a_text()
    await request.hear("reopened", text=text)
    after = await request.snapshot()
    assert (after.state, after.outcome, after.closed_at) == (State.ASSIGNED, None, None)
    assert (await request.latest()).text == text


async def test_satisfied_citizen_is_asked_for_a_new_request_instead(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.rated(Solved.YES, 5)
    await request.hear("reopened")
    assert await request.state() is State.CLOSED
    assert (await request.latest()).facts == {"action": "reopen", "reason": "not_allowed"}
    await request.wait(WINDOW)
    assert not await request.is_running()


async def test_citizen_who_did_not_rate_reopens_a_resolved_request(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.hear("reopened", text=a_text())
    assert await request.state() is State.ASSIGNED


async def test_supervisor_reopens_whatever_the_citizen_said(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.rated(Solved.YES, 5)
    with refused("forbidden"):
        await request.act(c.Reopen(town.actor("dispatcher"), a_text()))
    await request.act(c.Reopen(town.actor("supervisor"), a_text()))
    after = await request.snapshot()
    assert (after.state, after.rework_count) == (State.ASSIGNED, 1)


async def test_nobody_reopens_after_the_window(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.rated(Solved.PARTLY, 1)
    await request.wait(WINDOW)
    message = Message(99, datetime.now(UTC))
    assert await signal_run(town.environment.client, request.reference, "reopened", message) is False
    assert await request.state() is State.CLOSED


async def test_silent_citizen_is_reminded_once_and_then_the_request_is_closed_without_a_reply(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.wait(timedelta(days=3, hours=1))
    assert await request.notices("remind_feedback") == [("feedback_reminder", "citizen")]
    assert await request.state() is State.RESOLVED
    await request.wait(timedelta(days=4))
    after = await request.snapshot()
    assert (after.state, after.outcome, after.satisfied, after.solved) == (State.CLOSED, Outcome.NO_REPLY, None, None)
    assert await request.actions() == ["submit", "auto_assign", "accept", "resolve", "remind_feedback", "close"]
    assert await request.unsent() == []


async def test_request_closed_without_a_reply_can_still_be_reopened(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.wait(timedelta(days=8))
    assert (await request.snapshot()).outcome is Outcome.NO_REPLY
    await request.hear("reopened")
    assert await request.state() is State.ASSIGNED


async def test_run_ends_when_the_window_for_reopening_has_passed(town: Town) -> None:
    request = await a_resolved_request(town)
    await request.rated()
    await request.wait(timedelta(days=29))
    assert await request.is_running()
    await request.wait(timedelta(days=1, hours=1))
    assert not await request.is_running()
    ended = await request.handle.result()
    assert (ended.state, ended.outcome) == (State.CLOSED, Outcome.SOLVED)
