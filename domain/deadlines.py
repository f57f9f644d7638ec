"""By when something is to be done: durations of a policy turned into instants on the city's calendar.

Every function takes the instant it counts from; answers are in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.calendar import DAY_MINUTES, Calendar, Period
from domain.durations import Clock, Duration, Unit


def deadline(calendar: Calendar, at: datetime, duration: Duration, clock: Clock = Clock.WORKING) -> datetime:
    """The instant `duration` after `at`.

    Working days follow the calendar's rule for them; days keep the local time of day, whatever the clocks do that night;
    seconds, minutes and hours pass by the given clock.
    """
    if duration.unit is Unit.WORKING_DAYS:
        return calendar.add_working_days(at, int(duration.amount))
    if duration.unit is Unit.DAYS:
        return _days_later(at, int(duration.amount), calendar.zone)
    if clock is Clock.WALL:
        return at.astimezone(UTC) + duration.timedelta
    return calendar.add_working_time(at, duration.timedelta)


def _days_later(at: datetime, days: int, zone: str) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    return (local + timedelta(days=days)).astimezone(UTC)


def moment_at_fraction(
    calendar: Calendar, start: datetime, due: datetime, fraction: float, clock: Clock = Clock.WORKING
) -> datetime:
    """The instant at which that part (0 to 1) of the time from start to due is used up.

    Without working time between them it is the due date itself.
    """
    if not 0 <= fraction <= 1:
        raise ValueError("a fraction lies between 0 and 1")
    if fraction == 1 or due <= start:
        return due.astimezone(UTC)
    if clock is Clock.WALL:
        return start.astimezone(UTC) + (due - start) * fraction
    between = calendar.working_time_between(start, due)
    if not between:
        return due.astimezone(UTC)
    return calendar.add_working_time(start, between * fraction)


def shift_by_pause(
    calendar: Calendar, due: datetime, paused_from: datetime, paused_to: datetime, clock: Clock = Clock.WORKING
) -> datetime:
    """The due date moved by exactly the time that passed in the pause: working time, or all of it on the wall clock.

    A pause cut in two moves it as far as the whole one.
    """
    if clock is Clock.WALL:
        return due.astimezone(UTC) + max(paused_to - paused_from, timedelta(0))
    return calendar.add_working_time(due, calendar.working_time_between(paused_from, paused_to))


def quiet_until(quiet: tuple[Period, ...], zone: str, at: datetime) -> datetime | None:
    """When the quiet hours end that hold at that instant; None outside them.

    A night is two periods, "21:00-24:00" and "00:00-08:00", and ends where nothing follows on. Hours that are quiet all
    day long hold nothing back.
    """
    local = at.astimezone(ZoneInfo(zone))
    now = ends = local.hour * 60 + local.minute
    for _ in range(len(quiet) + 1):
        held = next((period for period in quiet if period.start <= ends % DAY_MINUTES < period.end), None)
        if held is None:
            break
        ends += held.end - ends % DAY_MINUTES
    if ends == now or ends - now >= DAY_MINUTES:
        return None
    day = local.date() + timedelta(days=ends // DAY_MINUTES)
    hour, minute = divmod(ends % DAY_MINUTES, 60)
    return datetime.combine(day, time(hour, minute), local.tzinfo).astimezone(UTC)
