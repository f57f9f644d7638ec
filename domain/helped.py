"""What is planned for a co-handler: its own due date, reminders and escalations, within those of the request."""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.planning import Plan, PlanWanted, plan_assignment
from domain.policy import Policy
from domain.request import Alarm, AlarmKind

_OF_A_PART = frozenset({AlarmKind.REMIND_HALF, AlarmKind.REMIND_EIGHTY, AlarmKind.ESCALATE})


@dataclass(frozen=True)
class CoPlan:
    """By when the part is due, and the clocks that watch it."""

    due_at: datetime
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class CoClock:
    """A clock of the co-handler with that number has run out."""

    number: int
    alarm: Alarm


def plan_co_handling(policy: Policy, wanted: PlanWanted, due_at: datetime) -> CoPlan:
    """The part is due with the promise of the category counted from now, and never later than the request itself.

    A chain that takes a request over only notifies here: a part has no assignment of its own. Raises Invalid where the
    policy knows no such department.
    """
    plan = plan_assignment(policy, replace(wanted, due_at=None))
    assert plan.due_at is not None
    if plan.due_at > due_at > wanted.at:
        plan = plan_assignment(policy, replace(wanted, due_at=due_at))
    assert plan.due_at is not None
    return CoPlan(plan.due_at, _of_the_part(plan))


def clocks_of_part(policy: Policy, wanted: PlanWanted, due_at: datetime) -> tuple[Alarm, ...]:
    """The clocks of a part that was planned at `wanted.at` and is due then."""
    return _of_the_part(plan_assignment(policy, replace(wanted, due_at=due_at)))


def _of_the_part(plan: Plan) -> tuple[Alarm, ...]:
    return tuple(_notifying(alarm) for alarm in plan.alarms if alarm.kind in _OF_A_PART)


def _notifying(alarm: Alarm) -> Alarm:
    return replace(alarm, rung=replace(alarm.rung, take_over=None)) if alarm.rung else alarm
