"""What those who watch the system want to know of all requests together: counts and ages, no request by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from db import inbox
from db.inbox import Backlog
from db.pool import Database
from db.statements import load
from domain.request import OPEN, PAUSED

_QUERIES = load("figures")

FAILED_LATELY = timedelta(days=7)
"""A notice that failed earlier is the past's; nobody mends it any more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`overdue` is by department and escalation level; `unsent` notices by state."""

    at: datetime
    open: Mapping[str, int]
    overdue: Mapping[tuple[str, int], int]
    backlog: Backlog
    unsent: Mapping[str, int]
    unsent_since: datetime | None
    failed: int
    schema: str | None
    policy: str | None
    model: str | None


async def standing(database: Database, now: datetime) -> Standing:
    """How things stand, by the clock of whoever asks."""
    states = dict.fromkeys(map(str, OPEN), 0)
    overdue: Counter[tuple[str, int]] = Counter()
    for row in await _QUERIES["open_requests"].rows(
        database, states=sorted(OPEN), running=sorted(OPEN - PAUSED), now=now
    ):
        states[row["state"]] += row["requests"]
        overdue[row["department"], row["level"]] += row["overdue"]
    unsent = {row["state"]: row for row in await _QUERIES["unsent_notices"].rows(database, now=now)}
    due = [row["due_since"] for row in unsent.values() if row["due_since"] is not None]
    versions = await _QUERIES["versions"].row(database)
    assert versions is not None
    return Standing(
        at=now,
        open=states,
        overdue=overdue,
        backlog=await inbox.backlog(database),
        unsent={state: unsent[state]["notices"] if state in unsent else 0 for state in ("owed", "sending")},
        unsent_since=min(due, default=None),
        failed=await _QUERIES["failed_notices"].value(database, since=now - FAILED_LATELY),
        **versions,
    )
