"""How the program talks to PostgreSQL: the pool, its session settings, and how JSON travels."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Protocol, TypeAlias

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
RELAY_SESSION = {
    # A commit answers before it is on disk, and a crash of the server may undo the last moments. That is for the relay alone,
    # whose every step can be repeated.
    "synchronous_commit": "off",
    # A queue is mostly empty, and a plan made then and kept reads the whole of a long one for each message.
    "plan_cache_mode": "force_custom_plan",
}
COMMAND_TIMEOUT_SECONDS = 20.0

ACQUIRE_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds, by which the waits for a connection are counted."""

OnQuery = Callable[[Any], None]
"""Called after each statement with asyncpg's account of it (LoggedQuery)."""

# The version byte that PostgreSQL puts before the text of a jsonb value in its binary format.
_JSONB_VERSION = b"\x01"


class Database(Protocol):
    """What runs a single statement: a connection, or the pool itself, which takes one just for that."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None: ...

    async def fetchval(self, query: str, *args: Any) -> Any: ...

    async def execute(self, query: str, *args: Any) -> str: ...


class WatchedPool(asyncpg.Pool):
    """A pool that knows how many wait for a connection now, and how long those waited who have got one.

    `waits` counts by ACQUIRE_BOUNDS, the last of them what took longer than all bounds.
    """

    # What asyncpg.create_pool would fill in.
    _DEFAULTS: ClassVar[dict[str, Any]] = {
        "max_queries": 50_000,
        "max_inactive_connection_lifetime": 300.0,
        "connect": None,
        "setup": None,
        "loop": None,
        "connection_class": asyncpg.Connection,
        "record_class": asyncpg.Record,
    }

    def __init__(self, database_url: str, **options: Any) -> None:
        super().__init__(database_url, **self._DEFAULTS, **options)
        self.waiting = 0
        self.waits = [0] * (len(ACQUIRE_BOUNDS) + 1)
        self.waited_seconds = 0.0

    @property
    def in_use(self) -> int:
        return self.get_size() - self.get_idle_size()

    def acquire(self, *, timeout: float | None = None) -> Any:
        return _Acquiring(self, super().acquire(timeout=timeout))

    def note_wait(self, seconds: float) -> None:
        self.waits[bisect_left(ACQUIRE_BOUNDS, seconds)] += 1
        self.waited_seconds += seconds


class _Acquiring:
    """asyncpg's own way to a connection, `async with` or `await`, with a clock beside it."""

    __slots__ = ("_pool", "_way")

    def __init__(self, pool: WatchedPool, way: Any) -> None:
        self._pool = pool
        self._way = way

    async def __aenter__(self) -> Any:
        return await self._timed(self._way.__aenter__())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, places: TracebackType | None
    ) -> None:
        await self._way.__aexit__(kind, error, places)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._timed(self._way).__await__()

    async def _timed(self, way: Any) -> Any:
        pool = self._pool
        began = time.perf_counter()
        pool.waiting += 1
        try:
            connection = await way
        finally:
            pool.waiting -= 1
        pool.note_wait(time.perf_counter() - began)
        return connection


def open_pool(
    database_url: str,
    *,
    size: int,
    application_name: str = "huisheng",
    session: Mapping[str, str] = MappingProxyType({}),
    on_query: OnQuery | None = None,
    at_once: bool = True,
) -> WatchedPool:
    """A pool of at most `size` connections, for `async with` or `await`; one is opened at once, so that a wrong address
    shows there, unless `at_once` is false.

    `session` are settings of PostgreSQL beside those that all sessions have.

    `on_query` hears of every statement; without it none is timed.

    Sessions in the pool are never given settings of their own: a connection goes back as it came, without the round trip
    that asyncpg spends on resetting it.
    """

    async def prepare(connection: Connection) -> None:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", format="binary", encoder=_encoded, decoder=_decoded
        )
        if on_query is not None:
            connection.add_query_logger(on_query)

    return WatchedPool(
        database_url,
        min_size=1 if at_once else 0,
        max_size=size,
        init=prepare,
        reset=_leave_as_it_is,
        command_timeout=COMMAND_TIMEOUT_SECONDS,
        statement_cache_size=256,
        max_cached_statement_lifetime=0,
        server_settings={**SESSION, **session, "application_name": application_name},
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


async def _leave_as_it_is(connection: Connection) -> None:
    """An open transaction is rolled back and listeners are dropped by asyncpg itself, before it calls this."""


def _encoded(value: Any) -> bytes:
    return _JSONB_VERSION + to_json(value)


def _decoded(stored: bytes) -> Any:
    return from_json(stored[len(_JSONB_VERSION) :])
