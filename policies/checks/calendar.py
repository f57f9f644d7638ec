"""The calendar: periods that do not overlap, holidays that are days off, make-up days that are not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

from domain.calendar import WEEKDAYS, Period
from policies.checks.known import Known, doubled, incomplete
from policies.reading import Folder
from policies.schema import CalendarFile, HolidayPart, MakeUpDayPart

FILE = "calendar.toml"
LONGEST_HOLIDAY_DAYS = 60


def check_calendar(folder: Folder, known: Known) -> None:
    """Adds what is wrong with the working time."""
    form = folder.form(FILE, CalendarFile)
    if form is None:
        return
    _check_week(folder, form)
    for number, holiday in enumerate(form.holiday, start=1):
        _check_holiday(folder, f"holiday[{number}]", holiday, form, known)
    for number, day in enumerate(form.make_up_day, start=1):
        _check_make_up_day(folder, f"make_up_day[{number}]", day, form, known)
    for on in doubled(day.on.isoformat() for day in form.make_up_day):
        folder.add(FILE, "make_up_day", f"{on} is given twice; remove one")


def _check_week(folder: Folder, form: CalendarFile) -> None:
    week = {name: getattr(form.week, name) for name in WEEKDAYS}
    if not any(week.values()):
        folder.add(FILE, "week", "nobody ever works; give at least one weekday periods")
    for name, periods in week.items():
        _check_periods(folder, f"week.{name}", periods)


def _check_periods(folder: Folder, key: str, periods: list[Period]) -> None:
    for earlier, later in pairwise(sorted(periods)):
        if later.start < earlier.end:
            folder.add(FILE, key, f"{earlier} and {later} overlap; make them follow one another")


def _check_holiday(folder: Folder, key: str, holiday: HolidayPart, form: CalendarFile, known: Known) -> None:
    wrong = incomplete(known.languages, holiday.name)
    if wrong:
        folder.add(FILE, f"{key}.name", wrong)
    length = (holiday.last_on - holiday.first_on).days + 1
    if length < 1:
        folder.add(FILE, f"{key}.last_on", f"{holiday.last_on} is before {holiday.first_on}; exchange them")
    elif length > LONGEST_HOLIDAY_DAYS:
        folder.add(
            FILE, f"{key}.last_on", f"this holiday has {length} days; at most {LONGEST_HOLIDAY_DAYS} can be right"
        )
    _check_year(folder, f"{key}.first_on", holiday.first_on, form)


def _check_make_up_day(folder: Folder, key: str, day: MakeUpDayPart, form: CalendarFile, known: Known) -> None:
    wrong = incomplete(known.languages, day.name)
    if wrong:
        folder.add(FILE, f"{key}.name", wrong)
    if day.on in _days_off(form.holiday):
        folder.add(FILE, f"{key}.on", f"{day.on} is a holiday as well; it can be only one of the two")
    elif getattr(form.week, WEEKDAYS[day.on.weekday()]):
        folder.add(FILE, f"{key}.on", f"{day.on} is a {WEEKDAYS[day.on.weekday()]} and worked anyway; remove it")
    _check_periods(folder, f"{key}.periods", day.periods)
    _check_year(folder, f"{key}.on", day.on, form)


def _check_year(folder: Folder, key: str, day: date, form: CalendarFile) -> None:
    if day.year not in form.published_years:
        folder.add(FILE, key, f"{day} lies outside published_years; add {day.year} there once its notice is out")


def _days_off(holidays: Iterable[HolidayPart]) -> set[date]:
    return {
        holiday.first_on + timedelta(days=number)
        for holiday in holidays
        for number in range(min((holiday.last_on - holiday.first_on).days + 1, LONGEST_HOLIDAY_DAYS))
    }
