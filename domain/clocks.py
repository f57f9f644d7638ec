"""Which clocks of a request run on after a turn."""

from __future__ import annotations

from datetime import datetime

from domain.pauses import Moved, PausePlan
from domain.planned import Clocked, Planned
from domain.request import Alarm, AlarmKind, Snapshot, State, Turn

_OF_THE_PAUSE = {AlarmKind.ANSWER_OVERDUE: State.AWAITING_CITIZEN, AlarmKind.HOLD_REVIEW: State.ON_HOLD}
_NEVER_STOPPED = frozenset({AlarmKind.SEND_HELD, AlarmKind.HEARTBEAT, *_OF_THE_PAUSE})


def alarms_after(turn: Turn, running: tuple[Alarm, ...], planned: Planned = None) -> tuple[Alarm, ...]:
    """The clocks that run after a turn: a new plan brings its own, and what is settled by then is stopped.

    A pause and its end leave those alone that stand still for nothing.
    """
    after = turn.snapshot
    held = tuple(alarm for alarm in running if alarm.kind is AlarmKind.SEND_HELD)
    clocks = planned.alarms if isinstance(planned, Clocked) else running
    if isinstance(planned, PausePlan | Moved):
        moved = (alarm for alarm in clocks if alarm not in running or alarm.kind not in _NEVER_STOPPED)
        clocks = (*moved, *(alarm for alarm in running if alarm.kind in _NEVER_STOPPED))
    kept = tuple(alarm for alarm in clocks if alarm not in held and _still_counts(alarm, after))
    return tuple(sorted((*kept, *held), key=_moment))


def stopped_by(planned: Planned, running: tuple[Alarm, ...]) -> tuple[Alarm, ...]:
    """The clocks that stand still from now on, to go on when the pause is over."""
    if not isinstance(planned, PausePlan):
        return ()
    return tuple(alarm for alarm in running if alarm.kind not in _NEVER_STOPPED)


def _moment(alarm: Alarm) -> tuple[datetime, str, int]:
    return (alarm.at, alarm.kind, alarm.rung.level if alarm.rung else 0)


def _still_counts(alarm: Alarm, after: Snapshot) -> bool:
    if alarm.kind is AlarmKind.END_REOPENING and after.state is State.MERGED:
        return True  # so long its citizen may still judge, and its parent be reopened
    if not after.is_open and after.state is not State.RESOLVED:
        return False
    if alarm.kind in _OF_THE_PAUSE:
        return after.state is _OF_THE_PAUSE[alarm.kind]
    if alarm.kind is AlarmKind.HEARTBEAT:
        return after.is_open
    if alarm.kind is AlarmKind.WANT_CALL:
        return after.call_wanted_at is None
    if alarm.kind is AlarmKind.ACCEPT_OVERDUE:
        return after.accepted_at is None
    if alarm.kind is AlarmKind.CONTACT_OVERDUE:
        return after.contacted_at is None
    if alarm.kind is AlarmKind.ESCALATE:
        return alarm.rung is not None and alarm.rung.level > after.escalation_level
    return True
