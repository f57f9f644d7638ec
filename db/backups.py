"""What a backup has to know of the database, and what a restore leaves in it: scripts for its one transaction, and the note of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg

from db import migrating, migrations
from db.pool import Connection, Database
from db.rotation import STORES, Store
from db.statements import load
from domain.request import TERMINAL
from domain.retention import Because

_QUERIES = load("backups")
_SCRIPTS = Path(__file__).with_name("restoring")

CLOCKS_APART = timedelta(minutes=1)
"""So far the clock of whoever took the backup may have been from those of the workers and the API, and so long after it was read
the time of what was then committed."""
_LARGEST_SAMPLE = 4_096


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed value, and the place to which it is bound."""

    place: str
    value: bytes


class Demand(NamedTuple):
    """A demand of erasure as it stands in the database; `reason` is sealed, in hexadecimal."""

    request_id: UUID
    reference: str
    demanded_at: datetime
    demanded_by: str
    reason: str | None


class ToBeErased(NamedTuple):
    """How many requests whose erasure was demanded after the backup came back with it, over or not, and how many are not in it."""

    due: int
    waiting: int
    unknown: int


class Restore(NamedTuple):
    """A restore after which the runs of before are still to be ended."""

    id: UUID
    restored_at: datetime
    runs_copied_at: datetime | None


@asynccontextmanager
async def at_one_instant(database_url: str) -> AsyncIterator[tuple[Connection, str]]:
    """A connection that sees one instant for as long as this lasts, and the name under which others see the same."""
    connection = await asyncpg.connect(
        database_url, timeout=30, server_settings={"application_name": "huisheng-backup"}
    )
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection, str(await _QUERIES["snapshot_id"].value(connection))
    finally:
        await connection.close()


async def counts(database: Database) -> dict[str, int]:
    row = await _QUERIES["counts"].row(database)
    assert row is not None
    return dict(row)


async def keys_in_use(database: Database) -> list[str]:
    """The ids of the keys that have sealed something."""
    return [row["key"] for row in await _QUERIES["keys_in_use"].rows(database)]


async def samples(database: Database) -> list[Sealed]:
    """One sealed value of each column that has any among its first rows."""
    found = []
    for store in STORES:
        rows = await store.read.rows(database, after=store.before_the_first, most=5)
        for column in store.columns:
            found += _first_sealed(store, column, rows)
    return found


def _first_sealed(store: Store, column: str, rows: Sequence[asyncpg.Record]) -> list[Sealed]:
    if not column.endswith("_sealed"):
        return []
    values = ((row, row[column]) for row in rows)
    fit = (Sealed(store.place(store.table, column, row), value) for row, value in values if _is_sample(value))
    return list(fit)[:1]


def _is_sample(value: bytes | None) -> bool:
    return bool(value) and len(value or b"") <= _LARGEST_SAMPLE


async def is_city(database: Database) -> bool:
    """Whether there are requests in it."""
    return bool(await _QUERIES["has_tables"].value(database)) and bool(await _QUERIES["has_requests"].value(database))


async def is_furnished(database: Database) -> bool:
    """Whether somebody has begun to make a city of it."""
    return bool(await _QUERIES["has_tables"].value(database)) and bool(await _QUERIES["is_furnished"].value(database))


async def strangers(database: Database) -> list[str]:
    """Tables, views and functions that are no program's of ours, by their names."""
    applied = (await migrations.status(database)).applied
    if migrations.known_versions()[0] in applied and {*applied} - {*migrations.known_versions()}:
        return []  # what a newer program has made in its own database, this one cannot tell from what others have
    things = [row["name"] for row in await _QUERIES["things"].rows(database)]
    return [name for name in things if name not in migrating.made()]


async def others(database: Database) -> list[str]:
    """Programs of ours that work on it just now."""
    return [row["application_name"] for row in await _QUERIES["others"].rows(database)]


async def demands_since(database: Database, since: datetime) -> list[Demand]:
    """What was demanded to be erased, or was erased on demand, since that instant."""
    rows = await _QUERIES["demands_since"].rows(database, since=since - CLOCKS_APART)
    return [Demand(**row) for row in rows]


async def to_be_erased(database: Database, references: Iterable[str]) -> ToBeErased:
    row = await _QUERIES["to_be_erased"].row(database, references=sorted({*references}), over=sorted(TERMINAL))
    assert row is not None
    return ToBeErased(**row)


def script_before() -> bytes:
    """Takes away what stands in the place of the backup."""
    return (_SCRIPTS / "empty.sql").read_bytes()


def script_after(demands: Sequence[Demand], references: Sequence[str], at: datetime) -> bytes:
    """Checks that everything is there, notes the restore, and repeats demands that came after the backup."""
    rows = [_row(each.request_id, "", each.demanded_at, each.demanded_by, each.reason) for each in demands]
    rows += [_row(None, reference, at, Because.CITIZEN, None) for reference in references]
    scripts = ["finish.sql", "demanded.sql", "demand.sql"]
    finish, demanded, demand = ((_SCRIPTS / name).read_text("utf-8") for name in scripts)
    return "".join([finish, demanded, *rows, "\\.\n", demand]).encode()


def _row(request_id: UUID | None, reference: str, at: datetime, by: str, reason: str | None) -> str:
    """A line as COPY reads it. None of the values holds anything that would have to be escaped."""
    written = (str(request_id or ""), reference, at.isoformat(), Because(by).value, f"\\\\x{reason}" if reason else "")
    return "\t".join(each or "\\N" for each in written) + "\n"


async def note_recovery(database: Database, at: datetime) -> None:
    """No run that began before that instant may go on: before a worker takes anything, it ends them all."""
    await _QUERIES["note_recovery"].run(database, id=uuid4(), at=at)


async def note_runs_restored(database: Database, restore: UUID, copied_at: datetime) -> None:
    """Temporal's store is in place: what nothing has happened to since that instant goes on."""
    await _QUERIES["runs_restored"].run(database, id=restore, copied_at=copied_at)


async def waiting_restore(database: Database) -> Restore | None:
    row = await _QUERIES["waiting_restore"].row(database)
    return Restore(**row) if row is not None else None


async def note_runs_ended(database: Database, at: datetime) -> None:
    await _QUERIES["runs_ended"].run(database, at=at)


async def touched_since(database: Database, since: datetime) -> set[str]:
    """The requests to which something has happened since, with those that they are merged with."""
    rows = await _QUERIES["touched_since"].rows(database, since=since - CLOCKS_APART)
    return {row["reference"] for row in rows}
