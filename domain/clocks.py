"""Which clocks of a request run on after a turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.pauses import Moved, PausePlan
from domain.planned import Clocked, Planned
from domain.planning import FeedbackPlan, Plan
from domain.request import PAUSED, Alarm, AlarmKind, Rung, Snapshot, State, Turn

_OF_THE_PAUSE = {AlarmKind.ANSWER_OVERDUE: State.AWAITING_CITIZEN, AlarmKind.HOLD_REVIEW: State.ON_HOLD}
_NEVER_STOPPED = frozenset({AlarmKind.SEND_HELD, AlarmKind.HEARTBEAT, *_OF_THE_PAUSE})


@dataclass(frozen=True)
class Clocks:
    """The clocks of a request with what they follow from; `stopped` are those that stand still in a pause."""

    alarms: tuple[Alarm, ...] = ()
    stopped: tuple[Alarm, ...] = ()
    rungs: tuple[Rung, ...] = ()
    reopen_until: datetime | None = None
    pauses: tuple[tuple[datetime, datetime], ...] = ()  # those that are over, of this due date


def clocks_after(clocks: Clocks, before: Snapshot, last: Turn, planned: Planned) -> Clocks:
    """What runs and what stands still after a turn with that plan."""
    after = last.snapshot
    rungs, reopen_until = clocks.rungs, clocks.reopen_until
    if isinstance(planned, Plan):
        rungs, reopen_until = planned.rungs, None
    elif isinstance(planned, FeedbackPlan):
        reopen_until = planned.reopen_until
    alarms, stopped = clocks.alarms, clocks.stopped
    if isinstance(planned, Plan) and after.state in PAUSED:
        # Planned anew in the middle of a pause: the clocks go on standing still.
        stopped = planned.alarms
    else:
        if isinstance(planned, Clocked) or after.state not in PAUSED:
            stopped = stopped_by(planned, alarms)
        alarms = alarms_after(last, alarms, planned)
    if after.state is State.CLOSED and reopen_until:
        alarms = in_order((*alarms, Alarm(reopen_until, AlarmKind.END_REOPENING)))
    return Clocks(alarms, stopped, rungs, reopen_until, _pauses_after(clocks.pauses, before, after))


def _pauses_after(
    pauses: tuple[tuple[datetime, datetime], ...], before: Snapshot, after: Snapshot
) -> tuple[tuple[datetime, datetime], ...]:
    if after.due_from != before.due_from:
        return ()
    if before.paused_at is not None and after.paused_at is None and after.updated_at is not None:
        return (*pauses, (before.paused_at, after.updated_at))
    return pauses


def in_order(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """The first to ring comes first."""
    return tuple(sorted(alarms, key=lambda each: (each.at, each.kind)))


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
