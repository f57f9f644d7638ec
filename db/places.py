"""How the name of a place is sealed, found by an equal one, and brought there from where it used to stand in clear."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from db.pool import Database
from db.sealing import KeyRing, SealBroken
from db.statements import load
from domain.similarity import plain_name

_QUERIES = load("places")

AT_ONCE = 500
_INDEX = "requests.place_index"


def place_index(keys: KeyRing, place: str | None) -> bytes | None:
    """The same for names that are the same place; None where nothing of the name is left to compare."""
    found = place_indexes(keys, place)
    return found[0] if found else None


def place_indexes(keys: KeyRing, place: str | None) -> list[bytes]:
    """Those under which the same place may stand: one for each key."""
    name = plain_name(place)
    return keys.keyed_hashes(_INDEX, name) if name else []


def seal_place(keys: KeyRing, request_id: UUID, place: str) -> bytes:
    return keys.seal(_place(request_id), place)


def place_of(keys: KeyRing, row: asyncpg.Record) -> str | None:
    """Of a row that names the request as `request_id`. Raises SealBroken."""
    return opened_place(keys, row["request_id"], row["place_sealed"], row["place"])


def opened_place(keys: KeyRing, request_id: UUID, sealed: bytes | None, clear: str | None) -> str | None:
    """Raises SealBroken."""
    return clear if sealed is None else keys.open(_place(request_id), sealed)


def place_if_it_opens(keys: KeyRing, row: asyncpg.Record) -> str | None:
    """The same, for what can do without."""
    try:
        return place_of(keys, row)
    except SealBroken:
        return None


async def seal_clear_places(database: Database, keys: KeyRing) -> int:
    """Seals names that stand in clear, batch after batch, and says how many. It can be stopped and repeated at any time."""
    sealed = 0
    while rows := await _QUERIES["clear"].rows(database, most=AT_ONCE):
        sealed += await _QUERIES["seal"].run(
            database,
            ids=[row["id"] for row in rows],
            befores=[row["place"] for row in rows],
            sealed=[seal_place(keys, row["id"], row["place"]) for row in rows],
            indexes=[place_index(keys, row["place"]) for row in rows],
        )
    return sealed


def _place(request_id: UUID) -> str:
    return f"requests.place:{request_id}"
