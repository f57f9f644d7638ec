"""How matters like one were answered before: for whoever has to answer it now."""

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
from db.views import beginning
from domain.errors import Unknown
from domain.precedents import LIKE_FROM
from domain.request import Result, Solved
from domain.similarity import Grams, alike, grams_of, text_evidence
from domain.visibility import Sight

_QUERIES = load("past_answers")

LOOKED_BACK = timedelta(days=365)
MOST_ANSWERS = 5
_MOST_COMPARED = 200


@dataclass(frozen=True, slots=True, repr=False)
class Answered:
    """A request that was answered. `text` is how alike the two texts are; `solved` and `satisfied` are the citizen's word."""

    reference: str
    title: str
    category: str
    department: str | None
    submitted_at: datetime
    resolved_at: datetime
    result: Result | None
    solved: Solved | None
    satisfied: int | None
    reply: str
    text: float


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """What SQL found, still sealed: the request that waits, and those that were answered."""

    subject: asyncpg.Record
    answered: list[asyncpg.Record]

    def alike(self, keys: KeyRing, *, most: int = MOST_ANSWERS) -> list[Answered]:
        """Those whose text is like this one's, the most alike first. Raises SealBroken."""
        asked = _grams(keys, self.subject)
        told = [(row, _grams(keys, row)) for row in self.answered]
        compared = [(row, grams, alike(asked, grams) or 0.0) for row, grams in told]
        telling = [(row, text) for row, grams, text in compared if text_evidence(asked, grams, text) >= LIKE_FROM]
        telling.sort(key=lambda pair: -pair[1])
        return [_answered(keys, row, text) for row, text in telling[:most]]


async def found(
    database: Database, request_id: UUID, sight: Sight, now: datetime, *, most: int = _MOST_COMPARED
) -> Found:
    """The latest answered requests of the same category in the last year that the person may see. Raises Unknown."""
    subject = await _QUERIES["asked"].row(database, request_id=request_id)
    if subject is None:
        raise Unknown("There is no such request.")
    rows = await _QUERIES["answered"].rows(
        database,
        request_id=request_id,
        category=subject["category"],
        since_at=now - LOOKED_BACK,
        everything=sight.everything,
        confidential=sight.confidential,
        own=list(sight.departments),
        most=most,
    )
    return Found(subject, rows)


def _grams(keys: KeyRing, row: asyncpg.Record) -> Grams:
    return grams_of(_opened(keys, "title", row), _opened(keys, "description", row))


def _answered(keys: KeyRing, row: asyncpg.Record, text: float) -> Answered:
    return Answered(
        reference=row["reference"],
        title=_opened(keys, "title", row) or beginning(_opened(keys, "description", row) or ""),
        category=row["category"],
        department=row["department"],
        submitted_at=row["submitted_at"],
        resolved_at=row["resolved_at"],
        result=Result(row["result"]) if row["result"] else None,
        solved=Solved(row["solved"]) if row["solved"] else None,
        satisfied=row["satisfied"],
        reply=keys.open(texts.place(row["reply"]), row["body_sealed"]),
        text=text,
    )


def _opened(keys: KeyRing, column: str, row: asyncpg.Record) -> str | None:
    return opened(keys, column, row["request_id"], row[f"{column}_sealed"])
