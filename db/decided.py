"""Requests whose right place is known: what a city's own classifier learns from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from db.pool import Database
from db.requests import opened
from db.sealing import KeyRing
from db.statements import load
from domain.request import State

_QUERIES = load("decided")

_ACCEPTED = (
    State.IN_PROGRESS,
    State.AWAITING_CITIZEN,
    State.ON_HOLD,
    State.IN_REVIEW,
    State.RESOLVED,
    State.CLOSED,
)
"""A department has taken the request on and has not given it back."""

_PAGE = 500
_BEFORE_THE_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True, repr=False)
class DecidedRequest:
    """What the citizen told, in the clear, and the category under which a department accepted it."""

    title: str
    description: str
    category: str


async def decided_requests(database: Database, keys: KeyRing) -> AsyncIterator[DecidedRequest]:
    """Oldest first. Confidential and erased requests are left out. Raises SealBroken."""
    after = _BEFORE_THE_FIRST
    while rows := await _QUERIES["decided"].rows(database, after=after, states=_ACCEPTED, most=_PAGE):
        for row in rows:
            yield DecidedRequest(
                title=opened(keys, "title", row["id"], row["title_sealed"]) or "",
                description=opened(keys, "description", row["id"], row["description_sealed"]) or "",
                category=row["category"],
            )
        after = rows[-1]["id"]
