"""One-time codes by which a citizen comes back without the link: short, so they expire soon and allow few tries."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from db.pool import Database
from db.sealing import KeyRing, is_one_of
from db.statements import load

_QUERIES = load("one_time_codes")

TRIES = 5


async def keep(database: Database, keys: KeyRing, request_id: UUID, code: str, expires_at: datetime) -> None:
    """Keeps a new code for the request; an earlier one stops working."""
    code_hash = keys.keyed_hash(_place(request_id), code)
    await _QUERIES["keep"].run(database, request_id=request_id, code_hash=code_hash, expires_at=expires_at)


async def use(database: Database, keys: KeyRing, request_id: UUID, code: str, now: datetime) -> bool:
    """Whether the code is right. It works once, until it expires, and not after five tries. A wrong one takes the same work
    as where there is no code at all, and no such request."""
    hashes = keys.keyed_hashes(_place(request_id), code)
    expected = await _QUERIES["try_code"].value(database, request_id=request_id, now=now, most=TRIES, in_vain=hashes[0])
    if expected is None or not is_one_of(expected, hashes):
        return False
    # Of two that come at the same moment with the right code, one takes it off.
    return await _QUERIES["spend"].run(database, request_id=request_id, code_hash=expected) == 1


def _place(request_id: UUID) -> str:
    return f"one_time_codes.code_hash:{request_id}"
