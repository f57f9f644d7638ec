"""The runs in Temporal as they are: whether they go on, which timers they wait for, and whether a task of theirs ever failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHistory,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.request import Alarm
from workflows.carried import Carried
from workflows.contract import co_workflow_id, workflow_id

CARRIED = "carried"
"""The query by which a run tells what it waits for."""
Part = tuple[str, int]
"""The reference of a request, and the number of a co-handler."""
Key = TypeVar("Key")
_AT_ONCE = 6
_TRIES, _PAUSE_SECONDS = 5, 2.0
# That the server asks for a task anew because a message came meanwhile, or because it was restarted, is no failure.
_HARMLESS = frozenset({
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """`status` in Temporal's words, None where it knows no run; `timers` are the moments at which those that run will fire.

    `alarms` are the clocks that a running run says it waits for, of which it has a timer for the first, and `stopped` those
    that stand still; both are None for a run that says nothing.
    """

    status: str | None
    timers: tuple[datetime, ...] = ()
    failures: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] | None = None
    stopped: tuple[Alarm, ...] | None = None

    @property
    def is_running(self) -> bool:
        return self.status == WorkflowExecutionStatus.RUNNING.name

    @property
    def is_completed(self) -> bool:
        return self.status == WorkflowExecutionStatus.COMPLETED.name


async def runs_of(client: Client, references: Iterable[str]) -> dict[str, Run]:
    """The latest run of each request, with what it says it waits for."""

    async def one(reference: str) -> Run:
        run = await _run(client, workflow_id(reference))
        return await _asked(client, reference, run) if run.is_running else run

    return await _each(references, one)


async def watching_runs(client: Client, parts: Iterable[Part]) -> dict[Part, Run]:
    """The runs that watch the parts of co-handlers."""
    return await _each(parts, lambda part: _run(client, co_workflow_id(*part)))


async def _each(keys: Iterable[Key], look: Callable[[Key], Awaitable[Run]]) -> dict[Key, Run]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(key: Key) -> tuple[Key, Run]:
        async with places:
            return key, await look(key)

    return dict(await asyncio.gather(*map(one, keys)))


async def _asked(client: Client, reference: str, run: Run) -> Run:
    handle = client.get_workflow_handle(workflow_id(reference))
    for _ in range(_TRIES):
        try:
            carried = await handle.query(CARRIED, result_type=Carried)
        except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
            await asyncio.sleep(_PAUSE_SECONDS)  # the worker that had it may have been killed a moment ago
        else:
            return replace(run, alarms=carried.alarms, stopped=carried.stopped)
    return run


async def still_running(client: Client, references: Sequence[str]) -> list[str]:
    """Those whose latest run goes on."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def is_running(reference: str) -> bool:
        async with places:
            description = await client.get_workflow_handle(workflow_id(reference)).describe()
            return description.status is WorkflowExecutionStatus.RUNNING

    running = await asyncio.gather(*map(is_running, references))
    return [reference for reference, is_ in zip(references, running, strict=True) if is_]


async def _run(client: Client, run_id: str) -> Run:
    handle = client.get_workflow_handle(run_id)
    try:
        description = await handle.describe()
        history = await handle.fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Run(None)
        raise
    return Run(description.status.name if description.status else None, timers_in(history), failures_in(history))


def timers_in(history: WorkflowHistory) -> tuple[datetime, ...]:
    """When the timers will fire that were started, and have neither fired nor been taken back."""
    running: dict[str, datetime] = {}
    for event in history.events:
        if event.HasField("timer_started_event_attributes"):
            started = event.timer_started_event_attributes
            begun = event.event_time.ToDatetime(tzinfo=UTC)
            running[started.timer_id] = begun + started.start_to_fire_timeout.ToTimedelta()
        elif event.HasField("timer_fired_event_attributes"):
            running.pop(event.timer_fired_event_attributes.timer_id, None)
        elif event.HasField("timer_canceled_event_attributes"):
            running.pop(event.timer_canceled_event_attributes.timer_id, None)
    return tuple(sorted(running.values()))


def failures_in(history: WorkflowHistory) -> tuple[str, ...]:
    """Why tasks of the run failed."""
    return tuple(
        WorkflowTaskFailedCause.Name(event.workflow_task_failed_event_attributes.cause)
        for event in history.events
        if event.HasField("workflow_task_failed_event_attributes")
        and event.workflow_task_failed_event_attributes.cause not in _HARMLESS
    )
