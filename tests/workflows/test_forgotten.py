"""An action that stands in the database while the run has forgotten it: the task that took it was lost, and nobody asks again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import commands as c
from domain.acts import ACTION_OF
from domain.pauses import plan_question
from domain.planning import PlanWanted, plan_assignment, plan_feedback
from domain.request import Act, Result, State
from tests.forgotten import LOST, was_done
from tests.town import Town, a_text, refused
from tests.workflows.test_pauses import moved
from workflows.acts import command_of, written
from workflows.carried import Carried
from workflows.contract import CATCH_UP, ActionTaken

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@given(command=st.one_of([st.from_type(command) for command in ACTION_OF]))
@settings(max_examples=200)
def test_whatever_is_asked_for_can_be_kept_and_read_again(command: c.Command) -> None:
    kept = Act(LOST, ACTION_OF[type(command)], written(command), MOMENT)
    assert command_of(kept) == command


async def test_message_that_comes_after_a_forgotten_action_stands_behind_it(town: Town) -> None:
    request = await town.submit()
    await was_done(request, c.Accept(town.actor("handler")))
    before = await request.events()
    await request.hear("supplemented", text=a_text())
    assert (await request.actions())[2:] == ["accept", "supplement"]
    assert (await request.events())[:3] == before
    assert (await request.snapshot()).assignee == str(town.staff["handler"])
    assert await request.notices("supplement") == [("supplemented", "handler")]
    assert len(await request.notices("accept")) == len(set(await request.notices("accept")))


async def test_clock_that_a_forgotten_action_has_stopped_does_not_ring(town: Town) -> None:
    request = await town.submit()
    await was_done(request, c.Accept(town.actor("handler")))
    await request.wait_until((await request.snapshot()).accept_due_at)
    assert (await request.actions())[2:] == ["accept", "contact_overdue"]


async def test_clock_that_a_forgotten_action_leaves_alone_rings_behind_it(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await was_done(request, c.Progress(town.actor("handler"), a_text()))
    await request.wait_until((await request.snapshot()).contact_due_at)
    assert (await request.actions())[2:] == ["accept", "progress", "contact_overdue"]


async def test_forgotten_action_that_is_asked_for_again_gets_its_answer_and_is_done_once(town: Town) -> None:
    request = await town.submit()
    accept = c.Accept(town.actor("handler"))
    await was_done(request, accept)
    for _ in range(2):
        taken = await request.handle.execute_update("accept", accept, id=LOST, result_type=ActionTaken)
        assert (taken.state, taken.sequence) == (State.IN_PROGRESS, 3)
        await request.hear("supplemented", text=a_text())
    assert (await request.actions())[2:] == ["accept", "supplement", "supplement"]


async def test_answer_is_the_same_after_another_turn_has_made_up_for_the_action(town: Town) -> None:
    request = await town.submit()
    accept = c.Accept(town.actor("handler"))
    await was_done(request, accept)
    await request.hear("supplemented", text=a_text())
    taken = await request.handle.execute_update("accept", accept, id=LOST, result_type=ActionTaken)
    assert (taken.state, taken.sequence) == (State.IN_PROGRESS, 3)
    assert (await request.actions())[2:] == ["accept", "supplement"]


async def test_another_action_is_taken_after_the_forgotten_one(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await was_done(request, c.Progress(town.actor("handler"), a_text()))
    await request.act(c.Contact(town.actor("handler"), c.ContactKind.PHONE))
    assert (await request.actions())[2:] == ["accept", "progress", "contact"]


async def test_run_that_refuses_what_the_forgotten_action_made_possible_makes_up_for_it_when_told(town: Town) -> None:
    request = await town.submit()
    await was_done(request, c.Accept(town.actor("handler")))
    contact = c.Contact(town.actor("handler"), c.ContactKind.PHONE)
    with refused("not_allowed"):
        await request.act(contact)
    await request.handle.signal(CATCH_UP)
    await request.settled()
    await request.act(contact)
    assert (await request.actions())[2:] == ["accept", "contact"]


async def test_forgotten_action_whose_time_ended_while_it_was_recorded_is_made_up_for(town: Town) -> None:
    request = await town.submit()
    assigned = await request.snapshot()
    assert assigned.return_until is not None
    await request.wait_until(assigned.return_until)
    returned = c.ReturnRequest(town.actor("lead"), a_text(), "housing")
    before, now = await request.snapshot(), await town.environment.get_current_time()
    waits = plan_assignment(
        town.policy, PlanWanted(before.reference, now, category=before.category, due_at=before.due_at)
    )
    await was_done(request, returned, waits, began_at=assigned.assigned_at)
    await request.hear("supplemented", text=a_text())
    assert (await request.actions())[-2:] == ["return_request", "supplement"]
    assert (await request.snapshot()).state is State.TRIAGE


async def test_forgotten_question_counts_from_the_moment_in_which_it_was_asked(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    now = await town.environment.get_current_time()
    await was_done(request, c.AskCitizen(town.actor("handler"), a_text()), plan_question(town.policy, now))
    paused = await request.snapshot()
    await town.environment.sleep(timedelta(hours=20))
    await request.hear("answered", text=a_text())
    after = await request.snapshot()
    assert after.due_at == moved(town, before, paused, after)
    assert (await request.actions())[2:] == ["accept", "ask_citizen", "answer"]


@pytest.mark.parametrize("again", ["asked_again", "behind_a_message"])
async def test_feedback_after_a_forgotten_answer_counts_from_the_moment_in_which_it_was_given(
    town: Town, again: str
) -> None:
    request = await town.submit()
    await request.accepted()
    resolve = c.Resolve(town.actor("handler"), Result.SOLVED, a_text())
    act = await was_done(request, resolve)
    await request.wait(timedelta(hours=20))
    if again == "asked_again":
        taken = await request.handle.execute_update("resolve", resolve, id=LOST, result_type=ActionTaken)
        assert taken.state is State.RESOLVED
    else:
        await request.hear("supplemented", text=a_text())
    snapshot = await request.snapshot()
    assert snapshot.resolved_at == act.at
    carried = await request.handle.query("carried", result_type=Carried)
    planned = plan_feedback(town.policy, act.at, request.reference, snapshot.category)
    assert (set(planned.alarms) <= set(carried.alarms), carried.reopen_until) == (True, planned.reopen_until)


async def test_run_that_is_told_to_make_up_for_nothing_does_nothing(town: Town) -> None:
    request = await town.submit()
    await request.handle.signal(CATCH_UP)
    await request.settled()
    assert await request.actions() == ["submit", "auto_assign"]
