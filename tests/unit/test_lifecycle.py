"""The table of transitions: every allowed and every forbidden move is derived from it, and its own shape is pinned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import Forbidden, NotAllowed
from domain.lifecycle import TRANSITIONS, Action, allowed_actions, permit, rows_of
from domain.request import CITIZEN, SYSTEM, TERMINAL, Actor, CoHandler, CoState, Role, Solved, State, Urgency
from tests.builders import MONDAY_NINE, a_caller, a_dispatcher, a_handler, a_lead, a_snapshot, a_supervisor

LATER = MONDAY_NINE + timedelta(hours=1)
ACTORS = {
    Role.CITIZEN: CITIZEN,
    Role.DISPATCHER: a_dispatcher(),
    Role.HANDLER: a_handler(),
    Role.LEAD: a_lead(),
    Role.SUPERVISOR: a_supervisor(),
    Role.CALLER: a_caller(),
    Role.CO_HANDLER: a_handler("utilities", "helper-1"),
    Role.ADMIN: Actor("staff", "admin-1", (Role.ADMIN,)),
    Role.SYSTEM: SYSTEM,
}
HOLDS = {role: {role} for role in ACTORS} | {
    Role.LEAD: {Role.LEAD, Role.HANDLER},
    Role.SUPERVISOR: {Role.SUPERVISOR, Role.DISPATCHER, Role.CALLER},
}
ROWS_OF_PROCESS = set(range(1, 35))
"""Row 33 is docs/decisions/0014, row 34 the quick log of section 1."""


def test_table_has_every_row_of_the_process() -> None:
    assert {transition.row for transition in TRANSITIONS} == ROWS_OF_PROCESS


def test_table_gives_a_reason_on_each_row() -> None:
    assert all(len(transition.why.split()) >= 3 for transition in TRANSITIONS)


GUARDED = {(State.RESOLVED, Action.REOPEN)}
"""Two rows with opposite guards, tested one by one below."""

READY: dict[Action, dict[str, Any]] = {
    Action.REFER: {"return_count": 1},
    **{key: {"extension_asked_by": "lead-1"} for key in (Action.GRANT_EXTENSION, Action.REFUSE_EXTENSION)},
    **{key: {"hold_asked_by": "lead-1"} for key in (Action.APPROVE_HOLD, Action.REFUSE_HOLD)},
    Action.RATE: {"parent_state": State.RESOLVED},
}
"""What must have gone before, so that no guard forbids the action."""


def _is_allowed(state: State, action: Action, role: Role) -> bool:
    try:
        stands = a_snapshot(state, department="housing", co_departments=("utilities",), **READY.get(action, {}))
        permit(stands, action, ACTORS[role], LATER)
    except (NotAllowed, Forbidden):
        return False
    return True


@pytest.mark.parametrize("state", State)
def test_moves_allowed_from_state_are_exactly_those_of_the_table(state: State) -> None:
    moves = {(action, role) for action in Action for role in ACTORS if (state, action) not in GUARDED}
    expected = {
        (action, role)
        for action, role in moves
        if any(row.roles & HOLDS[role] for row in rows_of(action) if state in row.sources)
    }
    assert {(action, role) for action, role in moves if _is_allowed(state, action, role)} == expected


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL))
def test_no_state_is_a_dead_end(state: State) -> None:
    reachable = [row for row in TRANSITIONS if state in row.sources and row.targets - {state}]
    assert reachable


@pytest.mark.parametrize("state", sorted(TERMINAL - {State.CLOSED, State.MERGED}))
def test_terminal_state_offers_nothing_to_people(state: State) -> None:
    for role, actor in ACTORS.items():
        expected = (Action.ERASE,) if role is Role.SYSTEM else ()
        assert allowed_actions(a_snapshot(state, department="housing"), actor, LATER) == expected


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


def test_urge_is_possible_again_after_the_interval_of_the_policy() -> None:
    urged = a_snapshot(urged_at=MONDAY_NINE, urge_every_seconds=7200)
    assert permit(urged, Action.URGE, CITIZEN, MONDAY_NINE + timedelta(hours=2)).row == 22


@pytest.mark.parametrize(
    ("label", "action", "actor", "changes", "words"),
    [
        ("a third question", Action.ASK_CITIZEN, a_handler(), {"question_count": 2}, "asked twice"),
        ("more time once due", Action.REQUEST_EXTENSION, a_lead(), {"due_at": LATER}, "before that"),
        ("more time a second time", Action.REQUEST_EXTENSION, a_lead(), {"extended_at": MONDAY_NINE}, "granted once"),
        ("asked for twice", Action.REQUEST_EXTENSION, a_lead(), {"extension_asked_by": "lead-2"}, "asked for already"),
        ("granted unasked", Action.GRANT_EXTENSION, a_dispatcher(), {}, "Nobody has asked"),
        ("granted to oneself", Action.GRANT_EXTENSION, a_dispatcher(), {"extension_asked_by": "dispatcher-1"}, "another person"),
        ("granted when due", Action.GRANT_EXTENSION, a_dispatcher(), {"extension_asked_by": "x", "due_at": LATER}, "before that"),
        ("a second hold asked for", Action.REQUEST_HOLD, a_lead(), {"hold_asked_by": "lead-2"}, "waits for a supervisor"),
        ("a hold approved unasked", Action.APPROVE_HOLD, a_supervisor(), {}, "Nobody has asked"),
        ("a hold approved by oneself", Action.APPROVE_HOLD, a_supervisor(), {"hold_asked_by": "supervisor-1"}, "another person"),
    ],
)  # fmt: skip
def test_waiting_has_limits(label: str, action: Action, actor: Actor, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(NotAllowed, match=words):
        permit(a_snapshot(**changes), action, actor, LATER)


def test_dispatcher_refers_only_what_was_returned() -> None:
    with pytest.raises(NotAllowed, match="returned"):
        permit(a_snapshot(State.TRIAGE), Action.REFER, a_dispatcher(), LATER)


@pytest.mark.parametrize(
    ("state", "allowed"), [("asked", False), ("returned", False), ("done", True), ("waived", True)]
)
def test_request_is_resolved_when_co_handlers_are_done_or_waived(state: str, allowed: bool) -> None:
    part = CoHandler(1, "utilities", CoState(state), "task", LATER)
    helped = a_snapshot(co_handlers=(part,))
    if allowed:
        assert permit(helped, Action.RESOLVE, a_handler(), LATER).row == 20
    else:
        with pytest.raises(NotAllowed, match="utilities"):
            permit(helped, Action.RESOLVE, a_handler(), LATER)


def test_request_that_others_follow_is_not_merged_itself() -> None:
    with pytest.raises(NotAllowed, match="merged into this one"):
        permit(a_snapshot(State.ASSIGNED, followers=1), Action.MERGE, a_dispatcher(), LATER)


@pytest.mark.parametrize("state", [State.ASSIGNED, State.IN_PROGRESS, None])
def test_follower_judges_when_the_parent_is_answered(state: State | None) -> None:
    with pytest.raises(NotAllowed, match="not been answered"):
        permit(a_snapshot(State.MERGED, parent_state=state), Action.RATE, CITIZEN, LATER)
    assert permit(a_snapshot(State.MERGED, parent_state=State.RESOLVED), Action.RATE, CITIZEN, LATER).row == 31


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
