"""Where requests stand, one by one and in the lists of the staff, restricted to what a person may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from db.pool import Database
from db.requests import opened
from db.sealing import KeyRing
from db.statements import load
from domain.errors import Unknown
from domain.request import OPEN, PAUSED, CoHandler, CoState, Outcome, Result, Snapshot, Solved, State, Urgency
from domain.visibility import Sight

_QUERIES = load("views")

Position = tuple[datetime, UUID]
"""When the last request of a page was submitted, and its id: the next page begins after it."""

BEFORE_THE_FIRST: Position = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=(1 << 128) - 1))
_TITLE_CHARACTERS = 60
_RUNNING = OPEN - PAUSED
_LOOKED_THROUGH = 500

_FIELDS = tuple(field.name for field in fields(Snapshot))
_ENUMS: Mapping[str, Any] = {
    "state": State, "urgency": Urgency, "result": Result, "solved": Solved, "outcome": Outcome, "parent_state": State,
}  # fmt: skip
_TEXT_IDS = ("reply", "question", "hold_reason", "extension_reason")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; None leaves a thing open."""

    states: tuple[State, ...] | None = None
    departments: tuple[str, ...] | None = None
    category: str | None = None
    district: str | None = None
    overdue: bool | None = None
    escalated: bool | None = None
    assignee: UUID | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Listed:
    """One line of a list. `title` is the citizen's own, or how the description begins."""

    snapshot: Snapshot
    title: str

    @property
    def position(self) -> Position:
        return self.snapshot.submitted_at, UUID(self.snapshot.request_id)


@dataclass(frozen=True, slots=True, repr=False)
class Page:
    """`next_position` begins the next page; None on the last."""

    requests: list[Listed]
    next_position: Position | None


async def snapshot(database: Database, request_id: UUID) -> Snapshot:
    """Where the request stands. Raises Unknown."""
    row = await _QUERIES["snapshot"].row(database, request_id=request_id)
    if row is None:
        raise Unknown("There is no such request.")
    return snapshot_of(row)


async def snapshot_by_reference(database: Database, reference: str) -> Snapshot | None:
    """Where the request with that reference, in its written form, stands."""
    row = await _QUERIES["snapshot_by_reference"].row(database, reference=reference)
    return snapshot_of(row) if row else None


async def followers(database: Database, parent: str) -> list[Snapshot]:
    """Where the requests stand that were merged into the one with that reference, the first submitted first."""
    return [snapshot_of(row) for row in await _QUERIES["followers"].rows(database, parent=parent)]


async def listed(
    database: Database,
    keys: KeyRing,
    sight: Sight,
    narrowed: Filter,
    now: datetime,
    *,
    after: Position | None = None,
    limit: int = 50,
    words: tuple[str, ...] = (),
) -> Page:
    """A page of what the person may see, the latest submitted first.

    With `words`, only what has all of them in title or description. These are encrypted, so a page looks through at most
    500 requests; a page that found little has a `next_position` where the search goes on.
    """
    looked_through = _LOOKED_THROUGH if words else limit
    departments = _departments(sight, narrowed)
    before_at, before_id = after or BEFORE_THE_FIRST
    values = {
        "states": _states(narrowed),
        "before_at": before_at,
        "before_id": before_id,
        "confidential": sight.confidential,
        "own": sight.departments,
        "category": narrowed.category,
        "district": narrowed.district,
        "assignee": str(narrowed.assignee) if narrowed.assignee else None,
        "escalated": narrowed.escalated,
        "overdue": narrowed.overdue,
        "running": list(_RUNNING),
        "now": now,
        # One more than asked for tells whether there is a next page.
        "most": looked_through + 1,
    }
    if departments is None:
        rows = await _QUERIES["listed_of_city"].rows(database, **values)
    else:
        rows = await _QUERIES["listed_of_departments"].rows(database, departments=departments, **values)
    has_more = len(rows) > looked_through
    if words:
        return _found(keys, rows[:looked_through], words, limit, has_more)
    lines = [line_of(keys, row) for row in rows[:limit]]
    return Page(lines, lines[-1].position if has_more else None)


