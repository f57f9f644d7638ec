"""Ids: UUID version 7 of RFC 9562, made by the program, so that new rows stand together in every index."""

from __future__ import annotations

import os
from datetime import datetime
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


def uuid7(unix_ms: int, chance: bytes) -> UUID:
    """The id of that millisecond with that chance: 10 bytes, of which 74 bits count."""
    if not 0 <= unix_ms < 1 << 48:
        raise ValueError("the time of a UUID lies between 1970 and the year 10889")
    if len(chance) != 10:
        raise ValueError("a UUID takes 10 bytes of chance")
    bits = int.from_bytes(chance, "big")
    upper, lower = bits >> 68, bits & ((1 << 62) - 1)
    return UUID(int=unix_ms << 80 | _VERSION_7 | upper << 64 | _VARIANT | lower)


def new_id(now: datetime) -> UUID:
    """An id for a row that is made now."""
    return uuid7(int(now.timestamp() * 1000), os.urandom(10))
