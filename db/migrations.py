"""Which version the database is at, which ones this program can work with, and how it is brought to this program's.

Versions only ever go up. In a rolling upgrade, and after going back, a program meets a database that a newer one has migrated:
it works with it unless the database says that it cannot (docs/decisions/0023-upgrades-with-requests-in-flight.md).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import asyncpg

from db import migrating
from db.migrating import ATTEMPTS, Migration, MigrationFailed, all_migrations, apply
from db.pool import Connection, Database
from db.statements import load
from domain.errors import HuishengError

_QUERIES = load("migrations")

# Any number will do that nothing else on this database locks.
_LOCK = 0x4875_6973_6865_6E67
_LOOK_AGAIN_SECONDS = 0.2
_LOOKS_AT_THE_LOCK = 600


class SchemaMismatch(HuishengError):
    """This program and the database cannot work together."""

    code = "schema_mismatch"


@dataclass(frozen=True, slots=True)
class Status:
    """Versions are the digits at the beginning of a migration's file name, in order.

    `oldest_program` is told where a newer program has migrated: those that bring no migration of that version or a later one
    cannot work with the database any more.
    """

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    unknown: tuple[str, ...]  # applied by a newer program
    oldest_program: str = ""

    @property
    def version(self) -> str:
        return self.applied[-1] if self.applied else "none"

    @property
    def is_newer(self) -> bool:
        """A newer program has migrated it, and nothing of ours is missing."""
        return bool(self.unknown) and not self.pending

    @property
    def has_left_us_behind(self) -> bool:
        return self.oldest_program > known_versions()[-1]


def known_versions() -> tuple[str, ...]:
    """The versions that this program brings, in order."""
    return tuple(sorted(file.name.partition("_")[0] for file in migrating.FOLDER.glob("*.sql")))


async def status(database: Database) -> Status:
    """What has been applied, and what has not."""
    exists = await _QUERIES["has_versions"].value(database)
    rows = await _QUERIES["applied_versions"].rows(database) if exists else []
    found = compared(tuple(row["version"] for row in rows))
    return replace(found, oldest_program=await oldest_program(database)) if found.is_newer else found


def compared(applied: tuple[str, ...], oldest_program: str = "") -> Status:
    """How a database to which these have been applied stands to this program."""
    known = known_versions()
    pending = tuple(version for version in known if version not in applied)
    unknown = tuple(version for version in applied if version not in known)
    return Status(applied, pending, unknown, oldest_program)


async def oldest_program(database: Database) -> str:
    """The oldest that can work with a database which is at this program's version or beyond."""
    return str(await _QUERIES["oldest_program"].value(database))


async def require_version(database: Database) -> Status:
    """Raises SchemaMismatch with a sentence that says what to do, unless this program can work with the database."""
    now = await status(database)
    needed = known_versions()[-1]
    if now.pending:
        raise SchemaMismatch(
            f"The database is at version {now.version}, this program needs {needed}: run `huisheng db migrate`."
        )
    if now.has_left_us_behind:
        raise SchemaMismatch(
            f"The database is at version {now.version}, with which programs older than {now.oldest_program} cannot work; "
            f"this one is of {needed}: install the newer program."
        )
    return now


def migrate(database_url: str, *, attempts: int = ATTEMPTS) -> Status:
    """Brings the database to this program's version, if it is not there or beyond, and says what it found.

    People may work meanwhile. Each migration is tried that often. Raises MigrationFailed or SchemaMismatch. May be called with or
    without a running event loop.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _migrate(database_url, attempts)).result()


async def _migrate(database_url: str, attempts: int) -> Status:
    connection = await asyncpg.connect(database_url, timeout=30)
    try:
        await _lock(connection)
        found = await status(connection)
        if not found.pending:
            return await require_version(connection)
        await _QUERIES["make_versions"].value(connection)
        for migration in all_migrations():
            if migration.version in found.pending:
                _require_order(migration, found)
                await apply(connection, migration, attempts)
        return found
    finally:
        # The lock belongs to the session and ends with it: not before what the session is about has ended, even when this
        # program is killed.
        await connection.close()


def _require_order(migration: Migration, found: Status) -> None:
    if migration.version < found.version and found.applied:
        raise MigrationFailed(
            f"Migration {migration.name} comes before {found.version}, which has been applied already: the database was "
            "migrated by a program that is no predecessor of this one. Install the newest program."
        )


async def _lock(connection: Connection) -> None:
    for _ in range(_LOOKS_AT_THE_LOCK):
        if await _QUERIES["try_lock"].value(connection, key=_LOCK):
            return
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    raise MigrationFailed(
        f"Another program has been migrating this database for more than {_LOOKS_AT_THE_LOCK * _LOOK_AGAIN_SECONDS:.0f} "
        "seconds. Wait for it, or stop it, and try again."
    )
