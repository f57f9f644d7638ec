"""What Temporal does by the clock: when each schedule last started something, when it will, and whether that went well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

logger = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
SOON = timedelta(seconds=5)
_WELL = frozenset({
    WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CONTINUED_AS_NEW,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """One schedule; instants are in seconds since 1970, 0 for never."""

    name: str
    paused: bool
    last_started: float
    next_due: float
    last_went_wrong: bool


class ScheduleFigures(Collector):
    """`watch` looks now and then, so that nobody who asks has to wait for Temporal."""

    def __init__(self, client: Client, names: Sequence[str]) -> None:
        self._client = client
        self._names = names
        self._kept: dict[str, Kept] = {}

    async def watch(self, every: timedelta = EVERY) -> None:
        """Until it is cancelled. What is not there yet is being made, and looked for again soon."""
        while True:
            pause = every
            for name in self._names:
                try:
                    self._kept[name] = await self._look(name)
                except RPCError as error:
                    if error.status is RPCStatusCode.NOT_FOUND:
                        pause = min(every, SOON)
                    else:
                        logger.warning("schedule_not_looked_at", schedule=name, error=error.status.name)
            await asyncio.sleep(pause.total_seconds())

    def collect(self) -> Iterator[Metric]:
        told = {
            "paused": "1 when somebody has paused the schedule.",
            "last_started_timestamp_seconds": "When it last started its workflow; 0 for never.",
            "next_due_timestamp_seconds": "When it is due next; in the past when it was missed.",
            "last_went_wrong": "1 when the workflow that it started last has failed or was ended.",
        }
        families = {
            name: GaugeMetricFamily(f"huisheng_schedule_{name}", text, labels=["schedule"])
            for name, text in told.items()
        }
        for kept in self._kept.values():
            families["paused"].add_metric([kept.name], float(kept.paused))
            families["last_started_timestamp_seconds"].add_metric([kept.name], kept.last_started)
            families["next_due_timestamp_seconds"].add_metric([kept.name], kept.next_due)
            families["last_went_wrong"].add_metric([kept.name], float(kept.last_went_wrong))
        yield from families.values()

    async def _look(self, name: str) -> Kept:
        found = await self._client.get_schedule_handle(name).describe(rpc_timeout=timedelta(seconds=5))
        latest = max(found.info.recent_actions, key=lambda action: action.started_at, default=None)
        went_wrong = False
        if latest is not None and isinstance(latest.action, ScheduleActionExecutionStartWorkflow):
            went_wrong = await self._went_wrong(latest.action)
        return Kept(
            name,
            found.schedule.state.paused,
            latest.started_at.timestamp() if latest else 0.0,
            min((each.timestamp() for each in found.info.next_action_times), default=0.0),
            went_wrong,
        )

    async def _went_wrong(self, started: ScheduleActionExecutionStartWorkflow) -> bool:
        run = self._client.get_workflow_handle(started.workflow_id, run_id=started.first_execution_run_id)
        try:
            return (await run.describe(rpc_timeout=timedelta(seconds=5))).status not in _WELL
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # So long ago, before a pause perhaps, that Temporal keeps it no more: nobody's concern today.
            return False
