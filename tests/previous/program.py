"""The program of an earlier release, as it stands in the history of the repository."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


class NotInHistory(Exception):
    """The commit cannot be had: no repository, no git, or a copy without its history."""


def unpacked(commit: str, folder: Path) -> Path:
    """Its files, in that folder; as a program that runs from there, it gives its own version. Raises NotInHistory."""
    try:
        archive = subprocess.run(["git", "archive", commit], cwd=PROJECT, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NotInHistory("there is no git here") from error
    if archive.returncode:
        raise NotInHistory(archive.stderr.decode().strip())
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    # What is installed beside it is the program of today, and would be asked which release this is.
    told = folder / "huisheng.dist-info" / "METADATA"
    told.parent.mkdir()
    told.write_text(f"Metadata-Version: 2.1\nName: huisheng\nVersion: {release_of(folder)}\n")
    return folder


def release_of(folder: Path) -> str:
    with (folder / "pyproject.toml").open("rb") as file:
        version: str = tomllib.load(file)["project"]["version"]
    return version


def environment_of(folder: Path) -> dict[str, str]:
    """What leads Python to that program: neither the folder that one stands in nor what is installed comes before it."""
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
