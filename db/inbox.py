"""The inbox: what waits to be delivered to the workflows, in order per request."""

from __future__ import annotations

from db.pool import Database
from db.statements import load

_QUERIES = load("inbox")


async def wake(database: Database) -> None:
    """Tells the relays at once that a message waits; they would find it within a second anyway.

    Called after the message is committed, not with it: PostgreSQL holds one lock for the whole database from a NOTIFY
    until its transaction is on disk, so that every submission would wait for the disk writes of all others.
    """
    await _QUERIES["wake"].run(database)
