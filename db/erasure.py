"""Erasing the personal data of a request, and who has demanded it: all of it in one transaction with its event.

What goes and what stays is told in docs/privacy.md; the queries beside this file are its list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db import read_model, views
from db.pool import Connection, Database, Pool, transaction
from db.sealing import KeyRing
from db.statements import load
from domain import retention
from domain.record import Entry, Record
from domain.request import TERMINAL, Snapshot
from domain.retention import Because, Wait

_QUERIES = load("erasure")

# The order matters: a sender that has a notice in hand finishes first, and what it then keeps is deleted after it.
_PARTS = (
    "erase_notices", "erase_outbox", "erase_texts", "erase_attachments", "erase_inbox", "erase_one_time_codes",
    "erase_topics", "erase_request",
)  # fmt: skip

_OVER = sorted(TERMINAL)
_LEFT_TO_ITS_SENDER = timedelta(days=2)
"""So long a notice to staff that is owed holds an erasure up; after that its run has given it up."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Who demanded when that the data be erased, and when that was done."""

    demanded_by: Because
    demanded_at: datetime
    carried_out_at: datetime | None


class Candidate(NamedTuple):
    """A request that may have to be erased; sorted by `at`, which is its place in the walk."""

    at: datetime
    request_id: UUID


async def demand(
    database: Database, keys: KeyRing, request_id: UUID, by: Because, reason: str | None, now: datetime
) -> Demand:
    """Keeps the demand; a second one finds the first, which stays as it is."""
    row = await _QUERIES["demand"].row(
        database,
        request_id=request_id,
        demanded_at=now,
        demanded_by=by,
        reason_sealed=keys.seal(_place(request_id), reason) if reason else None,
    )
    assert row is not None
    return _demand(row["demanded_by"], row["demanded_at"], row["carried_out_at"])


async def demand_of(database: Database, request_id: UUID) -> Demand | None:
    row = await _QUERIES["demand_of"].row(database, request_id=request_id)
    return _demand(**row) if row else None


async def reason_of(database: Database, keys: KeyRing, request_id: UUID) -> str | None:
    """What the admin gave as the reason. Raises SealBroken."""
    sealed = await _QUERIES["reason_of"].value(database, request_id=request_id)
    return keys.open(_place(request_id), sealed) if sealed else None


async def demanded(database: Database, after: Candidate | None, most: int) -> list[Candidate]:
    """What somebody demanded and is over, the oldest demand first."""
    return await _walk("demanded", database, after, most=most)


async def outdated(
    database: Database, submitted_before: datetime, after: Candidate | None, most: int
) -> list[Candidate]:
    """What is over, was submitted before that and still holds personal data, the oldest first."""
    return await _walk("outdated", database, after, submitted_before=submitted_before, most=most)


async def parent_over_since(database: Database, request_id: UUID) -> datetime | None:
    """Since when the request is over that this one was merged into; None where it is not, or where there is none."""
    since: datetime | None = await _QUERIES["parent_over_since"].value(database, request_id=request_id, over=_OVER)
    return since


async def meet_demand(database: Pool | Connection, request_id: UUID, by: Because, now: datetime) -> Wait | None:
    """Erases what was demanded, or says why it has to wait; None also where it was erased before. Raises Unknown."""
    snapshot = await views.snapshot(database, request_id)
    wait = retention.wait_of_demand(snapshot, await parent_over_since(database, request_id))
    return wait or await erase(database, snapshot, by, now)


async def erase(database: Pool | Connection, before: Snapshot, because: Because, now: datetime) -> Wait | None:
    """Erases all personal data of a request that still stands as it was seen, with its event, or nothing.

    None where it is erased, now or before; UNDER_WAY where something of it is just happening. The event follows the
    latest one, and no run writes any more: it has ended, or does nothing but wait for a reopening that is given up.
    """
    request_id = UUID(before.request_id)
    async with transaction(database) as connection:
        row = await _QUERIES["lock"].row(connection, request_id=request_id, owed_since=now - _LEFT_TO_ITS_SENDER)
        if row is None or row["erased_at"] is not None:
            return None
        if row["sequence"] != before.sequence or row["is_under_way"]:
            return Wait.UNDER_WAY
        turn = retention.erase(before, because, now)
        await read_model.record(connection, Record(turn.snapshot, (Entry(turn.event),)), None, now)
        for part in _PARTS:
            await _QUERIES[part].run(connection, request_id=request_id)
        await _QUERIES["mark_erased"].run(connection, request_id=request_id, at=turn.event.at)
    return None


async def _walk(name: str, database: Database, after: Candidate | None, **values: object) -> list[Candidate]:
    after_at, after_id = after or (None, None)
    rows = await _QUERIES[name].rows(database, over=_OVER, after_at=after_at, after_id=after_id, **values)
    return [Candidate(row["at"], row["request_id"]) for row in rows]


def _demand(demanded_by: str, demanded_at: datetime, carried_out_at: datetime | None) -> Demand:
    return Demand(Because(demanded_by), demanded_at, carried_out_at)


def _place(request_id: UUID) -> str:
    return f"erasure_demands.reason:{request_id}"
