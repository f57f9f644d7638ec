"""By when a request must be accepted, answered and resolved, and which clocks run until then.

The plan is made once per assignment, by an activity, from the newest policy; the workflow's history keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.request import Alarm, Rung, Urgency


@dataclass(frozen=True)
class PlanWanted:
    """What a plan is made for. Without `department` the request sits in triage or adjudication.

    `due_at` is the due date that an earlier assignment fixed; it stays. `rework` asks for the shorter time of a reopened
    request, which fixes a new one.
    """

    reference: str
    at: datetime
    category: str | None = None
    department: str | None = None
    urgency: Urgency | None = None
    due_at: datetime | None = None
    escalation_level: int = 0
    rework: bool = False


@dataclass(frozen=True)
class Plan:
    """The deadlines and clocks of one assignment (or of waiting in triage)."""

    policy_version: str
    category: str | None
    department: str | None
    urgency: Urgency
    accept_due_at: datetime
    contact_due_at: datetime | None
    return_until: datetime | None
    due_at: datetime | None
    alarms: tuple[Alarm, ...]
    rungs: tuple[Rung, ...]
    review_required: bool = False


@dataclass(frozen=True)
class FeedbackPlan:
    """When a resolved request is closed for want of a reply, and how long a closed one may be reopened."""

    alarms: tuple[Alarm, ...]
    reopen_until: datetime
