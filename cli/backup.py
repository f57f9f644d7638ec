"""`huisheng backup` and `huisheng restore`: a whole city in one file, of one machine or of real servers."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from backup import restoring
from backup.making import Source, make, name_at
from backup.manifest import Manifest
from backup.restoring import Restored, Target
from cli.database import plainly
from cli.up import var_option
from db.sealing import KeyRing
from domain.references import parse_reference
from settings import Settings
from supervision.credentials import credentials
from supervision.errors import SupervisionError
from supervision.ground import NO_ROOM, Ground, full_disk_sentence
from supervision.supervisor import Supervisor
from supervision.system import Ports, System, settings_file
from supervision.temporal import TemporalServer

_REFERENCE = re.compile(r"\b\d{4}-\d{4}-\d{5}\b")


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE|DIRECTORY")
@var_option
def backup(path: Path, var: Path) -> None:
    """Take a backup while the system runs, into FILE, or into a new file in DIRECTORY.

    On one machine PostgreSQL and Temporal together; with DATABASE_URL set, that database alone, from which all runs can be put
    together again. The keys are not in it: keep them elsewhere.
    """
    ground = _ground(var)
    file = path / name_at(datetime.now(UTC)) if path.is_dir() else path
    if file.exists():
        raise click.ClickException(f"There is a file {file} already. Name another one, or a folder.")
    with _failures(ground, file):
        if ground is None:
            settings = Settings.from_environment()
            source = Source(settings.database_url, KeyRing.from_text(settings.keys))
            manifest = asyncio.run(make(source, file))
        else:
            manifest = _back_up_machine(ground, file)
    click.echo(_made(file, manifest))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@var_option
@click.option("--replace", is_flag=True, help="Delete all that is there.")
@click.option(
    "--erasures", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True,
    help="A file with references of requests that were erased after the backup: a list, or a log of the API.",
)  # fmt: skip
@click.option("--check", "only_check", is_flag=True, help="Only say whether it can be put back.")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
def restore(file: Path, var: Path, replace: bool, erasures: tuple[Path, ...], only_check: bool, yes: bool) -> None:
    """Put the backup FILE back: on this machine, stopped, or with DATABASE_URL set into that database.

    All of it or nothing. Everything is checked before anything is touched. A database in which there are requests, staff or
    policies is kept unless you say --replace; one with tables that are not ours always is.
    """
    ground = _ground(var)
    references = sorted({reference for each in erasures for reference in _references(each)})
    with _failures(ground, file):
        if only_check:
            click.echo(_in_words(restoring.check(file, _keys(ground))))
            return
        if replace and not yes:
            click.confirm("All that is there now will be gone. Go on?", abort=True)
        if ground is None:
            settings = Settings.from_environment()
            target = Target(settings.database_url, KeyRing.from_text(settings.keys), replace, references)
            restored = asyncio.run(restoring.restore(file, target))
        else:
            restored = _restore_machine(ground, file, replace, references)
    click.echo(_done(restored, references, ground))


def _ground(var: Path) -> Ground | None:
    """The folder of the system on this machine; None where DATABASE_URL leads elsewhere."""
    return None if "DATABASE_URL" in os.environ else Ground(var.resolve())


def _keys(ground: Ground | None) -> KeyRing:
    if ground is None:
        return KeyRing.from_text(Settings.from_environment().keys)
    file = ground.secrets / "keys"
    if not file.exists():
        raise click.ClickException(f"The keys are missing. Bring them back into {file} from where you keep them.")
    return KeyRing.from_text(file.read_text().strip())


def _back_up_machine(ground: Ground, file: Path) -> Manifest:
    if not settings_file(ground).exists():
        raise click.ClickException(
            f"There is no system in {ground.root}. Name its folder with --var, or the database with DATABASE_URL."
        )
    store = ground.temporal / "temporal.db"
    if ground.is_held():
        settings = Settings.from_environment(_written_settings(ground))
        return asyncio.run(make(Source(settings.database_url, KeyRing.from_text(settings.keys), store), file))
    with _database_alone(ground) as (url, keys):
        return asyncio.run(make(Source(url, keys, store), file))


def _restore_machine(ground: Ground, file: Path, replace: bool, references: list[str]) -> Restored:
    # Before anything is made in the folder: without the keys of the backup there is nothing to be made.
    restoring.check(file, _keys(ground))
    server = TemporalServer(ground.temporal, 0).version()
    with _database_alone(ground) as (url, keys):
        target = Target(url, keys, replace, references, ground.temporal, server)
        return asyncio.run(restoring.restore(file, target))


@contextmanager
def _database_alone(ground: Ground) -> Iterator[tuple[str, KeyRing]]:
    """PostgreSQL of the system that is stopped, for as long as this lasts, on a port that nobody else uses."""
    ground.prepare()
    with ground.held(), socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        system = System(ground, Ports(postgres=port), credentials(ground), Path())
        supervisor = Supervisor(ground, system.environment(), _Silent())
        with supervisor.listening_to_signals():
            try:
                supervisor.bring_up(system.sequence(["postgres"]))
                yield system.database.url(), KeyRing.from_text(system.credentials.keys)
            finally:
                supervisor.stop_all()


class _Silent:
    """Nobody needs to know of it."""

    def begins(self, title: str) -> None: ...
    def ready(self, title: str, seconds: float) -> None: ...
    def stops(self, title: str) -> None: ...


def _written_settings(ground: Ground) -> dict[str, str]:
    lines = settings_file(ground).read_text().splitlines()
    return dict(shlex.split(line)[0].split("=", 1) for line in lines if line)


def _references(file: Path) -> Iterator[str]:
    """All that stand in it, whatever else does."""
    for line in file.read_text(errors="replace").splitlines():
        if "{" not in line or "erasure_demanded" in line:
            yield from filter(None, map(parse_reference, _REFERENCE.findall(line)))


def _made(file: Path, manifest: Manifest) -> str:
    return (
        f"{file}: {_in_words(manifest)}\n"
        f"The keys ({', '.join(manifest.keys) or 'none used yet'}) are not in it: without them nobody can read it. Keep them elsewhere."
    )


def _in_words(manifest: Manifest) -> str:
    counts = manifest.counts
    runs = "with Temporal's store" if manifest.runs_copied_at else "runs come from the database"
    return f"{counts['requests']:,} requests, {counts['open']:,} of them open, as of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC; {runs}."


def _done(restored: Restored, references: list[str], ground: Ground | None) -> str:
    lines = [f"Restored: {_in_words(restored.manifest)}"]
    if restored.manifest.runs_copied_at and not restored.with_runs:
        lines.append("Temporal's store was not used; the runs come from the database.")
    lines.append(_of_erasures(restored, references))
    lines.append(
        "What was signed in is signed out. Staff whose accounts were closed since then are open again: `huisheng staff list`."
    )
    start = "`make up`" if ground is not None else "the workers, then the API"
    lines.append(
        f"Start {start}. The first worker brings the runs back; `huisheng runs check` says whether all are there."
    )
    return "\n".join(lines)


def _of_erasures(restored: Restored, references: list[str]) -> str:
    since = f"{restored.manifest.taken_at:%Y-%m-%d %H:%M} UTC"
    due, waiting, unknown = restored.to_be_erased
    if due or waiting or unknown:
        kinds = (
            (due, "carried out within an hour after the start"),
            (waiting, "carried out when the request is over"),
            (unknown, "for a request that the backup does not hold"),
        )
        told = "; ".join(f"{number:,} {words}" for number, words in kinds if number)
        return f"Demands of erasure since {since}: {told}."
    if restored.asked_before or references:
        return f"Demands of erasure since {since}: none that is still to be carried out."
    return (
        f"Demands of erasure since {since}: none known, for there was no database to ask. Search the API's log for "
        "erasure_demanded, and your letters; then `huisheng erase`, or restore again with --erasures LOG."
    )


@contextmanager
def _failures(ground: Ground | None, file: Path) -> Iterator[None]:
    """One plain sentence each."""
    with plainly():
        try:
            yield
        except FileExistsError as error:
            raise click.ClickException(f"There is a file {error.filename} already. Name another one.") from error
        except SupervisionError as error:
            raise click.ClickException(str(error)) from error
        except PermissionError as error:
            raise click.ClickException(f"{error.filename} cannot be read or written by this account.") from error
        except FileNotFoundError as error:
            raise click.ClickException(f"{error.filename} is not there.") from error
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise click.ClickException(full_disk_sentence(ground.root if ground else file.parent)) from error
