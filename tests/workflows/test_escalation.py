"""Escalation by hand and taking over: row 25 of PROCESS.md."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import commands as c
from domain.request import State
from tests.town import Request, Town, a_text, refused
from tests.workflows.test_clocks import after, clocks


async def a_request_about_litter(town: Town) -> Request:
    """With North Street, below Housing; the second rung of its chain takes over."""
    request = await town.submit("Litter everywhere.")
    assert (await request.snapshot()).department == "north_street"
    return request


@pytest.mark.parametrize("username", ["handler", "lead", "supervisor"])
async def test_escalation_by_hand_raises_the_level_and_keeps_the_reason(town: Town, username: str) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    reason = a_text()
    taken = await request.act(c.Escalate(town.actor(username), reason))
    last = await request.snapshot()
    assert (taken.state, last.escalation_level, last.due_at) == (State.IN_PROGRESS, 1, before.due_at)
    event = await request.latest()
    assert (event.actor_id, event.text, event.public) == (str(town.staff[username]), reason, False)
    assert await request.notices("escalate") == [("escalated", "lead"), ("escalated_from", "handler")]


async def test_escalation_by_hand_stops_the_timer_of_that_level_alone(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    due_at = (await request.snapshot()).due_at
    await request.act(c.Escalate(town.actor("lead"), a_text()))
    await request.wait_until(due_at)
    assert [action for action in await clocks(request) if action.startswith("escalate")] == []
    await request.wait_until(after(request, due_at, "1 working day"))
    assert [action for action in await clocks(request) if action.startswith("escalate")] == ["escalate2"]


async def test_highest_level_is_the_end(town: Town) -> None:
    request = await town.submit()
    for _ in range(3):
        await request.act(c.Escalate(town.actor("lead"), a_text()))
    with refused("not_allowed"):
        await request.act(c.Escalate(town.actor("lead"), a_text()))
    assert (await request.snapshot()).escalation_level == 3


async def test_chain_without_a_further_level_is_refused_before_it_enters_history(town: Town) -> None:
    request = await town.submit("Good morning to you all.")
    for _ in range(2):
        await request.act(c.Escalate(town.actor("supervisor"), a_text()))
    before = await request.history()
    with refused("not_allowed"):
        await request.act(c.Escalate(town.actor("supervisor"), a_text()))
    assert await request.history() == before


async def test_late_request_is_taken_over_by_the_department_above(town: Town) -> None:
    request = await a_request_about_litter(town)
    await request.accepted("street_handler")
    due_at = (await request.snapshot()).due_at
    await request.wait_until(after(request, due_at, "1 working day"))
    last = await request.snapshot()
    assert (last.state, last.department, last.assignee, last.accepted_at) == (State.ASSIGNED, "housing", None, None)
    assert (last.escalation_level, last.due_at) == (2, due_at)
    event = await request.latest()
    assert (event.public, event.facts["department"], event.facts["previous_department"]) == (
        True,
        "housing",
        "north_street",
    )
    assert await request.notices("escalate") == [
        ("department_changed", "citizen"), ("escalated", "lead"), ("escalated_from", "street_handler"), ("new_task", "handler"),
    ]  # fmt: skip
    with refused("forbidden"):
        await request.accepted("street_handler")
    await request.accepted("handler")
    await request.wait_until(after(request, due_at, "3 working days"))
    assert await request.notices("escalate") == [("escalated", "supervisor"), ("escalated_from", "handler")]
    assert (await request.snapshot()).department == "housing"
    assert await request.unsent() == []


async def test_request_that_was_taken_over_is_to_be_accepted_in_time_again(town: Town) -> None:
    request = await a_request_about_litter(town)
    for _ in range(2):
        await request.act(c.Escalate(town.actor("street_lead"), a_text()))
    last = await request.snapshot()
    assert (last.state, last.department) == (State.ASSIGNED, "housing")
    await request.wait_until(last.accept_due_at)
    assert await request.notices("accept_overdue") == [("accept_overdue", "handler"), ("accept_overdue", "lead")]


async def test_escalation_by_hand_with_taking_over_leaves_the_due_date_and_stops_both_timers(town: Town) -> None:
    request = await a_request_about_litter(town)
    due_at = (await request.snapshot()).due_at
    await request.act(c.Escalate(town.actor("street_handler"), a_text()))
    await request.act(c.Escalate(town.actor("lead"), a_text()))
    last = await request.snapshot()
    assert (last.department, last.escalation_level, last.due_at) == ("housing", 2, due_at)
    await request.wait_until(after(request, due_at, "3 working days"))
    assert [action for action in await clocks(request) if action.startswith("escalate")] == ["escalate3"]


async def test_taking_over_by_a_department_that_the_policy_has_lost_only_notifies(town: Town) -> None:
    request = await a_request_about_litter(town)
    # Nobody checks in the workflow that the policy knows this category: the interface did, when the policy still had it.
    await request.act(c.Reclassify(town.actor("dispatcher"), "abolished", a_text()))
    await request.wait_until(after(request, (await request.snapshot()).due_at, "1 working day"))
    last = await request.snapshot()
    assert (last.escalation_level, last.department, last.state) == (2, "north_street", State.ASSIGNED)
    await request.wait(timedelta(days=1))
    assert await request.is_running()
