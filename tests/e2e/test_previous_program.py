"""The release before this one, as its own program: beside today's on a database that today's has migrated, there and back, while
people go on. Nothing is lost, no task of any run fails, and each carries on what the other began.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.e2e.lives import LAMP, Played
from tests.e2e.people import Caller
from tests.e2e.system import LivePart, LiveSystem
from tests.e2e.test_upgrade import Waiting, books_are_right, brought_on, people, runs_of, side_by_side, waiting_in
from tests.previous.program import NotInHistory, environment_of, unpacked
from tests.previous.record import recorded
from worker import BUILD
from workflows.contract import PROCEDURE

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

PREVIOUS = recorded()
WAITING, LEFT_OPEN = 24, 6


@dataclass
class Program:
    """A worker and an interface of one release, and everybody who calls that interface."""

    worker: LivePart
    api: LivePart
    caller: Caller

    async def start(self) -> None:
        await self.worker.start()
        await self.api.start()

    async def stop(self) -> None:
        for part in (self.api, self.worker):
            assert await part.stop() == 0, part.log.read_text()[-3000:]

    def complaints(self) -> list[str]:
        """What its logs say of tasks that failed, and of anything that nobody expected."""
        wrong = re.compile(r".*(?:Traceback|NondeterminismError|UnknownProcedure|Failing workflow task).*")
        logs = [file.read_text() for part in (self.worker, self.api) for file in part.logs.glob("*.log")]
        return [line for log in logs for line in wrong.findall(log)]


@asynccontextmanager
async def a_program(live: LiveSystem, folder: Path | None = None) -> AsyncIterator[Program]:
    """Not started; today's, or the one in that folder."""
    environment = environment_of(folder) if folder else {}
    worker, api = (live.another(name, **environment) for name in ("worker", "api"))
    if folder:
        worker.part = replace(worker.part, command=lambda: [sys.executable, str(folder / "worker.py")])
    address = f"http://127.0.0.1:{api.environment['HUISHENG_API_PORT']}"
    try:
        async with httpx2.AsyncClient(base_url=address, timeout=30, trust_env=False) as http:
            yield Program(worker, api, Caller(http))
    finally:
        for part in (worker, api):
            part.kill()


@pytest.fixture
async def previous(live: LiveSystem, tmp_path: Path) -> AsyncIterator[Program]:
    try:
        folder = unpacked(PREVIOUS.commit, tmp_path / "previous")
    except NotInHistory as error:
        pytest.skip(f"The program of release {PREVIOUS.program} cannot be had: {error}")
    async with a_program(live, folder) as program:
        yield program


@pytest.fixture
async def todays(live: LiveSystem) -> AsyncIterator[Program]:
    async with a_program(live) as program:
        yield program


async def test_previous_program_works_beside_todays_and_after_it(
    live: LiveSystem, previous: Program, todays: Program
) -> None:
    for part in (live.api, live.worker):
        assert await part.stop() == 0
    await previous.start()
    receipts = await waiting_in(live, previous.caller, WAITING)
    waiting = await side_by_side(brought_on(previous.caller, each, number) for number, each in enumerate(receipts))
    before = await people(previous.caller, waiting[0::4])

    await todays.start()
    beside, new_ones = await asyncio.gather(people(previous.caller, waiting[1::4]), people(todays.caller, []))
    key = uuid4().hex
    first = await sent(previous.caller, key)
    assert await sent(todays.caller, key) == first

    await previous.stop()
    upgraded = await people(todays.caller, waiting[2::4])
    left = [Waiting(receipt) for receipt in await waiting_in(live, todays.caller, LEFT_OPEN)]

    await previous.start()
    await todays.stop()
    gone_back = await people(previous.caller, waiting[3::4])
    after = await people(previous.caller, left, answered_each=1)

    assert [*previous.complaints(), *todays.complaints()] == []
    phases = (before, beside, new_ones, upgraded, gone_back, after)
    await books_are_right(live, [one for phase in phases for one in phase.all])

    assert await procedures(live, [*before.all, *upgraded.ended, *after.begun]) == {PREVIOUS.begins_with}
    assert await procedures(live, [*upgraded.begun, *after.ended]) == {PROCEDURE}
    # Each has brought to their end what the other began, and both had a part in what happened side by side.
    assert await first_and_last_builds(live, upgraded.ended) == {(PREVIOUS.program, BUILD)}
    assert await first_and_last_builds(live, after.ended) == {(BUILD, PREVIOUS.program)}
    runs = await runs_of(live, [*beside.all, *new_ones.all])
    assert {build for run in runs for build in run.builds} == {PREVIOUS.program, BUILD}


async def sent(caller: Caller, key: str) -> tuple[int, str]:
    """A submission with that Idempotency-Key: the answer's status, and the reference."""
    answer = await caller.post("/requests", {"description": LAMP}, **{"Idempotency-Key": key})
    return answer.status_code, answer.json().get("reference", answer.text)


async def procedures(live: LiveSystem, played: Iterable[Played]) -> set[int]:
    return {run.procedure for run in await runs_of(live, played)}


async def first_and_last_builds(live: LiveSystem, played: Iterable[Played]) -> set[tuple[str, str]]:
    return {(run.builds[0], run.builds[-1]) for run in await runs_of(live, played)}
