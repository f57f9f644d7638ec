"""What the database need not keep: counters whose window has passed, acts that are history, texts of actions that were refused,
names of places in clear, hashes of bodies without a key.

Done now and then by every worker, in any order.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from db import places, read_model, sent_bodies, texts, throttles
from db.pool import Database
from db.sealing import KeyRing

logger = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
ACTS_ARE_KEPT = timedelta(days=30)
"""Temporal would have to be away for longer before an act is missed."""
REFUSED_TEXTS_ARE_KEPT = timedelta(days=1)
"""A worker would have to stand still for longer, in the middle of recording an action, before its text is missed."""
PLAIN_HASHES_ARE_KEPT = timedelta(days=1)
"""During an upgrade a release before still asks by those that it has kept, when a submission is sent again."""


async def keep_house(database: Database, keys: KeyRing, *, every: timedelta = EVERY) -> None:
    """Goes on until it is cancelled; a database that is away is tried again the next time."""
    while True:
        try:
            await throttles.forget_past(database, datetime.now(UTC))
            await read_model.forget_acts(database, datetime.now(UTC) - ACTS_ARE_KEPT)
            await texts.forget_refused(database, datetime.now(UTC) - REFUSED_TEXTS_ARE_KEPT)
            if sealed := await places.seal_clear_places(database, keys):
                logger.info("places_sealed", number=sealed)
            if keyed := await sent_bodies.key_plain_hashes(database, keys, datetime.now(UTC) - PLAIN_HASHES_ARE_KEPT):
                logger.info("bodies_keyed", number=keyed)
        except Exception as error:
            logger.warning("housekeeping_failed", error=type(error).__qualname__)
        await asyncio.sleep(every.total_seconds())
