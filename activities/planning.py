"""Asking the policy: which department is in charge, and by when. The newest policy counts; history keeps the answer."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.classified import Assignment, AssignmentWanted
from domain.errors import Invalid
from domain.planning import FeedbackPlan, Plan, PlanWanted, plan_assignment, plan_feedback
from domain.routing import assign
from policies.store import PolicyStore


class PlanningActivities:
    """Rules applied to a request: pure functions of the policy, run outside the workflow because the policy is data."""

    def __init__(self, policies: PolicyStore) -> None:
        self._policies = policies

    @activity.defn
    async def assign_department(self, wanted: AssignmentWanted) -> Assignment:
        """Where the request goes and by when; to triage, with the reason, where a rule cannot be applied."""
        return assign(await self._policies.active(), wanted)

    @activity.defn
    async def plan_assignment(self, wanted: PlanWanted) -> Plan:
        """Fails for good, with the type `invalid`, where the policy knows no such department or category."""
        try:
            return plan_assignment(await self._policies.active(), wanted)
        except Invalid as invalid:
            raise ApplicationError(invalid.message, type=Invalid.code, non_retryable=True) from None

    @activity.defn
    async def plan_feedback(self, version: str | None, at: datetime) -> FeedbackPlan:
        """From the version that the request was assigned under."""
        policy = await self._policies.version(version) if version else await self._policies.active()
        return plan_feedback(policy, at)
