"""Working time: tables over weekends, holidays, make-up days and lunch breaks, and what holds for every calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendar import WEEKDAYS, Calendar, Period
from tests.calendars import OFFICE, a_chinese_calendar, calendars, in_words, instants, lengths, local

CHINA = a_chinese_calendar()
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        pytest.param("Mon 2026-03-02 09:00", 1, "Tue 2026-03-03 09:00", id="the same time tomorrow"),
        pytest.param("Mon 2026-03-02 09:00", 5, "Mon 2026-03-09 09:00", id="five days are a week"),
        pytest.param("Mon 2026-03-02 09:00", 15, "Mon 2026-03-23 09:00", id="fifteen days are three weeks"),
        pytest.param("Fri 2026-03-06 16:00", 1, "Mon 2026-03-09 16:00", id="Friday to Monday"),
        pytest.param("Sat 2026-03-07 10:00", 1, "Tue 2026-03-10 08:30", id="Saturday counts from Monday morning"),
        pytest.param("Sun 2026-03-08 23:59", 1, "Tue 2026-03-10 08:30", id="Sunday counts from Monday morning"),
        pytest.param("Wed 2026-03-04 06:00", 1, "Thu 2026-03-05 08:30", id="before work counts from this morning"),
        pytest.param("Wed 2026-03-04 12:30", 1, "Thu 2026-03-05 13:30", id="lunch counts from half past one"),
        pytest.param("Wed 2026-03-04 12:00", 1, "Thu 2026-03-05 13:30", id="noon is lunch already"),
        pytest.param("Wed 2026-03-04 17:29", 1, "Thu 2026-03-05 17:29", id="the last minute of the day"),
        pytest.param("Wed 2026-03-04 17:30", 1, "Fri 2026-03-06 08:30", id="the end of the day is tomorrow's"),
        pytest.param("Wed 2026-03-04 20:00", 1, "Fri 2026-03-06 08:30", id="the evening is tomorrow's"),
        pytest.param("Thu 2026-01-01 12:00", 1, "Mon 2026-01-05 08:30", id="New Year counts from the make-up Sunday"),
        pytest.param("Fri 2026-02-13 10:00", 1, "Sat 2026-02-14 10:00", id="make-up Saturday before Spring Festival"),
        pytest.param("Fri 2026-02-13 10:00", 2, "Tue 2026-02-24 10:00", id="over the nine days of Spring Festival"),
        pytest.param("Fri 2026-02-13 10:00", 6, "Sat 2026-02-28 10:00", id="to the make-up Saturday after it"),
        pytest.param("Fri 2026-02-13 10:00", 7, "Mon 2026-03-02 10:00", id="and past it"),
        pytest.param("Mon 2026-02-16 10:00", 1, "Wed 2026-02-25 08:30", id="New Year's Eve counts from the 24th"),
        pytest.param("Thu 2026-04-30 11:00", 1, "Wed 2026-05-06 11:00", id="over Labour Day"),
        pytest.param("Thu 2026-04-30 11:00", 4, "Sat 2026-05-09 11:00", id="to the make-up Saturday after it"),
        pytest.param("Sat 2026-09-19 10:00", 1, "Mon 2026-09-21 08:30", id="Saturday counts from the make-up Sunday"),
        pytest.param("Thu 2026-09-24 16:00", 1, "Mon 2026-09-28 16:00", id="over Mid-Autumn"),
        pytest.param("Wed 2026-09-30 15:00", 1, "Thu 2026-10-08 15:00", id="over National Day"),
        pytest.param("Wed 2026-09-30 15:00", 3, "Sat 2026-10-10 15:00", id="to the make-up Saturday after it"),
        pytest.param("Wed 2026-09-30 15:00", 4, "Mon 2026-10-12 15:00", id="and past it"),
        pytest.param("Wed 2026-12-30 15:00", 2, "Fri 2027-01-01 15:00", id="2027 is not published: weekdays only"),
    ],
)
def test_working_days_later_is_the_same_place_in_that_working_day(start: str, days: int, expected: str) -> None:
    assert in_words(CHINA.add_working_days(local(start), days)) == expected


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        pytest.param("Mon 2026-03-02 09:00", 1, "Mon 2026-03-02 10:00", id="within the morning"),
        pytest.param("Mon 2026-03-02 11:00", 2, "Mon 2026-03-02 14:30", id="over lunch"),
        pytest.param("Mon 2026-03-02 08:30", 3.5, "Mon 2026-03-02 12:00", id="ends at lunch, not after it"),
        pytest.param("Mon 2026-03-02 08:30", 7.5, "Mon 2026-03-02 17:30", id="ends in the evening, not tomorrow"),
        pytest.param("Fri 2026-03-06 17:00", 1, "Mon 2026-03-09 09:00", id="over the weekend"),
        pytest.param("Sat 2026-03-07 12:00", 1, "Mon 2026-03-09 09:30", id="from the weekend"),
        pytest.param("Fri 2026-02-13 17:00", 1, "Sat 2026-02-14 09:00", id="into a make-up day"),
        pytest.param("Sat 2026-02-14 17:00", 1, "Tue 2026-02-24 09:00", id="over Spring Festival"),
        pytest.param("Sat 2026-02-14 17:00", 0, "Sat 2026-02-14 17:00", id="nothing"),
        pytest.param("Sun 2026-03-08 12:00", 0, "Sun 2026-03-08 12:00", id="nothing, outside working time"),
        pytest.param("Wed 2026-09-30 17:00", 24, "Mon 2026-10-12 09:30", id="three days and a bit over National Day"),
    ],
)
def test_working_time_is_counted_in_working_periods_only(start: str, hours: float, expected: str) -> None:
    assert in_words(CHINA.add_working_time(local(start), timedelta(hours=hours))) == expected


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        pytest.param("Mon 2026-03-02 00:00", "Tue 2026-03-03 00:00", 7.5, id="a day"),
        pytest.param("Sat 2026-03-07 00:00", "Mon 2026-03-09 00:00", 0, id="a weekend"),
        pytest.param("Mon 2026-03-02 11:30", "Mon 2026-03-02 14:00", 1, id="around lunch"),
        pytest.param("Fri 2026-02-13 17:30", "Tue 2026-02-24 08:30", 7.5, id="Spring Festival has one make-up day"),
        pytest.param("Tue 2026-03-03 00:00", "Mon 2026-03-02 00:00", 0, id="backwards is nothing"),
    ],
)
def test_working_time_between_two_instants(start: str, end: str, hours: float) -> None:
    assert CHINA.working_time_between(local(start), local(end)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("at", "working", "next_working"),
    [
        pytest.param("Mon 2026-03-02 08:30", True, "Mon 2026-03-02 08:30", id="the first instant"),
        pytest.param("Mon 2026-03-02 12:00", False, "Mon 2026-03-02 13:30", id="lunch"),
        pytest.param("Mon 2026-03-02 17:30", False, "Tue 2026-03-03 08:30", id="the evening"),
        pytest.param("Sat 2026-10-10 09:00", True, "Sat 2026-10-10 09:00", id="a make-up Saturday"),
        pytest.param("Thu 2026-10-01 09:00", False, "Thu 2026-10-08 08:30", id="a holiday"),
    ],
)
def test_next_working_instant_is_now_or_the_beginning_of_a_period(at: str, working: bool, next_working: str) -> None:
    assert CHINA.is_working(local(at)) is working
    assert in_words(CHINA.next_working_instant(local(at))) == next_working


def test_short_make_up_day_ends_what_it_has_no_room_for() -> None:
    short = a_chinese_calendar(on_2026_10_10=(Period.parse("09:00-12:00"),))
    assert in_words(short.add_working_days(local("Fri 2026-10-09 10:00"), 1)) == "Sat 2026-10-10 10:30"
    assert in_words(short.add_working_days(local("Fri 2026-10-09 16:00"), 1)) == "Sat 2026-10-10 12:00"
    assert in_words(short.add_working_days(local("Fri 2026-10-09 16:00"), 2)) == "Mon 2026-10-12 16:00"


def test_only_years_without_published_holidays_are_provisional() -> None:
    assert not CHINA.provisional(local("Thu 2026-12-31 23:59"))
    assert CHINA.provisional(local("Fri 2027-01-01 00:00"))
    assert CHINA.is_working(local("Fri 2027-10-01 09:00"))


def test_night_shift_keeps_its_real_length_when_the_clocks_change() -> None:
    night = Calendar("Europe/Berlin", {"sunday": (Period.parse("00:00-06:00"),)})
    spring, autumn = local("Sun 2026-03-29 00:00", BERLIN), local("Sun 2026-10-25 00:00", BERLIN)
    assert night.working_time_between(spring, spring + timedelta(days=1)) == timedelta(hours=5)
    assert night.working_time_between(autumn, autumn + timedelta(days=1)) == timedelta(hours=7)


def test_hour_that_the_clocks_leave_out_is_not_worked_twice() -> None:
    early = Calendar("Europe/Berlin", {"sunday": (Period.parse("02:15-02:45"), Period.parse("03:00-04:00"))})
    midnight = local("Sun 2026-03-29 00:00", BERLIN)
    assert early.working_time_between(midnight, midnight + timedelta(days=1)) == timedelta(hours=1)
    assert in_words(early.add_working_time(midnight, timedelta(hours=1)), BERLIN) == "Sun 2026-03-29 04:00"


def test_office_hours_stay_where_people_see_them_when_the_clocks_change() -> None:
    office = Calendar("Europe/Berlin", dict.fromkeys(WEEKDAYS[:5], OFFICE))
    friday = local("Fri 2026-03-27 09:00", BERLIN)
    assert in_words(office.add_working_days(friday, 1), BERLIN) == "Mon 2026-03-30 09:00"


def test_service_around_the_clock_never_rests() -> None:
    always = Calendar("Asia/Shanghai", dict.fromkeys(WEEKDAYS, (Period.parse("00:00-24:00"),)))
    at = local("Sat 2026-03-07 23:00")
    assert always.add_working_time(at, timedelta(hours=100)) == at + timedelta(hours=100)
    assert always.add_working_days(at, 3) == at + timedelta(days=3)


def test_very_long_time_reaches_beyond_the_first_layout() -> None:
    assert in_words(CHINA.add_working_days(local("Mon 2026-03-02 09:00"), 5000)).endswith("09:00")
    far = CHINA.add_working_time(local("Mon 2026-03-02 09:00"), timedelta(hours=7.5 * 5000))
    assert far.year > 2040


@pytest.mark.parametrize(
    "add",
    [
        pytest.param(lambda at: CHINA.add_working_days(at, -1), id="days taken away"),
        pytest.param(lambda at: CHINA.add_working_time(at, timedelta(hours=-1)), id="time taken away"),
        pytest.param(lambda at: CHINA.add_working_days(at, 10**6), id="past the end of the calendar"),
        pytest.param(lambda at: CHINA.next_working_instant(at.replace(tzinfo=None)), id="an instant without a zone"),
        pytest.param(lambda at: Calendar("UTC", {}).add_working_days(at, 1), id="a week without work"),
    ],
)
def test_impossible_questions_are_refused(add) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"\w+ \w+ \w+"):
        add(local("Mon 2026-03-02 09:00"))


@pytest.mark.parametrize(
    "text", ["8:30-12:00", "12:00-08:30", "08:30-08:30", "08:30", "08:30-25:00", "08:30-24:30", ""]
)
def test_malformed_working_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="working period"):
        Period.parse(text)


# --- what holds for every calendar ------------------------------------------------------------------------------------

thorough = settings(max_examples=60, deadline=None)


@thorough
@given(calendars(), instants, lengths)
def test_added_working_time_lies_between(calendar: Calendar, at: datetime, length: timedelta) -> None:
    assert calendar.working_time_between(at, calendar.add_working_time(at, length)) == length


@thorough
@given(calendars(), instants, lengths, lengths)
def test_adding_in_two_steps_is_adding_at_once(
    calendar: Calendar, at: datetime, one: timedelta, two: timedelta
) -> None:
    assert calendar.add_working_time(calendar.add_working_time(at, one), two) == calendar.add_working_time(
        at, one + two
    )


@thorough
@given(calendars(), instants, instants, instants)
def test_working_time_adds_up_over_a_cut(calendar: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    a, b, c = sorted((a, b, c))
    whole = calendar.working_time_between(a, c)
    assert calendar.working_time_between(a, b) + calendar.working_time_between(b, c) == whole
    assert whole <= c - a


@thorough
@given(calendars(), instants, instants, lengths, st.integers(0, 40))
def test_later_start_never_ends_earlier(
    calendar: Calendar, a: datetime, b: datetime, length: timedelta, days: int
) -> None:
    a, b = sorted((a, b))
    assert calendar.add_working_time(a, length) <= calendar.add_working_time(b, length)
    assert calendar.add_working_days(a, days) <= calendar.add_working_days(b, days)


@thorough
@given(calendars(), instants, st.integers(0, 40))
def test_one_more_working_day_ends_later(calendar: Calendar, at: datetime, days: int) -> None:
    assert calendar.add_working_days(at, days) < calendar.add_working_days(at, days + 1)


@thorough
@given(calendars(), instants)
def test_next_working_instant_is_working_and_nothing_is_lost_before_it(calendar: Calendar, at: datetime) -> None:
    found = calendar.next_working_instant(at)
    assert calendar.is_working(found)
    assert calendar.working_time_between(at, found) == timedelta(0)


@thorough
@given(calendars(), st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_day_off_has_no_working_time(calendar: Calendar, day: date) -> None:
    zone = ZoneInfo(calendar.zone)
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    if not calendar.periods_on(day):
        assert calendar.working_time_between(start, end) == timedelta(0)
    assert all(earlier.end <= later.start for earlier, later in pairwise(sorted(calendar.periods_on(day))))
