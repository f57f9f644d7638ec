"""Actions of staff that were carried out, found again by their own id: for whoever asks again because the answer was lost."""

from __future__ import annotations

from typing import NamedTuple

from db.pool import Database
from db.statements import load
from domain.request import State

_QUERIES = load("answered")


class Taken(NamedTuple):
    """The number of the event, and the state that it led to."""

    sequence: int
    state: State


async def of_act(database: Database, reference: str, update_id: str) -> Taken | None:
    """None where no such action was carried out, or where it was so long ago that it is kept no longer."""
    row = await _QUERIES["of_act"].row(database, reference=reference, update_id=update_id)
    return Taken(row["sequence"], State(row["state"])) if row else None
