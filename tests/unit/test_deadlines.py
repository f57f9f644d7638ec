"""Durations on the calendar: deadlines, reminders at a part of the time, pauses, quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendar import Calendar, Period
from domain.deadlines import deadline, moment_at_fraction, quiet_until, shift_by_pause
from domain.durations import Clock, Duration, Unit, shortened
from tests.calendars import a_chinese_calendar, calendars, in_words, instants, lengths, local

CHINA = a_chinese_calendar()
NIGHT = (Period.parse("21:00-24:00"), Period.parse("00:00-08:00"))
thorough = settings(max_examples=50, deadline=None)


@pytest.mark.parametrize(
    ("at", "duration", "clock", "expected"),
    [
        pytest.param("Thu 2026-09-24 16:00", "1 working day", Clock.WORKING, "Mon 2026-09-28 16:00", id="accept"),
        pytest.param("Wed 2026-09-30 16:00", "5 working days", Clock.WORKING, "Tue 2026-10-13 16:00", id="help"),
        pytest.param("Wed 2026-09-30 16:00", "15 working days", Clock.WORKING, "Tue 2026-10-27 16:00", id="complex"),
        pytest.param(
            "Wed 2026-09-30 16:00", "5 working days", Clock.WALL, "Tue 2026-10-13 16:00", id="days on any clock"
        ),
        pytest.param("Fri 2026-03-06 16:00", "4 hours", Clock.WORKING, "Mon 2026-03-09 11:00", id="working hours"),
        pytest.param("Fri 2026-03-06 16:00", "24 hours", Clock.WALL, "Sat 2026-03-07 16:00", id="hours day and night"),
        pytest.param(
            "Sat 2026-10-03 02:00", "15 minutes", Clock.WALL, "Sat 2026-10-03 02:15", id="danger on a holiday"
        ),
        pytest.param(
            "Fri 2026-03-06 16:00", "30 days", Clock.WORKING, "Sun 2026-04-05 16:00", id="days of the calendar"
        ),
        pytest.param("Sat 2026-03-07 02:00", "0 minutes", Clock.WORKING, "Sat 2026-03-07 02:00", id="at once"),
    ],
)
def test_deadline_of_a_duration(at: str, duration: str, clock: Clock, expected: str) -> None:
    assert in_words(deadline(CHINA, local(at), Duration.parse(duration), clock)) == expected


def test_calendar_days_keep_the_local_time_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    office = Calendar("Europe/Berlin", {"monday": (Period.parse("08:00-16:00"),)})
    found = deadline(office, local("Sat 2026-03-28 09:00", berlin), Duration.parse("2 days"))
    assert in_words(found, berlin) == "Mon 2026-03-30 09:00"


@pytest.mark.parametrize(
    ("start", "due", "fraction", "clock", "expected"),
    [
        pytest.param(
            "Mon 2026-03-02 08:30", "Fri 2026-03-06 17:30", 0.5, Clock.WORKING, "Wed 2026-03-04 13:45", id="half a week"
        ),
        pytest.param(
            "Mon 2026-03-02 09:00", "Mon 2026-03-09 09:00", 0.8, Clock.WORKING, "Fri 2026-03-06 09:00", id="four fifths"
        ),
        pytest.param(
            "Sat 2026-03-07 00:00", "Sun 2026-03-08 00:00", 0.5, Clock.WALL, "Sat 2026-03-07 12:00", id="wall clock"
        ),
        pytest.param(
            "Sat 2026-03-07 00:00",
            "Sun 2026-03-08 00:00",
            0.5,
            Clock.WORKING,
            "Sun 2026-03-08 00:00",
            id="no work between",
        ),
        pytest.param(
            "Sat 2026-03-07 00:00",
            "Tue 2026-03-10 08:30",
            1,
            Clock.WORKING,
            "Tue 2026-03-10 08:30",
            id="all is the due date",
        ),
        pytest.param(
            "Tue 2026-03-10 09:00",
            "Mon 2026-03-09 09:00",
            0.5,
            Clock.WORKING,
            "Mon 2026-03-09 09:00",
            id="overdue already",
        ),
    ],
)
def test_moment_at_a_part_of_the_time(start: str, due: str, fraction: float, clock: Clock, expected: str) -> None:
    assert in_words(moment_at_fraction(CHINA, local(start), local(due), fraction, clock)) == expected


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_part_beyond_the_whole_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        moment_at_fraction(CHINA, local("Mon 2026-03-02 09:00"), local("Tue 2026-03-03 09:00"), fraction)


@pytest.mark.parametrize(
    ("paused_from", "paused_to", "clock", "expected"),
    [
        pytest.param(
            "Mon 2026-03-02 10:00", "Mon 2026-03-02 11:00", Clock.WORKING, "Fri 2026-03-06 15:00", id="an hour"
        ),
        pytest.param(
            "Mon 2026-03-02 11:00", "Mon 2026-03-02 14:30", Clock.WORKING, "Fri 2026-03-06 16:00", id="over lunch"
        ),
        pytest.param(
            "Sat 2026-02-28 17:30", "Mon 2026-03-02 08:30", Clock.WORKING, "Fri 2026-03-06 14:00", id="a weekend"
        ),
        pytest.param("Mon 2026-03-02 10:00", "Tue 2026-03-03 10:00", Clock.WORKING, "Mon 2026-03-09 14:00", id="a day"),
        pytest.param(
            "Sat 2026-02-14 10:00", "Tue 2026-02-24 10:00", Clock.WORKING, "Mon 2026-03-09 14:00", id="a festival"
        ),
        pytest.param(
            "Mon 2026-03-02 10:00", "Tue 2026-03-03 10:00", Clock.WALL, "Sat 2026-03-07 14:00", id="wall clock"
        ),
        pytest.param(
            "Tue 2026-03-03 10:00", "Mon 2026-03-02 10:00", Clock.WALL, "Fri 2026-03-06 14:00", id="never backwards"
        ),
    ],
)
def test_pause_moves_the_due_date_by_the_paused_time(
    paused_from: str, paused_to: str, clock: Clock, expected: str
) -> None:
    due = local("Fri 2026-03-06 14:00")
    assert in_words(shift_by_pause(CHINA, due, local(paused_from), local(paused_to), clock)) == expected


@thorough
@given(calendars(), instants, instants, lengths, lengths)
def test_pause_cut_in_two_moves_as_far_as_the_whole(
    calendar: Calendar, due: datetime, start: datetime, one: timedelta, two: timedelta
) -> None:
    cut, end = start + one, start + one + two
    in_two = shift_by_pause(calendar, shift_by_pause(calendar, due, start, cut), cut, end)
    assert in_two == shift_by_pause(calendar, due, start, end)


@thorough
@given(calendars(), instants, st.integers(1, 30), st.floats(0, 1), st.floats(0, 1))
def test_larger_part_comes_no_earlier_and_none_after_the_due_date(
    calendar: Calendar, start: datetime, days: int, one: float, two: float
) -> None:
    due = calendar.add_working_days(start, days)
    earlier, later = (moment_at_fraction(calendar, start, due, part) for part in sorted((one, two)))
    assert start <= earlier <= later <= due


@pytest.mark.parametrize(
    ("at", "until"),
    [
        pytest.param("Fri 2026-03-06 20:59", None, id="not yet"),
        pytest.param("Fri 2026-03-06 21:00", "Sat 2026-03-07 08:00", id="the first quiet minute"),
        pytest.param("Fri 2026-03-06 23:59", "Sat 2026-03-07 08:00", id="before midnight"),
        pytest.param("Sat 2026-03-07 00:00", "Sat 2026-03-07 08:00", id="midnight"),
        pytest.param("Sat 2026-03-07 07:59", "Sat 2026-03-07 08:00", id="the last quiet minute"),
        pytest.param("Sat 2026-03-07 08:00", None, id="over"),
    ],
)
def test_quiet_hours_hold_back_until_the_morning(at: str, until: str | None) -> None:
    found = quiet_until(NIGHT, "Asia/Shanghai", local(at))
    assert (in_words(found) if found else None) == until


@pytest.mark.parametrize("quiet", [(), (Period.parse("00:00-24:00"),)], ids=["none", "all day long"])
def test_without_a_morning_nothing_is_held_back(quiet: tuple[Period, ...]) -> None:
    assert quiet_until(quiet, "Asia/Shanghai", datetime(2026, 3, 6, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("5 working days", "5 working days"), ("1 working day", "1 working day"), ("24 hours", "24 hours"),
        ("1.5 hours", "1.5 hours"), ("15 Minutes", "15 minutes"), ("90 seconds", "90 seconds"), (" 7  days ", "7 days"),
        ("0 minutes", "0 minutes"), ("1 hours", "1 hour"),
    ],
)  # fmt: skip
def test_duration_is_written_as_it_is_read(text: str, written: str) -> None:
    duration = Duration.parse(text)
    assert str(duration) == written
    assert Duration.parse(written) == duration


@pytest.mark.parametrize(
    "text", ["", "5", "five days", "5 weeks", "-5 days", "5days", "1.5 working days", "5 working  days", "99999999 days", "1e3 days"]
)  # fmt: skip
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|counted whole"):
        Duration.parse(text)


def test_length_of_days_is_not_known_without_a_calendar() -> None:
    with pytest.raises(ValueError, match="depends on the calendar"):
        _ = Duration.parse("2 working days").timedelta


@given(st.floats(0, 10**6).map(lambda amount: round(amount, 6)))
def test_every_duration_in_seconds_survives_writing(amount: float) -> None:
    duration = Duration(amount, Unit.SECONDS)
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5 working days", "50 seconds"), ("7 days", "70 seconds"), ("8 hours", "10 seconds"), ("24 hours", "30 seconds"),
     ("15 minutes", "0.3125 seconds"), ("0 minutes", "0 seconds")],
)  # fmt: skip
def test_shortened_duration_keeps_its_proportion(text: str, expected: str) -> None:
    assert str(shortened(Duration.parse(text), 10)) == expected
