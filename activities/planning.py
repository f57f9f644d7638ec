"""Asking the policy: which department is in charge, and by when. The newest policy counts; history keeps the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.adoption import AdoptionWanted, plan_adoption
from domain.classified import Assignment, AssignmentWanted
from domain.errors import Invalid
from domain.helped import CoPlan, plan_co_handling
from domain.pauses import Moved, PausePlan, Promised, extend, move_by_pause, next_heartbeat, plan_hold, plan_question
from domain.planning import FeedbackPlan, Plan, PlanWanted, plan_assignment, plan_feedback
from domain.policy import Policy
from domain.routing import assign
from policies.store import NoPolicy, PolicyStore


@contextmanager
def _wrong_for_good() -> Iterator[None]:
    """What the policy does not allow fails for good, with the type `invalid`; trying again would change nothing."""
    try:
        yield
    except Invalid as invalid:
        raise ApplicationError(
            invalid.message,
            invalid.facts,
            type=Invalid.code,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        ) from None


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
        with _wrong_for_good():
            return plan_assignment(await self._policies.active(), wanted)

    # What follows an assignment is asked of the policy version that the request was assigned under.

    @activity.defn
    async def plan_feedback(
        self, version: str | None, at: datetime, reference: str = "", category: str | None = None
    ) -> FeedbackPlan:
        return plan_feedback(await self._of(version), at, reference, category)

    @activity.defn
    async def plan_question(self, version: str | None, at: datetime) -> PausePlan:
        return plan_question(await self._of(version), at)

    @activity.defn
    async def plan_hold(self, version: str | None, at: datetime, review_on: date) -> PausePlan:
        """Fails for good, with the type `invalid`, for a date of review that the policy does not allow."""
        with _wrong_for_good():
            return plan_hold(await self._of(version), at, review_on)

    @activity.defn
    async def move_by_pause(self, promised: Promised, paused_at: datetime) -> Moved:
        return move_by_pause(await self._of(promised.version), promised, paused_at)

    @activity.defn
    async def extend(self, promised: Promised, days: int) -> Moved:
        """Fails for good, with the type `invalid`, for more time than the promise allows."""
        with _wrong_for_good():
            return extend(await self._of(promised.version), promised, days)

    @activity.defn
    async def plan_co_handling(self, version: str | None, wanted: PlanWanted, due_at: datetime) -> CoPlan:
        """Fails for good, with the type `invalid`, where the policy knows no such department."""
        with _wrong_for_good():
            return plan_co_handling(await self._of(version), wanted, due_at)

    @activity.defn
    async def plan_adoption(self, adoption: AdoptionWanted) -> Plan:
        """Fails for good, with the type `invalid`, where there is no such version or it does not know the codes."""
        with _wrong_for_good():
            try:
                policy = await self._policies.version(adoption.version)
            except NoPolicy:
                raise Invalid(f"There is no policy version {adoption.version}.", field="version") from None
            return plan_adoption(policy, adoption)

    @activity.defn
    async def next_heartbeat(self, version: str | None, told_at: datetime) -> datetime:
        return next_heartbeat(await self._of(version), told_at)

    def all(self) -> tuple[Callable[..., Any], ...]:
        """Every activity of this class, for a worker."""
        return (
            self.assign_department, self.plan_assignment, self.plan_feedback, self.plan_question, self.plan_hold,
            self.move_by_pause, self.extend, self.plan_co_handling, self.plan_adoption, self.next_heartbeat,
        )  # fmt: skip

    async def _of(self, version: str | None) -> Policy:
        return await self._policies.version(version) if version else await self._policies.active()
