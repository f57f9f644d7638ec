"""How one migration is applied to a database that people are using: for how long it may be in their way, and what if it is cut off.

The files have the form of dbmate's, and so has the table that notes them; it is not used itself, because it knows no limits, no
second attempt and no mending, and because what it began goes on when the program that called it has died.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg

from db.pool import Connection
from db.statements import load
from domain.errors import HuishengError

FOLDER = Path(__file__).with_name("migrations")

LOCK_TIMEOUT = timedelta(seconds=2)
"""Whoever comes after a statement that waits for a lock waits, too: so long and no longer."""
STATEMENT_TIMEOUT = timedelta(seconds=60)
"""What a statement has locked stays locked while it runs. What takes longer is no careful migration."""
ATTEMPTS = 30
LONGEST_PAUSE_SECONDS = 4.0

_QUERIES = load("migrations")
_FORM = re.compile(
    r"-- migrate:up(?P<alone> transaction:false)?\n(?P<up>.*?)(\n-- migrate:down( transaction:false)?\n.*)?", re.DOTALL
)


_MADE = re.compile(r"^create (?:or replace )?(?:table|function|view) (?:if not exists )?(\w+)", re.MULTILINE)


class MigrationFailed(HuishengError):
    """A migration did not go through; the message says which, and what PostgreSQL said."""

    code = "migration_failed"


@dataclass(frozen=True, slots=True)
class Migration:
    """`version` is the digits at the beginning of the file's name. Without a transaction it is one statement."""

    version: str
    name: str
    sql: str
    in_transaction: bool


def read(file: Path) -> Migration:
    """The part of the file that is applied. Raises MigrationFailed where it has not the form of a migration."""
    found = _FORM.fullmatch(file.read_text("utf-8"))
    if found is None:
        raise MigrationFailed(f"{file.name} is no migration: its first line should be `-- migrate:up`.")
    return Migration(file.name.partition("_")[0], file.stem, found["up"].strip(), in_transaction=not found["alone"])


def made() -> set[str]:
    """The names of the tables and functions that our programs have ever made."""
    scripts = (migration.sql for migration in all_migrations())
    return {"schema_migrations", *(name for script in scripts for name in _MADE.findall(script))}


def all_migrations() -> tuple[Migration, ...]:
    """Those that this program brings, in order."""
    return tuple(read(file) for file in sorted(FOLDER.glob("*.sql")))


async def apply(connection: Connection, migration: Migration, attempts: int = ATTEMPTS) -> None:
    """Carries it out and notes it, or raises MigrationFailed and leaves nothing that counts.

    A lock that cannot be had within LOCK_TIMEOUT is tried for again after a pause in which those who wait behind come through.
    """
    for attempt in range(1, attempts + 1):
        try:
            await (_in_transaction if migration.in_transaction else _beside_others)(connection, migration)
            return
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            if attempt == attempts:
                raise _in_the_way(migration, attempts) from error
        except asyncpg.PostgresError as error:
            # Not its detail, which may hold a row.
            raise MigrationFailed(
                f"Migration {migration.name} could not be applied; everything works as before. "
                f"PostgreSQL said: {error.args[0]}"
            ) from error
        await asyncio.sleep(min(0.25 * 2**attempt, LONGEST_PAUSE_SECONDS))


def _in_the_way(migration: Migration, attempts: int) -> MigrationFailed:
    return MigrationFailed(
        f"Migration {migration.name} needs a table to itself for a moment, and did not get it in {attempts} attempts: "
        "something works on that table for long, such as a backup or a report. Nothing was done, and everything works as "
        "before. Wait for its end and try again."
    )


async def _in_transaction(connection: Connection, migration: Migration) -> None:
    """All or nothing, and nobody waits behind it for long."""
    async with connection.transaction():
        await _limit(connection, LOCK_TIMEOUT, STATEMENT_TIMEOUT)
        await connection.execute(migration.sql)
        await _QUERIES["note"].run(connection, version=migration.version)


async def _beside_others(connection: Connection, migration: Migration) -> None:
    """What PostgreSQL does while everybody works (`concurrently`): it waits for all who are at work, and nobody for it.

    Cut off, it leaves behind an index that is kept up to date and never used. That goes first.
    """
    for index in await _QUERIES["half_made_indexes"].rows(connection):
        if re.search(rf"\b{re.escape(index['name'])}\b", migration.sql):
            await connection.execute(index["removal"])
    await connection.execute(migration.sql)
    await _QUERIES["note"].run(connection, version=migration.version)


async def _limit(connection: Connection, lock: timedelta, statement: timedelta) -> None:
    milliseconds = [str(round(limit.total_seconds() * 1000)) for limit in (lock, statement)]
    await _QUERIES["limit"].run(connection, lock=milliseconds[0], statement=milliseconds[1])
