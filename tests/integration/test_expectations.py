"""The expected date: from which requests it is learned, and what the citizen reads of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.expectations import FRESH
from api.pages.page import WORDS
from api.schemas import Language
from db import expectations
from db.pool import Pool
from db.sealing import KeyRing
from domain.expectation import FEWEST_CASES, LATELY, LATEST_CASES, Case
from tests.builders import MONDAY_NINE
from tests.integration.test_api_pages import a_page, address_of
from tests.interface import Interface, Submitted, an_interface
from tests.lives import Life, live

DAY = timedelta(days=1)
THEN = MONDAY_NINE - 14 * DAY
"""A Monday two weeks ago: what was answered on the Tuesday after it took one working day."""
DONE = "0 assign; .1 accept; .5 contact; 1 resolve; 2 rate yes 5"


async def lived(pool: Pool, keys: KeyRing, story: str = DONE, times: int = 1, at: datetime = THEN, **life: Any) -> None:
    for _ in range(times):
        await live(
            pool, keys, Life("told", at, life.get("department", "housing"), story, life.get("category", "street_light"))
        )


@pytest.mark.parametrize(
    ("label", "story", "at", "counts"),
    [
        ("rated", DONE, THEN, True),
        ("resolved and not yet rated", "0 assign; .1 accept; 1 resolve", THEN, True),
        ("closed without a reply", "0 assign; .1 accept; 1 resolve; 9 close", THEN, True),
        ("under way", "0 assign; .1 accept; .5 contact", THEN, False),
        ("in review", "0 assign; .1 accept; .5 escalate_by_hand; 1 resolve", THEN, False),
        ("withdrawn", "0 assign; 1 withdraw", THEN, False),
        ("being done again", "0 assign; .1 accept; 1 resolve; 2 rate no 1; 2 reopen", THEN, False),
        ("done again", "0 assign; .1 accept; 1 resolve; 2 rate no 1; 2 reopen; 2.1 accept; 3 resolve; 4 approve", THEN, False),
        ("long ago", DONE, MONDAY_NINE - LATELY - 2 * DAY, False),
        ("assigned long ago, resolved lately", DONE, MONDAY_NINE - LATELY - DAY / 2, True),
    ],
)  # fmt: skip
async def test_learned_is_from_requests_that_are(
    pool: Pool, keys: KeyRing, label: str, story: str, at: datetime, counts: bool
) -> None:
    await lived(pool, keys, story, at=at)
    found = await expectations.cases(pool, "street_light", "housing", MONDAY_NINE)
    assert found == ([Case(at, at + DAY)] if counts else [])


async def test_learned_is_from_the_category_and_the_department_that_had_them_last(pool: Pool, keys: KeyRing) -> None:
    await lived(pool, keys)
    await lived(pool, keys, department="health", at=THEN + DAY)
    await lived(pool, keys, category="clinic")
    await lived(pool, keys, "0 assign; 1 reassign health; 1.1 accept; 2 resolve", at=THEN - DAY)

    async def starts(department: str | None) -> list[datetime]:
        return [case.assigned_at for case in await expectations.cases(pool, "street_light", department, MONDAY_NINE)]

    assert await starts("housing") == [THEN]
    assert await starts("health") == [THEN + DAY, THEN]
    assert await starts(None) == [THEN + DAY, THEN, THEN]


async def test_learned_are_the_pauses_too(pool: Pool, keys: KeyRing) -> None:
    await lived(pool, keys, "0 assign; .1 accept; 1 ask; 3 answer; 3.5 ask_hold; 4 hold; 5 resume; 6 resolve")
    (case,) = await expectations.cases(pool, "street_light", "housing", MONDAY_NINE)
    assert case == Case(THEN, THEN + 6 * DAY, tuple(THEN + day * DAY for day in (1, 3, 4, 5)))


async def test_learned_is_from_the_latest_of_many(pool: Pool, keys: KeyRing) -> None:
    await lived(pool, keys)
    await pool.execute(
        "insert into requests (id, reference, submitted_at, channel, language, token_hash, token_sealed)"
        " select gen_random_uuid(), 'x' || n, $1, 'web', 'en', '', '' from generate_series(1, $2) as n",
        THEN, LATEST_CASES,
    )  # fmt: skip
    await pool.execute(
        "insert into snapshots (request_id, reference, submitted_at, confidential, state, category, department, assigned_at, resolved_at)"
        " select id, reference, $1::timestamptz, false, 'closed', 'street_light', 'housing', $1, $1::timestamptz + interval '2 days' from requests where reference like 'x%'",
        THEN,
    )  # fmt: skip
    found = await expectations.cases(pool, "street_light", "housing", MONDAY_NINE)
    assert len(found) == LATEST_CASES
    assert {case.resolved_at for case in found} == {THEN + 2 * DAY}, "the one that was resolved first is left out"


# What the citizen reads


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        yield running


async def learned(interface: Interface, times: int = FEWEST_CASES, **life: Any) -> None:
    await lived(interface.services.pool, interface.services.keys, times=times, **life)


async def an_assigned(interface: Interface, state: str = "in_progress", **columns: Any) -> Submitted:
    request = await interface.submit()
    values = {"department": "housing", "category": "street_light", "assigned_at": MONDAY_NINE, **columns}
    await interface.move(request, state, **values)
    return request


@pytest.mark.parametrize(
    ("label", "own", "others", "expectation"),
    [
        ("the department's own", 20, 0, {"based_on": 20, "scope": "department", "unsaid": None}),
        ("its own, though others have more", 20, 5, {"based_on": 20, "scope": "department", "unsaid": None}),
        ("those of all departments", 19, 1, {"based_on": 20, "scope": "category", "unsaid": None}),
        ("too few", 10, 9, {"based_on": 19, "scope": "category", "unsaid": "too_few"}),
        ("none", 0, 0, {"based_on": 0, "scope": "category", "unsaid": "too_few"}),
    ],
)
async def test_expected_date_says_on_what_it_is_based(
    interface: Interface, label: str, own: int, others: int, expectation: dict[str, Any]
) -> None:
    await learned(interface, own)
    await learned(interface, others, department="health")
    await learned(interface, 3, category="clinic")
    found = await interface.look_up(await an_assigned(interface))

    assert found["expectation"] == expectation
    # One working day, as all of them took.
    assert found["expected_at"] == ("2026-11-23T10:00:00Z" if expectation["unsaid"] is None else None)


async def test_expected_date_is_never_in_the_past(interface: Interface) -> None:
    await learned(interface)
    request = await an_assigned(interface)
    interface.clock.pass_(timedelta(hours=8, minutes=59))
    assert (await interface.look_up(request))["expected_at"] == "2026-11-23T10:00:00Z"
    interface.clock.pass_(timedelta(minutes=1))
    found = await interface.look_up(request)

    assert found["expected_at"] is None
    assert found["expectation"] == {"based_on": 20, "scope": "department", "unsaid": "longer"}


@pytest.mark.parametrize("state", ["received", "triage", "resolved", "closed", "withdrawn", "transferred"])
async def test_nothing_is_expected_of_a_request_that_is(interface: Interface, state: str) -> None:
    await learned(interface)
    found = await interface.look_up(await an_assigned(interface, state))

    assert (found["expected_at"], found["expectation"]) == (None, None)


async def test_experience_is_kept_for_some_minutes(interface: Interface) -> None:
    request = await an_assigned(interface)
    based_on = []
    for pause in (timedelta(0), FRESH - timedelta(seconds=1), timedelta(seconds=1)):
        interface.clock.pass_(pause)
        based_on.append((await interface.look_up(request))["expectation"]["based_on"])
        await learned(interface, 1)
    assert based_on == [0, 0, 2]


async def test_experience_is_kept_for_each_department_and_category(interface: Interface) -> None:
    await learned(interface, 20)
    await learned(interface, 21, department="health")
    found = [
        (await interface.look_up(await an_assigned(interface, department=department, category=category)))["expectation"]
        for department, category in (("housing", "street_light"), ("health", "street_light"), ("housing", "clinic"))
    ]
    assert [expectation["based_on"] for expectation in found] == [20, 21, 0]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_page_says_what_to_expect_until_the_answer_is_there(interface: Interface, language: Language) -> None:
    words = WORDS[language]
    request = await an_assigned(interface)
    address = f"{address_of(request)}?lang={language}"
    assert words["unsaid"]["too_few"].format(number=0) in await a_page(interface, address)

    await learned(interface)
    interface.clock.pass_(FRESH)
    html = await a_page(interface, address)
    assert words["expected"]["department"].format(number=20) in html
    assert ("2026年11月23日</time>" if language == "zh" else "23 November 2026</time>") in html

    await interface.move(request, "on_hold")
    assert words["unsaid"]["paused"] in await a_page(interface, address)
    await interface.move(request, "in_progress")
    interface.clock.pass_(2 * DAY)
    assert words["unsaid"]["longer"] in await a_page(interface, address)
    await interface.move(request, "resolved")
    assert words["status"]["expected"] not in await a_page(interface, address)
