"""The steps of the procedure that reach outside: each an activity, with how long it may take and how often it is tried.

Steps on our own database are local activities: they cost one line of history and are tried until they succeed, because
a request must never be lost to an outage of the database. Only a stranger's gateway gets a remote activity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.classification import ClassificationActivities
    from activities.jurisdictions import JurisdictionActivities
    from activities.notices import NoticeActivities, SendNotices
    from activities.planning import PlanningActivities

    from activities.read_model import KeepText, ReadModelActivities
    from domain.acts import ACTION_OF
    from domain.classified import Assignment, AssignmentWanted, Classified, Located
    from domain.commands import Command
    from domain.errors import Refusal
    from domain.planning import FeedbackPlan, Plan, PlanWanted
    from domain.procedure import not_applied
    from domain.request import Entry, Record, Recorded, Rung, Turn
    from workflows.contract import NOTICES_QUEUE, ActionTaken
    from workflows.course import Course

_OWN_DATABASE = timedelta(seconds=10)
_UNTIL_IT_SUCCEEDS = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    maximum_interval=timedelta(seconds=10),
    non_retryable_error_types=["invalid"],
)
_GATEWAY = timedelta(seconds=90)
_PATIENTLY = RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=10))
_GATEWAY_GIVES_UP = timedelta(days=2)


class Steps:
    """What the procedure has done for it outside the workflow, for the request whose course it is given."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._sending: set[asyncio.Task[None]] = set()
        self._by_gateway = False

    async def classify(self) -> Classified:
        return await workflow.execute_local_activity_method(
            ClassificationActivities.classify_request,
            self.course.snapshot.request_id,
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary="what is it about",
        )

    async def locate(self, located: bool) -> Located:
        """The district of the place that was given, if one was."""
        if not located:
            return Located()
        return await workflow.execute_local_activity_method(
            JurisdictionActivities.locate_request,
            self.course.snapshot.request_id,
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary="where is it",
        )

    async def assign_department(self, classified: Classified, located: Located) -> Assignment:
        snapshot = self.course.snapshot
        return await workflow.execute_local_activity_method(
            PlanningActivities.assign_department,
            AssignmentWanted(snapshot.reference, workflow.now(), classified, located),
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary="who is in charge, by when",
        )

    async def plan(self, wanted: PlanWanted) -> Plan:
        """Raises the Refusal `invalid` where the policy knows no such department or category."""
        return await workflow.execute_local_activity_method(
            PlanningActivities.plan_assignment,
            wanted,
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary="plan the deadlines",
        )

    async def plan_take_over(self, rung: Rung) -> Plan | None:
        """The plan of the department that the rung hands the request to; None where the rung only notifies."""
        snapshot = self.course.snapshot
        if rung.take_over is None or snapshot.department in (None, rung.take_over):
            return None
        return await self.plan(
            PlanWanted(
                reference=snapshot.reference,
                at=workflow.now(),
                category=snapshot.category,
                department=rung.take_over,
                urgency=snapshot.urgency,
                due_at=snapshot.due_at,
                escalation_level=max(rung.level, snapshot.escalation_level),
            )
        )

    async def plan_feedback(self) -> FeedbackPlan:
        return await workflow.execute_local_activity_method(
            PlanningActivities.plan_feedback,
            args=[self.course.snapshot.policy_version, workflow.now()],
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary="plan the feedback",
        )

    async def record(self, *turns: Turn, planned: Plan | FeedbackPlan | None = None) -> None:
        """Take the turns: events, snapshot and owed notices are written in one transaction, then the notices go out."""
        self.course.follow(turns, planned)
        entries = tuple(Entry(turn.event, turn.notices) for turn in turns)
        recorded = await workflow.execute_local_activity_method(
            ReadModelActivities.record,
            Record(self.course.snapshot, entries),
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary=", ".join(turn.event.action for turn in turns),
        )
        await self._send(recorded)

    async def keep_text(self, body: str) -> str:
        """The id under which the database keeps a text that came in a signal."""
        return await workflow.execute_local_activity_method(
            ReadModelActivities.keep_text,
            KeepText(self.course.snapshot.request_id, body),
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary="keep the text",
        )

    async def keep_or_note(
        self, command: Command, text: str | None, act: Callable[[Command], Awaitable[ActionTaken]]
    ) -> None:
        """Do what a signal asks; what the rules forbid by now becomes a line in the timeline, never a failure."""
        try:
            await act(command)
        except Refusal as refusal:
            async with self.course.one_at_a_time:
                snapshot, action = self.course.snapshot, ACTION_OF[type(command)]
                await self.record(not_applied(snapshot, action, command.by, workflow.now(), refusal.code, text))

    async def send_held(self) -> None:
        """Quiet hours are over."""
        await self._send(Recorded(owed=1, by_gateway=self._by_gateway))

    async def _send(self, recorded: Recorded) -> None:
        self._by_gateway = recorded.by_gateway
        if recorded.held_until is not None:
            self.course.hold_notices_until(recorded.held_until)
        if not recorded.owed:
            return
        if recorded.by_gateway:
            task = asyncio.create_task(self._send_by_gateway())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            return
        await workflow.execute_local_activity_method(
            NoticeActivities.send_notices,
            SendNotices(self.course.snapshot.request_id, workflow.now()),
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary="send the notices",
        )

    async def _send_by_gateway(self) -> None:
        """In the background: nobody waits for a gateway. What it gives up, the sweep of unsent notices takes on."""
        try:
            await workflow.execute_activity_method(
                NoticeActivities.send_notices,
                SendNotices(self.course.snapshot.request_id, workflow.now()),
                task_queue=NOTICES_QUEUE,
                start_to_close_timeout=_GATEWAY,
                schedule_to_close_timeout=_GATEWAY_GIVES_UP,
                retry_policy=_PATIENTLY,
                summary="send the notices",
            )
        except ActivityError:
            workflow.logger.warning("notices of %s were not sent in time", self.course.snapshot.reference)

    async def finish_sending(self) -> None:
        while self._sending:
            await workflow.wait(list(self._sending))
