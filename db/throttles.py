"""Counters that slow down guessing, shared by all copies of the interface; what they count is kept as a keyed hash only.

A plain hash of an address or a number could be undone by trying them all. Where the first key of the ring is another one, in
a program with other keys or of before, it counts apart, until the windows pass.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import asyncpg

from db.pool import Database
from db.sealing import KeyRing
from db.statements import load

_QUERIES = load("throttles")


async def count(
    database: Database, keys: KeyRing, key: str, limit: int, within: timedelta, now: datetime
) -> int | None:
    """Counts one more try. Beyond `limit` tries in a window that lasts `within` from its first, gives the seconds to wait."""
    row = await _QUERIES["count"].row(database, key=_hashed(keys, key), now=now, resets_at=now + within)
    assert row is not None
    return _seconds(row, now) if row["count"] > limit else None


async def wait_of(database: Database, keys: KeyRing, key: str, limit: int, now: datetime) -> int | None:
    """The seconds to wait when `limit` tries have been counted; counts nothing itself."""
    row = await _QUERIES["standing"].row(database, key=_hashed(keys, key), now=now)
    return _seconds(row, now) if row is not None and row["count"] >= limit else None


async def take_back(database: Database, keys: KeyRing, key: str) -> None:
    """Forgets one try."""
    await _QUERIES["take_back"].run(database, key=_hashed(keys, key))


async def clear(database: Database, keys: KeyRing, key: str) -> None:
    """Forgets the tries, after one that succeeded."""
    await _QUERIES["clear"].run(database, key=_hashed(keys, key))


async def forget_past(database: Database, now: datetime) -> int:
    """Removes counters whose window has passed, and says how many."""
    return await _QUERIES["forget_past"].run(database, now=now)


def _hashed(keys: KeyRing, key: str) -> bytes:
    return keys.keyed_hash("throttles.key", key)


def _seconds(row: asyncpg.Record, now: datetime) -> int:
    resets_at: datetime = row["resets_at"]
    return max(1, math.ceil((resets_at - now).total_seconds()))
