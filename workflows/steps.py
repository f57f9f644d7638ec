"""The steps of the procedure that reach outside: each an activity, with how long it may take and how often it is tried.

Steps on our own database are local activities: they cost one line of history and are tried until they succeed, because
a request must never be lost to an outage of the database. A remote activity takes what a stranger's gateway does, and the
turns that must stand in the history before they stand in the database (docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.classification import ClassificationActivities
    from activities.jurisdictions import JurisdictionActivities
    from activities.notices import TEMPORARY_FAILURE, NoticeActivities, SendNotices, SentNotices
    from activities.planning import PlanningActivities
    from activities.read_model import KeepText, ReadModelActivities
    from domain.classified import Assignment, AssignmentWanted, Classified, Located
    from domain.errors import Invalid
    from domain.planning import FeedbackPlan, Plan, PlanWanted
    from domain.procedure import not_applied
    from domain.request import Actor, Entry, Record, Recorded, Rung, Turn
    from workflows.contract import NOTICES_QUEUE
    from workflows.course import Course

_OWN_DATABASE = timedelta(seconds=10)
_UNTIL_IT_SUCCEEDS = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=[Invalid.code],
)
# Longer pauses become timers: the workflow task ends meanwhile, so that an outage of days costs little history and
# whoever asks is still answered.
_PAUSES_IN_TASK = timedelta(seconds=1)
# About two minutes; whatever still fails then is no outage.
_FIRST_LOOK = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(minutes=1), maximum_attempts=10
)
_AT_ONCE_OR_LATER = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_attempts=3, non_retryable_error_types=[TEMPORARY_FAILURE]
)
_GATEWAY = timedelta(seconds=90)
_PATIENTLY = RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=10))
_GATEWAY_GIVES_UP = timedelta(days=2)

_FAILED = (ActivityError, ApplicationError)
"""What a step raises that is tried no more: after pauses in timers, the bare failure of a local activity."""


class Steps:
    """What the procedure has done for it outside the workflow, for the request whose course it is given."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._by_gateway = False

    async def classify(self) -> Classified:
        """What it is about; nothing known where that cannot be found out, so that a person decides."""
        try:
            return await workflow.execute_local_activity_method(
                ClassificationActivities.classify_request,
                self.course.snapshot.request_id,
                start_to_close_timeout=_OWN_DATABASE,
                retry_policy=_FIRST_LOOK,
                local_retry_threshold=_PAUSES_IN_TASK,
                summary="what is it about",
            )
        except _FAILED:
            return Classified(None, 0.0, decided_by="failed")

    async def locate(self, located: bool) -> Located:
        """The district of the place that was given, if one was; none where that cannot be found out."""
        if not located:
            return Located()
        try:
            return await workflow.execute_local_activity_method(
                JurisdictionActivities.locate_request,
                self.course.snapshot.request_id,
                start_to_close_timeout=_OWN_DATABASE,
                retry_policy=_FIRST_LOOK,
                local_retry_threshold=_PAUSES_IN_TASK,
                summary="where is it",
            )
        except _FAILED:
            return Located()

    async def assign_department(self, classified: Classified, located: Located) -> Assignment:
        snapshot = self.course.snapshot
        return await workflow.execute_local_activity_method(
            PlanningActivities.assign_department,
            AssignmentWanted(snapshot.reference, workflow.now(), classified, located),
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            local_retry_threshold=_PAUSES_IN_TASK,
            summary="who is in charge, by when",
        )

    async def plan(self, wanted: PlanWanted) -> Plan:
        """Raises Invalid where the policy knows no such department or category."""
        try:
            return await workflow.execute_local_activity_method(
                PlanningActivities.plan_assignment,
                wanted,
                start_to_close_timeout=_OWN_DATABASE,
                retry_policy=_UNTIL_IT_SUCCEEDS,
                local_retry_threshold=_PAUSES_IN_TASK,
                summary="plan the deadlines",
            )
        except _FAILED as error:
            failure = error if isinstance(error, ApplicationError) else error.cause
            if isinstance(failure, ApplicationError) and failure.type == Invalid.code:
                raise Invalid(failure.message) from None
            raise

    async def plan_take_over(self, rung: Rung) -> Plan | None:
        """The plan of the department that the rung hands the request to; None where the rung only notifies.

        So it does where the policy has changed meanwhile and knows the department or the category no more.
        """
        snapshot = self.course.snapshot
        if rung.take_over is None or snapshot.department in (None, rung.take_over):
            return None
        wanted = PlanWanted(
            reference=snapshot.reference,
            at=workflow.now(),
            category=snapshot.category,
            department=rung.take_over,
            urgency=snapshot.urgency,
            due_at=snapshot.due_at,
            escalation_level=max(rung.level, snapshot.escalation_level),
        )
        try:
            return await self.plan(wanted)
        except Invalid:
            return None

    async def plan_feedback(self) -> FeedbackPlan:
        return await workflow.execute_local_activity_method(
            PlanningActivities.plan_feedback,
            args=[self.course.snapshot.policy_version, workflow.now()],
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            local_retry_threshold=_PAUSES_IN_TASK,
            summary="plan the feedback",
        )

    async def record(self, *turns: Turn, planned: Plan | FeedbackPlan | None = None) -> None:
        """Take the turns: events, snapshot and owed notices are written in one transaction, then the notices go out."""
        last = turns[-1]
        entries = tuple(Entry(turn.event, turn.notices) for turn in turns)
        recorded = await self._recorded(Record(last.snapshot, entries), ", ".join(turn.event.action for turn in turns))
        # What an attempt that this run does not remember has written counts: it may have been read and sent.
        self.course.follow((*turns[:-1], replace(last, snapshot=recorded.stands or last.snapshot)), planned)
        await self._send(recorded)

    async def _recorded(self, taken: Record, summary: str) -> Recorded:
        if self.course.repeatable:
            return await workflow.execute_local_activity_method(
                ReadModelActivities.record,
                taken,
                start_to_close_timeout=_OWN_DATABASE,
                retry_policy=_UNTIL_IT_SUCCEEDS,
                local_retry_threshold=_PAUSES_IN_TASK,
                summary=summary,
            )
        # The turn is in the history before it is in the database. Otherwise a task that is lost in between leaves
        # behind a turn that the run knows nothing of.
        return await workflow.execute_activity_method(
            ReadModelActivities.record,
            taken,
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            summary=summary,
        )

    async def keep_text(self, body: str) -> str:
        """The id under which the database keeps a text that came in a signal."""
        return await workflow.execute_local_activity_method(
            ReadModelActivities.keep_text,
            KeepText(self.course.snapshot.request_id, body),
            start_to_close_timeout=_OWN_DATABASE,
            retry_policy=_UNTIL_IT_SUCCEEDS,
            local_retry_threshold=_PAUSES_IN_TASK,
            summary="keep the text",
        )

    async def note(self, action: str, by: Actor, reason: str, text: str | None = None) -> None:
        """What a signal asked for could not be done: a line in the timeline, never a failure."""
        await self.record(not_applied(self.course.snapshot, action, by, workflow.now(), reason, text))

    async def send_held(self) -> None:
        """Quiet hours are over."""
        await self._send(Recorded(owed=1, by_gateway=self._by_gateway))

    async def _send(self, recorded: Recorded) -> None:
        self._by_gateway = recorded.by_gateway
        self._hold(recorded.held_until)
        if not recorded.owed or (not recorded.by_gateway and await self._sent_at_once()):
            return
        task = asyncio.create_task(self._send_in_background())
        self.course.sending.append(task)
        task.add_done_callback(self.course.sending.remove)

    async def _sent_at_once(self) -> bool:
        """False where something has to wait: nobody who acts on the request shall wait with it."""
        try:
            sent = await workflow.execute_local_activity_method(
                NoticeActivities.send_notices,
                SendNotices(self.course.snapshot.request_id, workflow.now()),
                start_to_close_timeout=_OWN_DATABASE,
                retry_policy=_AT_ONCE_OR_LATER,
                summary="send the notices",
            )
        except _FAILED:
            return False
        self._hold(sent.held_until)
        return True

    async def _send_in_background(self) -> None:
        """Nobody waits for a gateway. What it gives up, the sweep of unsent notices takes on."""
        try:
            sent: SentNotices = await workflow.execute_activity_method(
                NoticeActivities.send_notices,
                SendNotices(self.course.snapshot.request_id, workflow.now()),
                task_queue=NOTICES_QUEUE,
                start_to_close_timeout=_GATEWAY,
                schedule_to_close_timeout=_GATEWAY_GIVES_UP,
                retry_policy=_PATIENTLY,
                summary="send the notices",
            )
            self._hold(sent.held_until)
        except _FAILED:
            workflow.logger.warning("notices of %s were not sent in time", self.course.snapshot.reference)

    def _hold(self, until: datetime | None) -> None:
        if until is not None:
            self.course.hold_notices_until(until)
