"""An upgrade with requests in flight, rehearsed: from this release to one that knows a changed procedure, to one that begins
runs with it, and back, worker after worker, while people go on. Nothing is lost, and no task of any run fails.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pytest
from temporalio.client import Client, WorkflowHistory

from tests.e2e.books import calm, failures_in, messages_were_heard_once, notices_went_out_once, timelines_are_whole
from tests.e2e.fleet import MIGRATIONS, a_fleet, go_back, upgrade
from tests.e2e.lives import (
    LAMP,
    LIVES,
    Case,
    Life,
    Played,
    declined,
    play,
    rated,
    reopened,
    transferred,
    triaged,
    withdrawn,
    worked_on,
)
from tests.e2e.next_releases import BEGINS_WITH_IT, KNOWS_IT, MOMENT, SECOND_THOUGHTS
from tests.e2e.people import Caller, Receipt
from tests.e2e.system import LiveSystem
from worker import BUILD
from workflows.connection import connect
from workflows.contract import PROCEDURE, Submitted, workflow_id

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1800)]

T = TypeVar("T")

OPEN_REQUESTS = int(os.environ.get("HUISHENG_REHEARSED_REQUESTS", "1000"))
"""So many are open when the upgrade begins. More for a rehearsal before a release of weight."""
AT_ONCE = 12
WITHOUT_CLOCKS: tuple[Life, ...] = (rated, worked_on, reopened, triaged, declined, transferred, withdrawn)
NEW_ONES = [each for each in LIVES if each[0] in WITHOUT_CLOCKS]
LEFT_OPEN = 20
"""So many that the newest release begins are given to somebody, and worked on when it is gone again."""


@pytest.fixture
async def as_before(live: LiveSystem) -> AsyncIterator[None]:
    """Undoes what no upgrade does: the migrations of the rehearsal."""
    yield
    await live.look("drop index if exists rehearsed")
    await live.look("alter table snapshots drop column if exists rehearsed_at")
    await live.look("delete from schema_migrations where version = any ($1)", [each.version for each in MIGRATIONS])


async def side_by_side(work: Iterable[Awaitable[T]], at_once: int = AT_ONCE) -> list[T]:
    """All of it, so many at a time."""
    room = asyncio.Semaphore(at_once)

    async def in_turn(one: Awaitable[T]) -> T:
        async with room:
            return await one

    return await asyncio.gather(*(in_turn(one) for one in work))


@dataclass(frozen=True)
class Waiting:
    """Somebody with an open request. `said` counts the messages that were answered with 202; on some of them staff are at work."""

    receipt: Receipt
    said: int = 0
    is_worked_on: bool = False


async def brought_on(caller: Caller, receipt: Receipt, number: int) -> Waiting:
    """Of fifty requests five have got further than to a department."""
    case, rest = Case(caller, receipt), number % 50
    if rest not in range(1, 6):
        return Waiting(receipt)
    if rest == 1:
        await case.citizen("urge")
    if rest == 2:
        await case.staff("supervisor", "escalate", reason="It has waited for long.")
    if rest >= 3:
        await case.staff("housing", "accept")
    if rest == 4:
        await case.staff("housing", "ask_citizen", question="Which of the lamps is it?")
    if rest == 5:
        await case.staff("housing", "contact", how="phone")
    return Waiting(receipt, said=case.confirmed, is_worked_on=rest >= 2)


async def taken_back(caller: Caller, one: Waiting) -> Played:
    """By a citizen who has waited for long."""
    await Case(caller, one.receipt).citizen("withdraw", text="It works again.")
    return Played(one.receipt.reference, ("withdrawn", None), one.said + 1)


async def answered_and_rated(caller: Caller, one: Waiting) -> Played:
    case = Case(caller, one.receipt)
    return Played(one.receipt.reference, await rated(case), one.said + case.confirmed)


@dataclass(frozen=True)
class Phase:
    """Whose stories ended in it: of those who had waited, and of those who came in it."""

    ended: list[Played]
    begun: list[Played]

    @property
    def all(self) -> list[Played]:
        return [*self.ended, *self.begun]


async def people(caller: Caller, waiting: Sequence[Waiting], answered_each: int = 10) -> Phase:
    """Those who have waited come to an end, one in so many with an answer, while others come for the first time."""
    ended, begun = await asyncio.gather(
        side_by_side(
            taken_back(caller, one) if number % answered_each or one.is_worked_on else answered_and_rated(caller, one)
            for number, one in enumerate(waiting)
        ),
        asyncio.gather(*(play(caller, life, text) for life, text in NEW_ONES)),
    )
    return Phase(ended, list(begun))


async def waiting_in(live: LiveSystem, caller: Caller, number: int) -> list[Receipt]:
    """So many new requests that somebody has."""
    receipts = await side_by_side(caller.submit(LAMP) for _ in range(number))
    await calm(live, [receipt.reference for receipt in receipts], seconds=600)
    return receipts


async def meanwhile(going_on: Coroutine[None, None, T], change: Coroutine[None, None, None]) -> T:
    """The change happens while that goes on."""
    async with asyncio.TaskGroup() as group:
        group.create_task(change)
        result = group.create_task(going_on)
    return result.result()


@dataclass(frozen=True)
class Run:
    """What the history of a run says: how it began, and which programs did its tasks, in order."""

    procedure: int
    had_second_thoughts: bool
    builds: tuple[str, ...]


async def runs_of(live: LiveSystem, played: Iterable[Played]) -> list[Run]:
    """Of none did a task fail."""
    client = await connect(live.system.temporal_address, live.keys)
    return await side_by_side(run_of(client, one.reference) for one in played)


async def run_of(client: Client, reference: str) -> Run:
    history = await client.get_workflow_handle(workflow_id(reference)).fetch_history()
    assert not failures_in(history), (reference, failures_in(history))
    (started, *_) = history.events
    given = started.workflow_execution_started_event_attributes.input.payloads
    (submitted,) = await client.data_converter.decode(given, [Submitted])
    return Run(submitted.procedure, had_second_thoughts(history), builds_in(history))


def had_second_thoughts(history: WorkflowHistory) -> bool:
    timers = (event.timer_started_event_attributes for event in history.events)
    return any(timer.start_to_fire_timeout.ToTimedelta() == MOMENT for timer in timers)


def builds_in(history: WorkflowHistory) -> tuple[str, ...]:
    tasks = (event.workflow_task_completed_event_attributes for event in history.events)
    return tuple(task.worker_version.build_id for task in tasks if task.worker_version.build_id)


async def books_are_right(live: LiveSystem, played: Sequence[Played]) -> None:
    """Everybody stands where their story ended, and of what was said and sent nothing is missing or doubled."""
    references = [one.reference for one in played]
    await calm(live, references, seconds=600)
    rows = await live.look(
        "select reference, state, outcome from snapshots where reference = any ($1::text[])", references
    )
    assert {row["reference"]: (row["state"], row["outcome"]) for row in rows} == {
        one.reference: one.end for one in played
    }
    await timelines_are_whole(live, references)
    for one in played:
        await messages_were_heard_once(live, one.reference, one.confirmed)
    await notices_went_out_once(live, references)


async def test_requests_in_flight_outlive_an_upgrade_and_the_way_back(
    live: LiveSystem, caller: Caller, as_before: None
) -> None:
    async with a_fleet(live) as fleet:
        receipts = await waiting_in(live, caller, OPEN_REQUESTS)
        waiting = await side_by_side(brought_on(caller, each, number) for number, each in enumerate(receipts))

        before = await meanwhile(people(caller, waiting[0::4]), fleet.become(KNOWS_IT))
        during = await meanwhile(people(caller, waiting[1::4]), upgrade(fleet))
        upgraded = await people(caller, waiting[2::4])
        left = [Waiting(receipt) for receipt in await waiting_in(live, caller, LEFT_OPEN)]
        going_back = await meanwhile(people(caller, waiting[3::4]), go_back(fleet))
        after = await people(caller, left, answered_each=1)

        assert fleet.complaints() == []
        await books_are_right(
            live, [one for phase in (before, during, upgraded, going_back, after) for one in phase.all]
        )

        as_ever, changed = (PROCEDURE, False), (SECOND_THOUGHTS, True)
        old = [*before.all, *during.ended, *upgraded.ended, *going_back.ended]
        assert await procedures(live, [*old, *after.begun]) == {as_ever}
        assert await procedures(live, [*upgraded.begun, *after.ended]) == {changed}
        assert await procedures(live, [*during.begun, *going_back.begun]) <= {as_ever, changed}

        # Old ones were brought to their end by the newest release, and its own by the one that came back.
        assert await first_and_last_builds(live, upgraded.ended) == {(BUILD, BEGINS_WITH_IT.build)}
        assert await first_and_last_builds(live, after.ended) == {(BEGINS_WITH_IT.build, KNOWS_IT.build)}


async def procedures(live: LiveSystem, played: Iterable[Played]) -> set[tuple[int, bool]]:
    return {(run.procedure, run.had_second_thoughts) for run in await runs_of(live, played)}


async def first_and_last_builds(live: LiveSystem, played: Iterable[Played]) -> set[tuple[str, str]]:
    return {(run.builds[0], run.builds[-1]) for run in await runs_of(live, played)}
