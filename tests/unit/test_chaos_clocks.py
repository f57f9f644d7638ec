"""Which clocks a request must have, by the read model and the policy alone; and which timers a history shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from chaos import clocks
from chaos.runs import failures_in, timers_in
from db.proof import Happening
from domain.planning import PlanWanted, plan_assignment
from domain.request import Snapshot, State
from tests.city import a_city

CITY = a_city()
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ASSIGNED = Snapshot(
    "1", "2611-4829-13704", NOW, sequence=2, state=State.ASSIGNED, category="street_light", department="housing",
    policy_version=CITY.version, service_level=CITY.category("street_light").service_level, assigned_at=NOW,
    accept_due_at=NOW + timedelta(hours=1), contact_due_at=NOW + timedelta(hours=2), due_at=NOW + timedelta(days=7),
)  # fmt: skip
HOUR_LATER = NOW + timedelta(hours=1)


def an_event(action: str, at: datetime = HOUR_LATER) -> Happening:
    return Happening(ASSIGNED.reference, 3, at, action, "system", "", None, "assigned", "assigned", True, "housing")


def names(snapshot: Snapshot, *events: Happening) -> list[str]:
    return [clock.what for clock in clocks.wanted(snapshot, events, CITY)]


ACCEPT, CONTACT, FIRST_RUNG = (
    "somebody has to accept it", "the citizen has to be contacted", "it escalates to level 1",
)  # fmt: skip
REMINDERS = ("a reminder at 50% of the time", "a reminder at 80% of the time")


@pytest.mark.parametrize(
    ("changes", "rung", "expected"),
    [
        pytest.param({}, (), [ACCEPT, CONTACT, FIRST_RUNG], id="assigned"),
        pytest.param({"accepted_at": NOW}, (), [CONTACT, FIRST_RUNG], id="accepted"),
        pytest.param({"accepted_at": NOW, "contacted_at": NOW}, (), [FIRST_RUNG], id="contacted"),
        pytest.param({}, ("accept_overdue",), [CONTACT, FIRST_RUNG], id="it has been said that nobody accepts it"),
        pytest.param({"escalation_level": 1}, (), [ACCEPT, CONTACT, "it escalates to level 2"], id="escalated"),
        pytest.param({"escalation_level": 3}, (), [ACCEPT, CONTACT], id="nobody is left to escalate to"),
        pytest.param({"due_from": NOW}, (), [ACCEPT, CONTACT, *REMINDERS, FIRST_RUNG], id="whose time has run from the assignment"),
        pytest.param({"due_from": NOW}, ("remind_half",), [ACCEPT, CONTACT, REMINDERS[1], FIRST_RUNG], id="reminded at half of the time"),
        pytest.param({"due_from": NOW, "paused_seconds": 60}, (), [ACCEPT, CONTACT, FIRST_RUNG], id="whose time stood still"),
        pytest.param(
            {"state": State.ON_HOLD, "paused_at": NOW, "hold_review_on": date(2026, 12, 1)}, (), ["the hold is reviewed"],
            id="on hold",
        ),
        pytest.param(
            {"state": State.AWAITING_CITIZEN, "answer_due_at": HOUR_LATER}, (), ["the citizen's time to answer ends"],
            id="asked",
        ),
        pytest.param({"state": State.WITHDRAWN}, (), [], id="withdrawn"),
        pytest.param(
            {"state": State.RESOLVED, "resolved_at": NOW}, (), ["feedback reminder", "end of feedback"], id="resolved"
        ),
        pytest.param(
            {"state": State.RESOLVED, "resolved_at": NOW}, ("remind_feedback",), ["end of feedback"], id="reminded"
        ),
        pytest.param(
            {"state": State.CLOSED, "resolved_at": NOW}, (), ["the time for reopening ends"], id="closed"
        ),
        pytest.param({"state": State.CLOSED}, (), [], id="closed by decision"),
    ],
)  # fmt: skip
def test_clocks_that_a_request_must_have(changes: dict[str, Any], rung: tuple[str, ...], expected: list[str]) -> None:
    assert names(replace(ASSIGNED, **changes), *map(an_event, rung)) == expected


def test_clock_names_the_alarm_that_does_it() -> None:
    found = clocks.wanted(replace(ASSIGNED, due_from=NOW), (), CITY)
    planned = plan_assignment(CITY, PlanWanted(ASSIGNED.reference, NOW, "street_light", "housing"))
    alarms = {(alarm.kind, alarm.rung.level if alarm.rung else None) for alarm in planned.alarms}
    assert {(clock.kind, clock.level) for clock in found} <= alarms


def test_what_rang_before_the_assignment_does_not_count() -> None:
    assert ACCEPT in names(ASSIGNED, an_event("accept_overdue", NOW - timedelta(hours=1)))


def a_history(*steps: tuple[str, str]) -> WorkflowHistory:
    """Timers that are started for an hour, fire, and are taken back."""
    events = []
    for number, (what, timer) in enumerate(steps, start=1):
        event = HistoryEvent(event_id=number)
        event.event_time.FromDatetime(NOW)
        attributes = getattr(event, f"timer_{what}_event_attributes")
        attributes.timer_id = timer
        if what == "started":
            attributes.start_to_fire_timeout.FromTimedelta(timedelta(hours=int(timer)))
        events.append(event)
    return WorkflowHistory("request-1", events)


def test_timers_that_run_are_those_that_neither_fired_nor_were_taken_back() -> None:
    history = a_history(("started", "3"), ("started", "1"), ("started", "2"), ("fired", "1"), ("canceled", "2"))
    assert timers_in(history) == (NOW + timedelta(hours=3),)
    assert timers_in(a_history(("started", "2"), ("started", "1"))) == (HOUR_LATER, NOW + timedelta(hours=2))


def a_failed_task(cause: WorkflowTaskFailedCause.ValueType) -> HistoryEvent:
    event = HistoryEvent(event_id=1)
    event.workflow_task_failed_event_attributes.cause = cause
    return event


def test_failed_task_counts_unless_the_server_only_asks_for_it_anew() -> None:
    causes = (
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    )
    history = WorkflowHistory("request-1", [HistoryEvent(event_id=1), *map(a_failed_task, causes)])
    assert failures_in(history) == ("WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR",)
