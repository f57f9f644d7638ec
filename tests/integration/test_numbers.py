"""The numbers against lives counted by hand: who stands in which figure, by every part, and the list behind each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db import rates
from db.pool import Pool, open_pool
from db.rates import Grouping, Scope
from db.sealing import KeyRing
from domain.rates import Counts, Figure
from domain.visibility import Sight
from tests.conftest import FreshDatabase
from tests.lives import Life, live

ZONE = ZoneInfo("Asia/Shanghai")
ALL = Sight(everything=True, confidential=True, departments=())


def on(text: str) -> datetime:
    """That moment in the city."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


NOW = on("2026-12-10 12:00")

GOOD = "assigned contacted_in_time answered solved satisfied"
LATE = "assigned answered solved satisfied slow_response"
FAIR = "assigned contacted_in_time"

BY_HAND = tuple(figure for figure in Figure if figure is not Figure.QUICK_LOGGED)
"""The figures of requests that go the whole way; what was settled on the spot is in tests/integration/test_api_quick_log.py."""

# What happened when, and in which figures it counts besides "submitted".
LIVES: tuple[tuple[Life, str], ...] = (
    # In October, in the city's time.
    (Life("in time and praised", on("2026-10-05 09:00"), "housing", "0 assign; .1 accept; .5 contact; 3 resolve; 4 rate yes 5"), GOOD),
    (Life("contacted in the last moment, answered in the last moment", on("2026-10-05 23:30"), "health", "0 assign; .1 accept; 1 contact; 5 resolve; 12 close", category="clinic", district="west"), f"{FAIR} no_reply"),
    (Life("contacted a minute late", on("2026-10-06 00:10"), "housing", "0 assign; .1 accept; 1 contact_overdue; 1.001 contact; 4 resolve; 5 rate yes 3"), LATE),
    (Life("never contacted", on("2026-10-31 10:00"), "north_street", "0 assign; .1 accept; 1 contact_overdue; 5 escalate", category="litter", district=None), "assigned no_response"),
    (Life("a day before November", on("2026-10-31 23:59"), "health", "0 assign; .1 accept; .5 note; 2 resolve; 3 rate partly 3", category="clinic", district="west"), f"{FAIR} answered satisfied"),
    # In November, the first one by less than an hour.
    (Life("an hour into November", on("2026-11-01 00:30"), "housing", "0 assign; .1 accept; .5 contact; 2 resolve; 9 close"), f"{FAIR} no_reply"),
    (Life("the answer was the contact", on("2026-11-02 09:00"), "health", "0 assign; .1 accept; .5 resolve; 2 rate partly 2", category="clinic"), f"{FAIR} answered"),
    (Life("the answer was the contact, and late", on("2026-11-02 10:00"), "housing", "0 assign; .1 accept; 1 contact_overdue; 2 resolve; 9 close", district="west"), "assigned no_reply slow_response"),
    (Life("contacted in time, answered late", on("2026-11-03 09:00"), "housing", "0 assign; .1 accept; .5 contact; 5 escalate; 6 resolve; 6.5 approve; 7 rate yes 4"), f"{GOOD} slow_response"),
    (Life("the review came too late", on("2026-11-03 10:00"), "health", "0 assign; .1 accept; .5 contact; 1 escalate_by_hand; 4 resolve; 5.1 approve; 13 close", category="clinic"), f"{FAIR} no_reply slow_response"),
    (Life("the review came in time", on("2026-11-03 11:00"), "health", "0 assign; .1 accept; .5 contact; 1 escalate_by_hand; 4 resolve; 4.9 approve; 13 close", category="clinic"), f"{FAIR} no_reply"),
    (Life("still open after the due date", on("2026-11-04 09:00"), "north_street", "0 assign; .1 accept; .5 contact; 5 escalate", category="litter"), f"{FAIR} slow_response"),
    (Life("withdrawn in time", on("2026-11-05 09:00"), "housing", "0 assign; .5 withdraw"), "assigned contact_pending"),
    (Life("withdrawn for want of a contact", on("2026-11-05 10:00"), "housing", "0 assign; 1 contact_overdue; 2 withdraw", district=None), "assigned no_response"),
    (Life("declined", on("2026-11-06 09:00"), "housing", "0 triage; 1 decline", district=None), ""),
    (Life("transferred", on("2026-11-06 10:00"), "health", "0 assign; .1 accept; .5 contact; 1 transfer", category="clinic"), FAIR),
    (Life("returned and done by others", on("2026-11-07 09:00"), "housing", "0 assign; .5 return; 1 give health; 1.1 accept; 1.9 contact; 3 resolve; 4 rate yes 5"), f"{GOOD} wrong_response"),
    (Life("returned and forgotten", on("2026-11-08 09:00"), "housing", "0 assign; .5 return"), "assigned no_response wrong_response"),
    (Life("reassigned", on("2026-11-09 09:00"), "housing", "0 assign; .5 reassign health; .6 accept; 1.4 contact; 2 resolve; 9 close", category="clinic"), f"{FAIR} no_reply wrong_response"),
    (Life("reassigned when the contact was overdue", on("2026-11-10 09:00"), "housing", "0 assign; 1 contact_overdue; 1.5 reassign health; 1.6 accept; 2 contact; 3 resolve; 4 rate yes 4"), f"{LATE} wrong_response"),
    (Life("taken over, contacted in the new time", on("2026-11-10 10:00"), "north_street", "0 assign; 1 contact_overdue; 2 take_over housing; 2.1 accept; 2.5 contact; 4 resolve; 4.5 approve; 6 rate yes 3", category="litter"), LATE),
    (Life("not solved, done again, praised", on("2026-11-11 09:00"), "housing", "0 assign; .1 accept; .5 contact; 2 resolve; 3 rate no 1; 3 reopen; 3.1 accept; 4 resolve; 4.5 approve; 6 rate yes 5"), f"{GOOD} wrong_response"),
    (Life("the first answer late, the second in time", on("2026-11-11 10:00"), "housing", "0 assign; .1 accept; .5 contact; 5 escalate; 6 resolve; 6.1 approve; 7 rate no 2; 7 reopen; 7.1 accept; 8 resolve; 8.5 approve; 9 rate yes 4"), f"{GOOD} slow_response wrong_response"),
    (Life("not solved, done again, silence", on("2026-11-12 09:00"), "health", "0 assign; .1 accept; .5 contact; 2 resolve; 3 rate no 1; 3 reopen; 3.1 accept; 4 resolve; 4.5 approve; 12 close", category="clinic", district="west"), f"{FAIR} answered wrong_response"),
    (Life("not solved, the department says so", on("2026-11-13 09:00"), "housing", "0 assign; .1 accept; .5 contact; 2 resolve not_solved; 3 approve; 12 close"), f"{FAIR} no_reply wrong_response"),
    (Life("decided as not solvable", on("2026-11-14 09:00"), "health", "0 assign; .1 accept; .2 contact; .4 return; .5 give housing; .6 return; .7 give health; .8 return; 2 decide", category="clinic"), f"{FAIR} wrong_response"),
    (Life("a question moved the due date", on("2026-11-15 09:00"), "housing", "0 assign; .1 accept; .5 contact; 2 ask; 6 answer; 8 resolve; 9 rate yes 5"), GOOD),
    (Life("a question, and late all the same", on("2026-11-15 10:00"), "housing", "0 assign; .1 accept; .5 contact; 2 ask; 3 answer; 6.5 resolve; 7 rate no 1", district="west"), f"{FAIR} answered slow_response wrong_response"),
    (Life("granted more time", on("2026-11-16 09:00"), "health", "0 assign; .1 accept; .5 contact; 4 ask_extension 5; 4.5 extend; 9 resolve; 16 close", category="clinic"), f"{FAIR} no_reply"),
    (Life("granted more time, and late", on("2026-11-16 10:00"), "health", "0 assign; .1 accept; .5 contact; 4 ask_extension 2; 4.5 extend; 8 resolve; 15 close", category="clinic"), f"{FAIR} no_reply slow_response"),
    (Life("satisfied on the phone", on("2026-11-17 09:00"), "housing", "0 assign; .1 accept; .5 contact; 2 resolve; 3 call; 4 call yes 5"), GOOD),
    (Life("nobody on the phone", on("2026-11-17 10:00"), "housing", "0 assign; .1 accept; .5 contact; 2 resolve; 3 call; 9 close"), f"{FAIR} no_reply"),
    (Life("merged in time", on("2026-11-18 09:00"), "housing", "0 assign; .5 merge; 9 follow resolved; 12 follow closed"), "assigned contact_pending"),
    (Life("merged, solved by its own word", on("2026-11-18 09:30"), "housing", "0 assign; .5 merge; 2 follow resolved; 3 rate partly 4; 5 follow closed"), "assigned contact_pending answered satisfied"),
    (Life("merged when the contact was overdue", on("2026-11-18 10:00"), "housing", "0 assign; 1 contact_overdue; 2 merge; 3 follow closed", district="west"), "assigned no_response"),
    (Life("escalated by hand, not solved, done again", on("2026-11-19 09:00"), "health", "0 assign; .1 accept; .5 contact; 1 escalate_by_hand; 2 resolve; 2.5 approve; 3 rate no 1; 3 reopen; 3.1 accept; 4 resolve; 4.5 approve; 6 rate yes 5", category="clinic"), f"{GOOD} wrong_response"),
    (Life("waits for a review past its due date", on("2026-11-29 09:00"), "housing", "0 assign; .1 accept; .5 contact; 1 escalate_by_hand; 4 resolve"), f"{FAIR} slow_response"),
    (Life("waits for its citizen past its due date", on("2026-11-30 23:59"), "housing", "0 assign; .1 accept; .5 contact; 3 ask"), FAIR),
    # In December.
    (Life("late before its citizen was asked", on("2026-12-01 00:00"), "health", "0 assign; .1 accept; .5 contact; 6 ask", category="clinic"), f"{FAIR} slow_response"),
    (Life("on hold before any contact", on("2026-12-05 09:00"), "housing", "0 assign; .1 accept; .4 ask_hold; .5 hold"), "assigned contact_pending"),
    (Life("confidential", on("2026-12-06 09:00"), "health", "0 assign; .1 accept; .5 contact; 2 resolve; 3 rate yes 5", category="clinic", confidential=True), GOOD),
    (Life("asked to rate", on("2026-12-06 10:00"), "housing", "0 assign; .1 accept; .5 contact; 2 resolve"), FAIR),
    (Life("not solved, being done again", on("2026-12-06 11:00"), "housing", "0 assign; .1 accept; .5 contact; 1 resolve; 2 rate no 1; 2 reopen"), f"{FAIR} answered wrong_response"),
    (Life("under way", on("2026-12-08 09:00"), "north_street", "0 assign; .1 accept; .5 contact", category="litter", district=None), FAIR),
    (Life("reassigned when the contact was overdue, and waiting", on("2026-12-08 12:30"), "housing", "0 assign; 1 contact_overdue; 1.4 reassign health"), "assigned no_response wrong_response"),
    (Life("still time to call", on("2026-12-10 00:00"), "housing", "0 assign; .1 accept"), "assigned contact_pending"),
    (Life("in triage", on("2026-12-10 10:00"), "housing", "0 triage"), ""),
    (Life("just received", on("2026-12-10 11:59"), "housing", ""), ""),
)  # fmt: skip

