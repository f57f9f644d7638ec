"""Answers that a person has released for everybody: releasing them, and finding those on the like of what is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from db import texts
from db.places import place_of
from db.pool import Connection, Database, Pool, transaction
from db.requests import opened
from db.sealing import KeyRing
from db.statements import load
from domain.errors import Unknown
from domain.request import Result
from domain.similarity import Grams, alike, grams_of, plain_name, text_evidence

_QUERIES = load("released_answers")

LIKE_FROM = 0.5
"""The evidence of two texts from which the answer to one is shown to whoever writes the other. Of real messages, eleven of
twelve pairs from here on were worth it, and six of twelve between 0.3 and 0.5 (docs/duplicates.md)."""
LOOKED_BACK = timedelta(days=365)
MOST_SHOWN = 3
MOST_COMPARED = 500


@dataclass(frozen=True, slots=True, repr=False)
class Standing:
    """The answer that a request has now; `released_at` is None where it is not released, `reply` where there is none. `citizens` is whom it may name."""

    reply_id: UUID | None
    reply: str | None
    released_at: datetime | None
    is_erased: bool
    was_sensitive: bool
    citizens: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class PublicAnswer:
    """What others may know of a request and its answer; the answer is not masked yet. `citizens` is whom it may name."""

    category: str
    result: Result | None
    submitted_at: datetime
    resolved_at: datetime
    reply: str
    citizens: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """The released answers that SQL found, still sealed."""

    answers: list[asyncpg.Record]

    def alike(self, keys: KeyRing, asked: str, place: str | None) -> list[PublicAnswer]:
        """Those on what is told like `asked`, the most alike first, of equals those at that place. Raises SealBroken."""
        grams, there = grams_of(asked), plain_name(place)
        compared = [(row, _evidence(grams, _grams(keys, row))) for row in self.answers]
        telling = [(row, evidence) for row, evidence in compared if evidence >= LIKE_FROM]
        telling.sort(key=lambda pair: (-pair[1], there is None or plain_name(place_of(keys, pair[0])) != there))
        return [_answer(keys, row) for row, _ in telling[:MOST_SHOWN]]


async def standing(database: Database, keys: KeyRing, request_id: UUID) -> Standing:
    """Raises Unknown, and SealBroken."""
    row = await _QUERIES["standing"].row(database, request_id=request_id)
    if row is None:
        raise Unknown("There is no such request.")
    reply = keys.open(texts.place(row["reply"]), row["body_sealed"]) if row["body_sealed"] else None
    return Standing(
        row["reply"], reply, row["released_at"], row["is_erased"], row["was_sensitive"], _citizens(keys, row)
    )


async def release(database: Pool | Connection, request_id: UUID, reply_id: UUID, by: UUID, now: datetime) -> None:
    """Releases that answer, and no later one; whoever released it first stays on record."""
    async with transaction(database) as connection:
        await _QUERIES["outdate"].run(connection, request_id=request_id, reply=reply_id, now=now)
        await _QUERIES["release"].run(connection, request_id=request_id, reply=reply_id, now=now, by=by)


async def withdraw(database: Database, request_id: UUID, by: UUID, now: datetime) -> None:
    """Takes the release back, where there is one."""
    await _QUERIES["withdraw"].run(database, request_id=request_id, by=by, now=now)


async def public(database: Database, category: str | None, kept_back: Iterable[str], now: datetime) -> Found:
    """The latest released of the last year, of that category or with None of any; never of those `kept_back`."""
    return Found(
        await _QUERIES["public"].rows(
            database, category=category, kept_back=list(kept_back), since_at=now - LOOKED_BACK, most=MOST_COMPARED
        )
    )


def _evidence(one: Grams, other: Grams) -> float:
    return text_evidence(one, other, alike(one, other))


def _grams(keys: KeyRing, row: asyncpg.Record) -> Grams:
    title, description = (
        opened(keys, name, row["request_id"], row[f"{name}_sealed"]) for name in ("title", "description")
    )
    return grams_of(title, description)


def _citizens(keys: KeyRing, row: asyncpg.Record) -> tuple[str, ...]:
    """The name under which it was sent, where there is one."""
    contact = json.loads(opened(keys, "contact", row["request_id"], row["contact_sealed"]) or "{}")
    return (contact["name"],) if contact.get("name") else ()


def _answer(keys: KeyRing, row: asyncpg.Record) -> PublicAnswer:
    return PublicAnswer(
        category=row["category"],
        result=Result(row["result"]) if row["result"] else None,
        submitted_at=row["submitted_at"],
        resolved_at=row["resolved_at"],
        reply=keys.open(texts.place(row["reply"]), row["body_sealed"]),
        citizens=_citizens(keys, row),
    )
