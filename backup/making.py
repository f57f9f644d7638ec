"""Taking a backup while the system runs: Temporal's store first where it is ours, then the database.

In this order the database knows all that the runs know, and more: a run to which something has happened in between is put
together again from the database (docs/decisions/0024-the-database-comes-after-the-runs.md).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from backup import runs
from backup.archive import Writer, writing
from backup.dump import dumped
from backup.manifest import DATABASE, FORMAT, RUNS, Manifest, Sample
from db import backups, migrations
from db.pool import Connection
from db.sealing import KeyRing


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up: the database, and on one machine the file of Temporal's store."""

    database_url: str
    keys: KeyRing
    runs: Path | None = None


def name_at(at: datetime) -> str:
    return f"huisheng-{at:%Y%m%dT%H%M%SZ}.backup"


async def make(source: Source, path: Path) -> Manifest:
    """Writes the backup there. Raises FileExistsError, BackupFailed, RunsUnreadable or SchemaMismatch; then there is no file."""
    with writing(path) as writer, tempfile.TemporaryDirectory(dir=path.parent, prefix=".huisheng-") as folder:
        copied_at = None
        if source.runs is not None and source.runs.exists():
            copied_at = datetime.now(UTC)
            _add_runs(writer, source.runs, Path(folder) / RUNS)
        async with backups.at_one_instant(source.database_url) as (connection, snapshot):
            taken_at = datetime.now(UTC)
            schema = (await migrations.require_version(connection)).applied
            with dumped(source.database_url, snapshot) as dump:
                writer.add(DATABASE, dump, packed=True)
            manifest = await _manifest(connection, writer, taken_at, schema, source.keys)
            if source.runs is not None and copied_at is not None:
                server = runs.written_by(source.runs.parent)
                manifest = replace(manifest, runs_copied_at=copied_at, runs_version=server)
            manifest = manifest.sealed_with(source.keys)
        writer.finish(manifest)
        return manifest


def _add_runs(writer: Writer, store: Path, copied: Path) -> None:
    runs.copy(store, copied)
    with copied.open("rb") as file:
        writer.add(RUNS, file)
    copied.unlink()


async def _manifest(
    connection: Connection, writer: Writer, taken_at: datetime, schema: tuple[str, ...], keys: KeyRing
) -> Manifest:
    found = await backups.samples(connection)
    return Manifest(
        format=FORMAT,
        id=uuid4(),
        program=version("huisheng"),
        taken_at=taken_at,
        schema=schema,
        counts=await backups.counts(connection),
        keys=tuple(await backups.keys_in_use(connection)),
        ring=(keys.first, *keys.others),
        samples=tuple(Sample(each.place, each.value.hex()) for each in found),
        parts=dict(writer.parts),
        compatible_from=await migrations.oldest_program(connection),
    )