STANDS_ELSEWHERE = {
    "returned and done by others": "health",
    "returned and forgotten": None,
    "reassigned": "health",
    "reassigned when the contact was overdue": "health",
    "reassigned when the contact was overdue, and waiting": "health",
    "taken over, contacted in the new time": "housing",
    "decided as not solvable": "health",
    "declined": None,
    "in triage": None,
    "just received": None,
}

# Counted by hand, part by part: submitted, assigned, contacted in time, contact pending; answered, solved, satisfied, no reply;
# no response, slow response, wrong response.
EXPECTED: dict[Grouping, dict[str | None, tuple[int, ...]]] = {
    Grouping.CITY: {None: (48, 45, 31, 5, 18, 12, 14, 10, 5, 12, 13)},
    Grouping.DEPARTMENT: {
        "health": (17, 17, 15, 0, 7, 4, 5, 6, 1, 4, 7),
        "housing": (24, 24, 14, 5, 11, 8, 9, 4, 2, 7, 5),
        "north_street": (3, 3, 2, 0, 0, 0, 0, 0, 1, 1, 0),
        None: (4, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1),
    },
    Grouping.CATEGORY: {
        "clinic": (14, 14, 14, 0, 5, 2, 3, 6, 0, 3, 4),
        "litter": (4, 4, 2, 0, 1, 1, 1, 0, 1, 2, 0),
        "street_light": (30, 27, 15, 5, 12, 9, 10, 4, 4, 7, 9),
    },
    Grouping.DISTRICT: {
        "middle": (38, 36, 26, 5, 15, 12, 13, 8, 2, 10, 11),
        "west": (6, 6, 4, 0, 3, 0, 1, 2, 1, 2, 2),
        None: (4, 3, 1, 0, 0, 0, 0, 0, 2, 0, 0),
    },
    Grouping.WEEK: {
        "2026-10-05": (3, 3, 2, 0, 2, 2, 2, 1, 0, 1, 0),
        "2026-10-26": (3, 3, 2, 0, 1, 0, 1, 1, 1, 0, 0),
        "2026-11-02": (12, 11, 7, 1, 3, 2, 2, 3, 2, 4, 2),
        "2026-11-09": (10, 10, 8, 0, 7, 5, 5, 2, 0, 4, 8),
        "2026-11-16": (8, 8, 5, 2, 3, 2, 3, 3, 1, 1, 1),
        "2026-11-23": (1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0),
        "2026-11-30": (6, 6, 5, 1, 2, 1, 1, 0, 0, 1, 1),
        "2026-12-07": (5, 3, 1, 1, 0, 0, 0, 0, 1, 0, 1),
    },
    Grouping.MONTH: {
        "2026-10-01": (5, 5, 3, 0, 3, 2, 3, 1, 1, 1, 0),
        "2026-11-01": (33, 32, 23, 3, 13, 9, 10, 9, 3, 10, 11),
        "2026-12-01": (10, 8, 5, 2, 2, 1, 1, 0, 1, 1, 2),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
async def city(fresh_database: FreshDatabase, keys: KeyRing) -> AsyncIterator[Pool]:
    """A database in which all these lives were lived."""
    async with open_pool(fresh_database(), size=2) as pool:
        for life, _ in LIVES:
            await live(pool, keys, life)
        yield pool


def a_scope(**changes: Any) -> Scope:
    values: dict[str, Any] = {"from_at": on("2026-10-01"), "to_at": on("2026-12-11"), "zone": ZONE.key, "sight": ALL}
    return Scope(**(values | changes))


async def counts(pool: Pool, grouping: Grouping, **scope: Any) -> dict[str | None, tuple[int, ...]]:
    """The counts of each part, in the order of the figures."""
    found = await rates.counts(pool, grouping, a_scope(**scope), NOW)
    return {each.part: tuple(each.of(figure) for figure in BY_HAND) for each in found}


async def names_behind(
    pool: Pool, keys: KeyRing, figure: Figure, grouping: Grouping = Grouping.CITY, part: str | None = None, **scope: Any
) -> list[str]:
    """The names of the lives behind a figure, gathered page by page."""
    found: list[str] = []
    after = None
    while True:
        page = await rates.counted(pool, keys, figure, grouping, part, a_scope(**scope), NOW, after=after, limit=4)
        found += [line.title for line in page.requests]
        after = page.next_position
        if after is None:
            return found


def total(parts: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sum(column) for column in zip(*parts, strict=True))


def test_the_lives_are_told_apart_by_their_names_and_name_only_figures() -> None:
    assert len({life.name for life, _ in LIVES}) == len(LIVES) == 48
    assert {name for _, figures in LIVES for name in figures.split()} == {*BY_HAND} - {"submitted"}
    assert set(Counts.__slots__) == {*Figure, "part"}


@pytest.mark.parametrize("figure", BY_HAND)
async def test_list_behind_a_figure_holds_the_lives_that_count_in_it_the_latest_first(
    city: Pool, keys: KeyRing, figure: Figure
) -> None:
    expected = [
        life.name
        for life, figures in sorted(LIVES, key=lambda each: each[0].submitted_at, reverse=True)
        if figure == "submitted" or figure in figures.split()
    ]
    assert await names_behind(city, keys, figure) == expected


@pytest.mark.parametrize("grouping", EXPECTED)
async def test_counts_are_those_counted_by_hand(city: Pool, grouping: Grouping) -> None:
    found = await counts(city, grouping)
    assert found == EXPECTED[grouping]
    assert [*found] == [*EXPECTED[grouping]], "in their order, those of no part last"


async def test_department_is_the_one_that_has_the_request_now(city: Pool, keys: KeyRing) -> None:
    for department in ("housing", "health", "north_street", None):
        expected = {life.name for life, _ in LIVES if STANDS_ELSEWHERE.get(life.name, life.department) == department}
        found = await names_behind(city, keys, Figure.SUBMITTED, Grouping.DEPARTMENT, department)
        assert set(found) == expected


async def test_day_begins_at_midnight_of_the_city(city: Pool) -> None:
    found = await counts(city, Grouping.DAY)
    assert {day: figures[0] for day, figures in found.items() if str(day) in ("2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01")} == {
        "2026-10-31": 2, "2026-11-01": 1, "2026-11-30": 1, "2026-12-01": 1,
    }  # fmt: skip
    assert len(found) == 29


@pytest.mark.parametrize("grouping", Grouping)
async def test_parts_add_up_to_the_whole(city: Pool, grouping: Grouping) -> None:
    for scope in (
        {},
        {"to_at": on("2026-11-08 09:00")},
        {"department": "housing"},
        {"category": "clinic", "district": "middle"},
        {"sight": Sight(False, False, ("health", "north_street"))},
    ):
        (whole,) = (await counts(city, Grouping.CITY, **scope)).values()
        assert total((await counts(city, grouping, **scope)).values()) == whole


@pytest.mark.parametrize("grouping", Grouping)
@pytest.mark.parametrize(
    "sight",
    [ALL, Sight(True, False, ()), Sight(True, False, ("health",)), Sight(False, False, ("housing", "north_street"))],
    ids=["supervisor", "admin", "admin and handler", "handler"],
)
async def test_every_count_has_a_list_of_exactly_so_many(
    city: Pool, keys: KeyRing, grouping: Grouping, sight: Sight
) -> None:
    for part, numbers in (await counts(city, grouping, sight=sight)).items():
        for figure, number in zip(BY_HAND, numbers, strict=True):
            names = await names_behind(city, keys, figure, grouping, part, sight=sight)
            assert len(names) == len(set(names)) == number, (part, figure)


@pytest.mark.parametrize(
    ("label", "sight", "unseen"),
    [
        ("a supervisor sees everything", ALL, lambda life: False),
        ("an admin sees nothing confidential", Sight(True, False, ()), lambda life: life.confidential),
        ("the department sees its own confidential ones", Sight(True, False, ("health",)), lambda life: False),
    ],
)
async def test_numbers_count_what_the_person_may_see(
    city: Pool, keys: KeyRing, label: str, sight: Sight, unseen: Any
) -> None:
    seen = {life.name for life, _ in LIVES if not unseen(life)}
    assert set(await names_behind(city, keys, Figure.SUBMITTED, sight=sight)) == seen
    assert (await counts(city, Grouping.CITY, sight=sight))[None][0] == len(seen)


async def test_handler_has_the_numbers_of_the_own_departments(city: Pool) -> None:
    handler = Sight(False, False, ("housing", "north_street"))
    by_hand = {part: row for part, row in EXPECTED[Grouping.DEPARTMENT].items() if part in handler.departments}
    assert await counts(city, Grouping.DEPARTMENT, sight=handler) == by_hand
    assert await counts(city, Grouping.CITY, sight=Sight(False, True, ())) == {}


async def test_scope_narrows_the_numbers_to_one_part_over_time(city: Pool) -> None:
    assert {part: row[:4] for part, row in (await counts(city, Grouping.MONTH, department="north_street")).items()} == {
        "2026-10-01": (1, 1, 0, 0), "2026-11-01": (1, 1, 1, 0), "2026-12-01": (1, 1, 1, 0),
    }  # fmt: skip
    (west_clinic,) = (await counts(city, Grouping.CITY, district="west", category="clinic")).values()
    assert west_clinic == (3, 3, 3, 0, 2, 0, 1, 1, 0, 0, 1)


async def test_request_counts_in_exactly_one_period(city: Pool) -> None:
    moments = [on("2026-10-01"), *(life.submitted_at for life, _ in LIVES), NOW]
    numbers = [
        (await counts(city, Grouping.CITY, from_at=begins, to_at=ends)).get(None, (0,))[0]
        for begins, ends in pairwise(moments)
    ]
    assert numbers == [0, *([1] * 48)]


async def test_figure_may_change_as_time_passes(city: Pool) -> None:
    later = NOW + timedelta(days=1)
    (found,) = await rates.counts(city, Grouping.CITY, a_scope(), later)
    assert (found.contact_pending, found.no_response) == (4, 6), "the time to call one of them is over"
