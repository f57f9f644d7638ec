"""What the run of a request has to do with other runs: those merged into it, its parent, and those that watch its parts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.errors import NotAllowed
    from domain.followed import Follower, news_of, standing_of
    from domain.helped import CoPlan
    from domain.rebuilt import WatchedPart
    from domain.request import Alarm, CoHandler, CoState, Snapshot, State, Turn
    from workflows.contract import (
        CO_SETTLED,
        FOLLOWER_CHANGED,
        PARENT_MOVED,
        CoHandling,
        co_workflow_id,
        workflow_id,
    )
    from workflows.course import Course


class OtherRuns:
    """Speaks to them for the request whose course it is given. One that is over hears nothing."""

    def __init__(self, course: Course) -> None:
        self._course = course

    async def hear_of(self, before: Snapshot, turns: tuple[Turn, ...]) -> None:
        """Those that follow this request, and those that watch a part of it which is settled now."""
        after = self._course.snapshot
        for news in filter(None, map(news_of, turns) if self._course.followers else ()):
            for follower in self._course.followers:
                until = self._course.reopen_until if news.state is State.CLOSED else None
                await self._tell(workflow_id(follower), PARENT_MOVED, replace(news, until=until))
        asked = {each.number for each in before.co_handlers if each.state is CoState.ASKED}
        for each in after.co_handlers:
            if each.number in asked and each.state is not CoState.ASKED:
                await self._tell(co_workflow_id(after.reference, each.number), CO_SETTLED)
        if before.parent is not None and after.parent is None:
            await self._tell(workflow_id(before.parent), FOLLOWER_CHANGED, Follower(after.reference, leaves=True))

    async def watch_part(self, part: CoHandler, plan: CoPlan) -> None:
        """Start the run that watches the part of a co-handler; it outlives a run of the request that grows long."""
        await self._watch(part.number, part.department, plan.alarms)

    async def _watch(self, number: int, department: str, alarms: tuple[Alarm, ...]) -> None:
        reference = self._course.snapshot.reference
        await workflow.start_child_workflow(
            "CoHandlingWorkflow",
            CoHandling(reference, number, department, alarms),
            id=co_workflow_id(reference, number),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"Part of {department} in request {reference}",
        )

    async def watch_again(self, parts: tuple[WatchedPart, ...]) -> None:
        """Of a run that was lost: its parts may be watched still, and those that are settled need no watching."""
        snapshot = self._course.snapshot
        for part in parts:
            with suppress(WorkflowAlreadyStartedError):
                await self._watch(part.number, part.department, part.alarms)
        for each in snapshot.co_handlers:
            if each.state is not CoState.ASKED:
                await self._tell(co_workflow_id(snapshot.reference, each.number), CO_SETTLED)

    async def greet(self, follower: str) -> None:
        """Tell a request that has joined this one where it stands: it may have moved in the meantime."""
        standing = replace(standing_of(self._course.snapshot), until=self._course.reopen_until)
        await self._tell(workflow_id(follower), PARENT_MOVED, standing)

    async def join(self, parent: str) -> None:
        """Tell the parent that this request follows it. Raises NotAllowed where the parent's run is over."""
        snapshot = self._course.snapshot
        if not await self._tell(workflow_id(parent), FOLLOWER_CHANGED, Follower(snapshot.reference)):
            raise NotAllowed("The other request is over: it can be joined no more.", state=snapshot.state)

    async def _tell(self, run: str, signal: str, *said: object) -> bool:
        """False where that run is over, and nobody is there to hear it."""
        try:
            await workflow.get_external_workflow_handle(run).signal(signal, args=said)
        except ApplicationError:
            return False
        return True
