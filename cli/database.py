"""What every command that works on the database shares: the connection, the check of its version, and plain sentences."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import asyncpg
import click

from db.migrations import require_version
from db.pool import Pool, open_pool
from domain.errors import HuishengError
from settings import Settings

T = TypeVar("T")

LOOK_AT = "Is PostgreSQL running, and are name and password right?"


@contextmanager
def plainly(advice: str = LOOK_AT) -> Iterator[None]:
    """A named refusal and a database that cannot be used become the command's one sentence; `advice` ends the latter."""
    try:
        yield
    except HuishengError as error:
        raise click.ClickException(error.message) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise click.ClickException(
            f"The database that DATABASE_URL names cannot be used ({type(error).__name__}). {advice}"
        ) from error


@asynccontextmanager
async def opened(settings: Settings, command: str, *, size: int = 1) -> AsyncIterator[Pool]:
    """The database of the settings, which this program can work with; PostgreSQL lists it as `huisheng-<command>`.

    Raises SchemaMismatch where it cannot.
    """
    async with open_pool(settings.database_url, size=size, application_name=f"huisheng-{command}") as pool:
        await require_version(pool)
        yield pool


def on_database(command: str, work: Callable[[Pool], Awaitable[T]], *, size: int = 1) -> T:
    """What the work finds there; what can go wrong becomes one plain sentence."""
    with plainly():
        return asyncio.run(_on_database(command, work, size))


async def _on_database(command: str, work: Callable[[Pool], Awaitable[T]], size: int) -> T:
    async with opened(Settings.from_environment(), command, size=size) as pool:
        return await work(pool)
