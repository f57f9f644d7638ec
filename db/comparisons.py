"""What the comparisons of new models with the one in force found, each kept once, and who may train at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg

from db import models
from db.models import Because, By, Origin
from db.pool import Database, Pool, transaction
from db.statements import load

_QUERIES = load("comparisons")

# Any number will do that nothing else on this database locks.
_LOCK = 0x4875_6973_6C72_6E67


class Outcome(StrEnum):
    """What came of a retraining."""

    ACTIVATED = "activated"  # no worse: the new model decides
    REFUSED = "refused"  # worse somewhere: the old one goes on deciding
    TOO_FEW = "too_few"  # too few decisions to learn from, or to compare on
    OVERTAKEN = "overtaken"  # somebody put another model into force meanwhile


@dataclass(frozen=True, slots=True)
class Comparison:
    """`figures` are counts, shares and codes; `candidate` is None where none was trained, `active` where words decided."""

    id: int
    compared_at: datetime
    outcome: Outcome
    candidate: str | None
    active: str | None
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """A new model as it is to be kept."""

    version: str
    content: bytes
    facts: Mapping[str, Any]


async def of_run(database: Database, run: str) -> Comparison | None:
    """What that run of the workflow has stored already."""
    row = await _QUERIES["of_run"].row(database, run=run)
    return _comparison(row) if row else None


async def latest(database: Database, most: int) -> list[Comparison]:
    """The latest first."""
    return [_comparison(row) for row in await _QUERIES["latest"].rows(database, most=most)]


async def store(
    pool: Pool,
    run: str,
    candidate: Candidate | None,
    compared_with: models.Activation | None,
    outcome: Outcome,
    figures: Mapping[str, Any],
    now: datetime,
) -> Comparison:
    """Keeps the comparison with its model, which comes into force where the outcome says so: all of it or nothing.

    Where another activation than `compared_with` is the latest by now, the model was compared with the wrong one: it stays
    out of force. A run that has stored its comparison finds that one.
    """
    async with transaction(pool) as connection:
        if candidate is not None:
            await models.keep(connection, candidate.version, candidate.content, candidate.facts, now)
        active = compared_with.version if compared_with else None
        comparison: int | None = await _QUERIES["keep"].value(
            connection,
            run=run,
            compared_at=now,
            outcome=outcome,
            candidate=candidate.version if candidate else None,
            active=active,
            figures=figures,
        )
        if comparison is not None and candidate is not None and outcome is Outcome.ACTIVATED:
            origin = Origin(Because.NO_WORSE, By.RETRAINING, comparison=comparison)
            expected = compared_with.id if compared_with else None
            if not await models.activate_unless_overtaken(connection, candidate.version, expected, now, origin):
                await _QUERIES["overtaken"].run(connection, id=comparison)
        await models.forget_refused(connection, now)
    stored = await of_run(pool, run)
    assert stored is not None
    return stored


@asynccontextmanager
async def only_one(pool: Pool) -> AsyncIterator[bool]:
    """Whether nobody else trains, on any machine; while the body runs, nobody else will.

    It takes a connection of the pool for as long: should this program die, the database lets go of the lock with it.
    """
    async with pool.acquire() as connection:
        got = bool(await _QUERIES["try_lock"].value(connection, key=_LOCK))
        try:
            yield got
        finally:
            if got:
                await _QUERIES["unlock"].value(connection, key=_LOCK)


def _comparison(row: asyncpg.Record) -> Comparison:
    return Comparison(**{**row, "outcome": Outcome(row["outcome"])})
