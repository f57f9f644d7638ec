"""What requests took lately, for what the next ones can expect."""

from __future__ import annotations

from datetime import datetime

from db.pool import Database
from db.statements import load
from domain.expectation import LATELY, LATEST_CASES, Case

_QUERIES = load("expectations")


async def cases(database: Database, category: str, department: str | None, now: datetime) -> list[Case]:
    """The latest requests of that category that were answered lately, in one department or with None in all, the newest
    first. A request that was done again is left out: how long it took in all is no longer known.
    """
    rows = await _QUERIES["cases"].rows(
        database, category=category, department=department, since=now - LATELY, most=LATEST_CASES
    )
    return [Case(row["assigned_at"], row["resolved_at"], tuple(row["pauses"])) for row in rows]