def _found(keys: KeyRing, rows: list[asyncpg.Record], words: tuple[str, ...], limit: int, has_more: bool) -> Page:
    """Of the rows those with all the words, up to `limit` of them."""
    sought = [word.casefold() for word in words]
    lines: list[Listed] = []
    for row in rows:
        text = " ".join(filter(None, (_opened(keys, "title", row), _opened(keys, "description", row)))).casefold()
        if all(word in text for word in sought):
            lines.append(line_of(keys, row))
            if len(lines) == limit:
                return Page(lines, lines[-1].position)
    return Page(lines, (rows[-1]["submitted_at"], rows[-1]["request_id"]) if has_more else None)


async def listed_by_reference(database: Database, keys: KeyRing, sight: Sight, reference: str) -> Listed | None:
    """The request with that reference in its written form, as a line of a list; None where the person may not see it."""
    row = await _QUERIES["listed_by_reference"].row(database, reference=reference)
    line = line_of(keys, row) if row else None
    return line if line and sight.covers(line.snapshot) else None


async def listed_by_phone(
    database: Database, keys: KeyRing, sight: Sight, phone: str, *, limit: int = 50
) -> list[Listed]:
    """The latest requests that came with that number (E.164), as far as the person may see them."""
    rows = await _QUERIES["listed_by_phone"].rows(
        database,
        phone_indexes=keys.phone_indexes(phone),
        confidential=sight.confidential,
        own=sight.departments,
        most=limit,
    )
    lines = [line_of(keys, row) for row in rows]
    return [line for line in lines if sight.covers(line.snapshot)]


def _states(narrowed: Filter) -> list[State]:
    """The states to look through. What is overdue is running: no need to walk past all that is over."""
    states = narrowed.states or State
    return [state for state in states if state in _RUNNING or not narrowed.overdue]


def _departments(sight: Sight, narrowed: Filter) -> list[str] | None:
    """The departments to look through; None for the whole city."""
    if narrowed.departments is None:
        return None if sight.everything else list(sight.departments)
    return [code for code in narrowed.departments if sight.everything or code in sight.departments]


def line_of(keys: KeyRing, row: asyncpg.Record) -> Listed:
    title = _opened(keys, "title", row)
    if title is None:
        title = beginning(_opened(keys, "description", row) or "")
    return Listed(snapshot_of(row), title)


def _opened(keys: KeyRing, column: str, row: asyncpg.Record) -> str | None:
    return opened(keys, column, row["request_id"], row[f"{column}_sealed"])


def beginning(description: str) -> str:
    """What stands for a title where the citizen gave none."""
    words = " ".join(description[: 4 * _TITLE_CHARACTERS].split())
    return words if len(words) <= _TITLE_CHARACTERS else words[: _TITLE_CHARACTERS - 1] + "…"


def snapshot_of(row: asyncpg.Record) -> Snapshot:
    """From a row with all columns of the table."""
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    for name, kind in _ENUMS.items():
        if values[name] is not None:
            values[name] = kind(values[name])
    values["request_id"] = str(values["request_id"])
    for name in _TEXT_IDS:
        values[name] = str(values[name]) if values[name] else None
    values["co_handlers"] = tuple(_co_handler(each) for each in values["co_handlers"])
    values["co_departments"] = tuple(values["co_departments"])
    return Snapshot(**values)


def _co_handler(kept: dict[str, Any]) -> CoHandler:
    settled_at = kept["settled_at"]
    return CoHandler(
        number=kept["number"],
        department=kept["department"],
        state=CoState(kept["state"]),
        task=kept["task"],
        due_at=datetime.fromisoformat(kept["due_at"]),
        settled_at=datetime.fromisoformat(settled_at) if settled_at else None,
    )
