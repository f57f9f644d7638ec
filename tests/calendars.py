"""Calendars for tests, and the words in which their tables name an instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from domain.calendar import WEEKDAYS, Calendar, Holiday, MakeUpDay, Period

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = (Period.parse("08:30-12:00"), Period.parse("13:30-17:30"))

HOLIDAYS_2026 = (
    ("2026-01-01", "2026-01-03"), ("2026-02-15", "2026-02-23"), ("2026-04-04", "2026-04-06"), ("2026-05-01", "2026-05-05"),
    ("2026-06-19", "2026-06-21"), ("2026-09-25", "2026-09-27"), ("2026-10-01", "2026-10-07"),
)  # fmt: skip
MAKE_UP_2026 = ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")


def a_chinese_calendar(**make_up_periods: tuple[Period, ...]) -> Calendar:
    """Half past eight to half past five with a lunch break, and the holidays of 2026.

    A make-up day given as `on_2026_10_10=...` has periods of its own.
    """
    return Calendar(
        "Asia/Shanghai",
        dict.fromkeys(WEEKDAYS[:5], OFFICE),
        tuple(Holiday(date.fromisoformat(first), date.fromisoformat(last), {}) for first, last in HOLIDAYS_2026),
        tuple(
            MakeUpDay(date.fromisoformat(on), {}, make_up_periods.get(f"on_{on.replace('-', '_')}", ()))
            for on in MAKE_UP_2026
        ),
        (2026,),
    )


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """From "Mon 2026-03-02 09:00"; the weekday is checked, so that no table says something else than it means."""
    weekday, _, moment = text.partition(" ")
    at = datetime.fromisoformat(moment).replace(tzinfo=zone)
    assert at.strftime("%a") == weekday, f"{moment} is a {at:%a}"
    return at.astimezone(UTC)


def in_words(at: datetime, zone: ZoneInfo = SHANGHAI) -> str:
    """The way back, for a failure that a person can read."""
    assert at.tzinfo is UTC
    return at.astimezone(zone).strftime("%a %Y-%m-%d %H:%M")


minutes = st.integers(0, 24 * 60)


@st.composite
def some_periods(draw: st.DrawFn) -> tuple[Period, ...]:
    bounds = sorted(draw(st.sets(minutes, min_size=2, max_size=6)))
    return tuple(Period(start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any week that has working time, anywhere, with holidays and make-up days in 2026."""
    working = draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1))
    week = {name: draw(some_periods()) for name in WEEKDAYS if name in working}
    days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
    first = draw(days)
    holidays = (Holiday(first, min(first + timedelta(days=draw(st.integers(0, 20))), date(2026, 12, 31)), {}),)
    made_up = tuple(MakeUpDay(day, {}, draw(some_periods())) for day in draw(st.sets(days, max_size=3)))
    zone = draw(st.sampled_from(("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")))
    return Calendar(zone, week, holidays, made_up, (2026,))


lengths = st.integers(0, 50 * 3600).map(lambda seconds: timedelta(seconds=seconds))
instants = st.integers(0, 400 * 86_400).map(
    lambda seconds: datetime(2025, 12, 20, tzinfo=UTC) + timedelta(seconds=seconds)
)
"""From shortly before the year whose holidays are known to shortly after it."""
