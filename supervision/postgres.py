"""The embedded PostgreSQL: how its data folder is made, how it is started, and what its log may hold."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psutil

from supervision.binaries import postgres_binaries
from supervision.errors import GroundUnusable, PartFailed
from supervision.identity import Identity, identity_for
from supervision.processes import Ending, wait_gone

# SIGINT is PostgreSQL's "fast shutdown": sessions are cut, everything committed is on disk.
ENDING = Ending(signal.SIGINT, grace_seconds=30)

SETTINGS = {
    # Only this machine, only by password; no socket file, whose path may be at most 107 bytes long.
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    # A small box shared with three other programs. Durability (fsync, synchronous_commit) stays as it is: a
    # citizen who got a reference has it for good.
    "shared_buffers": "128MB",
    "max_connections": "80",
    "io_method": "sync",
    "jit": "off",
    "random_page_cost": "1.1",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    # Statements, parameters and the details of a violated constraint hold personal data; the log must not.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True)
class PostgresServer:
    """One server with its data under `home`; `password` is that of `user` and is fixed when the data folder is made."""

    home: Path
    port: int
    password: str = field(repr=False)
    user: str = "huisheng"
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.home / "data"

    def url(self, database: str = "huisheng") -> str:
        return f"postgresql://{self.user}:{quote(self.password)}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    @cached_property
    def identity(self) -> Identity:
        self.home.mkdir(parents=True, exist_ok=True)
        return identity_for(postgres_binaries() / "postgres", self.home)

    def command(self) -> list[str]:
        settings = {**SETTINGS, **self.settings}
        options = [f"--{name}={value}" for name, value in settings.items()]
        program = str(postgres_binaries() / "postgres")
        return [*self.identity.prefix, program, "-D", str(self.data), "-p", str(self.port), *options]

    def prepare(self) -> None:
        """Makes the data folder if there is none, and ends what a killed supervisor may have left running in it."""
        self.identity.take(self.home)
        if not self.data.exists():
            self._make_data_folder()
        self._check_version()
        _end_leftover(self.data)

    def is_ready(self) -> bool:
        """True when it accepts connections; False also while it recovers from a crash."""
        return self._client("pg_isready", "--dbname=postgres", "--timeout=2").returncode == 0

    def make_database(self, name: str = "huisheng", template: str = "template1") -> None:
        """Makes a database as a copy of `template`, unless it is there already."""
        result = self._client("createdb", f"--template={template}", name)
        if result.returncode and "already exists" not in result.stderr:
            raise PartFailed("PostgreSQL", f"did not make the database {name}: {result.stderr.strip()}", None)

    def _make_data_folder(self) -> None:
        # Made under another name and renamed at the end: a start that was killed half-way leaves no half folder
        # under the real name.
        unfinished = self.home / "data.unfinished"
        subprocess.run(["rm", "-rf", str(unfinished)], check=True)  # nosec B607 - rm stands elsewhere on each system
        with tempfile.NamedTemporaryFile("w", dir=self.home, prefix="password.") as password:
            password.write(self.password)
            password.flush()
            self.identity.take(Path(password.name))
            result = subprocess.run(
                [*self.identity.prefix, *self._initdb(unfinished, Path(password.name))],
                capture_output=True, text=True, cwd=self.home, check=False,
            )  # fmt: skip
        if result.returncode:
            raise PartFailed("PostgreSQL", f"could not make its data folder: {_last_line(result.stderr)}", None)
        unfinished.rename(self.data)

    def _initdb(self, folder: Path, password_file: Path) -> list[str]:
        # The builtin locale sorts by code point and knows every script's letters, the same on every machine.
        return [
            str(postgres_binaries() / "initdb"), "-D", str(folder), f"--username={self.user}",
            "--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8",
            "--locale-provider=builtin", "--locale=C.UTF-8",
        ]  # fmt: skip

    def _check_version(self) -> None:
        program = str(postgres_binaries() / "postgres")
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        ours = version.split()[-1].partition(".")[0]
        theirs = (self.data / "PG_VERSION").read_text().strip()
        if ours != theirs:
            raise GroundUnusable(
                f"The data in {self.data} was written by PostgreSQL {theirs}, and this environment brings {ours}. Dump "
                f"it with the old environment and load it with the new one, or start anew with `huisheng reset`."
            )

    def _client(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        server = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": self.user, "PGPASSWORD": self.password}
        return subprocess.run(
            [str(postgres_binaries() / program), *arguments],
            env={**os.environ, **server, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "5"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip


def _end_leftover(data: Path) -> None:
    """Ends a server that still runs in `data`, and removes the lock file of one that does not.

    PostgreSQL takes any living process with the recorded number for itself, even a zombie or a stranger who got the
    number after a reboot, and would refuse to start.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    # Sessions of a server that was killed hold its shared memory until they notice: a second server beside
    # them could damage the data. Each round asks louder.
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        leftovers = _processes_in(data)
        for leftover in leftovers:
            with suppress(psutil.NoSuchProcess):
                # The server itself, or sessions without one; a server tells its own sessions.
                if leftover.parent() not in leftovers:
                    leftover.send_signal(request)
        if not wait_gone(leftovers, seconds=10):
            break
    else:
        raise PartFailed("PostgreSQL", f"from an earlier start still runs in {data} and cannot be ended", None)
    lock.unlink(missing_ok=True)


def _processes_in(data: Path) -> list[psutil.Process]:
    """The living server processes whose data folder this is; every one of them works inside it."""
    program = os.path.realpath(postgres_binaries() / "postgres")
    return [
        process
        for process in psutil.process_iter(["exe", "cwd"])
        if process.info["exe"] == program and process.info["cwd"] == os.path.realpath(data)
    ]


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
