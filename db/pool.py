"""How the program talks to PostgreSQL: the pool, its session settings, and how JSON travels."""

from __future__ import annotations

from typing import Any, Protocol

import asyncpg
from pydantic_core import from_json, to_json

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


async def open_pool(database_url: str, *, size: int, application_name: str = "huisheng") -> asyncpg.Pool[asyncpg.Record]:
    """A pool of at most `size` connections, one of them opened at once so that a wrong address shows here.

    Sessions in the pool are never given settings of their own: a connection goes back as it came, without the round trip
    that asyncpg spends on resetting it.
    """
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=size,
        init=_prepare,
        reset=_leave_as_it_is,
        command_timeout=COMMAND_TIMEOUT_SECONDS,
        statement_cache_size=256,
        max_cached_statement_lifetime=0,
        server_settings={**SESSION, "application_name": application_name},
    )


async def _prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_encoded, decoder=_decoded
    )


async def _leave_as_it_is(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """An open transaction is rolled back and listeners are dropped by asyncpg itself, before it calls this."""


def _encoded(value: Any) -> bytes:
    return _JSONB_VERSION + to_json(value)


def _decoded(stored: bytes) -> Any:
    return from_json(stored[len(_JSONB_VERSION) :])
