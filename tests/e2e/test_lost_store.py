"""Temporal's store is lost: everything goes on from the database, and ends as it should."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sys
import time
from itertools import cycle, islice
from typing import Any

import pytest

from tests.e2e.books import calm, messages_were_heard_once, notices_went_out_once, timelines_are_whole
from tests.e2e.lives import LAMP, LIVES, Case, Life, Played
from tests.e2e.people import Caller
from tests.e2e.system import LiveSystem, until
from tests.e2e.test_kill import a_city_in_a_hurry
from workflows.connection import connect

pytestmark = pytest.mark.e2e

SEED = 20261122
REQUESTS = 80
SUBMITTED_WITHIN_SECONDS = 10.0
LOST_AFTER_SECONDS = 8.0


ENDS = {"decline": "declined", "transfer": "transferred"}


class LostCase(Case):
    """Its people may lose the answer to what ended it, together with the run that knows of it: then they see that it is done."""

    async def staff(self, username: str, action: str, **body: Any) -> None:
        answer = await self.caller.get_done(username, self.receipt.reference, action, **body)
        done = answer.status_code == 409 and (await self.caller.standing(self.receipt))["state"] == ENDS.get(action)
        assert done or answer.status_code == 200, (action, answer.text, await self.caller.standing(self.receipt))


async def play(caller: Caller, life: Life, description: str) -> Played:
    case = LostCase(caller, await caller.submit(description))
    end = await life(case)
    await case.reaches(end[0])
    return Played(case.receipt.reference, end, case.confirmed)


async def lose_the_store(live: LiveSystem) -> int:
    """In the middle of everything; how many requests were open whose runs had begun."""
    await asyncio.sleep(LOST_AFTER_SECONDS)

    async def are_many() -> bool:
        return await begun(live) > REQUESTS / 4

    await until(are_many, what="that many requests are open")
    live.worker.kill()
    live.temporal.kill()
    shutil.rmtree(live.system.ground.temporal)
    number = await begun(live)
    await live.temporal.start()
    await live.worker.start()
    return number


async def begun(live: LiveSystem) -> int:
    return int(
        await live.value(
            "select count(*) from snapshots"
            " where state not in ('received', 'closed', 'declined', 'withdrawn', 'transferred')"
        )
    )


@pytest.mark.slow
async def test_requests_come_to_their_end_though_the_store_of_their_runs_is_thrown_away(
    live: LiveSystem, caller: Caller
) -> None:
    chance = random.Random(SEED)
    await live.adopt(a_city_in_a_hurry())

    async def later(delay: float, life: Life, description: str) -> Played:
        await asyncio.sleep(delay)
        return await play(caller, life, description)

    async with asyncio.TaskGroup() as group:
        losing = group.create_task(lose_the_store(live))
        playing = [
            group.create_task(later(chance.uniform(0, SUBMITTED_WITHIN_SECONDS), life, description))
            for life, description in islice(cycle(LIVES), REQUESTS)
        ]
    assert losing.result() > REQUESTS / 5, "hardly any request was open: the store was lost at the wrong time"
    played = {task.result().reference: task.result() for task in playing}
    await calm(live, list(played))
    rows = await live.look(
        "select reference, state, outcome from snapshots where reference = any ($1::text[])", list(played)
    )
    ends = {row["reference"]: (row["state"], row["outcome"]) for row in rows}
    assert ends == {reference: one.end for reference, one in played.items()}
    await timelines_are_whole(live, list(played))
    for reference, one in played.items():
        await messages_were_heard_once(live, reference, one.confirmed)
    await notices_went_out_once(live, list(played))
    rebuilt = live.worker.log.read_text().count('"run_rebuilt"')
    assert rebuilt >= losing.result() / 2


@pytest.mark.slow
async def test_requests_go_on_from_the_database_where_another_temporal_wrote_the_store(
    live: LiveSystem, caller: Caller
) -> None:
    case = Case(caller, await caller.submit(LAMP))
    await case.reaches("assigned")
    await case.staff("housing", "accept")
    await calm(live, [case.receipt.reference])
    assert await live.worker.stop() == 0
    assert await live.temporal.stop() == 0
    (live.system.ground.temporal / "version.txt").write_text("temporal version 1.8.0 (Server 1.31.0, UI 2.50.0)")
    await live.temporal.start()
    assert [folder.name for folder in live.system.ground.temporal_set_aside] == ["temporal.1.8.0"]
    await live.worker.start()
    await runs_agree_with_requests(live)
    await case.citizen("urge")
    await case.staff("housing", "resolve", outcome="solved", reply="Repaired.")
    await case.citizen("rate", solved="yes", satisfied=5)
    await case.reaches("closed")
    await timelines_are_whole(live, [case.receipt.reference])


async def runs_agree_with_requests(live: LiveSystem) -> None:
    async def agrees() -> bool:
        return (await live.run(sys.executable, "-m", "cli.main", "runs", "check"))[0] == 0

    await until(agrees, 180, "that all runs are there")


LOST_AT_ONCE = int(os.environ.get("HUISHENG_LOST_RUNS", "0"))
"""So many for a rehearsal of a loss; how long it takes depends on the machine, and is told."""


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not LOST_AT_ONCE, reason="a rehearsal for its own sake: HUISHENG_LOST_RUNS=5000")
async def test_two_workers_bring_thousands_of_lost_runs_back_without_a_pause(
    live: LiveSystem, caller: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    room = asyncio.Semaphore(32)

    async def submit() -> str:
        async with room:
            return (await caller.submit(LAMP)).reference

    references = await asyncio.gather(*(submit() for _ in range(LOST_AT_ONCE)))
    await calm(live, references, seconds=1800)
    for part in (live.worker, live.temporal):
        part.kill()
    shutil.rmtree(live.system.ground.temporal)
    await live.temporal.start()
    second = live.another("worker")
    await asyncio.gather(live.worker.start(), second.start())
    began = time.monotonic()
    client = await connect(live.system.temporal_address, live.keys)

    async def are_back() -> bool:
        await asyncio.sleep(1)
        open_runs = 'WorkflowType = "RequestWorkflow" AND ExecutionStatus = "Running"'
        return (await client.count_workflows(open_runs)).count >= LOST_AT_ONCE

    try:
        await until(are_back, 3000, "that all runs are back")
    finally:
        second.kill()
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{LOST_AT_ONCE:,} runs back in {seconds:.0f} s: {LOST_AT_ONCE / seconds:.1f} in a second")  # noqa: T201
