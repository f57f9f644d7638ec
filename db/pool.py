"""How the program talks to PostgreSQL: the pool, its session settings, and how JSON travels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias

import asyncpg
from pydantic_core import from_json, to_json

# As text, because asyncpg's classes take no parameters at run time.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

SESSION = {
    "application_name": "huisheng",
    "timezone": "UTC",
    # Every statement here is short; compiling one would take longer than running it.
    "jit": "off",
}
COMMAND_TIMEOUT_SECONDS = 20.0

# The version byte that PostgreSQL puts before the text of a jsonb value in its binary format.
_JSONB_VERSION = b"\x01"


class Database(Protocol):
    """What runs a single statement: a connection, or the pool itself, which takes one just for that."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None: ...

    async def fetchval(self, query: str, *args: Any) -> Any: ...

    async def execute(self, query: str, *args: Any) -> str: ...


def open_pool(database_url: str, *, size: int, application_name: str = "huisheng", quick_commits: bool = False) -> Pool:
    """A pool of at most `size` connections, for `async with` or `await`; one is opened at once, so that a wrong address
    shows there.

    With `quick_commits` a commit answers before it is on disk; a crash of the server may then undo the last moments. That
    is for the relay alone, whose every step can be repeated.

    Sessions in the pool are never given settings of their own: a connection goes back as it came, without the round trip
    that asyncpg spends on resetting it.
    """
    durability = {"synchronous_commit": "off"} if quick_commits else {}
    return asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=size,
        init=_prepare,
        reset=_leave_as_it_is,
        command_timeout=COMMAND_TIMEOUT_SECONDS,
        statement_cache_size=256,
        max_cached_statement_lifetime=0,
        server_settings={**SESSION, **durability, "application_name": application_name},
    )


@asynccontextmanager
async def transaction(database: Pool | Connection) -> AsyncIterator[Database]:
    """All or nothing: a connection of the pool, or the one that is given, in a transaction."""
    if isinstance(database, asyncpg.Pool):
        async with database.acquire() as connection, connection.transaction():
            yield connection
    else:
        async with database.transaction():
            yield database


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", format="binary", encoder=_encoded, decoder=_decoded)


async def _leave_as_it_is(connection: Connection) -> None:
    """An open transaction is rolled back and listeners are dropped by asyncpg itself, before it calls this."""


def _encoded(value: Any) -> bytes:
    return _JSONB_VERSION + to_json(value)


def _decoded(stored: bytes) -> Any:
    return from_json(stored[len(_JSONB_VERSION) :])
