"""The errand of every worker that chains the looks at personal data, within a second of each.

The log gets the end of the chain now and then: kept where nobody can change the database, it proves later that the chain
was not written anew as a whole and that its end was not cut off.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from db import audit
from db.pool import Pool
from domain.audit import Head

logger = structlog.get_logger(__name__)

EVERY = timedelta(milliseconds=500)
TELL_EVERY = timedelta(minutes=10)


async def chain_looks(pool: Pool, *, every: timedelta = EVERY, tell_every: timedelta = TELL_EVERY) -> None:
    """Goes on until it is cancelled; a database that is away is tried again the next time."""
    told_at: float | None = None
    while True:
        try:
            while links := await audit.chain(pool):
                clock = asyncio.get_running_loop().time()
                if told_at is None or clock - told_at >= tell_every.total_seconds():
                    told_at = clock
                    logger.info("looks_chained", head=str(Head(links[-1].position, links[-1].hash)))
        except Exception as error:
            logger.warning("looks_not_chained", error=type(error).__qualname__)
        await asyncio.sleep(every.total_seconds())
