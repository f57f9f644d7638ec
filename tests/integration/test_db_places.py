"""Names of places: sealed, found by an equal one under any key, and brought there from where they stood in clear."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from db import candidates, places, requests
from db.places import place_index, seal_clear_places
from db.pool import Pool
from db.sealing import KeyRing
from domain.visibility import Sight
from tests.rows import SUNDAY_NOON, a_submitted_request

OLD_TEXT = "old:" + base64.b64encode(bytes(range(32))).decode()
NEW_TEXT = "new:" + base64.b64encode(bytes(range(32, 64))).decode()
OLD, BOTH = KeyRing.from_text(OLD_TEXT), KeyRing.from_text(f"{NEW_TEXT},{OLD_TEXT}")
PLACE = "Quagmire Corner"


async def in_clear(pool: Pool, keys: KeyRing, place: str = PLACE, days: int = 1) -> requests.Submitted:
    """As a program of before wrote it."""
    request = await a_submitted_request(pool, keys, SUNDAY_NOON - timedelta(days=days), description="Whatever it is.")
    await pool.execute("update requests set place = $1 where id = $2", place, request.request_id)
    return request


async def place_of(pool: Pool, keys: KeyRing, request: requests.Submitted) -> str | None:
    stored = await requests.find(pool, request.reference)
    assert stored is not None
    return requests.told(keys, stored).place


async def test_what_stands_in_clear_is_sealed_batch_after_batch(
    pool: Pool, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "AT_ONCE", 2)
    made = [await in_clear(pool, keys, f"{PLACE} {number}") for number in range(5)]
    sealed = await a_submitted_request(pool, keys, place=PLACE)
    assert [await place_of(pool, keys, each) for each in made] == [f"{PLACE} {number}" for number in range(5)]

    assert await seal_clear_places(pool, keys) == 5
    assert await seal_clear_places(pool, keys) == 0
    rows = await pool.fetch("select requests::text as said, place, place_index from requests order by submitted_at, id")
    assert [row["said"] for row in rows if PLACE.lower() in row["said"].lower()] == []
    assert {row["place_index"] for row in rows} == {place_index(keys, f"{PLACE} {n}") for n in range(5)} | {
        place_index(keys, PLACE)
    }
    assert [await place_of(pool, keys, each) for each in (*made, sealed)] == [
        *(f"{PLACE} {number}" for number in range(5)), PLACE,
    ]  # fmt: skip


async def test_what_was_erased_meanwhile_stays_erased(pool: Pool, keys: KeyRing) -> None:
    request = await in_clear(pool, keys)
    await pool.execute("update requests set place = null, erased_at = now()")
    assert await seal_clear_places(pool, keys) == 0
    assert await place_of(pool, keys, request) is None


async def test_same_place_is_found_in_clear_and_under_every_key(pool: Pool) -> None:
    expected = {
        (await in_clear(pool, OLD, "quagmire corner")).reference,
        (await a_submitted_request(pool, OLD, SUNDAY_NOON - timedelta(days=2), place="Quagmire  Corner")).reference,
        (await a_submitted_request(pool, BOTH, SUNDAY_NOON - timedelta(days=3), place="QUAGMIRE CORNER")).reference,
    }
    other = await a_submitted_request(pool, BOTH, SUNDAY_NOON - timedelta(days=3), place="Elsewhere")
    asked = await a_submitted_request(pool, BOTH, place=PLACE)
    await pool.execute("update requests set phone_index = null")
    await pool.execute("update snapshots set state = 'assigned', category = 'noise'")
    await pool.execute("update snapshots set state = 'triage' where request_id = $1", asked.request_id)
    found = await candidates.preselected(pool, BOTH, asked.request_id, Sight(True, True, ()))
    assert {row["reference"] for row in found.others} >= expected
    assert place_index(OLD, PLACE) != place_index(BOTH, PLACE)
    assert place_index(BOTH, " ") is None
    assert other.reference
