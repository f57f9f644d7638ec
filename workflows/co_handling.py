"""The part of a co-handling department, made durable: its own clocks, until its part is settled.

What they ring for is told to the run of the request, which owns the timeline and decides what comes of it.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.helped import CoClock
    from domain.request import Alarm
    from workflows.contract import CO_CLOCK_RANG, CoHandling, workflow_id


@workflow.defn
class CoHandlingWorkflow:
    """One run for each part. It ends when the part is done, returned or waived, and with the run of the request."""

    def __init__(self) -> None:
        self._settled = False

    @workflow.run
    async def run(self, asked: CoHandling) -> None:
        for alarm in sorted(asked.alarms, key=lambda each: each.at):
            if await self._settled_before(alarm):
                return
            if not await self._tell(asked, alarm):
                return  # the run of the request is over
        await workflow.wait_condition(lambda: self._settled)

    @workflow.signal(description="The part is done, returned or waived.")
    def settled(self) -> None:
        self._settled = True

    async def _settled_before(self, alarm: Alarm) -> bool:
        left = max(alarm.at - workflow.now(), timedelta(milliseconds=1))
        try:
            await workflow.wait_condition(lambda: self._settled, timeout=left, timeout_summary=alarm.name)
        except TimeoutError:
            return False
        return True

    async def _tell(self, asked: CoHandling, alarm: Alarm) -> bool:
        request = workflow.get_external_workflow_handle(workflow_id(asked.reference))
        try:
            await request.signal(CO_CLOCK_RANG, CoClock(asked.number, alarm))
        except ApplicationError:
            return False
        return True
