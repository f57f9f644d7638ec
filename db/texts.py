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
    """Keeps the text and gives its id. With a `text_id` of one's own it may be repeated: the first text stays, unless it was
    refused."""
    text_id = text_id or new_id(now)
    sealed = keys.seal(place(text_id), body)
    if not await _QUERIES["keep"].run(database, id=text_id, request_id=request_id, body_sealed=sealed, created_at=now):
        await _QUERIES["take_up_again"].run(database, id=text_id, body_sealed=sealed, created_at=now)
    return text_id


async def refuse(database: Database, text_ids: Iterable[UUID], now: datetime) -> None:
    """Marks texts whose action was refused. Nobody reads them, as no event names them; should one do so late, they are there."""
    if refused := list(text_ids):
        await _QUERIES["refuse"].run(database, ids=refused, at=now)


async def forget_refused(database: Database, before: datetime) -> int:
    """Removes what was refused before that and is named by nothing, and says how much."""
    return await _QUERIES["forget_refused"].run(database, before=before)


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
