"""How the body of a submission is kept, so that the same one sent again is known from another: as a keyed hash.

Short parts of it are all that somebody who knows the rest would have to guess, a phone number above all: a plain hash would
tell. Releases before kept that. The worker puts keyed ones in the place of those that nobody asks by any more.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from db.pool import Database
from db.sealing import KeyRing, is_one_of
from db.statements import load

_QUERIES = load("sent_bodies")

AT_ONCE = 500
BATCHES = 20
"""Of one go: rows of requests are wide, and nobody waits for these."""
_PLACE = "requests.idempotency_body"
_KEYED = b"\x01"
"""What a keyed hash begins with: it is a byte longer than a plain one."""


def body_hash(keys: KeyRing, body: bytes) -> bytes:
    """What is kept of a body."""
    return _hashes(keys, _plain(body))[0]


def is_that_body(keys: KeyRing, kept: bytes, body: bytes) -> bool:
    """Whether it is the body of which that is kept, by any key of the ring or by a release before."""
    plain = _plain(body)
    return is_one_of(kept, [*_hashes(keys, plain), plain])


async def key_plain_hashes(database: Database, keys: KeyRing, before: datetime) -> int:
    """Keys what releases before kept of requests sent before that moment, and says how many. The next go carries on."""
    keyed = 0
    for _ in range(BATCHES):
        if not (rows := await _QUERIES["plain"].rows(database, before=before, most=AT_ONCE)):
            break
        keyed += await _QUERIES["key"].run(
            database,
            ids=[row["id"] for row in rows],
            befores=[row["idempotency_body"] for row in rows],
            keyed=[_hashes(keys, row["idempotency_body"])[0] for row in rows],
        )
    return keyed


def _plain(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def _hashes(keys: KeyRing, plain: bytes) -> list[bytes]:
    """Of the plain hash, which is all that is left of older bodies."""
    return [_KEYED + each for each in keys.keyed_hashes(_PLACE, plain.hex())]
