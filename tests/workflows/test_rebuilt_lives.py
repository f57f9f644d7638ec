"""Random lives, each looked at after every step: were its run lost now, another would go on with the same.

The short form lives some lives. The long form: `RANDOM_LIVES=1000 pytest tests/workflows/test_rebuilt_lives.py`; a fault names
the seed of its walk and the last steps, `RANDOM_SEED=<seed>` walks that one alone.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from domain.request import Event, Snapshot
from tests.conftest import FreshDatabase
from tests.lost_runs import carried_by, differences, lose, rebuilt_of
from tests.skipping import a_skipping_server
from tests.town import Request, Town
from tests.town_hall import a_town
from tests.walks import Walk

LIVES = int(os.environ.get("RANDOM_LIVES", "10"))
NEIGHBOURS = 5
STEPS = 12
SEED = os.environ.get("RANDOM_SEED")
SEEDS = [int(SEED)] if SEED else list(range(501, 501 + max(1, LIVES // NEIGHBOURS)))


@pytest.fixture(scope="module")
async def random_town(fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    async with a_skipping_server() as environment, a_town(environment, fresh_database()) as town:
        yield town


@dataclass
class WatchedWalk(Walk):
    """Compares each run with what the read model knows of it, after whatever happens to it."""

    compared: int = 0
    lost: int = 0

    async def step(self) -> None:
        if self.chance.happens(0.1):
            await self.lose(self.chance.one(self.requests))
        await super().step()

    async def lose(self, request: Request) -> None:
        """Its run is gone, and another goes on where it stood; nothing of it can be seen."""
        await self.settle_all()
        before, events = await request.snapshot(), await request.events()
        # The test server keeps count of the children of a run, and miscounts when their parent is another.
        if before.co_handlers or await request.is_over():
            return
        self.note(request, before, "its run is lost")
        await lose(request)
        await self.settle_all()
        assert (await request.snapshot(), await request.events()) == (before, events)
        self.lost += 1

    async def look_at(self, request: Request, before: Snapshot) -> list[Event]:
        since = await super().look_at(request, before)
        if await request.is_running():
            await self.settle(request)
            carried = await carried_by(request)
            if not carried.waiting:
                assert [*differences(carried, await rebuilt_of(request))] == [], request.reference
                self.compared += 1
        return since


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_run_lost_at_any_moment_is_rebuilt_as_it_stood(random_town: Town, seed: int) -> None:
    walk = WatchedWalk(random_town, seed)
    try:
        await walk.go(NEIGHBOURS, STEPS)
    finally:
        await walk.put_away()
    assert walk.compared > NEIGHBOURS
    assert walk.lost > 0
