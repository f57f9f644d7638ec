"""Which clocks of a request run on after a turn."""

from __future__ import annotations

from datetime import datetime

from domain.request import Alarm, AlarmKind, Snapshot, State, Turn


def alarms_after(turn: Turn, running: tuple[Alarm, ...], planned: tuple[Alarm, ...] | None = None) -> tuple[Alarm, ...]:
    """The clocks that run after a turn: a new plan brings its own, and what is settled by then is stopped."""
    after = turn.snapshot
    held = tuple(alarm for alarm in running if alarm.kind is AlarmKind.SEND_HELD)
    clocks = running if planned is None else planned
    kept = tuple(alarm for alarm in clocks if alarm not in held and _still_counts(alarm, after))
    return tuple(sorted((*kept, *held), key=_moment))


def _moment(alarm: Alarm) -> tuple[datetime, str, int]:
    return (alarm.at, alarm.kind, alarm.rung.level if alarm.rung else 0)


def _still_counts(alarm: Alarm, after: Snapshot) -> bool:
    if not after.is_open and after.state is not State.RESOLVED:
        return False
    if alarm.kind is AlarmKind.ACCEPT_OVERDUE:
        return after.accepted_at is None
    if alarm.kind is AlarmKind.CONTACT_OVERDUE:
        return after.contacted_at is None
    if alarm.kind is AlarmKind.ESCALATE:
        return alarm.rung is not None and alarm.rung.level > after.escalation_level
    return True
