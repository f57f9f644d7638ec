"""What the database need not keep: counters whose window has passed, acts that are history. Done now and then by every worker, in any order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from db import read_model, throttles
from db.pool import Database

logger = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
ACTS_ARE_KEPT = timedelta(days=30)
"""Temporal would have to be away for longer before an act is missed."""


async def keep_house(database: Database, *, every: timedelta = EVERY) -> None:
    """Goes on until it is cancelled; a database that is away is tried again the next time."""
    while True:
        try:
            await throttles.forget_past(database, datetime.now(UTC))
            await read_model.forget_acts(database, datetime.now(UTC) - ACTS_ARE_KEPT)
        except Exception as error:
            logger.warning("housekeeping_failed", error=type(error).__qualname__)
        await asyncio.sleep(every.total_seconds())
