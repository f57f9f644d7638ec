"""Where a part's output goes, and what is read back from it."""

from __future__ import annotations

import os
from pathlib import Path

NO_ROOM_WORDS = "No space left on device"


def rotated_log(folder: Path, name: str) -> Path:
    """The part's log for this start; the previous start's is kept beside it as NAME.previous.log."""
    log = folder / f"{name}.log"
    if log.exists():
        log.replace(folder / f"{name}.previous.log")
    # Logs name requests and departments; nobody else on the machine needs to read them.
    os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    return log


def tail(log: Path, size_bytes: int = 4096) -> str:
    """The end of a log that may be long; empty when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - size_bytes))
        return file.read().decode(errors="replace").strip()
