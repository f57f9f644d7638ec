"""Temporal's store on one machine: a file of SQLite, copied while the server writes to it, and put in the place of another."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from domain.errors import HuishengError

VERSION = "version.txt"
"""Beside the store: which server wrote it (supervision/temporal.py)."""
RESTORED = "temporal.restored"
REPLACED = "temporal.replaced"


class RunsUnreadable(HuishengError):
    """The file is not a store that SQLite can read."""

    code = "runs_unreadable"


def copy(store: Path, target: Path) -> None:
    """A copy of one instant, without the write-ahead log; writers go on meanwhile. For its owner's eyes only."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30)) as source,
            closing(sqlite3.connect(target)) as copied,
        ):
            # All pages in one step: in steps, each write of the server would make it begin again.
            source.backup(copied, pages=-1)
            copied.execute("pragma journal_mode = delete")
            (found,) = copied.execute("pragma quick_check").fetchone()
    except sqlite3.Error as error:
        raise RunsUnreadable(f"Temporal's store {store} cannot be copied ({type(error).__name__}).") from error
    if found != "ok":
        raise RunsUnreadable(f"Temporal's store {store} is damaged.")


def written_by(home: Path) -> str:
    """The version of the server that works in that folder; empty where none ever did."""
    file = home / VERSION
    return file.read_text() if file.exists() else ""


def put_in_place(prepared: Path, home: Path) -> None:
    """The folder that was prepared becomes the one that Temporal works in; the one before it is deleted.

    Stopped in the middle, there is no folder, and Temporal begins with an empty store: the runs then come from the database.
    """
    replaced = home.with_name(REPLACED)
    shutil.rmtree(replaced, ignore_errors=True)
    if home.exists():
        home.rename(replaced)
    prepared.rename(home)
    shutil.rmtree(replaced, ignore_errors=True)
