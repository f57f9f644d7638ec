"""Whatever is killed when: what was confirmed is there, every request comes to its end, every notice goes out once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from itertools import cycle, islice

import pytest

from domain.durations import Duration
from domain.policy import Policy, shortened
from tests.city import a_city
from tests.e2e.books import balance, calm, runs_end
from tests.e2e.lives import LIVES, Life, Played, play
from tests.e2e.people import Caller
from tests.e2e.system import LiveSystem

pytestmark = pytest.mark.e2e

SEED = 20261122
REQUESTS = 40
SUBMITTED_WITHIN_SECONDS = 10
BLOWS = ("worker", "postgres", "temporal", "api", "worker", "temporal", "postgres", "api")
SECONDS_PER_WORKING_DAY = 1.5


def a_city_in_a_hurry() -> Policy:
    city = a_city()
    feedback = replace(
        city.feedback,
        remind_after=Duration.parse("4 days"),
        # Longer than any part is away: whoever means to rate must come to it, however often something is killed.
        close_after=Duration.parse("24 days"),
        reopen_window=Duration.parse("25 days"),
    )
    return shortened(replace(city, feedback=feedback), SECONDS_PER_WORKING_DAY)


async def strike(live: LiveSystem, chance: random.Random) -> None:
    """One blow after the other, each at a moment of its own."""
    for name in BLOWS:
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        live.parts[name].kill()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        await live.parts[name].start()


@pytest.mark.slow
async def test_requests_come_to_their_end_while_everything_is_killed(live: LiveSystem, caller: Caller) -> None:
    chance = random.Random(SEED)
    await live.adopt(a_city_in_a_hurry())

    async def later(delay: float, life: Life, description: str) -> Played:
        await asyncio.sleep(delay)
        return await play(caller, life, description)

    async with asyncio.TaskGroup() as group:
        group.create_task(strike(live, chance))
        playing = [
            group.create_task(later(chance.uniform(0, SUBMITTED_WITHIN_SECONDS), life, description))
            for life, description in islice(cycle(LIVES), REQUESTS)
        ]
    played = {task.result().reference: task.result() for task in playing}
    assert caller.broken > 0, "nobody noticed anything: the blows came at the wrong time"
    assert not {status for status in caller.answered if status >= 500} - {503}
    await calm(live, list(played))
    rows = await live.look(
        "select reference, state, outcome from snapshots where reference = any ($1::text[])", list(played)
    )
    ends = {row["reference"]: (row["state"], row["outcome"]) for row in rows}
    assert ends == {reference: one.end for reference, one in played.items()}
    await runs_end(live, [reference for reference, one in played.items() if one.end[1] is None])
    await balance(live, {reference: one.confirmed for reference, one in played.items()})
