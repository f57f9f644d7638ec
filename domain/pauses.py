"""How the clocks of a request stand still in a pause, and how far its dates move after one or by an extension.

The calendar and the promise are those of the policy version that the request was assigned under, so that a new version
never changes a request in flight.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from domain.deadlines import deadline, moment_at_fraction, shift_by_pause
from domain.durations import Clock, Duration, Unit
from domain.errors import Invalid
from domain.policy import Policy, ServiceLevel
from domain.request import Alarm, AlarmKind

_REMINDERS = (AlarmKind.REMIND_HALF, AlarmKind.REMIND_EIGHTY)
_LAST_DATE = date(9998, 12, 31)


@dataclass(frozen=True)
class Promised:
    """Where a request stands among its dates: under which promise, and the clocks that run or have been stopped."""

    version: str
    at: datetime
    due_at: datetime
    alarms: tuple[Alarm, ...]
    service_level: str | None = None
    contact_due_at: datetime | None = None  # where the citizen has not been contacted
    accept_due_at: datetime | None = None
    assigned_at: datetime | None = None


@dataclass(frozen=True)
class PausePlan:
    """Until when a pause lasts at most, and the clock that ends it."""

    until: datetime
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class Moved:
    """The dates and clocks after a pause that ended, or an extension that was granted, at that instant."""

    at: datetime
    due_at: datetime
    alarms: tuple[Alarm, ...]
    contact_due_at: datetime | None = None


def plan_question(policy: Policy, at: datetime) -> PausePlan:
    """How long the citizen has to answer: on the wall clock, for citizens have no office hours."""
    until = deadline(policy.calendar, at, policy.limits.answer_within, Clock.WALL)
    return PausePlan(until, (Alarm(until, AlarmKind.ANSWER_OVERDUE),))


def plan_hold(policy: Policy, at: datetime, review_on: date) -> PausePlan:
    """A hold until the working day begins on the date of review.

    Raises Invalid where that date is not ahead, or further ahead than the policy lets a request wait.
    """
    if review_on > _LAST_DATE:
        raise Invalid("A review on that date will never come. Choose an earlier one.", field="review_on")
    until = _start_of(policy, review_on)
    latest = deadline(policy.calendar, at, policy.limits.longest_hold, Clock.WALL)
    if until <= at:
        raise Invalid(f"The date of review, {review_on}, has come already. Choose a later one.", field="review_on")
    if until > latest:
        raise Invalid(
            f"A request may be on hold for {policy.limits.longest_hold} at most, until {latest:%Y-%m-%d}.",
            field="review_on",
        )
    return PausePlan(until, (Alarm(until, AlarmKind.HOLD_REVIEW),))


def move_by_pause(policy: Policy, promised: Promised, paused_at: datetime) -> Moved:
    """Every date and every stopped clock moved by exactly the time that passed in the pause, by the clock of the promise."""
    clock = _level(policy, promised).clock if promised.service_level else Clock.WORKING

    def moved(moment: datetime) -> datetime:
        return shift_by_pause(policy.calendar, moment, paused_at, promised.at, clock)

    return Moved(
        at=promised.at,
        due_at=moved(promised.due_at),
        alarms=tuple(replace(alarm, at=moved(alarm.at)) for alarm in promised.alarms),
        contact_due_at=moved(promised.contact_due_at) if promised.contact_due_at else None,
    )


def extend(policy: Policy, promised: Promised, days: int) -> Moved:
    """The due date so many working days later; reminders and escalations as if it had been so from the start.

    Raises Invalid where the promise knows no extension or not such a long one.
    """
    level = _level(policy, promised)
    due_at = deadline(policy.calendar, promised.due_at, Duration(days, Unit.WORKING_DAYS), level.clock)
    if level.extension_max is None:
        raise Invalid("The promise for this kind of matter knows no extension.", field="days")
    if due_at > deadline(policy.calendar, promised.due_at, level.extension_max, level.clock):
        raise Invalid(f"At most {level.extension_max} can be asked for.", field="days")
    before = promised.due_at
    later = [_escalation_later(policy, alarm, before, due_at, level) for alarm in promised.alarms if alarm.rung]
    others = [alarm for alarm in promised.alarms if not alarm.rung and alarm.kind not in _REMINDERS]
    return Moved(
        promised.at, due_at, (*others, *later, *_reminders(policy, promised, due_at, level)), promised.contact_due_at
    )


def next_heartbeat(policy: Policy, told_at: datetime) -> datetime:
    """When a citizen who has heard nothing since then is told that the request is still being handled."""
    return deadline(policy.calendar, told_at, policy.limits.heartbeat_after, Clock.WALL)


def _start_of(policy: Policy, day: date) -> datetime:
    """When work begins on that day, or on the next working day."""
    midnight = datetime.combine(day, time(), ZoneInfo(policy.zone))
    return policy.calendar.next_working_instant(midnight)


def _level(policy: Policy, promised: Promised) -> ServiceLevel:
    if promised.service_level is None:
        raise Invalid("The request was assigned before promises were noted; reassign it first.", field="days")
    return policy.service_level(promised.service_level)


def _escalation_later(policy: Policy, alarm: Alarm, before: datetime, due_at: datetime, level: ServiceLevel) -> Alarm:
    """As long after the new due date as it was after the old one, in the time that counts."""
    if level.clock is Clock.WALL:
        return replace(alarm, at=due_at + (alarm.at - before))
    return replace(
        alarm, at=policy.calendar.add_working_time(due_at, policy.calendar.working_time_between(before, alarm.at))
    )


def _reminders(policy: Policy, promised: Promised, due_at: datetime, level: ServiceLevel) -> list[Alarm]:
    """Those that are still to come: the parts of the longer time have moved on, too."""
    start = promised.assigned_at or promised.at
    moments = [moment_at_fraction(policy.calendar, start, due_at, part, level.clock) for part in policy.reminders]
    clocks = [Alarm(moment, kind) for moment, kind in zip(moments, _REMINDERS, strict=False)]
    waiting = {alarm.kind for alarm in promised.alarms}
    return [clock for clock in clocks if clock.at > promised.at or clock.kind in waiting]
