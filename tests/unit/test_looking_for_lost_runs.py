"""Thousands of runs are lost at once: every one comes back without a pause, however many workers look, and none is counted twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from temporalio.api.common.v1 import GrpcStatus
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.wanted_runs import Lasting, WantedRuns
from domain.request import Snapshot, State
from watching.runs import RunFigures
from workflows.contract import workflow_id
from workflows.lost_runs import MOST_IN_A_SWEEP, LostRuns, Swept, sweep, watch_runs

LOST = 2 * MOST_IN_A_SWEEP + 500
AT_ONCE = 1e9
NEVER_AGAIN = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Runs:
    """Temporal, as far as looks need it: which runs are open, and how often it was asked for a single one."""

    open: set[str] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)
    asked: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)
    delays: Iterator[int] = field(
        default_factory=lambda: cycle((0, 3, 1, 5, 2))
    )  # so that now this one is first, now that

    async def list_workflows(self, query: str, page_size: int) -> AsyncIterator[Any]:
        for each in sorted(self.open):
            yield SimpleNamespace(id=each)

    def get_workflow_handle(self, run: str) -> Any:
        async def describe(rpc_timeout: timedelta) -> Any:
            self.asked += 1
            await asyncio.sleep(0)
            if run in self.completed:
                return SimpleNamespace(status=WorkflowExecutionStatus.COMPLETED)
            if run not in self.open:
                raise RPCError("no such run", RPCStatusCode.NOT_FOUND, GrpcStatus().SerializeToString())
            return SimpleNamespace(status=WorkflowExecutionStatus.RUNNING)

        return SimpleNamespace(describe=describe)

    async def start_workflow(self, kind: str, _: object, *, id: str, **options: object) -> None:
        for _ in range(next(self.delays)):
            await asyncio.sleep(0)
        if id in self.open:
            raise WorkflowAlreadyStartedError(id, kind)
        self.open.add(id)
        if len(self.open) == LOST:
            self.all_there.set()


class Needed(WantedRuns):
    """So many requests need a run, in an order that is always the same."""

    def __init__(self) -> None:
        self.requests = [a_request(number) for number in range(LOST)]

    async def all(self) -> AsyncIterator[Lasting]:
        for each in self.requests:
            yield each

    async def of(self, references: Sequence[str]) -> list[Lasting]:
        return [each for each in self.requests if each.reference in set(references)]

    async def over_for_good(self, references: Sequence[str]) -> tuple[list[str], list[str]]:
        return [], []


def a_request(number: int) -> Lasting:
    stands = Snapshot(str(UUID(int=number)), f"2611-{number:04}-00000", MONDAY)
    return Lasting(UUID(int=number), stands.reference, MONDAY, 1, False, stands, None)


def needed(*states: State) -> Needed:
    """One request in each of the states."""
    wanted = Needed()
    wanted.requests = [
        replace(each, stands=replace(each.stands, state=state))
        for each, state in zip(wanted.requests[: len(states)], states, strict=True)
    ]
    return wanted


@pytest.fixture
def runs() -> Runs:
    return Runs()


def a_worker(runs: Runs, registry: CollectorRegistry | None = None) -> LostRuns:
    return LostRuns(cast(Client, runs), Needed(), RunFigures(registry or CollectorRegistry()))


async def while_watched(watchers: list[LostRuns], wait: Callable[[], Awaitable[object]]) -> None:
    watching = [
        asyncio.create_task(watch_runs(each, every=NEVER_AGAIN, after_a_failure=timedelta(0), a_second=AT_ONCE))
        for each in watchers
    ]
    try:
        async with asyncio.timeout(30):
            await wait()
    finally:
        for each in watching:
            each.cancel()


@pytest.mark.parametrize("workers", [1, 2, 3])
async def test_all_that_is_lost_comes_back_without_a_pause_however_many_workers_look(runs: Runs, workers: int) -> None:
    await while_watched([a_worker(runs) for _ in range(workers)], runs.all_there.wait)
    assert len(runs.open) == LOST


async def test_look_goes_on_at_once_where_others_brought_back_what_it_found(runs: Runs) -> None:
    async def brought_by_others(self: LostRuns, each: Lasting) -> bool:
        runs.open.add(workflow_id(each.reference))
        if len(runs.open) == LOST:
            runs.all_there.set()
        return False

    slow = a_worker(runs)
    slow.bring_back = brought_by_others.__get__(slow)  # type: ignore[method-assign]
    await while_watched([slow], runs.all_there.wait)


async def test_failure_in_the_middle_is_followed_by_another_look_before_long(runs: Runs) -> None:
    worker, failures = a_worker(runs), iter([ConnectionError, TimeoutError])
    bring_back = worker.bring_back

    async def brought_back_unless_it_fails(each: Lasting) -> bool:
        if len(runs.open) > 100 and (failure := next(failures, None)):
            raise failure
        return await bring_back(each)

    worker.bring_back = brought_back_unless_it_fails  # type: ignore[method-assign]
    await while_watched([worker], runs.all_there.wait)


async def test_look_asks_for_no_more_single_runs_than_it_can_bring_back(runs: Runs) -> None:
    checked = await a_worker(runs).check(MOST_IN_A_SWEEP)
    assert (len(checked.missing), checked.more_missing) == (MOST_IN_A_SWEEP, LOST - MOST_IN_A_SWEEP)
    assert (checked.number_missing, checked.requests, runs.asked) == (LOST, LOST, MOST_IN_A_SWEEP)


async def test_look_without_a_bound_names_all_that_are_missing_in_order(runs: Runs) -> None:
    references = [each.reference for each in Needed().requests]
    kept = set(references[::7])
    runs.open |= {workflow_id(reference) for reference in kept}
    checked = await a_worker(runs).check()
    assert [each.reference for each in checked.missing] == [each for each in references if each not in kept]
    assert checked.more_missing == 0


async def test_runs_that_are_lost_are_counted_once_over_several_looks(runs: Runs) -> None:
    registry = CollectorRegistry()
    worker = a_worker(runs, registry)

    def told() -> tuple[float | None, ...]:
        names = ("lost_total", "found_missing", "missing")
        return tuple(registry.get_sample_value(f"huisheng_runs_{name}") for name in names)

    left = LOST - MOST_IN_A_SWEEP
    assert await sweep(worker, AT_ONCE) == Swept(MOST_IN_A_SWEEP, left)
    assert told() == (LOST, LOST, left)
    assert await sweep(worker, AT_ONCE) == Swept(MOST_IN_A_SWEEP, left - MOST_IN_A_SWEEP)
    assert told() == (LOST, left, left - MOST_IN_A_SWEEP)
    assert await sweep(worker, AT_ONCE) == Swept(500, 0)
    assert await sweep(worker, AT_ONCE) == Swept(0, 0)
    assert told() == (LOST, 0, 0)
    runs.open.pop()
    assert await sweep(worker, AT_ONCE) == Swept(1, 0)
    assert told() == (LOST + 1, 1, 0)


async def test_run_that_ended_by_itself_is_lost_only_where_its_request_goes_on(runs: Runs) -> None:
    wanted = needed(State.CLOSED, State.RESOLVED, State.MERGED, State.ASSIGNED)
    runs.completed = {workflow_id(each.reference) for each in wanted.requests}
    found = await LostRuns(cast(Client, runs), wanted).check()
    assert [each.stands.state for each in found.missing] == [State.RESOLVED, State.MERGED, State.ASSIGNED]


async def test_closed_request_whose_run_is_nowhere_has_lost_it(runs: Runs) -> None:
    found = await LostRuns(cast(Client, runs), needed(State.CLOSED)).check()
    assert [each.stands.state for each in found.missing] == [State.CLOSED]


async def test_run_that_ended_while_it_was_looked_for_is_not_lost(runs: Runs) -> None:
    wanted = needed(State.ASSIGNED, State.TRIAGE)
    over = wanted.requests[0].reference
    runs.completed = {workflow_id(each.reference) for each in wanted.requests}

    class Meanwhile(Needed):
        all = wanted.all

        async def of(self, references: Sequence[str]) -> list[Lasting]:
            return [each for each in wanted.requests if each.reference != over]

    found = await LostRuns(cast(Client, runs), Meanwhile()).check()
    assert [each.stands.state for each in found.missing] == [State.TRIAGE]
