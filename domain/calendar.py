"""When the city works: weekly working periods, public holidays and make-up working days, and arithmetic on that time.

Rules that the arithmetic keeps:

- A working period holds its first instant and not its last: at 17:30 sharp the day is over.
- Adding working time gives the earliest instant by which it has passed: eight hours from Monday 08:30 end on Monday
  at 17:30, not on Tuesday at 08:30, though no working time lies between them. Adding nothing changes nothing.
- n working days later is the same place in the n-th working day after: the same working time since that day began.
  An instant outside working time counts from the next working instant. A day too short for it ends it.
- Beyond the years whose holidays are published every weekday of the weekly pattern counts, and the answer is provisional.

All instants are aware; answers are in UTC. Periods are local times, so a change of the clocks moves them with the people.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MINUTE = 60_000_000
_PERIOD = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)|([01]\d|2[0-3]):([0-5]\d)-24:00", re.ASCII)
_YEARS_AHEAD = 3
_FIRST_YEAR, _LAST_YEAR = 1971, 2500


@dataclass(frozen=True, order=True)
class Period:
    """A part of a day in which the city works, in minutes since local midnight; the end is not part of it."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= DAY_MINUTES:
            raise ValueError("a working period begins before it ends, within one day")

    @classmethod
    def parse(cls, text: str) -> Period:
        """From "08:30-12:00"; "24:00" may end it. Raises ValueError for anything else."""
        found = _PERIOD.fullmatch(text.strip())
        if found is None:
            raise ValueError('write a working period like "08:30-12:00"')
        if found[5] is not None:
            return cls(int(found[5]) * 60 + int(found[6]), DAY_MINUTES)
        return cls(int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))

    def __str__(self) -> str:
        return f"{_clock_text(self.start)}-{_clock_text(self.end)}"


def _clock_text(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@dataclass(frozen=True)
class Holiday:
    """Days off from `first_on` to `last_on`, weekends within them included, as the notice announces them."""

    first_on: date
    last_on: date
    name: Mapping[str, str]


@dataclass(frozen=True)
class MakeUpDay:
    """A weekend day that is worked in place of a holiday. Without periods it has those of the week's first working day."""

    on: date
    name: Mapping[str, str]
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True)
class _Days:
    """The working days of some years, in order, in microseconds since 1970 (UTC).

    `starts`, `ends` and `worked` (working time before it) belong to periods; `first_periods` is the index of each day's
    first period, with one more at the end.
    """

    starts: list[int]
    ends: list[int]
    worked: list[int]
    first_periods: list[int]


