"""A connection that tells by which plan PostgreSQL finds what is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from db.pool import Connection


class Explaining:
    """Keeps the plan of the latest list of rows, as it would be with so many that nobody reads them all."""

    def __init__(self, connection: Connection) -> None:
        self.plan = ""
        self.fetchrow, self.fetchval, self.execute = connection.fetchrow, connection.fetchval, connection.execute
        self._fetch = connection.fetch

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        self.plan = "\n".join(row[0] for row in await self._fetch(f"explain {query}", *args))
        found: list[asyncpg.Record] = await self._fetch(query, *args)
        return found


@asynccontextmanager
async def explaining(database_url: str) -> AsyncIterator[Explaining]:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("set enable_seqscan = off; set enable_sort = off")
        yield Explaining(connection)
    finally:
        await connection.close()
