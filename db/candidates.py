"""Which requests are compared with one because they may be the same matter: found by SQL, opened and scored in the program.

Texts and addresses are sealed, so SQL narrows down by what is not: category, place, sender and time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from db.places import place_if_it_opens, place_indexes, place_of
from db.pool import Database
from db.requests import opened
from db.sealing import KeyRing
from db.statements import load
from db.views import beginning
from domain.errors import Unknown
from domain.request import OPEN, State
from domain.similarity import (
    MOST_COMPARED,
    MOST_SHOWN,
    NEARBY_METRES,
    SHOWN_FROM,
    WINDOW,
    Likeness,
    Matter,
    exact_point,
    grams_of,
    plain_name,
    rank,
)
from domain.visibility import Sight

_QUERIES = load("candidates")

MERGEABLE = frozenset({State.RECEIVED, State.TRIAGE, State.ASSIGNED})
"""The states in which a request can still be merged (PROCESS.md, row 31)."""
_PARENTS = tuple(sorted(OPEN | {State.RESOLVED}))
# What is resolved waits a few days for the citizen's rating: that is how recently it was.
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """A request that may be the same matter. `title` is the citizen's own, or how the description begins."""

    reference: str
    title: str
    category: str | None
    department: str | None
    state: State
    confidential: bool
    submitted_at: datetime
    likeness: Likeness


@dataclass(frozen=True, slots=True, repr=False)
class Preselected:
    """What SQL found, still sealed: the request in question, and those to compare it with."""

    subject: asyncpg.Record
    categories: tuple[str, ...]
    others: list[asyncpg.Record]
    no_places: frozenset[str]

    def ranked(self, keys: KeyRing, *, least: float = SHOWN_FROM, most: int = MOST_SHOWN) -> list[Candidate]:
        """Opens and scores them, the likeliest first: work for a thread of its own. Raises SealBroken."""
        subject = self._matter(keys, self.subject, self.categories)
        matters = ((row, self._matter(keys, row, _own_category(row))) for row in self.others)
        return [_candidate(keys, row, likeness) for row, likeness in rank(subject, matters, least=least, most=most)]

    def _matter(self, keys: KeyRing, row: asyncpg.Record, categories: tuple[str, ...]) -> Matter:
        place = plain_name(place_of(keys, row))
        return Matter(
            submitted_at=row["submitted_at"],
            grams=grams_of(_opened(keys, "title", row), _opened(keys, "description", row)),
            categories=categories,
            point=exact_point(row["lat"], row["long"]),
            place=place if place not in self.no_places else None,
            address=plain_name(_opened(keys, "address", row)),
            sender=row["phone_index"],
        )


async def preselected(
    database: Database,
    keys: KeyRing,
    request_id: UUID,
    sight: Sight,
    *,
    no_places: Iterable[str] = (),
    window: timedelta = WINDOW,
    most: int = MOST_COMPARED,
) -> Preselected:
    """At most `most` requests that may be the same matter and that the person may see; none unless the request can still
    be merged. `no_places` are names too wide to say where something is, as those of districts. Raises Unknown."""
    subject = await _QUERIES["compared"].row(database, request_id=request_id)
    if subject is None:
        raise Unknown("There is no such request.")
    too_wide = frozenset(filter(None, map(plain_name, no_places)))
    categories = likeliest(subject["category"], subject["found"], State(subject["state"]))
    others: list[asyncpg.Record] = []
    if subject["state"] in MERGEABLE:
        wanted = _wanted(keys, subject, too_wide) | {"categories": list(categories), "most": most}
        others = await _QUERIES["preselected"].rows(
            database,
            request_id=request_id,
            states=list(_PARENTS),
            since_at=subject["submitted_at"] - window,
            everything=sight.everything,
            confidential=sight.confidential,
            own=list(sight.departments),
            **wanted,
        )
    return Preselected(subject, categories, others, too_wide)


def _wanted(keys: KeyRing, subject: asyncpg.Record, too_wide: Collection[str]) -> dict[str, Any]:
    """Where and by whom others may have been sent."""
    point = exact_point(subject["lat"], subject["long"])
    box = _box(*point) if point else dict.fromkeys(("west", "south", "east", "north"))
    place = place_if_it_opens(keys, subject)
    if plain_name(place) in too_wide:
        place = None
    return {
        **box,
        "located": point is not None,
        "place": place,
        "place_indexes": place_indexes(keys, place),
        "phone_index": subject["phone_index"],
    }


def _box(lat: float, long: float) -> dict[str, float]:
    north = NEARBY_METRES / _METRES_PER_DEGREE
    east = north / max(math.cos(math.radians(lat)), 0.01)
    return {"west": long - east, "south": lat - north, "east": long + east, "north": lat + north}


def likeliest(category: str | None, found: str | None, state: State) -> tuple[str, ...]:
    """The categories that a request may be of, the likeliest first.

    `found` is what the first look found, as "code:0.41 code:0.40". It counts while nobody has decided otherwise.
    """
    if category is None:
        return ()
    codes = tuple(each.rpartition(":")[0] for each in (found or "").split())
    is_undecided = state is State.TRIAGE and codes[:1] == (category,)
    return codes if is_undecided else (category,)


def _own_category(row: asyncpg.Record) -> tuple[str, ...]:
    return (row["category"],) if row["category"] else ()


def _candidate(keys: KeyRing, row: asyncpg.Record, likeness: Likeness) -> Candidate:
    return Candidate(
        reference=row["reference"],
        title=_opened(keys, "title", row) or beginning(_opened(keys, "description", row) or ""),
        category=row["category"],
        department=row["department"],
        state=State(row["state"]),
        confidential=row["confidential"],
        submitted_at=row["submitted_at"],
        likeness=likeness,
    )


def _opened(keys: KeyRing, column: str, row: asyncpg.Record) -> str | None:
    return opened(keys, column, row["request_id"], row[f"{column}_sealed"])
