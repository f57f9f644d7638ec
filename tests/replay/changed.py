"""Versions of the workflow that must not be let out: they would not go on with a request that is under way."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.contract import Ended, Submitted
    from workflows.request import RequestWorkflow
    from workflows.steps import Steps


@workflow.defn(name="RequestWorkflow")
class WaitsFirst(RequestWorkflow):
    """One step more."""

    @workflow.init
    def __init__(self, submitted: Submitted) -> None:
        super().__init__(submitted)

    @workflow.run
    async def run(self, submitted: Submitted) -> Ended:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(submitted)


class _AllInTheBackground(Steps):
    async def _sent_at_once(self) -> bool:
        return False


@workflow.defn(name="RequestWorkflow")
class SendsInTheBackground(RequestWorkflow):
    """Another kind of step in the same place."""

    @workflow.init
    def __init__(self, submitted: Submitted) -> None:
        super().__init__(submitted)
        self._steps = _AllInTheBackground(self._course)

    @workflow.run
    async def run(self, submitted: Submitted) -> Ended:
        return await super().run(submitted)
