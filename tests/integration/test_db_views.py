"""Lists of the staff: only what a person may see, narrowed, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from db import attachments, policies, read_model, requests, timeline, views
from db.pool import Pool
from db.requests import Contact
from db.sealing import KeyRing
from db.views import Filter, Listed
from domain.errors import Unknown
from domain.record import Entry, Record
from domain.request import Event, Snapshot, State
from domain.visibility import Sight
from tests.rows import PHONE, SUNDAY_NOON, a_new_request, a_submitted_request

NOW = SUNDAY_NOON + timedelta(days=10)
DAY = timedelta(days=1)
ALL = Sight(everything=True, confidential=True, departments=())
CALLER = Sight(everything=True, confidential=False, departments=())
HOUSING = Sight(everything=False, confidential=False, departments=("housing",))

Stand = Callable[..., Awaitable[Snapshot]]


@pytest.fixture
def stand(pool: Pool, keys: KeyRing) -> Stand:
    """Makes a request that stands as it is told to; each is submitted a minute after the one before."""
    minutes = iter(range(1_000_000))

    async def make(state: State = State.ASSIGNED, *, actions: tuple[str, ...] = (), **changes: Any) -> Snapshot:
        sent = {name: changes.pop(name) for name in ("title", "description", "contact") if name in changes}
        confidential = changes.get("confidential", False)
        at = SUNDAY_NOON + timedelta(minutes=next(minutes))
        submitted = await requests.submit(pool, keys, a_new_request(confidential=confidential, **sent), at)
        values = {"department": "housing", "sequence": len(actions) + 1, **changes}
        snapshot = Snapshot(str(submitted.request_id), submitted.reference, at, state=state, **values)
        entries = tuple(
            Entry(Event(number, at, action, "staff", "", state, state, True))
            for number, action in enumerate(actions, 1)
        )
        await read_model.record(pool, Record(snapshot, entries), None, at)
        return snapshot

    return make


def references(lines: list[Listed]) -> list[str]:
    return [line.snapshot.reference for line in lines]


async def the_list(pool: Pool, keys: KeyRing, sight: Sight = ALL, **narrowed: Any) -> set[str]:
    page = await views.listed(pool, keys, sight, Filter(**narrowed), NOW)
    assert page.next_position is None
    return set(references(page.requests))


# --- one request ----------------------------------------------------------------------------------------------------


async def test_snapshot_is_found_by_id_and_by_reference(pool: Pool, stand: Stand) -> None:
    snapshot = await stand()
    assert await views.snapshot(pool, UUID(snapshot.request_id)) == snapshot
    assert await views.snapshot_by_reference(pool, snapshot.reference) == snapshot
    assert await views.snapshot_by_reference(pool, "2611-0000-00000") is None
    with pytest.raises(Unknown):
        await views.snapshot(pool, uuid4())


async def test_timeline_of_a_request_without_events_is_empty(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    assert await timeline.events(pool, request.request_id) == []


# --- who sees what --------------------------------------------------------------------------------------------------


async def test_list_shows_only_what_the_person_may_see(pool: Pool, keys: KeyRing, stand: Stand) -> None:
    standing = [
        await stand(department=department, confidential=confidential)
        for department in ("housing", "roads", None)
        for confidential in (False, True)
    ]
    roads_and_caller = Sight(everything=True, confidential=False, departments=("roads",))
    nobody = Sight(everything=False, confidential=True, departments=())
    for sight in (ALL, CALLER, HOUSING, roads_and_caller, nobody):
        expected = {snapshot.reference for snapshot in standing if sight.covers(snapshot)}
        assert await the_list(pool, keys, sight) == expected
        of_housing = {s.reference for s in standing if sight.covers(s) and s.department == "housing"}
        assert await the_list(pool, keys, sight, departments=("housing",)) == of_housing


# --- narrowing ------------------------------------------------------------------------------------------------------

LATE, EARLY = NOW - DAY, NOW + DAY
SOMEBODY = uuid4()


@pytest.mark.parametrize(
    ("label", "narrowed", "fits", "does_not"),
    [
        ("one state", {"states": (State.TRIAGE,)}, {"state": State.TRIAGE}, {"state": State.ASSIGNED}),
        (
            "two states",
            {"states": (State.CLOSED, State.DECLINED)},
            {"state": State.DECLINED},
            {"state": State.RECEIVED},
        ),
        ("departments", {"departments": ("roads", "parks")}, {"department": "parks"}, {"department": "housing"}),
        ("no department that there is", {"departments": ("none",)}, None, {}),
        ("category", {"category": "noise"}, {"category": "noise"}, {"category": None}),
        ("district", {"district": "west"}, {"district": "west"}, {"district": "east"}),
        ("assignee", {"assignee": SOMEBODY}, {"assignee": str(SOMEBODY)}, {"assignee": "an admin"}),
        ("escalated", {"escalated": True}, {"escalation_level": 1}, {"escalation_level": 0}),
        ("not escalated", {"escalated": False}, {"escalation_level": 0}, {"escalation_level": 3}),
        ("overdue", {"overdue": True}, {"due_at": LATE}, {"due_at": EARLY}),
        ("overdue by the time to decide", {"overdue": True}, {"state": State.TRIAGE, "accept_due_at": LATE}, {}),
        ("not overdue: accepted late, due later", {"overdue": True}, None, {"due_at": EARLY, "accept_due_at": LATE}),
        ("not overdue: in a pause", {"overdue": True}, None, {"state": State.ON_HOLD, "due_at": LATE}),
        ("not overdue: over", {"overdue": True}, None, {"state": State.CLOSED, "due_at": LATE}),
        ("in time", {"overdue": False}, {"due_at": EARLY}, {"due_at": LATE}),
        ("in time: nothing promised", {"overdue": False}, {}, {"due_at": LATE}),
    ],
)
async def test_list_is_narrowed_to(
    pool: Pool,
    keys: KeyRing,
    stand: Stand,
    label: str,
    narrowed: dict[str, Any],
    fits: dict[str, Any] | None,
    does_not: dict[str, Any],
) -> None:
    await stand(**does_not)
    expected = {(await stand(**fits)).reference} if fits is not None else set()
    assert await the_list(pool, keys, **narrowed) == expected


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("due_at", [None, LATE, EARLY])
async def test_list_and_snapshot_agree_on_what_is_overdue(
    pool: Pool, keys: KeyRing, stand: Stand, state: State, due_at: datetime | None
) -> None:
    snapshot = await stand(state, due_at=due_at)
    assert await the_list(pool, keys, overdue=snapshot.is_overdue(NOW)) == {snapshot.reference}
    assert await the_list(pool, keys, overdue=not snapshot.is_overdue(NOW)) == set()


async def test_list_titles_are_the_citizens_own_or_the_beginning_of_the_description(
    pool: Pool, keys: KeyRing, stand: Stand
) -> None:
    for sent in ({"title": "路灯"}, {"description": "short\nenough"}, {"description": "很长" * 100}):
        await stand(**sent)
    page = await views.listed(pool, keys, ALL, Filter(), NOW)
    assert [line.title for line in page.requests] == ["很长" * 29 + "很…", "short enough", "路灯"]
    assert "路灯" not in repr(page)


# --- paging ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "sight", "narrowed"),
    [
        ("the whole city", ALL, Filter()),
        ("two departments", Sight(False, False, ("housing", "roads")), Filter()),
        ("two states", ALL, Filter(states=(State.ASSIGNED, State.TRIAGE))),
    ],
)
async def test_list_pages_through_everything_once_the_latest_first(
    pool: Pool, keys: KeyRing, stand: Stand, label: str, sight: Sight, narrowed: Filter
) -> None:
    standing = [
        await stand(state, department=department)
        for _ in range(3)
        for state in (State.ASSIGNED, State.TRIAGE)
        for department in ("housing", "roads")
    ]
    same_moment = await pool.fetchval("select submitted_at from snapshots limit 1")
    await pool.execute("update snapshots set submitted_at = $1 where state = 'triage'", same_moment)

    seen: list[str] = []
    after = None
    while True:
        page = await views.listed(pool, keys, sight, narrowed, NOW, after=after, limit=5)
        assert len(page.requests) <= 5
        seen += references(page.requests)
        if page.next_position is None:
            break
        after = page.next_position
    assert len(seen) == len(set(seen)) == len(standing)
    order = await pool.fetch("select reference from snapshots order by submitted_at desc, request_id desc")
    assert seen == [row["reference"] for row in order]


async def test_list_that_just_fills_a_page_has_no_next_one(pool: Pool, keys: KeyRing, stand: Stand) -> None:
    for _ in range(3):
        await stand()
    page = await views.listed(pool, keys, ALL, Filter(), NOW, limit=3)
    assert (len(page.requests), page.next_position) == (3, None)


async def test_list_by_phone_shows_what_the_person_may_see(pool: Pool, keys: KeyRing, stand: Stand) -> None:
    own, foreign = await stand(), await stand(department="roads")
    await stand(contact=Contact(phone="+8613800000009"))
    assert references(await views.listed_by_phone(pool, keys, ALL, PHONE)) == [foreign.reference, own.reference]
    assert references(await views.listed_by_phone(pool, keys, HOUSING, PHONE)) == [own.reference]


AT = SUNDAY_NOON

# --- policies and pictures ------------------------------------------------------------------------------------------


async def test_policy_that_is_activated_replaces_the_one_before(pool: Pool) -> None:
    assert await policies.active_version(pool) is None
    for day, version in enumerate(("v1", "v2", "v1")):
        await policies.activate(pool, version, "demo", {"name": version, "words": ["灯"]}, AT + day * DAY)
        assert await policies.active_version(pool) == version
    assert await policies.content_of(pool, "v2") == {"name": "v2", "words": ["灯"]}
    assert await policies.content_of(pool, "v3") is None
    listed = [(version.version, version.active) for version in await policies.versions(pool)]
    assert listed == [("v2", False), ("v1", True)]


async def test_pictures_are_sealed_listed_and_read_by_their_request_only(pool: Pool, keys: KeyRing) -> None:
    mine, other = [(await a_submitted_request(pool, keys)).request_id for _ in range(2)]
    pictures = [("image/jpeg", b"\xff\xd8 one"), ("image/png", b"\x89PNG two")]
    kept = await attachments.keep(pool, keys, mine, "citizen", pictures, AT, at_most=10)
    assert kept is not None
    assert {picture.id for picture in await attachments.list_of(pool, mine)} == {picture.id for picture in kept}
    assert [await attachments.read(pool, keys, mine, picture.id) for picture in kept] == pictures
    assert await attachments.read(pool, keys, other, kept[0].id) is None
    assert b"one" not in await pool.fetchval("select image_sealed from attachments where content_type = 'image/jpeg'")


async def test_pictures_beyond_the_most_are_refused_all_together(pool: Pool, keys: KeyRing) -> None:
    request = (await a_submitted_request(pool, keys)).request_id
    one = [("image/png", b"one")]
    assert await attachments.keep(pool, keys, request, "citizen", one * 8, AT, at_most=10) is not None
    assert await attachments.keep(pool, keys, request, "citizen", one * 3, AT, at_most=10) is None
    assert len(await attachments.list_of(pool, request)) == 8


async def test_pictures_wait_for_others_of_the_same_request_so_that_they_do_not_pass_the_most_together(
    pool: Pool, keys: KeyRing
) -> None:
    request = (await a_submitted_request(pool, keys)).request_id
    six = [("image/png", b"x")] * 6
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await attachments.keep(connection, keys, request, "citizen", six, AT, at_most=10) is not None
        second = asyncio.create_task(attachments.keep(pool, keys, request, "citizen", six, AT, at_most=10))
        await asyncio.sleep(0.1)
        assert not second.done()
        await transaction.commit()
    assert await second is None
    assert len(await attachments.list_of(pool, request)) == 6
