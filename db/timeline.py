"""The timeline of a request, as it was recorded."""

from __future__ import annotations

from uuid import UUID

from db.pool import Database
from db.statements import load
from domain.request import Event, State

_QUERIES = load("timeline")


async def events(database: Database, request_id: UUID) -> list[Event]:
    """All events, public or not, the oldest first; their texts are named by id."""
    rows = await _QUERIES["events"].rows(database, request_id=request_id)
    return [
        Event(**{
            **row,
            "state_before": State(row["state_before"]) if row["state_before"] else None,
            "state": State(row["state"]),
            "text": str(row["text"]) if row["text"] else None,
        })
        for row in rows
    ]  # fmt: skip
