"""The inbox: what waits to be delivered to the workflows, in order per request, shared among any number of relays.

A relay leases a message, lets go of every lock, delivers, and settles. All times are the database's own, because it is
the one clock that all relays share.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from db.pool import Database, Pool
from db.statements import load

_QUERIES = load("inbox")


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A message that this relay has leased: the `attempts`-th lease of it. `trace` is the traceparent under which it came."""

    id: int
    request_id: UUID
    reference: str
    kind: str
    payload: dict[str, Any]
    received_at: datetime
    attempts: int
    trace: str | None = None


class Settled(NamedTuple):
    """What became of a message: `outcome` is delivered or refused."""

    row: InboxRow
    outcome: str


class PutOff(NamedTuple):
    """A message that could not be delivered now; `error` names the class of the failure."""

    row: InboxRow
    delay: timedelta
    error: str | None


class Backlog(NamedTuple):
    """How many messages wait, and when the oldest of them came."""

    waiting: int
    oldest_at: datetime | None


async def wake(database: Database) -> None:
    """Tells the relays at once that a message waits; they would find it within a second anyway.

    Called after the message is committed, not with it: PostgreSQL holds one lock for the whole database from a NOTIFY
    until its transaction is on disk, so that every submission would wait for the disk writes of all others.
    """
    await _QUERIES["wake"].run(database)


@asynccontextmanager
async def listening(pool: Pool, heard: Callable[[], None]) -> AsyncIterator[Database]:
    """A connection of one's own; `heard` is called for each message that comes, and when the connection is lost."""

    def listen(*_: object) -> None:
        heard()

    async with pool.acquire() as connection:
        connection.add_termination_listener(listen)
        await connection.add_listener("inbox", listen)
        try:
            yield connection
        finally:
            # Not given back: a connection that is being lost cannot take its listener off, and the pool would wait for
            # it without end. When the pool knows of the loss already, there is nothing left to do.
            with suppress(asyncpg.InterfaceError):
                connection.remove_termination_listener(listen)
                connection.terminate()


async def claim(database: Database, lease: timedelta, most: int) -> list[InboxRow]:
    """Leases up to `most` messages, the oldest first, and never two of the same request."""
    rows = await _QUERIES["claim"].rows(database, lease=lease, most=most)
    return sorted((InboxRow(**row) for row in rows), key=lambda row: row.id)


async def settle(database: Database, settled: Sequence[Settled]) -> None:
    """Takes the messages off the queue; one that was settled before stays as it was."""
    await _QUERIES["settle"].run(
        database, ids=[row.id for row, _ in settled], outcomes=[outcome for _, outcome in settled]
    )


async def put_off(database: Database, failed: Sequence[PutOff]) -> None:
    """Gives the leases back; the messages are due again after their delays, and those behind them wait with them."""
    await _QUERIES["put_off"].run(
        database,
        ids=[row.id for row, _, _ in failed],
        attempts=[row.attempts for row, _, _ in failed],
        delays=[delay for _, delay, _ in failed],
        errors=[error for _, _, error in failed],
    )


async def backlog(database: Database) -> Backlog:
    row = await _QUERIES["backlog"].row(database)
    assert row is not None
    return Backlog(row["waiting"], row["oldest_at"])
