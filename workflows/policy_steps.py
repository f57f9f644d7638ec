"""What the procedure asks of the policy: which department, by when, how far dates move. Each answer stays in the history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.merging import MergingActivities
    from activities.planning import PlanningActivities
    from domain.adoption import AdoptionWanted
    from domain.classified import Assignment, AssignmentWanted, Classified, Located
    from domain.errors import Invalid
    from domain.followed import Followed
    from domain.helped import CoPlan
    from domain.pauses import Moved, PausePlan
    from domain.planning import FeedbackPlan, Plan, PlanWanted
    from domain.request import Rung
    from workflows.course import Course

OWN_DATABASE = timedelta(seconds=10)
UNTIL_IT_SUCCEEDS = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=[Invalid.code],
)
# Longer pauses become timers: the workflow task ends meanwhile, so that an outage of days costs little history and
# whoever asks is still answered.
PAUSES_IN_TASK = timedelta(seconds=1)
FAILED = (ActivityError, ApplicationError)
"""What a step raises that is tried no more: after pauses in timers, the bare failure of a local activity."""


class PolicySteps:
    """The questions, for the request whose course it is given. They are asked until they are answered."""

    def __init__(self, course: Course) -> None:
        self.course = course

    async def assign_department(self, classified: Classified, located: Located) -> Assignment:
        snapshot = self.course.snapshot
        return await workflow.execute_local_activity_method(
            PlanningActivities.assign_department,
            AssignmentWanted(snapshot.reference, self.course.now(), classified, located),
            start_to_close_timeout=OWN_DATABASE,
            retry_policy=UNTIL_IT_SUCCEEDS,
            local_retry_threshold=PAUSES_IN_TASK,
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
            at=self.course.now(),
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
            self.course.now(),
            snapshot.reference,
            snapshot.category,
        )
        return planned

    async def plan_question(self) -> PausePlan:
        version = self.course.snapshot.policy_version
        planned: PausePlan = await self._ask_policy(
            PlanningActivities.plan_question, "how long the citizen has to answer", version, self.course.now()
        )
        return planned

    async def plan_hold(self, review_on: date) -> PausePlan:
        """Raises Invalid for a date that the policy does not allow."""
        version = self.course.snapshot.policy_version
        planned: PausePlan = await self._ask_policy(
            PlanningActivities.plan_hold, "until when it is on hold", version, self.course.now(), review_on
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

    async def plan_co_handling(self, department: str) -> CoPlan:
        """Raises Invalid where the policy knows no such department."""
        snapshot = self.course.snapshot
        wanted = PlanWanted(
            reference=snapshot.reference,
            at=self.course.now(),
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
            at=snapshot.due_from or snapshot.assigned_at or course.now(),
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
        adoption = AdoptionWanted(version, snapshot.paused_at or course.now(), wanted, course.pauses, days)
        planned: Plan = await self._ask_policy(
            PlanningActivities.plan_adoption, "plan anew under that version", adoption
        )
        return planned

    async def plan_triage(self) -> Plan:
        """The clocks of a request that a person must send somewhere."""
        snapshot = self.course.snapshot
        return await self.plan(
            PlanWanted(snapshot.reference, self.course.now(), snapshot.category, urgency=snapshot.urgency)
        )

    async def find_parent(self, reference: str) -> Followed:
        """Where the request stands into which this one shall be merged. Raises Invalid where that is not possible."""
        snapshot = self.course.snapshot
        found: Followed = await self._ask_policy(
            MergingActivities.find_parent, "where the other one stands", snapshot.request_id, reference
        )
        return found

    async def _ask_policy(self, question: Callable[..., Awaitable[Any]], summary: str, *given: Any) -> Any:
        """Raises Invalid where the policy does not allow it."""
        try:
            return await workflow.execute_local_activity_method(
                question,
                args=given,
                start_to_close_timeout=OWN_DATABASE,
                retry_policy=UNTIL_IT_SUCCEEDS,
                local_retry_threshold=PAUSES_IN_TASK,
                summary=summary,
            )
        except FAILED as error:
            failure = error if isinstance(error, ApplicationError) else error.cause
            if isinstance(failure, ApplicationError) and failure.type == Invalid.code:
                facts = failure.details[0] if failure.details and isinstance(failure.details[0], dict) else {}
                raise Invalid(failure.message, **facts) from None
            raise
