"""Requests whose right place is known: what a city's own classifier learns from, and how often each one was right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from db.pool import Database
from db.requests import opened
from db.sealing import KeyRing
from db.statements import load
from domain.lessons import ACCEPTED, CORRECTIONS, TOLD_BY, Lesson, Step, lesson

_QUERIES = load("decided")

MOST = 60_000
"""As many as training takes; of more, the latest submitted are read."""

_PAGE = 500
_AFTER_THE_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True, repr=False)
class DecidedRequest:
    """What the citizen told, in the clear, the category that the request has now, and what that teaches.

    `writer` is the same for all requests from one phone number and tells nothing else; None where there was none.
    """

    title: str
    description: str
    category: str
    lesson: Lesson
    writer: str | None
    steps: tuple[Step, ...]

    def was_known_at(self, moment: datetime) -> bool:
        """Whether the request taught something then, the same as now or not."""
        return lesson(self.steps, moment) is not None


class Spoken(NamedTuple):
    """What one classifier did: decided alone, of these corrected by people later, and left to a person."""

    decided_by: str
    decided: int
    corrected: int
    left_to_a_person: int


async def decided_requests(database: Database, keys: KeyRing, *, most: int = MOST) -> AsyncIterator[DecidedRequest]:
    """The latest submitted first, looking at no more than `most`.

    Without confidential and erased ones, without followers of another request, and without quick logs, which staff have
    worded. Raises SealBroken.
    """
    before, left = _AFTER_THE_LAST, most
    while left > 0 and (rows := await _page(database, before, min(_PAGE, left))):
        for row in rows:
            steps = tuple(_step(each) for each in row["steps"] or ())
            found = lesson(steps)
            if found is not None:
                yield _decided(keys, row, steps, found)
        before, left = rows[-1]["id"], left - len(rows)


async def number_decided(database: Database) -> int:
    """How many requests `decided_requests` would look at, without a bound."""
    return int(await _QUERIES["number"].value(database, states=sorted(ACCEPTED)))


async def spoken(database: Database, since: datetime) -> list[Spoken]:
    """What each classifier did with the requests that were submitted since then."""
    rows = await _QUERIES["spoken"].rows(database, since_at=since, corrections=sorted(CORRECTIONS))
    return [Spoken(**row) for row in rows]


async def _page(database: Database, before: UUID, most: int) -> list[asyncpg.Record]:
    return await _QUERIES["decided"].rows(
        database, before=before, states=sorted(ACCEPTED), told_by=sorted(TOLD_BY), most=most
    )


def _step(told: dict[str, Any]) -> Step:
    return Step(datetime.fromisoformat(told["at"]), told["action"], told["state"], told["facts"])


def _decided(keys: KeyRing, row: asyncpg.Record, steps: tuple[Step, ...], found: Lesson) -> DecidedRequest:
    return DecidedRequest(
        title=opened(keys, "title", row["id"], row["title_sealed"]) or "",
        description=opened(keys, "description", row["id"], row["description_sealed"]) or "",
        category=row["category"],
        lesson=found,
        writer=row["phone_index"].hex()[:16] if row["phone_index"] else None,
        steps=steps,
    )
