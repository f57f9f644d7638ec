"""A request in flight moved to another version of the policy: only by command, with a reason, and as an event.

Every date is planned anew from the assignment that fixed it, with the pauses and the extension that were granted since, as
if the version had been in force from the start.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.pauses import Moved, Promised, extend, move_by_pause
from domain.planning import Plan, PlanWanted, plan_assignment
from domain.policy import Policy
from domain.request import Alarm, AlarmKind, Event, Snapshot

_ONCE = frozenset({AlarmKind.ACCEPT_OVERDUE, AlarmKind.CONTACT_OVERDUE, AlarmKind.REMIND_HALF, AlarmKind.REMIND_EIGHTY})
"""What has rung, or would have rung by now, is not rung again; an escalation that is due by the new dates rings at once."""


@dataclass(frozen=True)
class AdoptionWanted:
    """`wanted.at` is the assignment that fixed the due date, `pauses` those that are over since.

    `now` is when the clocks were stopped, where they stand still just now.
    """

    version: str
    now: datetime
    wanted: PlanWanted
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    extension_days: int | None = None


def plan_adoption(policy: Policy, adoption: AdoptionWanted) -> Plan:
    """The plan of the request's assignment under that version. Raises Invalid where the version does not know its codes."""
    plan = plan_assignment(policy, adoption.wanted)
    for paused_from, paused_to in adoption.pauses:
        plan = _with(plan, move_by_pause(policy, _promised(plan, paused_to), paused_from))
    if adoption.extension_days and plan.due_at is not None:
        promised = replace(_promised(plan, adoption.wanted.at), assigned_at=adoption.wanted.at)
        plan = _with(plan, extend(policy, promised, adoption.extension_days))
    return replace(
        plan, alarms=tuple(_still(alarm, adoption.now) for alarm in plan.alarms if _is_due(alarm, adoption.now))
    )


def _promised(plan: Plan, at: datetime) -> Promised:
    assert plan.due_at is not None
    return Promised(plan.policy_version, at, plan.due_at, plan.alarms, plan.service_level, plan.contact_due_at)


def _with(plan: Plan, moved: Moved) -> Plan:
    return replace(plan, due_at=moved.due_at, alarms=moved.alarms, contact_due_at=moved.contact_due_at)


def _is_due(alarm: Alarm, now: datetime) -> bool:
    return alarm.at > now or alarm.kind not in _ONCE


def _still(alarm: Alarm, now: datetime) -> Alarm:
    return replace(alarm, at=max(alarm.at, now))


_PAUSE_BEGINS = frozenset({"ask_citizen", "approve_hold"})
_PAUSE_ENDS = frozenset({"answer", "resume"})


def adoption_of(snapshot: Snapshot, events: Sequence[Event], version: str, now: datetime) -> AdoptionWanted:
    """What the run of a request will ask when it is moved to that version, told from its timeline."""
    since = snapshot.due_from or snapshot.assigned_at or now
    wanted = PlanWanted(
        reference=snapshot.reference,
        at=since,
        category=snapshot.category,
        department=snapshot.department,
        urgency=snapshot.urgency,
        escalation_level=snapshot.escalation_level,
        rework=snapshot.rework_count > 0,
    )
    days = snapshot.extension_days if snapshot.extended_at else None
    return AdoptionWanted(version, now, wanted, pauses_of(events, since), days)


def pauses_of(events: Iterable[Event], since: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The pauses that are over, of the due date that was fixed at that instant."""
    begun: datetime | None = None
    pauses: list[tuple[datetime, datetime]] = []
    for event in events:
        if event.at < since:
            continue
        if event.action in _PAUSE_BEGINS:
            begun = event.at
        elif event.action in _PAUSE_ENDS and begun is not None:
            pauses.append((begun, event.at))
            begun = None
    return tuple(pauses)
