"""The demonstration city: as much of it as promised, its calendar as published, nothing in it taken from a real city."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest

from domain.policy import PARENT, DepartmentKind, Selector
from domain.request import Urgency
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY

DEMO = load_folder(DEFAULT_POLICY_DIRECTORY)

PRESETS = [
    # PROCESS.md section 7: accept, first contact, resolve, extension, return
    ("default", "1 working day", "1 working day", "5 working days", "10 working days", "2 working days"),
    ("default-complex", "1 working day", "1 working day", "15 working days", "10 working days", "2 working days"),
    ("shanghai-daning", "1 working day", "1 working day", "5 working days", "10 working days", "1 working day"),
    ("shanghai-daning-consult", "1 working day", "1 working day", "1 working day", "10 working days", "1 working day"),
    (
        "shanghai-daning-complex",
        "1 working day",
        "1 working day",
        "15 working days",
        "10 working days",
        "1 working day",
    ),
    ("zhongshan", "1 working day", "1 working day", "10 working days", "10 working days", "2 working days"),
    ("zhongshan-consult", "1 working day", "1 working day", "2 working days", "10 working days", "2 working days"),
    ("zhongshan-complaint", "1 working day", "1 working day", "15 working days", "10 working days", "2 working days"),
    ("utilities", "1 hour", "2 hours", "24 hours", "None", "2 hours"),
    ("danger", "15 minutes", "30 minutes", "2 hours", "None", "None"),
]


def test_city_is_large_enough_to_demonstrate() -> None:
    kinds = [department.kind for department in DEMO.departments]
    assert kinds.count(DepartmentKind.DEPARTMENT) >= 7
    assert {DepartmentKind.STREET, DepartmentKind.COMMUNITY, DepartmentKind.GRID} <= set(kinds)
    assert len(DEMO.categories) >= 45
    assert len(DEMO.districts) == 4


@pytest.mark.parametrize(("code", "accept", "contact", "resolve", "extension", "back"), PRESETS)
def test_service_level_is_the_preset(
    code: str, accept: str, contact: str, resolve: str, extension: str, back: str
) -> None:
    level = DEMO.service_level(code)
    told = (level.accept, level.contact, level.resolve, level.extension_max, level.return_within)
    assert tuple(map(str, told)) == (accept, contact, resolve, extension, back)


def test_working_days_of_2026_are_those_that_were_published() -> None:
    published = holidays.country_holidays("CN", years=2026)
    for number in range(365):
        day = date(2026, 1, 1) + timedelta(days=number)
        assert bool(DEMO.calendar.periods_on(day)) is published.is_working_day(day), day
    assert DEMO.calendar.published_years == (2026,)


def test_every_working_day_has_a_lunch_break() -> None:
    assert all(len(periods) == 2 for periods in DEMO.calendar.week.values() if periods)


@pytest.mark.parametrize("category", DEMO.categories, ids=lambda category: category.code)
def test_category_speaks_both_languages_and_has_words_in_them(category: object) -> None:
    found = next(each for each in DEMO.categories if each is category)
    assert found.department is not None
    for language in DEMO.city.languages:
        assert found.keywords[language]
        assert len(found.name[language]) <= 50
        assert found.tell_us[language]


def test_danger_runs_day_and_night_reaches_the_supervisors_at_once_and_may_not_be_returned() -> None:
    dangers = [category for category in DEMO.categories if category.urgency is Urgency.DANGER]
    assert dangers
    for category in dangers:
        assert category.service_level == "danger"
        assert Selector.SUPERVISORS in DEMO.chain(category.chain).rungs[0].notify
        assert category.review


def test_every_danger_that_is_watched_for_ends_in_a_danger_category() -> None:
    for watch in DEMO.watches:
        if watch.danger:
            assert watch.category is not None
            assert DEMO.category(watch.category).urgency is Urgency.DANGER


def test_matter_of_the_grid_climbs_to_the_community_the_street_and_the_district() -> None:
    stairwell = DEMO.category("stairwell")
    assert [rung.take_over for rung in DEMO.chain(stairwell.chain).rungs] == [PARENT] * 3
    for grid in stairwell.by_district.values():
        kinds = [department.kind for department in DEMO.above(grid)]
        assert kinds[:3] == [DepartmentKind.COMMUNITY, DepartmentKind.STREET, DepartmentKind.DEPARTMENT]


def test_default_chain_asks_the_lead_the_head_and_the_centre() -> None:
    rungs = DEMO.chain("default").rungs
    assert [(rung.level, str(rung.after), rung.notify[-1]) for rung in rungs] == [
        (1, "0 minutes", "lead"), (2, "1 working day", "head"), (3, "3 working days", "supervisors"),
    ]  # fmt: skip


def test_no_phone_number_of_the_city_could_be_somebody_elses() -> None:
    numbers = {department.phone for department in DEMO.departments if department.phone}
    # No Chinese area code begins with two zeros, so nobody can be rung by mistake.
    assert all(number == "12345" or number.startswith("0000-555") for number in numbers)
