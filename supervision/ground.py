"""The folder that holds everything a running system keeps (`var/`): what lies where, who may read it, who holds it."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervision.errors import AlreadyRunning, DiskFull, GroundUnusable

# Below this PostgreSQL's write-ahead log alone may find no room during a busy hour.
ROOM_NEEDED_BYTES = 200 * 1024 * 1024
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Ground:
    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def temporal(self) -> Path:
        return self.root / "temporal"

    @property
    def temporal_set_aside(self) -> list[Path]:
        """What versions of Temporal's server have left that this one cannot read (supervision/temporal.py)."""
        return sorted(self.root.glob("temporal.[0-9]*"))

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def run(self) -> Path:
        """Files that mean something only while the system runs."""
        return self.root / "run"

    @property
    def lock(self) -> Path:
        return self.root / "up.lock"

    @property
    def pid(self) -> Path:
        return self.root / "up.pid"

    @property
    def demonstration(self) -> Path:
        return self.root / "demo.json"

    def prepare(self, room_needed_bytes: int = ROOM_NEEDED_BYTES) -> None:
        """Makes the folders; DiskFull or GroundUnusable when they cannot be used."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (self.logs, self.secrets):
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
            self.run.mkdir(exist_ok=True)
        except PermissionError as error:
            raise GroundUnusable(
                f"{error.filename} cannot be written by this account. Start it as the account that owns the folder, or "
                f"choose another folder with --var DIRECTORY."
            ) from error
        except FileExistsError as error:
            raise GroundUnusable(
                f"{error.filename} is a file, and a folder is needed. Choose another with --var."
            ) from error
        free = shutil.disk_usage(self.root).free
        if free < room_needed_bytes:
            raise DiskFull(
                f"The disk that holds {self.root} has {free // 2**20} MB left, and {room_needed_bytes // 2**20} MB are "
                f"needed. Make room, or choose a folder on another disk with --var DIRECTORY."
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder for this process; AlreadyRunning when another one does. The kernel lets go of it when we die."""
        with self.lock.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunning(
                    f"The system is already running on {self.root}{_by(self.holder())}. Stop it with `huisheng down`, or "
                    f"start a second one on a folder and ports of its own (--var, --api-port and so on)."
                ) from error
            self.pid.write_text(f"{os.getpid()}\n")
            try:
                yield
            finally:
                self.pid.unlink(missing_ok=True)

    def is_held(self) -> bool:
        if not self.lock.exists():
            return False
        with self.lock.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def holder(self) -> int | None:
        """The process that holds the folder, if it has said so."""
        try:
            return int(self.pid.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def clear(self) -> None:
        """Deletes what we put there, and nothing else: the folder may have been chosen by mistake."""
        for folder in (self.postgres, self.temporal, *self.temporal_set_aside, self.logs, self.run, self.secrets):
            shutil.rmtree(folder, ignore_errors=False) if folder.is_dir() else None
        for file in (self.demonstration, self.pid, self.lock):
            file.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Replaces the file as a whole, readable by its owner only, and on the disk when this returns."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def full_disk_sentence(root: Path) -> str:
    return (
        f"The disk that holds {root} is full. Nothing that was confirmed is lost. Make room, and start again with "
        f"`make up`."
    )


def _by(holder: int | None) -> str:
    return f" (process {holder})" if holder else ""
