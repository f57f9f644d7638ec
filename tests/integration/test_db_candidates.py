"""Which requests are found as likely duplicates of one, on a real database: near, alike, recent, and the person's to see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from db import candidates
from db.candidates import Candidate, likeliest
from db.pool import Pool
from db.requests import Contact
from db.sealing import KeyRing
from domain.errors import Unknown
from domain.request import OPEN, Snapshot, State
from domain.visibility import Sight
from tests.plans import explaining
from tests.requests_at import a_request_at, an_event
from tests.rows import SUNDAY_NOON

DISPATCHER = Sight(everything=True, confidential=True, departments=())
TEXT = "建设路与人民路交叉口的路灯已经坏了三天，晚上漆黑一片，老人孩子出行很不安全，希望尽快派人维修。"
OTHER_TEXT = "小区楼下的餐馆每天深夜排放油烟，居民不敢开窗，已经多次向社区反映，希望上门检查。"
HERE = {"lat": 28.2001, "long": 112.9001}
NEAR = {"lat": 28.2003, "long": 112.9003}  # 30 m
FAR = {"lat": 28.2601, "long": 112.9001}  # 7 km
DAY = timedelta(days=1)

Stand = Callable[..., Awaitable[Snapshot]]


@pytest.fixture
def stand(pool: Pool, keys: KeyRing) -> Stand:
    """Each request comes from another phone, unless told otherwise."""
    numbers = iter(range(1_000_000))

    async def make(state: State = State.ASSIGNED, **changes: Any) -> Snapshot:
        contact = changes.pop("contact", Contact(phone=f"+86138{next(numbers):08}"))
        return await a_request_at(pool, keys, state, contact=contact, **({"description": TEXT} | changes))

    return make


async def found(
    pool: Pool, keys: KeyRing, subject: Snapshot, sight: Sight = DISPATCHER, **options: Any
) -> list[Candidate]:
    return (await candidates.preselected(pool, keys, UUID(subject.request_id), sight, **options)).ranked(keys)


async def references(
    pool: Pool, keys: KeyRing, subject: Snapshot, sight: Sight = DISPATCHER, **options: Any
) -> list[str]:
    return [each.reference for each in await found(pool, keys, subject, sight, **options)]


@pytest.mark.parametrize(
    ("label", "subject", "other", "is_found"),
    [
        ("near, told otherwise", HERE, NEAR | {"description": OTHER_TEXT}, True),
        ("near, not yet classified", HERE, NEAR | {"state": State.RECEIVED, "category": None}, True),
        ("near, of another category", HERE, NEAR | {"category": "noise"}, False),
        ("far, told alike", HERE, FAR, False),
        ("no point on one side, told alike", HERE, {}, True),
        ("no point on the other, told alike", {}, HERE, True),
        ("no point on either, told otherwise", {}, {"description": OTHER_TEXT}, False),
        ("points that mean no place, told otherwise", {"lat": 28.0, "long": 112.0}, {"lat": 28.0, "long": 112.0, "description": OTHER_TEXT}, False),
        ("points that mean no place, told alike", {"lat": 28.0, "long": 112.0}, {"lat": 28.0, "long": 112.0}, True),
        ("same place, told otherwise", {"place": "Willow Road"}, {"place": "willow  road", "description": OTHER_TEXT}, True),
        ("same place beside a point", HERE | {"place": "Willow Road"}, {"place": "willow road", "description": OTHER_TEXT}, True),
        ("a district is no place", {"place": "Middle"}, {"place": "Middle", "description": OTHER_TEXT}, False),
        ("same address, told otherwise", {"address": "建设路12号"}, {"address": "建设路１２号", "description": OTHER_TEXT}, True),
        ("five weeks before", HERE, NEAR | {"at": SUNDAY_NOON - 35 * DAY}, False),
        ("three weeks before", HERE, NEAR | {"at": SUNDAY_NOON - 21 * DAY}, True),
        ("an hour after", HERE, NEAR | {"at": SUNDAY_NOON + DAY / 24}, True),
        ("same phone in another category", {"contact": Contact(phone="+8613800000009")}, {"contact": Contact(phone="+8613800000009"), "category": "noise"}, True),
    ],
)  # fmt: skip
async def test_who_is_found(
    pool: Pool, keys: KeyRing, stand: Stand, label: str, subject: dict[str, Any], other: dict[str, Any], is_found: bool
) -> None:
    twin = await stand(**other)
    asked = await stand(State.TRIAGE, **subject)
    expected = [twin.reference] if is_found else []
    assert await references(pool, keys, asked, no_places=["Middle"]) == expected


@pytest.mark.parametrize("state", State)
async def test_only_open_and_just_answered_requests_are_found(
    pool: Pool, keys: KeyRing, stand: Stand, state: State
) -> None:
    twin = await stand(state, **NEAR)
    asked = await stand(State.TRIAGE, **HERE)
    expected = [twin.reference] if state in OPEN | {State.RESOLVED} else []
    assert await references(pool, keys, asked) == expected


@pytest.mark.parametrize("state", State)
async def test_nothing_is_looked_for_once_a_request_can_not_be_merged(
    pool: Pool, keys: KeyRing, stand: Stand, state: State
) -> None:
    await stand(**NEAR)
    asked = await stand(state, **HERE)
    is_mergeable = state in (State.RECEIVED, State.TRIAGE, State.ASSIGNED)
    assert len(await references(pool, keys, asked)) == is_mergeable


async def test_a_person_finds_only_what_they_may_see(pool: Pool, keys: KeyRing, stand: Stand) -> None:
    twins = [
        await stand(State.ASSIGNED, department=department, confidential=confidential, **NEAR)
        for department in ("housing", "health", None)
        for confidential in (False, True)
    ]
    helped = await stand(State.IN_PROGRESS, confidential=True, co_departments=("health",), **NEAR)
    asked = await stand(State.TRIAGE, **HERE)
    sights = [
        DISPATCHER,
        Sight(everything=True, confidential=False, departments=()),
        Sight(everything=False, confidential=False, departments=("housing",)),
        Sight(everything=True, confidential=False, departments=("health",)),
        Sight(everything=False, confidential=False, departments=("health",)),
        Sight(everything=False, confidential=True, departments=()),
    ]
    for sight in sights:
        expected = {twin.reference for twin in (*twins, helped) if sight.covers(twin)}
        assert set(await references(pool, keys, asked, sight)) == expected


async def test_what_is_found_is_described(pool: Pool, keys: KeyRing, stand: Stand) -> None:
    twin = await stand(State.IN_PROGRESS, title="Dark crossing", at=SUNDAY_NOON - DAY, **NEAR)
    untitled = await stand(State.RESOLVED, at=SUNDAY_NOON - 3 * DAY, **NEAR)
    first, second = await found(pool, keys, await stand(State.TRIAGE, title="Dark crossing", **HERE))
    assert (first.reference, first.title, first.category, first.department, first.state) == (
        twin.reference, "Dark crossing", "street_light", "housing", State.IN_PROGRESS,
    )  # fmt: skip
    assert (second.reference, second.title) == (untitled.reference, TEXT[:59] + "…" if len(TEXT) > 60 else TEXT)
    assert first.likeness.metres == pytest.approx(30, abs=2)
    assert first.likeness.text == 1.0
    assert 0.8 < second.likeness.score < first.likeness.score <= 1


async def test_the_likely_categories_of_a_doubtful_request_are_all_looked_through(
    pool: Pool, keys: KeyRing, stand: Stand
) -> None:
    twin = await stand(category="noise")
    doubtful = an_event(2, "to_triage", facts={"candidates": "street_light:0.41 noise:0.40"})
    asked = await stand(State.TRIAGE, events=[doubtful])
    decided = await stand(State.ASSIGNED, events=[doubtful], department="health")
    assert twin.reference in await references(pool, keys, asked)
    assert twin.reference not in await references(pool, keys, decided)


@pytest.mark.parametrize(
    ("label", "category", "found", "state", "expected"),
    [
        ("in doubt", "a", "a:0.4 b:0.3", State.TRIAGE, ("a", "b")),
        ("a person has chosen another", "b", "a:0.4 b:0.3", State.TRIAGE, ("b",)),
        ("assigned", "a", "a:0.4 b:0.3", State.ASSIGNED, ("a",)),
        ("nothing found", "a", None, State.TRIAGE, ("a",)),
        ("no category", None, None, State.TRIAGE, ()),
    ],
)
def test_likeliest_categories(
    label: str, category: str | None, found: str | None, state: State, expected: tuple[str, ...]
) -> None:
    assert likeliest(category, found, state) == expected


async def test_what_nobody_could_classify_is_compared_with_its_like(pool: Pool, keys: KeyRing, stand: Stand) -> None:
    twin = await stand(State.TRIAGE, category=None)
    await stand(State.TRIAGE, category=None, description=OTHER_TEXT)
    asked = await stand(State.TRIAGE, category=None)
    assert await references(pool, keys, asked) == [twin.reference]


async def test_near_ones_are_compared_before_the_latest_of_the_category(
    pool: Pool, keys: KeyRing, stand: Stand
) -> None:
    near = await stand(at=SUNDAY_NOON - 20 * DAY, **NEAR)
    for number in range(3):
        await stand(at=SUNDAY_NOON - number * DAY, description=OTHER_TEXT)
    chosen = await candidates.preselected(
        pool, keys, UUID((await stand(State.TRIAGE, **HERE)).request_id), DISPATCHER, most=2
    )
    assert [row["reference"] for row in chosen.others][:1] == [near.reference]
    assert len(chosen.others) == 2


async def test_window_can_be_widened(pool: Pool, keys: KeyRing, stand: Stand) -> None:
    twin = await stand(at=SUNDAY_NOON - 50 * DAY, **NEAR)
    asked = await stand(State.TRIAGE, **HERE)
    assert await references(pool, keys, asked) == []
    assert await references(pool, keys, asked, window=60 * DAY) == [twin.reference]


async def test_unknown_request_is_refused(pool: Pool, keys: KeyRing) -> None:
    with pytest.raises(Unknown):
        await candidates.preselected(pool, keys, uuid4(), DISPATCHER)


async def test_indexes_serve_the_search(database_url: str, pool: Pool, keys: KeyRing, stand: Stand) -> None:
    asked = await stand(State.TRIAGE, place="Willow Road", **HERE)
    async with explaining(database_url) as connection:
        await candidates.preselected(connection, keys, UUID(asked.request_id), DISPATCHER)
        names = ("by_point", "by_place", "by_sealed_place", "by_phone")
        for index in (*(f"requests_{name}" for name in names), "snapshots_by_category"):
            assert index in connection.plan, connection.plan
