"""The steps of the procedure that reach outside: each an activity, with how long it may take and how often it is tried.

Steps on our own database are local activities: they cost one line of history and are tried until they succeed, because
a request must never be lost to an outage of the database. A remote activity takes what a stranger's gateway does, and the
turns that must stand in the history before they stand in the database (docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.classification import ClassificationActivities
    from activities.jurisdictions import JurisdictionActivities
    from activities.merging import MergingActivities
    from activities.notices import TEMPORARY_FAILURE, NoticeActivities, SendNotices, SentNotices
    from activities.planning import PlanningActivities
    from activities.read_model import KeepText, ReadModelActivities
    from domain.adoption import AdoptionWanted
    from domain.classified import Assignment, AssignmentWanted, Classified, Located
    from domain.errors import Invalid, NotAllowed
    from domain.followed import Followed, Follower, news_of, standing_of
    from domain.helped import CoPlan
    from domain.pauses import Moved, PausePlan
    from domain.planned import Planned
    from domain.planning import FeedbackPlan, Plan, PlanWanted
    from domain.procedure import not_applied
    from domain.request import Actor, CoHandler, CoState, Entry, Record, Recorded, Rung, Snapshot, State, Turn
    from workflows.contract import (
        CO_SETTLED,
        FOLLOWER_CHANGED,
        NOTICES_QUEUE,
        PARENT_MOVED,
        CoHandling,
        co_workflow_id,
        workflow_id,
    )
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
        self._send_again = False

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
        plan: Plan = await self._ask_policy(PlanningActivities.plan_assignment, "plan the deadlines", wanted)
        return plan

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
        snapshot = self.course.snapshot
        planned: FeedbackPlan = await self._ask_policy(
            PlanningActivities.plan_feedback,
            "plan the feedback",
            snapshot.policy_version,
            workflow.now(),
            snapshot.reference,
            snapshot.category,
        )
        return planned

    async def plan_question(self) -> PausePlan:
        version = self.course.snapshot.policy_version
        planned: PausePlan = await self._ask_policy(
            PlanningActivities.plan_question, "how long the citizen has to answer", version, workflow.now()
        )
        return planned

    async def plan_hold(self, review_on: date) -> PausePlan:
        """Raises Invalid for a date that the policy does not allow."""
        version = self.course.snapshot.policy_version
        planned: PausePlan = await self._ask_policy(
            PlanningActivities.plan_hold, "until when it is on hold", version, workflow.now(), review_on
        )
        return planned

    async def move_by_pause(self) -> Moved:
        """Where the dates of a request in a pause stand if the pause ends now."""
        moved: Moved = await self._ask_policy(
            PlanningActivities.move_by_pause,
            "move the deadlines by the pause",
            self.course.promised(self.course.stopped),
            self.course.snapshot.paused_at,
        )
        return moved

    async def extend(self, days: int) -> Moved:
        """Raises Invalid for more than the promise allows."""
        moved: Moved = await self._ask_policy(
            PlanningActivities.extend, "plan the extension", self.course.promised(self.course.alarms), days
        )
        return moved

    async def next_heartbeat(self) -> datetime:
        """When the citizen has heard nothing for too long, as things stand."""
        snapshot = self.course.snapshot
        at: datetime = await self._ask_policy(
            PlanningActivities.next_heartbeat,
            "next heartbeat",
            snapshot.policy_version,
            snapshot.told_at or snapshot.submitted_at,
        )
        return at

    async def _ask_policy(self, question: Callable[..., Awaitable[Any]], summary: str, *given: Any) -> Any:
        """Raises Invalid where the policy does not allow it."""
        try:
            return await workflow.execute_local_activity_method(
                question,
                args=given,
                start_to_close_timeout=_OWN_DATABASE,
                retry_policy=_UNTIL_IT_SUCCEEDS,
                local_retry_threshold=_PAUSES_IN_TASK,
                summary=summary,
            )
        except _FAILED as error:
            failure = error if isinstance(error, ApplicationError) else error.cause
            if isinstance(failure, ApplicationError) and failure.type == Invalid.code:
                facts = failure.details[0] if failure.details and isinstance(failure.details[0], dict) else {}
                raise Invalid(failure.message, **facts) from None
            raise

    async def record(self, *turns: Turn, planned: Planned = None) -> None:
        """Take the turns: events, snapshot and owed notices are written in one transaction, then the notices go out."""
        last = turns[-1]
        entries = tuple(Entry(turn.event, turn.notices) for turn in turns)
        recorded = await self._recorded(Record(last.snapshot, entries), ", ".join(turn.event.action for turn in turns))
        # What an attempt that this run does not remember has written counts: it may have been read and sent.
        before = self.course.snapshot
        self.course.follow((*turns[:-1], replace(last, snapshot=recorded.stands or last.snapshot)), planned)
        await self._tell_other_runs(before, turns)
        await self._send(recorded)

    async def _tell_other_runs(self, before: Snapshot, turns: tuple[Turn, ...]) -> None:
        """Those that follow this request, and those that watch a part of it which is settled now."""
        after = self.course.snapshot
        for news in filter(None, map(news_of, turns) if self.course.followers else ()):
            for follower in self.course.followers:
                until = self.course.reopen_until if news.state is State.CLOSED else None
                await self._tell(workflow_id(follower), PARENT_MOVED, replace(news, until=until))
        asked = {each.number for each in before.co_handlers if each.state is CoState.ASKED}
        for each in after.co_handlers:
            if each.number in asked and each.state is not CoState.ASKED:
                await self._tell(co_workflow_id(after.reference, each.number), CO_SETTLED)
        if before.parent is not None and after.parent is None:
            await self._tell(workflow_id(before.parent), FOLLOWER_CHANGED, Follower(after.reference, leaves=True))

    async def _tell(self, run: str, signal: str, *said: object) -> bool:
        """False where that run is over, and nobody is there to hear it."""
        try:
            await workflow.get_external_workflow_handle(run).signal(signal, args=said)
        except ApplicationError:
            return False
        return True

    async def watch_part(self, part: CoHandler, plan: CoPlan) -> None:
        """Start the run that watches the part of a co-handler; it outlives a run of the request that grows long."""
        reference = self.course.snapshot.reference
        await workflow.start_child_workflow(
            "CoHandlingWorkflow",
            CoHandling(reference, part.number, part.department, plan.alarms),
            id=co_workflow_id(reference, part.number),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"Part of {part.department} in request {reference}",
        )

    async def plan_co_handling(self, department: str) -> CoPlan:
        """Raises Invalid where the policy knows no such department."""
        snapshot = self.course.snapshot
        wanted = PlanWanted(
            reference=snapshot.reference,
            at=workflow.now(),
            category=snapshot.category,
            department=department,
            urgency=snapshot.urgency,
        )
        planned: CoPlan = await self._ask_policy(
            PlanningActivities.plan_co_handling,
            "by when its part is due",
            snapshot.policy_version,
            wanted,
            snapshot.due_at,
        )
        return planned

    async def plan_adoption(self, version: str) -> Plan:
        """Raises Invalid where that version does not know the request's department or category."""
        course, snapshot = self.course, self.course.snapshot
        wanted = PlanWanted(
            reference=snapshot.reference,
            at=snapshot.due_from or snapshot.assigned_at or workflow.now(),
            category=snapshot.category,
            department=snapshot.department,
            urgency=snapshot.urgency,
            escalation_level=snapshot.escalation_level,
            rework=snapshot.rework_count > 0,
        )
        # Of the promise that counts now: one that was granted before a reopening is over with the old date.
        extended = snapshot.extended_at is not None and snapshot.extended_at >= wanted.at
        days = snapshot.extension_days if extended else None
        # In a pause the clocks have stood still since it began: what it has stopped is still to ring.
        adoption = AdoptionWanted(version, snapshot.paused_at or workflow.now(), wanted, course.pauses, days)
        planned: Plan = await self._ask_policy(
            PlanningActivities.plan_adoption, "plan anew under that version", adoption
        )
        return planned

    async def find_parent(self, reference: str) -> Followed:
        """Where the request stands into which this one shall be merged. Raises Invalid where that is not possible."""
        snapshot = self.course.snapshot
        found: Followed = await self._ask_policy(
            MergingActivities.find_parent, "where the other one stands", snapshot.request_id, reference
        )
        return found

    async def greet(self, follower: str) -> None:
        """Tell a request that has joined this one where it stands: it may have moved in the meantime."""
        standing = replace(standing_of(self.course.snapshot), until=self.course.reopen_until)
        await self._tell(workflow_id(follower), PARENT_MOVED, standing)

    async def plan_triage(self) -> Plan:
        """The clocks of a request that a person must send somewhere."""
        snapshot = self.course.snapshot
        return await self.plan(
            PlanWanted(snapshot.reference, workflow.now(), snapshot.category, urgency=snapshot.urgency)
        )

    async def join(self, parent: str) -> None:
        """Tell the parent that this request follows it. Raises NotAllowed where the parent's run is over."""
        snapshot = self.course.snapshot
        if not await self._tell(workflow_id(parent), FOLLOWER_CHANGED, Follower(snapshot.reference)):
            raise NotAllowed("The other request is over: it can be joined no more.", state=snapshot.state)

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
        if self.course.sending and workflow.patched("one-way-to-the-gateway"):
            # A stream of messages while the gateway is away would pile up an activity for each.
            self._send_again = True
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
        """Nobody waits for a gateway. What has come to be owed on the way goes out after it."""
        await self._send_through_gateway()
        while self._send_again:
            self._send_again = False
            await self._send_through_gateway()

    async def _send_through_gateway(self) -> None:
        """What the gateway gives up, the sweep of unsent notices takes on."""
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
