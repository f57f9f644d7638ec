"""Precedents: what supervisors have decided where departments disagreed, read from the events of those decisions.

A precedent is no row of its own: the decision is an event, which nothing changes, and its written reason a text. When
the personal data of that request are erased, the reason goes with them, and what was decided stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from db import texts
from db.pool import Database
from db.requests import opened
from db.sealing import KeyRing
from db.statements import load
from domain.errors import Unknown
from domain.precedents import MOST_PRECEDENTS, Bearing, Dispute, bearing_on
from domain.similarity import grams_of
from domain.visibility import Sight

_QUERIES = load("precedents")

LOOKED_BACK = timedelta(days=3 * 365)
_MOST_COMPARED = 200


@dataclass(frozen=True, slots=True, repr=False)
class Precedent:
    """A decision that bears on a request. `decision` is assign, close or decline; `reason` is None once it is erased."""

    reference: str
    decided_at: datetime
    decided_by: str | None
    decision: str
    department: str | None
    reason_code: str | None
    category: str | None
    contested_by: tuple[str, ...]
    reason: str | None
    bearing: Bearing


@dataclass(frozen=True, slots=True, repr=False)
class Decided:
    """What SQL found, still sealed: the request that waits, and the latest decisions."""

    subject: asyncpg.Record
    decisions: list[asyncpg.Record]

    def bearing(self, keys: KeyRing, *, most: int = MOST_PRECEDENTS) -> list[Precedent]:
        """Opens the texts and keeps what bears on the request, the most telling first. Raises SealBroken."""
        disputes = ((row, _dispute(keys, row)) for row in self.decisions)
        found = bearing_on(_dispute(keys, self.subject), disputes, most=most)
        return [_precedent(keys, row, each) for row, each in found]


async def decided(
    database: Database, request_id: UUID, sight: Sight, now: datetime, *, most: int = _MOST_COMPARED
) -> Decided:
    """The latest decisions of the last three years that the person may see, but those on the request itself.

    Raises Unknown.
    """
    subject = await _QUERIES["contested"].row(database, request_id=request_id)
    if subject is None:
        raise Unknown("There is no such request.")
    decisions = await _QUERIES["decided"].rows(
        database,
        request_id=request_id,
        since_at=now - LOOKED_BACK,
        everything=sight.everything,
        confidential=sight.confidential,
        own=list(sight.departments),
        most=most,
    )
    return Decided(subject, decisions)


def _dispute(keys: KeyRing, row: asyncpg.Record) -> Dispute:
    told = (opened(keys, column, row["request_id"], row[f"{column}_sealed"]) for column in ("title", "description"))
    return Dispute(row["category"], frozenset(_parties(row)), grams_of(*told))


def _parties(row: asyncpg.Record) -> tuple[str, ...]:
    """The department that returned the request, and the one it proposed."""
    return tuple(filter(None, (row["returned_by"], row["proposed"])))


def _precedent(keys: KeyRing, row: asyncpg.Record, each: Bearing) -> Precedent:
    sealed = row["body_sealed"]
    return Precedent(
        reference=row["reference"],
        decided_at=row["at"],
        decided_by=row["decided_by"],
        decision=row["decision"],
        department=row["department"],
        reason_code=row["reason_code"],
        category=row["category"],
        contested_by=_parties(row),
        reason=keys.open(texts.place(row["text_id"]), sealed) if sealed else None,
        bearing=each,
    )
