"""Putting a backup back: everything is checked first, the database comes in one transaction, Temporal's store after it.

Stopped at any moment, what stands is the city of before, or the one of the backup: with its runs, or with none, and then a worker
puts them together from the database.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from backup import runs
from backup.archive import Reader, reading
from backup.dump import load
from backup.manifest import DATABASE, RUNS, Manifest
from db import backups, migrations
from db.backups import Demand, ToBeErased
from db.pool import Connection
from db.sealing import KeyRing
from domain.errors import HuishengError

_NAMED = 3
_NAMES = {"worker": "a worker", "relay": "a worker", "huisheng-api": "the API", "huisheng-figures": "the API"}


class RestoreRefused(HuishengError):
    """It would destroy something, or somebody works there. Nothing was touched."""

    code = "restore_refused"


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes: the database, and on one machine the folder that Temporal works in. `replace`: what is there may go."""

    database_url: str
    keys: KeyRing
    replace: bool = False
    erased: Sequence[str] = ()  # references whose erasure is to be repeated
    runs_home: Path | None = None
    runs_version: str = ""  # of the server that will work there


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what was demanded to be erased after the backup: of the database that was replaced, or by `Target.erased`."""

    manifest: Manifest
    to_be_erased: ToBeErased
    asked_before: bool  # whether there was a database to ask for them
    with_runs: bool


def check(path: Path, keys: KeyRing) -> Manifest:
    """Raises BackupUnusable where this program, with these keys, cannot put it back."""
    with reading(path) as reader:
        _require_usable(reader, keys)
        return reader.manifest


async def restore(path: Path, target: Target) -> Restored:
    """Raises BackupUnusable, RestoreRefused or BackupFailed; then the city of before stands as it was."""
    with reading(path) as reader:
        _require_usable(reader, target.keys)
        manifest = reader.manifest
        was_city, demands = await _look(target, manifest)
        prepared = _prepare_runs(reader, target)
        now = datetime.now(UTC)
        with reader.part(DATABASE) as dump:
            load(
                target.database_url, dump, backups.script_before(), backups.script_after(demands, target.erased, now),
                _variables(manifest, now),
            )  # fmt: skip
        if prepared is not None and target.runs_home is not None:
            runs.put_in_place(prepared, target.runs_home)
        await _note(target, manifest, with_runs=prepared is not None)
        migrations.migrate(target.database_url)
        demanded = [*(each.reference for each in demands), *target.erased]
        return Restored(manifest, await _to_be_erased(target, demanded), was_city, prepared is not None)


def _require_usable(reader: Reader, keys: KeyRing) -> None:
    reader.manifest.require_known()
    reader.manifest.require_keys(keys)
    reader.require_whole()


async def _look(target: Target, manifest: Manifest) -> tuple[bool, list[Demand]]:
    """Whether a city lives there, and what was demanded of it since the backup. Raises RestoreRefused."""
    connection = await asyncpg.connect(target.database_url, timeout=30)
    try:
        await _require_rest(connection)
        await _require_no_strangers(connection)
        is_city = await backups.is_city(connection)
        if not target.replace and (is_city or await backups.is_furnished(connection)):
            raise RestoreRefused(
                f"There are {'requests' if is_city else 'accounts of staff or policies'} in this database. With --replace all that "
                "is in it is deleted, and what is in the backup comes in its place: take a backup of it before."
            )
        return is_city, await backups.demands_since(connection, manifest.taken_at) if is_city else []
    finally:
        await connection.close()


async def _require_rest(connection: Connection) -> None:
    working = sorted({_NAMES[name] for name in await backups.others(connection)})
    if working:
        raise RestoreRefused(f"At work on this database just now: {' and '.join(working)}. Stop that first.")


async def _require_no_strangers(connection: Connection) -> None:
    strangers = await backups.strangers(connection)
    if strangers:
        more = f" and {len(strangers) - _NAMED:,} more" if len(strangers) > _NAMED else ""
        raise RestoreRefused(
            f"In this database stand tables, views or functions that are not ours ({', '.join(strangers[:_NAMED])}{more}), and a "
            "restore would delete them. Is the address right? Name a database where nobody else keeps anything. Nothing was touched."
        )


def _prepare_runs(reader: Reader, target: Target) -> Path | None:
    """Temporal's store beside its place, on the disk."""
    manifest = reader.manifest
    if target.runs_home is None or RUNS not in manifest.parts or not _is_readable(manifest, target):
        return None
    prepared = target.runs_home.with_name(runs.RESTORED)
    shutil.rmtree(prepared, ignore_errors=True)
    prepared.mkdir(parents=True, mode=0o700)
    reader.extract(RUNS, prepared / RUNS)
    (prepared / runs.VERSION).write_text(manifest.runs_version)
    return prepared


def _is_readable(manifest: Manifest, target: Target) -> bool:
    """No server reads what another version wrote, and no worker what was sealed with a key that is gone: then all runs come from
    the database, which can do without both."""
    held = {target.keys.first, *target.keys.others}
    return manifest.runs_version == target.runs_version and held >= {*manifest.ring}


def _variables(manifest: Manifest, now: datetime) -> dict[str, str]:
    counted = {name: str(manifest.counts[name]) for name in ("requests", "events", "texts", "attachments")}
    return {
        **counted,
        "id": str(manifest.id),
        "restored_at": now.isoformat(),
        "taken_at": manifest.taken_at.isoformat(),
    }


async def _to_be_erased(target: Target, references: Sequence[str]) -> ToBeErased:
    connection = await asyncpg.connect(target.database_url, timeout=30)
    try:
        return await backups.to_be_erased(connection, references)
    finally:
        await connection.close()


async def distrust_runs(database_url: str, now: datetime) -> None:
    """After the database alone was brought to an earlier instant. Raises RestoreRefused while somebody works on it, for what a run
    has recorded beyond a gap is no more to be mended."""
    connection = await asyncpg.connect(database_url, timeout=30)
    try:
        await migrations.require_version(connection)
        await _require_rest(connection)
        await backups.note_recovery(connection, now)
    finally:
        await connection.close()


async def _note(target: Target, manifest: Manifest, *, with_runs: bool) -> None:
    """Before this, no run of before may go on: should it never come, all come from the database."""
    if not with_runs or manifest.runs_copied_at is None:
        return
    connection = await asyncpg.connect(target.database_url, timeout=30)
    try:
        await backups.note_runs_restored(connection, manifest.id, manifest.runs_copied_at)
    finally:
        await connection.close()
