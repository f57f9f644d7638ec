"""The file of a backup: a ZIP archive with its list of contents last, whole or not there at all, for its owner's eyes only."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backup.manifest import BackupUnusable, Manifest, Part, read_manifest

MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_LONGEST_LIST = 16 << 20


class Writer:
    """Takes the parts one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts: dict[str, Part] = {}

    def add(self, name: str, source: IO[bytes], *, packed: bool = False) -> None:
        """Everything from the source; `packed` where it is small already."""
        digest, length = hashlib.sha256(), 0
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        with self._archive.open(entry, "w", force_zip64=True) as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                length += len(chunk)
                target.write(chunk)
        self.parts[name] = Part(length, digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        self._archive.writestr(MANIFEST, manifest.written())


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """The file is there, on the disk, when this is left without an error, and not otherwise. Raises FileExistsError."""
    if path.exists():
        raise FileExistsError(17, "There is a file of that name", str(path))
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with open(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w") as archive:
                yield Writer(archive)
            file.flush()
            os.fsync(file.fileno())
        _give_name(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    _keep_name(path.parent)


def _give_name(unfinished: Path, path: Path) -> None:
    """Never over a file that has come meanwhile, where the disk can tell."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links
        unfinished.rename(path)


def _keep_name(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _damage(sentence: str) -> Iterator[None]:
    """Raises BackupUnusable with that sentence, whatever happens: a damaged file makes zipfile raise errors of a dozen kinds."""
    try:
        yield
    except Exception as error:
        raise BackupUnusable(sentence) from error


class Reader:
    """A backup that was opened. Raises BackupUnusable."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        sentence = "The file is no backup of this program, or not a whole one."
        with _damage(sentence), archive.open(MANIFEST) as source:
            listed = source.read(_LONGEST_LIST)
        self.manifest = read_manifest(listed)

    def require_whole(self) -> None:
        """Raises BackupUnusable where a part is missing or not as it was written."""
        for name, part in self.manifest.parts.items():
            damaged = f"{name} in the backup is damaged: it is not as it was written. Take another backup. Nothing was touched."
            with _damage(damaged):
                found = self._found(name)
            if found != part:
                raise BackupUnusable(damaged)

    def _found(self, name: str) -> Part:
        digest, length = hashlib.sha256(), 0
        with self.part(name) as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                length += len(chunk)
        return Part(length, digest.hexdigest())

    def part(self, name: str) -> IO[bytes]:
        return self._archive.open(name)

    def extract(self, name: str, target: Path) -> None:
        """On the disk when this returns, for its owner only."""
        with (
            self.part(name) as source,
            open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        ):
            while chunk := source.read(_CHUNK):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Raises BackupUnusable."""
    with path.open("rb") as file:
        with _damage(f"{path} is no backup of this program, or not a whole one."):
            archive = zipfile.ZipFile(file)
        with archive:
            yield Reader(archive)
