"""What the read model knows of a request whose run is lost, and which requests need a run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from db import inbox, read_model, timeline, views
from db.inbox import InboxRow
from db.pool import Database
from db.statements import load
from domain.lifecycle import Action
from domain.missed import Done, Parent, Sent
from domain.rebuilding import Found
from domain.request import OPEN, Snapshot, State

_QUERIES = load("rebuilding")

_PAGE = 1_000
_BEFORE_THE_FIRST = datetime(1, 1, 1, tzinfo=UTC), UUID(int=0)
_LASTING = (*sorted(OPEN), State.RESOLVED, State.MERGED, State.CLOSED)
_ASKS_FOR: Mapping[str, Action] = {
    "supplemented": Action.SUPPLEMENT, "urged": Action.URGE, "withdrawn": Action.WITHDRAW, "rated": Action.RATE,
    "reopened": Action.REOPEN, "answered": Action.ANSWER,
}  # fmt: skip
"""What a message of the inbox asks for, by its kind."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """A request that may need a run, with what says for how long."""

    request_id: UUID
    reference: str
    submitted_at: datetime
    sequence: int
    confidential: bool
    stands: Snapshot
    parent: Snapshot | None  # as much of it as says until when it may be reopened


async def found(database: Database, request_id: UUID, now: datetime) -> Found:
    """All that is known of a request that nobody writes to just now. Raises Unknown."""
    snapshot = await views.snapshot(database, request_id)
    unsent = await read_model.unsent(database, request_id, now)
    done = await _QUERIES["done"].rows(database, request_id=request_id)
    merged = await _QUERIES["merged_into"].rows(database, reference=snapshot.reference)
    return Found(
        snapshot=snapshot,
        events=(await timeline.events(database, request_id))[: snapshot.sequence],
        messages=await _messages(database, request_id),
        done=[Done(**row) for row in done if row["sequence"] <= snapshot.sequence],
        merged=[row["reference"] for row in merged],
        parent=await _parent(database, snapshot) if snapshot.state is State.MERGED else None,
        unsent=unsent.owed > 0,
        held_until=unsent.held_until,
    )


async def _messages(database: Database, request_id: UUID) -> list[Sent]:
    rows = await _QUERIES["messages"].rows(database, request_id=request_id)
    return [Sent(row["id"], _ASKS_FOR[row["kind"]], row["text"]) for row in rows if row["kind"] in _ASKS_FOR]


async def _parent(database: Database, snapshot: Snapshot) -> Parent | None:
    parent = await views.snapshot_by_reference(database, snapshot.parent or "")
    if parent is None:
        return None
    parent_id = UUID(parent.request_id)
    told = await _QUERIES["told"].rows(database, request_id=parent_id)
    events = (await timeline.events(database, parent_id))[: parent.sequence]
    return Parent(parent, events, {row["sequence"]: tuple(row["kinds"]) for row in told})


async def put_back(database: Database, request_id: UUID, after_id: int) -> int:
    """Has the messages after that one delivered once more, and says how many; the run tells which of them it has had."""
    number = await _QUERIES["put_back"].run(database, request_id=request_id, after_id=after_id)
    if number:
        await inbox.wake(database)
    return number


async def submission(database: Database, request_id: UUID) -> InboxRow | None:
    """The message with which the run began."""
    row = await _QUERIES["submission"].row(database, request_id=request_id)
    return InboxRow(**row) if row is not None else None


async def lasting(database: Database, closed_after: datetime) -> AsyncIterator[Lasting]:
    """The requests that may need a run: open, or answered after `closed_after`."""
    for state in _LASTING:
        after_at, after_id = _BEFORE_THE_FIRST
        while rows := await _QUERIES["lasting"].rows(
            database, state=state, closed_after=closed_after, after_at=after_at, after_id=after_id, most=_PAGE,
        ):  # fmt: skip
            for row in rows:
                yield _lasting(row)
            after_at, after_id = rows[-1]["submitted_at"], rows[-1]["request_id"]


async def by_references(database: Database, references: Sequence[str]) -> list[Lasting]:
    """Those of the references that there are and that are not erased, whether they need a run or not."""
    return [_lasting(row) for row in await _QUERIES["lasting_by_references"].rows(database, references=references)]


async def settled_since(database: Database, references: Sequence[str], quiet_before: datetime) -> dict[str, bool]:
    """Those of the references that there are, and whether nothing has happened to them since then."""
    rows = await _QUERIES["settled_since"].rows(database, references=references, quiet_before=quiet_before)
    return {row["reference"]: row["is_settled"] for row in rows}


def _lasting(row: asyncpg.Record) -> Lasting:
    own = _stands(row, row["reference"], "state", "resolved_at", "policy_version")
    parent = _stands(row, "", "parent_stands", "parent_resolved_at", "parent_policy_version")
    return Lasting(
        request_id=row["request_id"],
        reference=row["reference"],
        submitted_at=row["submitted_at"],
        sequence=row["sequence"],
        confidential=row["confidential"],
        stands=own,
        parent=parent if row["parent_stands"] else None,
    )


def _stands(row: asyncpg.Record, reference: str, state: str, resolved_at: str, version: str) -> Snapshot:
    given: dict[str, Any] = {"resolved_at": row[resolved_at], "policy_version": row[version]}
    if reference and row["parent_state"]:
        given["parent_state"] = State(row["parent_state"])
    return Snapshot(
        str(row["request_id"]), reference, row["submitted_at"], state=State(row[state] or State.RECEIVED), **given
    )
