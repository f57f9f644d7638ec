"""The table of transitions: every allowed and every forbidden move is derived from it, and its own shape is pinned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Forbidden, NotAllowed
from domain.lifecycle import FEATURED, TRANSITIONS, Action, allowed_actions, permit, rows_of
from domain.request import CITIZEN, SYSTEM, TERMINAL, Actor, Role, Solved, State, Urgency
from tests.builders import MONDAY_NINE, a_caller, a_dispatcher, a_handler, a_lead, a_snapshot, a_supervisor

LATER = MONDAY_NINE + timedelta(hours=1)
ACTORS = {
    Role.CITIZEN: CITIZEN,
    Role.DISPATCHER: a_dispatcher(),
    Role.HANDLER: a_handler(),
    Role.LEAD: a_lead(),
    Role.SUPERVISOR: a_supervisor(),
    Role.CALLER: a_caller(),
    Role.SYSTEM: SYSTEM,
}
HOLDS = {role: {role} for role in ACTORS} | {
    Role.LEAD: {Role.LEAD, Role.HANDLER},
    Role.SUPERVISOR: {Role.SUPERVISOR, Role.DISPATCHER},
}
ROWS_OF_PROCESS = set(range(1, 33))


def test_table_has_every_row_of_the_process() -> None:
    assert {transition.row for transition in TRANSITIONS} == ROWS_OF_PROCESS


def test_table_gives_a_reason_on_each_row() -> None:
    assert all(len(transition.why.split()) >= 3 for transition in TRANSITIONS)


GUARDED = {(State.RESOLVED, Action.REOPEN)}
"""Two rows with opposite guards, tested one by one below."""


def _is_allowed(state: State, action: Action, role: Role) -> bool:
    try:
        permit(a_snapshot(state, department="housing"), action, ACTORS[role], LATER)
    except (NotAllowed, Forbidden):
        return False
    return True


@pytest.mark.parametrize("state", State)
def test_moves_allowed_from_state_are_exactly_those_of_the_table(state: State) -> None:
    moves = {(action, role) for action in FEATURED for role in ACTORS if (state, action) not in GUARDED}
    expected = {
        (action, role)
        for action, role in moves
        if any(row.roles & HOLDS[role] for row in rows_of(action) if state in row.sources)
    }
    assert {(action, role) for action, role in moves if _is_allowed(state, action, role)} == expected


@pytest.mark.parametrize("state", State)
def test_actions_of_a_later_part_are_refused_for_everybody(state: State) -> None:
    for action in set(Action) - FEATURED:
        assert not any(_is_allowed(state, action, role) for role in ACTORS)


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL))
def test_no_state_is_a_dead_end(state: State) -> None:
    reachable = [row for row in TRANSITIONS if state in row.sources and row.targets - {state}]
    assert reachable


@pytest.mark.parametrize("state", sorted(TERMINAL - {State.CLOSED}))
def test_terminal_state_offers_nothing_to_anybody(state: State) -> None:
    for actor in ACTORS.values():
        assert allowed_actions(a_snapshot(state, department="housing"), actor, LATER) == ()


def test_handler_of_another_department_may_do_nothing() -> None:
    assert allowed_actions(a_snapshot(State.ASSIGNED), a_handler("health"), LATER) == ()


def test_handler_of_another_department_is_told_it_is_the_role_or_department() -> None:
    with pytest.raises(Forbidden, match="for the department that has the request"):
        permit(a_snapshot(State.ASSIGNED), Action.ACCEPT, a_handler("health"), LATER)


def test_lead_acts_for_the_departments_below() -> None:
    lead_above = Actor("staff", "lead-9", (Role.HANDLER,), ("city",), ("city", "housing"))
    assert Action.RETURN_REQUEST in allowed_actions(a_snapshot(State.ASSIGNED), lead_above, LATER)


def test_handler_who_is_no_lead_may_not_return() -> None:
    with pytest.raises(Forbidden):
        permit(a_snapshot(State.ASSIGNED), Action.RETURN_REQUEST, a_handler(), LATER)


def test_third_return_goes_to_adjudication() -> None:
    rows = [
        permit(a_snapshot(State.ASSIGNED, return_count=count), Action.RETURN_REQUEST, a_lead(), LATER).targets
        for count in (0, 1, 2)
    ]
    assert rows == [{State.TRIAGE}, {State.TRIAGE}, {State.ADJUDICATION}]


def test_return_after_the_time_allowed_is_refused() -> None:
    with pytest.raises(NotAllowed, match="time for returning"):
        permit(a_snapshot(State.ASSIGNED, return_until=MONDAY_NINE), Action.RETURN_REQUEST, a_lead(), LATER)


def test_return_after_a_binding_decision_is_refused() -> None:
    with pytest.raises(NotAllowed, match="binds"):
        permit(a_snapshot(State.ASSIGNED, binding=True), Action.RETURN_REQUEST, a_lead(), LATER)


def test_urge_is_possible_once_a_day() -> None:
    urged = a_snapshot(urged_at=MONDAY_NINE)
    with pytest.raises(NotAllowed, match="you can urge again after 2026-11-24 01:00"):
        permit(urged, Action.URGE, CITIZEN, MONDAY_NINE + timedelta(hours=23))
    assert permit(urged, Action.URGE, CITIZEN, MONDAY_NINE + timedelta(days=1)).row == 22


def test_danger_cannot_be_withdrawn() -> None:
    with pytest.raises(NotAllowed, match="danger to life"):
        permit(a_snapshot(urgency=Urgency.DANGER), Action.WITHDRAW, CITIZEN, LATER)


def test_review_is_never_by_the_person_who_resolved() -> None:
    reviewed = a_snapshot(State.IN_REVIEW, resolved_by="dispatcher-1")
    with pytest.raises(NotAllowed, match="cannot review"):
        permit(reviewed, Action.APPROVE, a_dispatcher(), LATER)
    assert permit(reviewed, Action.APPROVE, a_dispatcher("dispatcher-2"), LATER).row == 21


def test_escalation_ends_at_the_third_level() -> None:
    with pytest.raises(NotAllowed, match="highest level"):
        permit(a_snapshot(escalation_level=3), Action.ESCALATE, a_supervisor(), LATER)


HAPPY = {"solved": Solved.YES, "satisfied": 5}


@pytest.mark.parametrize(
    ("label", "changes", "row"),
    [
        ("resolved, not rated", {"state": State.RESOLVED}, 28),
        ("closed without a reply", {"state": State.CLOSED}, 28),
        ("closed, solved but not satisfied", {"state": State.CLOSED, "solved": Solved.YES, "satisfied": 2}, 28),
        ("closed, not solved", {"state": State.CLOSED, "solved": Solved.NO, "satisfied": 3}, 28),
        ("resolved, reopened twice already", {"state": State.RESOLVED, "rework_count": 2}, 29),
        ("closed, solved and satisfied", {"state": State.CLOSED, **HAPPY}, None),
        ("closed, reopened twice already", {"state": State.CLOSED, "rework_count": 2}, None),
    ],
)
def test_citizen_reopens(label: str, changes: dict[str, object], row: int | None) -> None:
    snapshot = replace(a_snapshot(), **changes)  # type: ignore[arg-type]
    if row is None:
        with pytest.raises(NotAllowed):
            permit(snapshot, Action.REOPEN, CITIZEN, LATER)
    else:
        assert permit(snapshot, Action.REOPEN, CITIZEN, LATER).row == row


def test_supervisor_orders_a_reopening_however_happy_the_citizen() -> None:
    assert permit(a_snapshot(State.CLOSED, **HAPPY), Action.REOPEN, a_supervisor(), LATER).row == 28
