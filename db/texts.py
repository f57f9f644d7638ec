"""Free texts: kept sealed under an id, which is all that events and workflows know of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from db.ids import new_id
from db.pool import Database
from db.sealing import KeyRing
from db.statements import load

_QUERIES = load("texts")


async def keep(
    database: Database, keys: KeyRing, request_id: UUID, body: str, now: datetime, *, text_id: UUID | None = None
) -> UUID:
    """Keeps the text and gives its id. With a `text_id` of one's own it may be repeated: the first text stays."""
    text_id = text_id or new_id(now)
    sealed = keys.seal(place(text_id), body)
    await _QUERIES["keep"].run(database, id=text_id, request_id=request_id, body_sealed=sealed, created_at=now)
    return text_id


async def drop(database: Database, text_id: UUID) -> None:
    """Removes a text that no event will name, because its action was refused."""
    await _QUERIES["drop"].run(database, id=text_id)


async def read_many(database: Database, keys: KeyRing, text_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The texts by id; those that were erased are missing. Raises SealBroken."""
    wanted = list(text_ids)
    if not wanted:
        return {}
    rows = await _QUERIES["read_many"].rows(database, ids=wanted)
    return {row["id"]: keys.open(place(row["id"]), row["body_sealed"]) for row in rows}


def place(text_id: UUID) -> str:
    """Where a text is sealed to."""
    return f"texts.body:{text_id}"
