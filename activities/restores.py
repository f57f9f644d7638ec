"""What a worker asks the database after a restore: are there runs of before that may not go on, and which."""

from __future__ import annotations

from datetime import datetime

from db import backups
from db.backups import Restore as Restore
from db.pool import Database


class Restores:
    """Asks and notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self) -> Restore | None:
        """The latest restore after which no worker has ended the runs of before."""
        return await backups.waiting_restore(self._database)

    async def touched_since(self, since: datetime) -> set[str]:
        """References of the requests to which something has happened since then."""
        return await backups.touched_since(self._database, since)

    async def note_done(self, at: datetime) -> None:
        await backups.note_runs_ended(self._database, at)
