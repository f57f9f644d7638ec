"""PostgreSQL's own tools, which come with the environment: the database as one stream, out of it and back, all or nothing."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO
from urllib.parse import parse_qsl, unquote, urlsplit

from backup.manifest import BackupUnusable
from domain.errors import HuishengError
from supervision.binaries import postgres_binaries

LEFT_OUT = ("sessions", "throttles", "one_time_codes")
"""Tables whose rows stay behind: who was signed in, and what was good for minutes. A session that was ended must not come back."""

_CHUNK = 1 << 16
_OF_NEWER_SERVERS = b"SET transaction_timeout = 0;\n"
"""A line of pg_restore that servers before 17 do not understand."""

_VARIABLES = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


class BackupFailed(HuishengError):
    """PostgreSQL's tools did not do it; the message ends with what they said."""

    code = "backup_failed"


def environment(database_url: str) -> dict[str, str]:
    """The address by the environment: arguments, with the password, are for every user of the machine to see."""
    parts = urlsplit(database_url)
    told = {
        "PGHOST": parts.hostname or "localhost",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        "PGAPPNAME": "huisheng-backup",
        "LC_ALL": "C",
    }
    told |= {_VARIABLES[name]: value for name, value in parse_qsl(parts.query) if name in _VARIABLES}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**inherited, **{name: value for name, value in told.items() if value}}


@contextmanager
def dumped(database_url: str, snapshot: str) -> Iterator[IO[bytes]]:
    """The database as it stands in that snapshot, packed. Raises BackupFailed."""
    command = [
        _tool("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", "--no-password",
        *(f"--exclude-table-data=public.{table}" for table in LEFT_OUT),
    ]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment(database_url), stdout=subprocess.PIPE, stderr=said)
        assert process.stdout is not None
        try:
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        finally:
            process.stdout.close()
            process.wait()
        if process.returncode:
            raise BackupFailed(f"The database could not be read. pg_dump said: {_last_line(said)}")


def load(database_url: str, dump: IO[bytes], before: bytes, after: bytes, variables: Mapping[str, str]) -> None:
    """Runs the script `before`, the dump and the script `after` in one transaction. Raises BackupFailed; then nothing has changed.

    Whoever is killed in the middle leaves a session without its end, and PostgreSQL takes back all of it.
    """
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        psql = subprocess.Popen(
            [_tool("psql"), "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
             *(f"--set={name}={value}" for name, value in variables.items())],
            env=environment(database_url), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
        )  # fmt: skip
        restore = subprocess.Popen(
            [_tool("pg_restore"), "--format=custom", "--no-owner", "--no-privileges", "--file=-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told,
        )  # fmt: skip
        try:
            _pump(psql, restore, dump, (b"begin;\n" + before, after + b"\n\\echo done\n"))
        finally:
            for process in (restore, psql):
                _end(process)
        if restore.returncode:
            raise BackupFailed(
                f"The backup could not be read; nothing was changed. pg_restore said: {_last_line(told)}"
            )
        if psql.returncode:
            raise BackupFailed(f"The database did not take it; nothing was changed. psql said: {_last_line(said)}")


def _pump(
    psql: subprocess.Popen[bytes], restore: subprocess.Popen[bytes], dump: IO[bytes], scripts: tuple[bytes, bytes]
) -> None:
    """Without its last word, which makes it count, psql takes everything back."""
    assert psql.stdin is not None
    assert restore.stdout is not None
    before, after = scripts
    feeding = threading.Thread(target=_feed, args=(dump, restore))
    feeding.start()
    try:
        psql.stdin.write(before)
        first = True
        while chunk := restore.stdout.read(_CHUNK):
            psql.stdin.write(chunk.replace(_OF_NEWER_SERVERS, b"") if first else chunk)
            first = False
        if restore.wait() == 0:
            psql.stdin.write(after)
            psql.stdin.flush()
            # It counts only when all of it has been done and we are still there.
            if psql.stdout is not None and psql.stdout.readline():
                psql.stdin.write(b"commit;\n")
            psql.stdin.close()
            psql.wait()
    except BrokenPipeError:
        psql.wait()  # it has said why
    finally:
        if restore.poll() is None:
            restore.kill()
        feeding.join()


def _feed(dump: IO[bytes], restore: subprocess.Popen[bytes]) -> None:
    assert restore.stdin is not None
    try:
        while chunk := dump.read(_CHUNK):
            restore.stdin.write(chunk)
        restore.stdin.close()
    except (BrokenPipeError, OSError):
        restore.kill()


def _end(process: subprocess.Popen[bytes]) -> None:
    """One whose input ends without the last word takes everything back."""
    if process.poll() is None:
        process.kill()
    process.wait()
    for pipe in filter(None, (process.stdin, process.stdout)):
        with suppress(BrokenPipeError):
            pipe.close()


def _tool(name: str) -> str:
    program = postgres_binaries() / name
    if not program.is_file():
        raise BackupUnusable(f"The program {name} is missing from this environment. Install the environment again.")
    return str(program)


def _last_line(said: IO[bytes]) -> str:
    """Without the details, which may hold anything."""
    said.seek(0)
    lines = [line for line in said.read().decode(errors="replace").splitlines() if ": " in line]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["nothing"])[0].strip()
