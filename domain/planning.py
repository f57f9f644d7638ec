"""By when a request must be accepted, answered and resolved, and which clocks run until then.

The plan is made once per assignment, by an activity, from the newest policy; the workflow's history keeps it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.deadlines import deadline, moment_at_fraction
from domain.durations import Clock, Duration, in_seconds
from domain.errors import Invalid
from domain.policy import DEPARTMENT_SELECTOR, PARENT, Chain, DepartmentKind, Policy, Selector, ServiceLevel
from domain.request import DAY_SECONDS, Alarm, AlarmKind, Rung, Urgency


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
    service_level: str | None = None
    urge_every_seconds: int = DAY_SECONDS
    planned_at: datetime | None = None  # the instant that all is counted from


@dataclass(frozen=True)
class FeedbackPlan:
    """When a resolved request is closed for want of a reply, and how long a closed one may be reopened.

    Where it is to be called, a clock says when; closing then waits for the caller.
    """

    alarms: tuple[Alarm, ...]
    reopen_until: datetime


def plan_assignment(policy: Policy, wanted: PlanWanted) -> Plan:
    """The deadlines and clocks of an assignment, or of waiting in triage where no department is named.

    Raises Invalid where the policy knows no such department or category.
    """
    _check_known(policy, wanted)
    level, chain = promise(policy, wanted)
    urgency = wanted.urgency or _urgency(policy, wanted.category)

    def by(duration: Duration) -> datetime:
        return deadline(policy.calendar, wanted.at, duration, level.clock)

    accept_due_at = by(level.accept)
    due_at = wanted.due_at or by(level.resolve)
    # In triage the promise is that somebody takes it; the due date of an earlier assignment goes on running beside it.
    watched_at = due_at if wanted.department or wanted.due_at else accept_due_at
    rungs = _rungs(policy, chain, wanted)
    clocks = [
        *_reminders(policy, wanted, level, watched_at),
        *_escalations(policy, chain, level, watched_at, rungs, wanted),
        Alarm(accept_due_at, AlarmKind.ACCEPT_OVERDUE),
        Alarm(deadline(policy.calendar, wanted.at, policy.limits.heartbeat_after, Clock.WALL), AlarmKind.HEARTBEAT),
    ]
    if wanted.department:
        clocks.append(Alarm(by(level.contact), AlarmKind.CONTACT_OVERDUE))
    return Plan(
        policy_version=policy.version,
        category=wanted.category,
        department=wanted.department,
        urgency=urgency,
        accept_due_at=accept_due_at,
        contact_due_at=by(level.contact) if wanted.department else None,
        return_until=_return_until(level, wanted, by) if wanted.department else None,
        due_at=due_at if wanted.department else wanted.due_at,
        alarms=tuple(sorted(clocks, key=lambda alarm: alarm.at)),
        rungs=rungs,
        review_required=_review_required(policy, wanted),
        service_level=level.code,
        urge_every_seconds=in_seconds(policy.limits.urge_interval),
        planned_at=wanted.at,
    )


def plan_feedback(policy: Policy, at: datetime, reference: str = "", category: str | None = None) -> FeedbackPlan:
    """The clocks of a request resolved at that instant; with its reference and category also whether it is called."""
    feedback = policy.feedback

    def by(duration: Duration) -> datetime:
        # Citizens have no office hours: for them hours pass on the wall clock.
        return deadline(policy.calendar, at, duration, Clock.WALL)

    ends_at = by(feedback.close_after)
    alarms = [Alarm(by(feedback.remind_after), AlarmKind.REMIND_FEEDBACK)]
    if is_called(policy, reference, category):
        alarms.append(Alarm(ends_at, AlarmKind.WANT_CALL))
        ends_at = deadline(policy.calendar, ends_at, feedback.call_within, Clock.WALL)
    return FeedbackPlan((*alarms, Alarm(ends_at, AlarmKind.END_FEEDBACK)), by(feedback.reopen_window))


def is_called(policy: Policy, reference: str, category: str | None) -> bool:
    """Whether a caller asks about the answer where the citizen says nothing: always or by sample (PROCESS.md section 5)."""
    always = category is not None and policy.has_category(category) and policy.category(category).call_back
    return always or (bool(reference) and is_sampled(reference, "call", policy.feedback.call_share))


def is_sampled(reference: str, purpose: str, share: float) -> bool:
    """Whether this request is in a random sample of that share (0 to 1): the same answer for ever, seeded by reference."""
    drawn = int.from_bytes(hashlib.sha256(f"{purpose}:{reference}".encode()).digest()[:8]) / 2**64
    return drawn < share


def _return_until(level: ServiceLevel, wanted: PlanWanted, by: Callable[[Duration], datetime]) -> datetime:
    """Without a time for returning in the promise there is none: it has passed with the assignment."""
    return by(level.return_within) if level.return_within else wanted.at


def _check_known(policy: Policy, wanted: PlanWanted) -> None:
    if wanted.department is not None and not policy.has_department(wanted.department):
        raise Invalid(f"There is no department '{wanted.department}' in the policy.", field="department")
    if wanted.department is not None and not (wanted.category and policy.has_category(wanted.category)):
        raise Invalid(f"There is no category '{wanted.category}' in the policy.", field="category")


def promise(policy: Policy, wanted: PlanWanted) -> tuple[ServiceLevel, Chain]:
    """The service level and the escalation chain: of the category, of a reopened request, or of triage."""
    if wanted.department is None or wanted.category is None:
        return policy.service_level(policy.triage.service_level), policy.chain(policy.triage.chain)
    category = policy.category(wanted.category)
    level = policy.feedback.rework_level if wanted.rework else category.service_level
    return policy.service_level(level), policy.chain(category.chain)


def _urgency(policy: Policy, category: str | None) -> Urgency:
    return policy.category(category).urgency if category and policy.has_category(category) else Urgency.NORMAL


def _reminders(policy: Policy, wanted: PlanWanted, level: ServiceLevel, due_at: datetime) -> list[Alarm]:
    """Reminders at fractions of the time from now to the due date; none for a due date that has passed."""
    if due_at <= wanted.at:
        return []
    kinds = (AlarmKind.REMIND_HALF, AlarmKind.REMIND_EIGHTY)
    moments = [moment_at_fraction(policy.calendar, wanted.at, due_at, part, level.clock) for part in policy.reminders]
    return [Alarm(at, kind) for at, kind in zip(moments, kinds, strict=False)]


def _rungs(policy: Policy, chain: Chain, wanted: PlanWanted) -> tuple[Rung, ...]:
    """The rungs above the present level, their selectors turned into departments as seen from the one in charge."""
    return tuple(
        Rung(
            level=rung.level,
            departments=_leads_of(policy, rung.notify, wanted.department),
            supervisors=Selector.SUPERVISORS in rung.notify,
            take_over=_takes_over(policy, rung.take_over, wanted.department),
        )
        for rung in chain.rungs
        if rung.level > wanted.escalation_level
    )


def _leads_of(policy: Policy, selectors: tuple[str, ...], department: str | None) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for selector in selectors:
        code = _department_of(policy, selector, department)
        if code is not None:
            found[code] = None
    return tuple(found)


def _department_of(policy: Policy, selector: str, department: str | None) -> str | None:
    if selector.startswith(DEPARTMENT_SELECTOR):
        return selector.removeprefix(DEPARTMENT_SELECTOR)
    if department is None or selector == Selector.SUPERVISORS:
        return None
    if selector == Selector.LEAD:
        return department
    above = policy.above(department)
    if selector == Selector.PARENT_LEAD:
        return above[0].code if above else department
    line = (policy.department(department), *above)
    return next((each.code for each in line if each.kind is DepartmentKind.DEPARTMENT), line[-1].code)


def _takes_over(policy: Policy, take_over: str | None, department: str | None) -> str | None:
    """The department that takes over; nobody where there is no department yet, or none above it."""
    if take_over is None or department is None:
        return None
    if take_over != PARENT:
        return take_over
    above = policy.above(department)
    return above[0].code if above else None


def _escalations(
    policy: Policy, chain: Chain, level: ServiceLevel, due_at: datetime, rungs: tuple[Rung, ...], wanted: PlanWanted
) -> list[Alarm]:
    """One clock for each rung, so long after the due date as the chain says; never before this plan was made."""
    after = {rung.level: rung.after for rung in chain.rungs}
    moments = ((deadline(policy.calendar, due_at, after[rung.level], level.clock), rung) for rung in rungs)
    return [Alarm(max(at, wanted.at), AlarmKind.ESCALATE, rung) for at, rung in moments]


def _review_required(policy: Policy, wanted: PlanWanted) -> bool:
    if wanted.department is None or wanted.category is None:
        return False
    demanded = wanted.rework or policy.category(wanted.category).review
    return demanded or is_sampled(wanted.reference, "review", policy.feedback.review_share)
