"""Builders of the values that tests speak of, each valid unless told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.planning import Plan
from domain.request import Actor, Alarm, AlarmKind, Role, Rung, Snapshot, State, Urgency

MONDAY_NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""A Monday, 09:00 in the demonstration city."""


def a_snapshot(state: State = State.IN_PROGRESS, **changes: Any) -> Snapshot:
    """A request of the department `housing`, assigned on Monday at nine, in that state."""
    nobody_has_it = state in (State.RECEIVED, State.TRIAGE)
    values: dict[str, Any] = {
        "request_id": "00000000-0000-7000-8000-000000000001",
        "reference": "2611-0000-00010",
        "submitted_at": MONDAY_NINE,
        "sequence": 2,
        "state": state,
        "category": "street_light",
        "department": None if nobody_has_it else "housing",
        "policy_version": "v1",
        "assigned_at": None if nobody_has_it else MONDAY_NINE,
        "due_at": None if nobody_has_it else MONDAY_NINE + timedelta(days=7),
    }
    return Snapshot(**(values | changes))


def a_handler(department: str = "housing", id: str = "handler-1") -> Actor:
    return Actor("staff", id, (Role.HANDLER,), (department,))


def a_lead(department: str = "housing", id: str = "lead-1") -> Actor:
    return Actor("staff", id, (Role.HANDLER,), (department,), (department,))


def a_dispatcher(id: str = "dispatcher-1") -> Actor:
    return Actor("staff", id, (Role.DISPATCHER,))


def a_supervisor(id: str = "supervisor-1") -> Actor:
    return Actor("staff", id, (Role.SUPERVISOR,))


def a_caller(id: str = "caller-1") -> Actor:
    return Actor("staff", id, (Role.CALLER,))


def a_plan(department: str | None = "housing", at: datetime = MONDAY_NINE, **changes: Any) -> Plan:
    """A plan of the default service level in wall-clock days: accept in one, resolve in five, three rungs above."""
    due_at = at + timedelta(days=5)
    rungs = (
        Rung(1, ("housing",)),
        Rung(2, ("city",), take_over=None),
        Rung(3, (), supervisors=True),
    )
    alarms = (
        Alarm(at + timedelta(days=1), AlarmKind.ACCEPT_OVERDUE),
        Alarm(at + timedelta(days=1), AlarmKind.CONTACT_OVERDUE),
        Alarm(at + timedelta(days=2.5), AlarmKind.REMIND_HALF),
        Alarm(at + timedelta(days=4), AlarmKind.REMIND_EIGHTY),
        *(
            Alarm(due_at + timedelta(days=offset), AlarmKind.ESCALATE, rung)
            for offset, rung in zip((0, 1, 3), rungs, strict=True)
        ),
    )
    values: dict[str, Any] = {
        "policy_version": "v1",
        "category": "street_light",
        "department": department,
        "urgency": Urgency.NORMAL,
        "accept_due_at": at + timedelta(days=1),
        "contact_due_at": at + timedelta(days=1),
        "return_until": at + timedelta(days=2),
        "due_at": due_at if department else None,
        "alarms": alarms,
        "rungs": rungs,
    }
    return Plan(**(values | changes))
