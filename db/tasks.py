"""What waits for a caller, a dispatcher, a supervisor or a co-handler: lists in the order in which they should be done."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from db.pool import Database
from db.sealing import KeyRing
from db.statements import load
from db.views import Filter, Page, Position, line_of
from domain.visibility import Sight

_QUERIES = load("tasks")

_BEFORE_ALL: Position = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))


class Task(StrEnum):
    """What is to be done."""

    CALL = "call"  # ask the citizen how it went: row 27
    EXTENSION = "extension"  # grant or refuse more time: row 16
    HOLD = "hold"  # approve or refuse a hold: row 17
    CO_HANDLING = "co_handling"  # do a part of another department's request: row 19


async def waiting(
    database: Database,
    keys: KeyRing,
    task: Task,
    sight: Sight,
    narrowed: Filter,
    *,
    after: Position | None = None,
    limit: int = 50,
) -> Page:
    """A page of what the person may see; `narrowed` counts with department, category and district alone.

    Who waited longest for a call stands first, and of the others what is due first.
    """
    after_at, after_id = after or _BEFORE_ALL
    rows = await _QUERIES["waiting"].rows(
        database,
        task=task,
        everything=sight.everything,
        confidential=sight.confidential,
        own=list(sight.departments),
        departments=list(narrowed.departments) if narrowed.departments else None,
        category=narrowed.category,
        district=narrowed.district,
        after_at=after_at,
        after_id=after_id,
        # One more than asked for tells whether there is a next page.
        most=limit + 1,
    )
    shown = rows[:limit]
    following = (shown[-1]["waits_at"], shown[-1]["request_id"]) if len(rows) > limit else None
    return Page([line_of(keys, row) for row in shown], following)
