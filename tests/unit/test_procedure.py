"""What each act makes of a request: states, counters, deadlines, events and owed notices."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain import commands as c
from domain.acts import ACTION_OF, take
from domain.clocks import alarms_after
from domain.lifecycle import permit
from domain.procedure import auto_assign, close_without_reply, escalate_by_rung, remind, submit, to_triage
from domain.request import (
    CITIZEN,
    SYSTEM,
    Alarm,
    AlarmKind,
    Outcome,
    Result,
    Rung,
    Snapshot,
    Solved,
    State,
    Turn,
    Urgency,
)
from tests.builders import MONDAY_NINE, a_dispatcher, a_handler, a_lead, a_plan, a_snapshot, a_supervisor

LATER = MONDAY_NINE + timedelta(hours=5)


def _taken(command: c.Command, before: Snapshot, plan: object = None) -> Turn:
    row = permit(before, ACTION_OF[type(command)], command.by, LATER)
    return take(command, before, row, LATER, plan)  # type: ignore[arg-type]


def _owed(turn: Turn) -> list[tuple[str, str, str | None]]:
    return [(notice.kind, notice.to, notice.department) for notice in turn.notices]


def test_submit_owes_the_receipt() -> None:
    received = a_snapshot(State.RECEIVED, sequence=0)
    turn = submit(received, CITIZEN)
    assert (turn.event.sequence, turn.event.state_before, turn.event.state) == (1, None, State.RECEIVED)
    assert _owed(turn) == [("receipt", "citizen", None)]


def test_auto_assign_fixes_the_deadlines_and_tells_citizen_and_department() -> None:
    plan = a_plan()
    turn = auto_assign(a_snapshot(State.RECEIVED), plan, LATER, {"confidence": "0.9"})
    assert (turn.snapshot.state, turn.snapshot.department) == (State.ASSIGNED, "housing")
    assert turn.snapshot.due_at == plan.due_at
    assert _owed(turn) == [("assigned", "citizen", "housing"), ("new_task", "handlers", "housing")]


def test_triage_keeps_the_reason_and_tells_the_dispatchers() -> None:
    turn = to_triage(a_snapshot(State.RECEIVED), a_plan(None), LATER, "low_confidence", {})
    assert turn.snapshot.triage_reason == "low_confidence"
    assert not turn.event.public
    assert _owed(turn) == [("needs_triage", "dispatchers", None)]


def test_accept_names_the_assignee_and_leaves_the_due_date() -> None:
    before = a_snapshot(State.ASSIGNED)
    after = _taken(c.Accept(a_handler()), before).snapshot
    assert (after.state, after.assignee, after.accepted_at) == (State.IN_PROGRESS, "handler-1", LATER)
    assert after.due_at == before.due_at


def test_return_never_moves_the_due_date_and_does_not_bother_the_citizen() -> None:
    before = a_snapshot(State.ASSIGNED)
    turn = _taken(c.ReturnRequest(a_lead(), "text-1", "health"), before, a_plan(None))
    assert (turn.snapshot.state, turn.snapshot.return_count, turn.snapshot.department) == (State.TRIAGE, 1, None)
    assert turn.snapshot.due_at == before.due_at
    assert not turn.event.public
    assert [to for _, to, _ in _owed(turn)] == ["dispatchers"]


def test_assignment_after_a_return_keeps_the_first_due_date() -> None:
    before = a_snapshot(State.TRIAGE, due_at=MONDAY_NINE + timedelta(days=3))
    turn = _taken(c.Assign(a_dispatcher(), "health", "clinic"), before, a_plan("health", LATER, category="clinic"))
    assert turn.snapshot.due_at == MONDAY_NINE + timedelta(days=3)
    assert turn.event.facts["previous_category"] == "street_light"


def test_third_return_asks_the_supervisors_and_keeps_the_department_as_a_party() -> None:
    before = a_snapshot(State.ASSIGNED, return_count=2)
    turn = _taken(c.ReturnRequest(a_lead(), "text-1", "health"), before, a_plan(None))
    assert (turn.snapshot.state, turn.snapshot.department) == (State.ADJUDICATION, "housing")
    assert _owed(turn) == [("needs_decision", "supervisors", "housing")]


def test_binding_decision_binds() -> None:
    before = a_snapshot(State.ADJUDICATION, department="housing")
    command = c.Decide(a_supervisor(), c.Decision.ASSIGN, "text-1", department="health")
    after = _taken(command, before, a_plan("health")).snapshot
    assert (after.state, after.department, after.binding) == (State.ASSIGNED, "health", True)


def test_reassign_tells_the_old_and_the_new_department() -> None:
    turn = _taken(c.Reassign(a_dispatcher(), "health", "text-1"), a_snapshot(), a_plan("health"))
    assert ("new_task", "handlers", "health") in _owed(turn)
    assert ("reassigned_away", "assignee", "housing") in _owed(turn)


def test_first_contact_is_stamped_once() -> None:
    first = _taken(c.Contact(a_handler(), c.ContactKind.PHONE), a_snapshot()).snapshot
    second = _taken(c.Contact(a_handler(), c.ContactKind.VISIT), replace(first, contacted_at=MONDAY_NINE)).snapshot
    assert (first.contacted_at, second.contacted_at) == (LATER, MONDAY_NINE)


@pytest.mark.parametrize(("public", "owed"), [(True, ["progress"]), (False, [])])
def test_progress_note_reaches_the_citizen_only_when_public(public: bool, owed: list[str]) -> None:
    turn = _taken(c.Progress(a_handler(), "text-1", public), a_snapshot())
    assert turn.event.public is public
    assert [kind for kind, _, _ in _owed(turn)] == owed
    assert (turn.snapshot.contacted_at is not None) is public


@pytest.mark.parametrize(
    ("label", "changes", "result", "state"),
    [
        ("plain", {}, Result.SOLVED, State.RESOLVED),
        ("explained", {}, Result.EXPLAINED, State.RESOLVED),
        ("not solved", {}, Result.NOT_SOLVED, State.IN_REVIEW),
        ("escalated", {"escalation_level": 1}, Result.SOLVED, State.IN_REVIEW),
        ("reworked", {"rework_count": 1}, Result.SOLVED, State.IN_REVIEW),
        ("sampled or demanded by the category", {"review_required": True}, Result.SOLVED, State.IN_REVIEW),
    ],
)
def test_resolution_goes_through_review(label: str, changes: dict[str, Any], result: Result, state: State) -> None:
    turn = _taken(c.Resolve(a_handler(), result, "text-1"), a_snapshot(**changes))
    assert turn.snapshot.state is state
    assert [kind for kind, _, _ in _owed(turn)] == (["resolved"] if state is State.RESOLVED else ["review_wanted"])
    assert turn.event.public is (state is State.RESOLVED)


def test_answer_counts_each_of_its_pictures_once() -> None:
    turn = _taken(c.Resolve(a_handler(), Result.SOLVED, "text-1", ("one", "two", "one")), a_snapshot())
    assert turn.event.facts == {"outcome": "solved", "attachments": "2", "attachment_ids": "one two"}


def test_approved_answer_reaches_the_citizen() -> None:
    before = a_snapshot(State.IN_REVIEW, reply="text-1", result=Result.SOLVED, resolved_by="handler-1")
    turn = _taken(c.Approve(a_dispatcher()), before)
    assert (turn.snapshot.state, turn.event.text) == (State.RESOLVED, "text-1")
    assert _owed(turn) == [("resolved", "citizen", "housing")]


@pytest.mark.parametrize(("count", "to"), [(0, "assignee"), (1, "leads"), (2, "supervisors"), (7, "supervisors")])
def test_urging_is_heard_higher_each_time(count: int, to: str) -> None:
    turn = _taken(c.Urge(CITIZEN), a_snapshot(urge_count=count))
    assert _owed(turn) == [("urged", to, "housing")]


def test_urging_in_triage_reaches_the_dispatchers() -> None:
    assert _owed(_taken(c.Urge(CITIZEN), a_snapshot(State.TRIAGE))) == [("urged", "dispatchers", None)]


@pytest.mark.parametrize(
    ("solved", "result", "state", "outcome"),
    [
        (Solved.YES, Result.SOLVED, State.CLOSED, Outcome.SOLVED),
        (Solved.YES, Result.EXPLAINED, State.CLOSED, Outcome.EXPLAINED),
        (Solved.PARTLY, Result.SOLVED, State.CLOSED, Outcome.PARTLY_SOLVED),
        (Solved.NO, Result.SOLVED, State.RESOLVED, None),
    ],
)
def test_rating_decides_the_outcome(solved: Solved, result: Result, state: State, outcome: Outcome | None) -> None:
    turn = _taken(c.Rate(CITIZEN, solved, 4), a_snapshot(State.RESOLVED, result=result))
    assert (turn.snapshot.state, turn.snapshot.outcome) == (state, outcome)


def test_no_reply_is_never_counted_as_satisfied() -> None:
    after = close_without_reply(a_snapshot(State.RESOLVED), LATER).snapshot
    assert (after.outcome, after.satisfied, after.solved) == (Outcome.NO_REPLY, None, None)


def test_reopening_fixes_a_new_due_date_one_level_higher_with_compulsory_review() -> None:
    before = a_snapshot(State.RESOLVED, resolved_at=MONDAY_NINE)
    plan = a_plan(at=LATER)
    turn = _taken(c.Reopen(CITIZEN, "text-1"), before, plan)
    after = turn.snapshot
    assert (after.state, after.rework_count, after.escalation_level, after.review_required) == (
        State.ASSIGNED,
        1,
        1,
        True,
    )
    assert after.due_at == plan.due_at != before.due_at
    assert {to for _, to, _ in _owed(turn)} == {"citizen", "leads", "supervisors"}


def test_reopening_after_two_reworks_awaits_a_decision() -> None:
    turn = _taken(c.Reopen(CITIZEN), a_snapshot(State.RESOLVED, rework_count=2), a_plan(None))
    assert turn.snapshot.state is State.ADJUDICATION
    assert _owed(turn) == [("needs_decision", "supervisors", "housing")]


def test_escalation_that_notifies_leaves_the_assignment() -> None:
    turn = escalate_by_rung(a_snapshot(), Rung(1, ("housing",)), SYSTEM, LATER, None)
    assert (turn.snapshot.state, turn.snapshot.department, turn.snapshot.escalation_level) == (
        State.IN_PROGRESS,
        "housing",
        1,
    )
    assert _owed(turn) == [("escalated", "leads", "housing"), ("escalated_from", "assignee", "housing")]


def test_escalation_that_takes_over_moves_the_assignment_and_keeps_the_due_date() -> None:
    before = a_snapshot(assignee="handler-1")
    turn = escalate_by_rung(before, Rung(2, ("city",), take_over="city"), SYSTEM, LATER, a_plan("city", LATER))
    after = turn.snapshot
    assert (after.state, after.department, after.assignee) == (State.ASSIGNED, "city", None)
    assert after.due_at == before.due_at
    assert ("department_changed", "citizen", "city") in _owed(turn)
    assert ("new_task", "handlers", "city") in _owed(turn)


def test_escalation_in_triage_reaches_rung_and_dispatchers() -> None:
    turn = escalate_by_rung(a_snapshot(State.TRIAGE), Rung(1, (), supervisors=True), SYSTEM, LATER, None)
    assert [to for _, to, _ in _owed(turn)] == ["supervisors", "dispatchers"]


def test_reminder_changes_nothing_but_the_timeline() -> None:
    before = a_snapshot()
    turn = remind(before, AlarmKind.REMIND_HALF, LATER)
    assert replace(turn.snapshot, sequence=before.sequence, updated_at=before.updated_at) == before
    assert _owed(turn) == [("reminder_half", "assignee", "housing")]


def test_notices_of_an_urgent_request_are_urgent() -> None:
    turn = _taken(c.Accept(a_handler()), a_snapshot(State.ASSIGNED, urgency=Urgency.DANGER))
    reminder = remind(turn.snapshot, AlarmKind.REMIND_HALF, LATER)
    assert all(notice.urgent for notice in reminder.notices)


def _kinds(alarms: tuple[Alarm, ...]) -> list[str]:
    return [alarm.kind if alarm.rung is None else f"{alarm.kind} {alarm.rung.level}" for alarm in alarms]


def test_accepting_stops_the_accept_clock_alone() -> None:
    running = a_plan().alarms
    turn = _taken(c.Accept(a_handler()), a_snapshot(State.ASSIGNED))
    assert _kinds(alarms_after(turn, running)) == [
        "contact_overdue", "remind_half", "remind_eighty", "escalate 1", "escalate 2", "escalate 3",
    ]  # fmt: skip


def test_escalation_by_hand_stops_the_clock_of_that_level() -> None:
    turn = escalate_by_rung(a_snapshot(), Rung(1, ("housing",)), a_lead(), LATER, None)
    assert "escalate 1" not in _kinds(alarms_after(turn, a_plan().alarms))


def test_ended_request_has_no_clock_but_that_of_held_notices() -> None:
    held = Alarm(LATER, AlarmKind.SEND_HELD)
    turn = _taken(c.Withdraw(CITIZEN), a_snapshot())
    assert alarms_after(turn, (*a_plan().alarms, held)) == (held,)


def test_clock_set_back_never_puts_an_event_before_the_one_it_follows() -> None:
    before = a_snapshot(State.ASSIGNED, updated_at=LATER + timedelta(days=1))
    turn = _taken(c.Accept(a_handler()), before)
    assert turn.event.at == turn.snapshot.updated_at == LATER + timedelta(days=1)
