"""What the database need not keep: counters whose window has passed. Done now and then by every worker, in any order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from db import throttles
from db.pool import Database

logger = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)


async def keep_house(database: Database, *, every: timedelta = EVERY) -> None:
    """Goes on until it is cancelled; a database that is away is tried again the next time."""
    while True:
        try:
            await throttles.forget_past(database, datetime.now(UTC))
        except Exception as error:
            logger.warning("housekeeping_failed", error=type(error).__qualname__)
        await asyncio.sleep(every.total_seconds())
