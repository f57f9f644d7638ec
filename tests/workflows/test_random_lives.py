"""Hundreds of lives in which everything happens that may happen or may not: the rules hold after every step.

The short form lives some forty lives. The long form: `RANDOM_LIVES=1000 pytest tests/workflows/test_random_lives.py`.
A fault names the seed of its walk and the last steps; `RANDOM_SEED=<seed>` walks that one alone.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from cli.read_model import Found, Rebuilding
from db import retelling
from tests.conftest import FreshDatabase
from tests.skipping import a_skipping_server
from tests.town import Town
from tests.town_hall import a_town
from tests.walks import Walk

LIVES = int(os.environ.get("RANDOM_LIVES", "40"))
NEIGHBOURS = 5
"""Requests that live at the same time."""
STEPS = 12
SEED = os.environ.get("RANDOM_SEED")
SEEDS = [int(SEED)] if SEED else list(range(1, max(1, LIVES // NEIGHBOURS) + 1))


@pytest.fixture(scope="module")
async def random_town(fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    """A server and a database of their own: the clock runs through decades, and the read model is lost."""
    async with a_skipping_server() as environment, a_town(environment, fresh_database()) as town:
        yield town


Rows = dict[str, list[dict[str, Any]]]


async def rows(town: Town) -> Rows:
    tables = (("snapshots", "request_id"), ("events", "request_id, sequence"))
    return {
        table: [dict(row) for row in await town.pool.fetch(f"select * from {table} order by {order}")]
        for table, order in tables
    }


def different(before: Rows, after: Rows) -> Iterator[str]:
    """What is not as it was, in words."""
    for table, kept in before.items():
        if len(kept) != len(after[table]):
            yield f"{table}: {len(kept)} rows, now {len(after[table])}"
        for one, other in zip(kept, after[table], strict=False):
            yield from (f"{table}.{name}: {one[name]}, now {other[name]}" for name in one if one[name] != other[name])


async def rebuilt(town: Town, *, write: bool) -> Counter[Found]:
    """What `huisheng read-model rebuild`, or its `--check`, finds of the requests of the town."""
    rebuilding = Rebuilding(town.pool, town.environment.client, write, say=print)
    async for kept in retelling.requests(town.pool):
        await rebuilding.look_at(kept)
    return rebuilding.counts


QUICK = 1
"""So many walks belong to the quick tests; the others take too long for them."""
WALKS = [*SEEDS[:QUICK], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[QUICK:])]


@pytest.mark.parametrize("seed", WALKS)
async def test_rules_hold_whatever_people_do(random_town: Town, seed: int) -> None:
    walk = Walk(random_town, seed)
    try:
        await walk.go(NEIGHBOURS, STEPS)
    finally:
        await walk.put_away()
    assert min(walk.accepted, walk.refused) > 0


async def test_read_model_of_random_lives_is_remade_from_their_histories(random_town: Town) -> None:
    before = await rows(random_town)
    assert len(before["snapshots"]) >= NEIGHBOURS
    await random_town.pool.execute("truncate snapshots, events")
    assert await rebuilt(random_town, write=True) == {Found.REBUILT: len(before["snapshots"])}
    assert [*different(before, await rows(random_town))] == []