@dataclass(frozen=True)
class Calendar:
    """The working time of one city. `week` names the weekdays that have periods; `published_years` have known holidays."""

    zone: str
    week: Mapping[str, tuple[Period, ...]]
    holidays: tuple[Holiday, ...] = ()
    make_up_days: tuple[MakeUpDay, ...] = ()
    published_years: tuple[int, ...] = ()
    _laid_out: dict[int, _Days] = field(default_factory=dict, compare=False, repr=False, init=False)

    def is_working(self, at: datetime) -> bool:
        """Whether the city works at that instant."""
        moment = _microseconds(at)
        days = self._days(at)
        index = bisect_right(days.starts, moment) - 1
        return moment < days.ends[index]

    def next_working_instant(self, at: datetime) -> datetime:
        """The instant itself if the city works then, or else the beginning of the next working period."""
        days = self._days(at)
        index, offset = _next_place(days, _microseconds(at))
        return _instant(days.starts[index] + offset)

    def add_working_time(self, at: datetime, length: timedelta) -> datetime:
        """The earliest instant by which that much working time has passed since `at`."""
        amount = length // _MICROSECOND
        if amount < 0:
            raise ValueError("working time is added, never taken away")
        if amount == 0:
            return at.astimezone(UTC)
        years = _YEARS_AHEAD
        while True:
            days = self._days(at, years)
            target = _worked_by(days, _microseconds(at)) + amount
            index = bisect_left(days.worked, target) - 1
            if index < len(days.starts) - 1:
                return _instant(days.starts[index] + target - days.worked[index])
            years = self._further(at, years)

    def working_time_between(self, a: datetime, b: datetime) -> timedelta:
        """The working time from a to b; nothing if b is not after a."""
        if b <= a:
            return timedelta(0)
        days = self._days(a, max(_YEARS_AHEAD, b.year - a.year + 2))
        return timedelta(microseconds=_worked_by(days, _microseconds(b)) - _worked_by(days, _microseconds(a)))

    def add_working_days(self, at: datetime, count: int) -> datetime:
        """The same place in the working day `count` working days later; see the module for instants outside working time."""
        if count < 0:
            raise ValueError("working days are added, never taken away")
        if count == 0:
            return at.astimezone(UTC)
        years = _YEARS_AHEAD
        while True:
            days = self._days(at, years)
            index, offset = _next_place(days, _microseconds(at))
            day = bisect_right(days.first_periods, index) - 1
            if day + count < len(days.first_periods) - 1:
                since = days.worked[index] - days.worked[days.first_periods[day]] + offset
                return _instant(_place_in_day(days, day + count, since))
            years = self._further(at, years)

    def provisional(self, at: datetime) -> bool:
        """Whether the holidays of that year are not published yet, so that the day may still turn out to be one."""
        return at.astimezone(self._zone).year not in self.published_years

    def periods_on(self, day: date) -> tuple[Period, ...]:
        """The working periods of a local day; none on a day off."""
        made_up = self._make_up_periods.get(day)
        if made_up is not None:
            return made_up
        if day in self._days_off:
            return ()
        return self.week.get(WEEKDAYS[day.weekday()], ())

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _days_off(self) -> frozenset[date]:
        return frozenset(day for holiday in self.holidays for day in _days_between(holiday.first_on, holiday.last_on))

    @cached_property
    def _make_up_periods(self) -> dict[date, tuple[Period, ...]]:
        usual = next((self.week[name] for name in WEEKDAYS if self.week.get(name)), ())
        return {day.on: day.periods or usual for day in self.make_up_days}

    def _days(self, at: datetime, years: int = _YEARS_AHEAD) -> _Days:
        # The year before is included, so that an instant always has a period behind it; years are laid out in steps so
        # that a few layouts serve every request.
        first = at.year - 1
        days = self._laid_out.get(first * 1000 + years)
        if days is None:
            days = self._laid_out[first * 1000 + years] = self._lay_out(first, at.year + years)
        return days

    def _further(self, at: datetime, years: int) -> int:
        if at.year + years >= _LAST_YEAR:
            raise ValueError(f"the calendar ends with the year {_LAST_YEAR}")
        return years * 4

    def _lay_out(self, first_year: int, last_year: int) -> _Days:
        if not any(self.week.values()):
            raise ValueError("the calendar has no working periods")
        if first_year < _FIRST_YEAR:
            raise ValueError(f"the calendar begins with the year {_FIRST_YEAR + 1}")
        days = _Days([], [], [], [])
        worked, midnight = 0, self._moment(date(first_year, 1, 1), 0)
        for day in _days_between(date(first_year, 1, 1), date(min(last_year, _LAST_YEAR), 12, 31)):
            next_midnight = self._moment(day, DAY_MINUTES)
            spans = self._spans(day, midnight, next_midnight)
            if spans:
                days.first_periods.append(len(days.starts))
            for start, end in spans:
                days.starts.append(start)
                days.ends.append(end)
                days.worked.append(worked)
                worked += end - start
            midnight = next_midnight
        days.first_periods.append(len(days.starts))
        return days

    def _spans(self, day: date, midnight: int, next_midnight: int) -> list[tuple[int, int]]:
        """The working periods of the day as moments, in order."""
        periods = sorted(self.periods_on(day))
        if next_midnight - midnight == DAY_MINUTES * _MINUTE:
            return [(midnight + period.start * _MINUTE, midnight + period.end * _MINUTE) for period in periods]
        # A time that the clocks leave out in spring comes an hour later, where another period may be: nobody works twice.
        spans: list[tuple[int, int]] = []
        for start, end in sorted(
            (self._moment(day, period.start), self._moment(day, period.end)) for period in periods
        ):
            if spans and start < spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            elif start < end:
                spans.append((start, end))
        return spans

    def _moment(self, day: date, minutes: int) -> int:
        day, minutes = (day + timedelta(days=1), 0) if minutes == DAY_MINUTES else (day, minutes)
        return _microseconds(datetime.combine(day, time(minutes // 60, minutes % 60), self._zone))


def _days_between(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _microseconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return (at - _EPOCH) // _MICROSECOND


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _worked_by(days: _Days, moment: int) -> int:
    """The working time from the beginning of the layout to that moment."""
    index = bisect_right(days.starts, moment) - 1
    return days.worked[index] + min(moment, days.ends[index]) - days.starts[index]


def _next_place(days: _Days, moment: int) -> tuple[int, int]:
    """The period in which the moment lies, and how far into it; outside working time the beginning of the next period."""
    index = bisect_right(days.starts, moment) - 1
    if moment < days.ends[index]:
        return index, moment - days.starts[index]
    return index + 1, 0


def _place_in_day(days: _Days, day: int, since: int) -> int:
    """The moment of that day by which it has worked `since`; a moment at a break lies after it, a short day ends it."""
    first, after = days.first_periods[day], days.first_periods[day + 1]
    for index in range(first, after):
        if since < days.ends[index] - days.starts[index]:
            return days.starts[index] + since
        since -= days.ends[index] - days.starts[index]
    return days.ends[after - 1]
