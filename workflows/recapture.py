"""What a run has had written down, found out again from its history: the run is replayed, and every `record` is kept.

The histories hold less than that: of a local activity only the result. Replaying runs the procedure of this program over
it and touches nothing outside.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from temporalio import workflow
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from domain.errors import HuishengError
from domain.retelling import Told
from workflows.contract import workflow_id
from workflows.request import RequestWorkflow

RECORD = "record"
"""The activity whose arguments are kept (ReadModelActivities.record)."""

_TASKS = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: True,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED: True,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: True,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: True,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: False,
}
"""Whether something is being done about the run, by the latest event of its tasks."""


class CannotReplay(HuishengError):
    """This program does not go through the history: it was made by another version, or is damaged."""

    code = "cannot_replay"


class Life(NamedTuple):
    """The histories of one request, the oldest run first; `is_whole` where Temporal has kept them all."""

    histories: list[WorkflowHistory]
    is_whole: bool

    @property
    def is_at_work(self) -> bool:
        """Whether a task is under way: what it writes is not in the history yet."""
        events = reversed(self.histories[-1].events)
        return next((_TASKS[event.event_type] for event in events if event.event_type in _TASKS), True)


async def fetch(client: Client, reference: str) -> Life | None:
    """All that Temporal has kept of the request; None where it knows no run of it."""
    histories: list[WorkflowHistory] = []
    run_id: str | None = None
    seen: set[str] = set()
    while True:
        try:
            handle = client.get_workflow_handle(workflow_id(reference), run_id=run_id)
            history = await handle.fetch_history()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return Life(histories, is_whole=False) if histories else None
            raise
        histories.insert(0, history)
        run_id = _run_before(history)
        if run_id is None or run_id in seen:
            return Life(histories, is_whole=not await _began_in_the_middle(client, history))
        seen.add(run_id)


async def recapture(life: Life, data_converter: DataConverter) -> list[Told]:
    """What the runs have had written down, in order. Raises CannotReplay."""
    told: list[Told] = []
    for history in life.histories:
        capture = _Capture()
        replayer = Replayer(
            workflows=[RequestWorkflow],
            data_converter=data_converter,
            interceptors=[capture],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            raise CannotReplay(f"The history does not fit this program ({type(result.replay_failure).__name__}).")
        told += [each for each in capture.told if not _was_too_late(each)]
    return told


def _was_too_late(told: Told) -> bool:
    """It was not written: an act stood in its place already, and came first."""
    return told.recorded is not None and told.recorded.ahead is not None


async def _began_in_the_middle(client: Client, history: WorkflowHistory) -> bool:
    """Whether the run took the place of one that was lost: what that one had written down, no history tells."""
    started = history.events[0].workflow_execution_started_event_attributes
    given = await client.data_converter.decode(started.input.payloads)
    return bool(given) and isinstance(given[0], dict) and bool(given[0].get("rebuilt"))


def _run_before(history: WorkflowHistory) -> str | None:
    """The run that this one was reset from, or that it goes on from."""
    for event in reversed(history.events):
        failed = event.workflow_task_failed_event_attributes
        if failed.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW and failed.base_run_id:
            return failed.base_run_id
    started = history.events[0].workflow_execution_started_event_attributes
    return started.continued_execution_run_id or None


class _Capture(Interceptor):
    """Keeps the records of one replay in the order in which they were begun."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        capture = self

        class Outbound(WorkflowOutboundInterceptor):
            def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
                return capture.keep(input, super().start_activity(input))

            def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
                return capture.keep(input, super().start_local_activity(input))

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        return Inbound

    def keep(
        self, started: StartActivityInput | StartLocalActivityInput, handle: workflow.ActivityHandle[Any]
    ) -> workflow.ActivityHandle[Any]:
        if started.activity == RECORD:
            (taken,) = started.args
            place = len(self.told)
            self.told.append(Told(taken))

            def ended(task: asyncio.Task[Any]) -> None:
                # Cancelled: the history ends before it does.
                if not task.cancelled() and task.exception() is None:
                    self.told[place] = Told(taken, task.result())

            handle.add_done_callback(ended)
        return handle
