"""What each act makes of a request: the turn from one snapshot to the next, with its event and the notices it owes.

Pure: the workflow asks `lifecycle.permit` first, has deadlines planned where an assignment changes, and records the turn.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import singledispatch
from typing import Any

from domain import commands as c
from domain.lifecycle import MAX_ESCALATION_LEVEL, Action, Transition
from domain.notices import NoticeKind, Recipient, owe, owed_by_alarm, owed_by_message, owed_for
from domain.planning import Plan
from domain.request import (
    SYSTEM,
    Actor,
    Alarm,
    AlarmKind,
    Event,
    Outcome,
    OwedNotice,
    Result,
    Rung,
    Snapshot,
    Solved,
    State,
    Turn,
)

ACTION_OF: dict[type, Action] = {
    c.Accept: Action.ACCEPT, c.Assign: Action.ASSIGN, c.Decline: Action.DECLINE, c.Transfer: Action.TRANSFER,
    c.ReturnRequest: Action.RETURN_REQUEST, c.Decide: Action.DECIDE, c.Reassign: Action.REASSIGN,
    c.Reclassify: Action.RECLASSIFY, c.SetUrgency: Action.SET_URGENCY, c.Contact: Action.CONTACT,
    c.Progress: Action.PROGRESS, c.Resolve: Action.RESOLVE, c.Approve: Action.APPROVE, c.SendBack: Action.SEND_BACK,
    c.Escalate: Action.ESCALATE, c.Reopen: Action.REOPEN, c.Supplement: Action.SUPPLEMENT, c.Urge: Action.URGE,
    c.Withdraw: Action.WITHDRAW, c.Rate: Action.RATE,
}  # fmt: skip

PUBLIC = frozenset({
    Action.SUBMIT, Action.AUTO_ASSIGN, Action.ASSIGN, Action.DECLINE, Action.TRANSFER, Action.ACCEPT, Action.DECIDE,
    Action.REASSIGN, Action.CONTACT, Action.APPROVE, Action.URGE, Action.SUPPLEMENT, Action.WITHDRAW, Action.RATE,
    Action.REOPEN, Action.CLOSE,
})  # fmt: skip
"""What the citizen's timeline shows; a progress note and a resolution are public by what they say."""


def _turn(
    before: Snapshot,
    action: str,
    by: Actor,
    at: datetime,
    notices: tuple[OwedNotice, ...] | None = None,
    *,
    public: bool | None = None,
    text: str | None = None,
    facts: dict[str, str | None] | None = None,
    **changes: Any,
) -> Turn:
    """The turn that makes these changes; owes what the table says unless told otherwise."""
    after = replace(before, sequence=before.sequence + 1, updated_at=at, **changes)
    given = {name: str(value) for name, value in (facts or {}).items() if value is not None}
    shown = (action in PUBLIC) if public is None else public
    event = Event(
        after.sequence, at, action, by.kind, by.id, before.state if before.sequence else None, after.state, shown, text, given
    )
    if notices is None:
        notices = owed_for(Action(action), after, **{k: v for k, v in given.items() if k in _TEXT_FACTS})
    return Turn(after, event, notices)


_TEXT_FACTS = frozenset({"target", "reason_code", "previous_department"})
"""The facts of an event that its notices may name."""


# --- what the system does -------------------------------------------------------------------------------------------


def submit(received: Snapshot, by: Actor) -> Turn:
    """The request is on file; the citizen gets a receipt."""
    return _turn(received, Action.SUBMIT, by, received.submitted_at)


def auto_assign(before: Snapshot, plan: Plan, at: datetime, facts: dict[str, str | None]) -> Turn:
    """It goes to the department that the policy names for its category and district."""
    return _turn(before, Action.AUTO_ASSIGN, SYSTEM, at, facts={"department": plan.department, **facts}, **_assigned(plan, at))


def to_triage(before: Snapshot, plan: Plan, at: datetime, reason: str, facts: dict[str, str | None]) -> Turn:
    """A person must decide; the reason is kept for them."""
    facts = {"reason": reason, **facts}
    return _turn(before, Action.TO_TRIAGE, SYSTEM, at, facts=facts, triage_reason=reason, **_in_triage(plan))


def remind(before: Snapshot, kind: AlarmKind, at: datetime) -> Turn:
    """A clock ran out that only reminds: an event, the notices, no change of state."""
    return _turn(before, kind, SYSTEM, at, owed_by_alarm(kind, before), public=False)


def close_without_reply(before: Snapshot, at: datetime) -> Turn:
    """The citizen said nothing: closed, and never counted as satisfied."""
    return _turn(before, Action.CLOSE, SYSTEM, at, (), state=State.CLOSED, outcome=Outcome.NO_REPLY, closed_at=at)


def escalate_by_rung(before: Snapshot, rung: Rung, by: Actor, at: datetime, plan: Plan | None, text: str | None = None) -> Turn:
    """The next rung hears of it; where it takes over (`plan` given), the assignment moves there, the due date stays."""
    changes: dict[str, Any] = {"escalation_level": max(rung.level, before.escalation_level)}
    if plan is not None:
        changes |= _assigned(plan, at) | {"due_at": before.due_at or plan.due_at}
    after = replace(before, **changes)
    facts = {"level": str(rung.level), "department": after.department, "previous_department": before.department}
    notices = _escalation_notices(before, after, rung)
    return _turn(before, Action.ESCALATE, by, at, notices, public=plan is not None, text=text, facts=facts, **changes)


def _escalation_notices(before: Snapshot, after: Snapshot, rung: Rung) -> tuple[OwedNotice, ...]:
    below = Recipient.ASSIGNEE if before.department else Recipient.DISPATCHERS
    notices = [owe(NoticeKind.ESCALATED, Recipient.LEADS, after, department=code) for code in rung.departments]
    if rung.supervisors:
        notices.append(owe(NoticeKind.ESCALATED, Recipient.SUPERVISORS, after))
    notices.append(owe(NoticeKind.ESCALATED_FROM, below, after, department=before.department, assignee=before.assignee))
    if after.department != before.department:
        notices.append(owe(NoticeKind.NEW_TASK, Recipient.HANDLERS, after))
        notices.append(owe(NoticeKind.DEPARTMENT_CHANGED, Recipient.CITIZEN, after, previous_department=before.department))
    return tuple(notices)


def not_applied(before: Snapshot, action: str, by: Actor, at: datetime, reason: str, text: str | None) -> Turn:
    """Something that was accepted for delivery came too late: it stays in the timeline, and the sender hears of it."""
    notices = (owe(NoticeKind.ANSWER_NOT_APPLIED, Recipient.CITIZEN, before),) if by.kind == "citizen" else ()
    facts = {"action": action, "reason": reason}
    return _turn(before, "not_applied", by, at, notices, public=by.kind == "citizen", text=text, facts=facts)


# --- what people do -------------------------------------------------------------------------------------------------


@singledispatch
def take(command: Any, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    """The turn that a permitted command makes. `row` is the row that permits it, `plan` the plan of a new assignment."""
    raise TypeError(f"no rule for {type(command).__name__}")


@take.register
def _(command: c.Accept, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    return _turn(before, Action.ACCEPT, command.by, at, state=State.IN_PROGRESS, assignee=command.by.id, accepted_at=at)


@take.register
def _(command: c.Assign, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    assert plan is not None
    facts = {"department": plan.department, "category": plan.category, "previous_category": before.category}
    return _turn(before, Action.ASSIGN, command.by, at, text=command.reason, facts=facts, **_assigned(plan, at, before))


@take.register
def _(command: c.Decline, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    facts = {"reason_code": command.reason_code}
    changes = {"state": State.DECLINED, "closed_at": at}
    return _turn(before, Action.DECLINE, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.Transfer, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    facts = {"target": command.target}
    changes = {"state": State.TRANSFERRED, "closed_at": at}
    return _turn(before, Action.TRANSFER, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.ReturnRequest, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    assert plan is not None
    facts = {"proposed": command.department, "previous_department": before.department}
    (state,) = row.targets
    changes = _in_triage(plan) | {"state": state, "return_count": before.return_count + 1, "triage_reason": "returned"}
    if state is State.ADJUDICATION:
        changes["department"] = before.department  # a party to the decision
    return _turn(before, Action.RETURN_REQUEST, command.by, at, public=False, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.Decide, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    facts = {"decision": command.decision, "reason_code": command.reason_code, "department": command.department}
    if command.decision is c.Decision.ASSIGN:
        assert plan is not None
        changes = _assigned(plan, at, before) | {"binding": True}
    elif command.decision is c.Decision.CLOSE:
        changes = {"state": State.CLOSED, "outcome": Outcome.NOT_SOLVED_FINAL, "closed_at": at}
    else:
        changes = {"state": State.DECLINED, "closed_at": at}
    return _turn(before, Action.DECIDE, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.Reassign, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    assert plan is not None
    facts = {"department": plan.department, "previous_department": before.department}
    turn = _turn(before, Action.REASSIGN, command.by, at, text=command.reason, facts=facts, **_assigned(plan, at, before))
    if before.department is None or before.department == plan.department:
        return turn
    away = owe(NoticeKind.REASSIGNED_AWAY, Recipient.ASSIGNEE, before, previous_department=before.department)
    return replace(turn, notices=(*turn.notices, away))


@take.register
def _(command: c.Reclassify, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    facts = {"category": command.category, "previous_category": before.category}
    changes = {"category": command.category}
    return _turn(before, Action.RECLASSIFY, command.by, at, public=False, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.SetUrgency, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    facts = {"urgency": command.urgency, "previous_urgency": before.urgency}
    changes = {"urgency": command.urgency}
    return _turn(before, Action.SET_URGENCY, command.by, at, public=False, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.Contact, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    changes = {"contacted_at": before.contacted_at or at}
    return _turn(before, Action.CONTACT, command.by, at, (), text=command.note, facts={"how": command.how}, **changes)


@take.register
def _(command: c.Progress, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    # What the citizen reads is a contact: the department has spoken (see docs/decisions on the response rate).
    changes = {"contacted_at": before.contacted_at or at} if command.public else {}
    notices = (owe(NoticeKind.PROGRESS, Recipient.CITIZEN, before),) if command.public else ()
    return _turn(before, Action.PROGRESS, command.by, at, notices, public=command.public, text=command.note, **changes)


@take.register
def _(command: c.Resolve, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    review = needs_review(before, command.outcome)
    changes: dict[str, Any] = {"result": command.outcome, "reply": command.reply, "resolved_by": command.by.id}
    changes |= {"state": State.IN_REVIEW} if review else _answered(before, at)
    facts = {"outcome": command.outcome}
    return _turn(before, Action.RESOLVE, command.by, at, public=not review, text=command.reply, facts=facts, **changes)


@take.register
def _(command: c.Approve, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    facts = {"outcome": before.result, "note": command.note}
    return _turn(before, Action.APPROVE, command.by, at, text=before.reply, facts=facts, **_answered(before, at))


@take.register
def _(command: c.SendBack, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    changes = {"state": State.IN_PROGRESS, "reply": None, "result": None}
    return _turn(before, Action.SEND_BACK, command.by, at, public=False, text=command.reason, **changes)


@take.register
def _(command: c.Urge, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    changes = {"urge_count": before.urge_count + 1, "urged_at": at}
    notices = owed_by_message(NoticeKind.URGED, replace(before, **changes))
    facts = {"count": str(before.urge_count + 1)}
    return _turn(before, Action.URGE, command.by, at, notices, text=command.text, facts=facts, **changes)


@take.register
def _(command: c.Supplement, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    notices = owed_by_message(NoticeKind.SUPPLEMENTED, before)
    return _turn(before, Action.SUPPLEMENT, command.by, at, notices, text=command.text)


@take.register
def _(command: c.Withdraw, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    changes = {"state": State.WITHDRAWN, "closed_at": at}
    notices = owed_by_message(NoticeKind.WITHDRAWN, replace(before, state=State.WITHDRAWN)) if before.department else ()
    return _turn(before, Action.WITHDRAW, command.by, at, notices, text=command.text, **changes)


@take.register
def _(command: c.Rate, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    changes: dict[str, Any] = {"solved": command.solved, "satisfied": command.satisfied}
    if command.solved is not Solved.NO:
        changes |= {"state": State.CLOSED, "outcome": _outcome(before.result, command.solved), "closed_at": at}
    facts = {"solved": command.solved, "satisfied": str(command.satisfied)}
    return _turn(before, Action.RATE, command.by, at, text=command.text, facts=facts, **changes)


@take.register
def _(command: c.Reopen, before: Snapshot, row: Transition, at: datetime, plan: Plan | None) -> Turn:
    assert plan is not None
    changes: dict[str, Any] = {"outcome": None, "closed_at": None, "resolved_at": None, "review_required": True}
    if State.ADJUDICATION in row.targets:
        changes |= _in_triage(plan) | {"state": State.ADJUDICATION, "triage_reason": "reworked_in_vain"}
        changes["department"] = before.department  # a party to the decision
    else:
        level = min(before.escalation_level + 1, MAX_ESCALATION_LEVEL)
        changes |= _assigned(plan, at) | {"rework_count": before.rework_count + 1, "escalation_level": level}
    changes["review_required"] = True
    return _turn(before, Action.REOPEN, command.by, at, text=command.text, **changes)


# --- shared pieces --------------------------------------------------------------------------------------------------


def _assigned(plan: Plan, at: datetime, before: Snapshot | None = None) -> dict[str, Any]:
    """The changes of a new assignment; the due date of an earlier one stays as it was fixed (PROCESS.md section 4)."""
    return {
        "state": State.ASSIGNED,
        "department": plan.department,
        "category": plan.category,
        "urgency": plan.urgency,
        "policy_version": plan.policy_version,
        "assigned_at": at,
        "accepted_at": None,
        "assignee": None,
        "triage_reason": None,
        "accept_due_at": plan.accept_due_at,
        "contact_due_at": plan.contact_due_at,
        "return_until": plan.return_until,
        "due_at": (before.due_at if before else None) or plan.due_at,
        "review_required": plan.review_required or bool(before and before.review_required),
    }


def _in_triage(plan: Plan) -> dict[str, Any]:
    return {
        "state": State.TRIAGE,
        "policy_version": plan.policy_version,
        "accept_due_at": plan.accept_due_at,
        "department": None,
        "assignee": None,
    }


def _answered(before: Snapshot, at: datetime) -> dict[str, Any]:
    # The answer itself is a contact where none was recorded before.
    return {"state": State.RESOLVED, "resolved_at": at, "contacted_at": before.contacted_at or at}


def needs_review(before: Snapshot, result: Result) -> bool:
    """Escalated and reworked ones, "not solved", and those the plan demands or samples (PROCESS.md section 3)."""
    watched = before.escalation_level > 0 or before.rework_count > 0 or before.review_required
    return watched or result is Result.NOT_SOLVED


def _outcome(result: Result | None, solved: Solved) -> Outcome:
    """The citizen's word counts; what was only explained is never counted as solved by the department's own."""
    if solved is Solved.PARTLY:
        return Outcome.PARTLY_SOLVED
    return Outcome.EXPLAINED if result is Result.EXPLAINED else Outcome.SOLVED


def alarms_after(turn: Turn, running: tuple[Alarm, ...], planned: tuple[Alarm, ...] | None = None) -> tuple[Alarm, ...]:
    """The clocks that run after a turn: a new plan brings its own, and what the turn settled is stopped."""
    after = turn.snapshot
    held = tuple(alarm for alarm in running if alarm.kind is AlarmKind.SEND_HELD)
    if planned is not None:
        return tuple(sorted((*planned, *held), key=_moment))
    kept = tuple(alarm for alarm in running if alarm not in held and _still_counts(alarm, after))
    return tuple(sorted((*kept, *held), key=_moment))


def _moment(alarm: Alarm) -> tuple[datetime, str, int]:
    return (alarm.at, alarm.kind, alarm.rung.level if alarm.rung else 0)


def _still_counts(alarm: Alarm, after: Snapshot) -> bool:
    if not after.is_open and after.state is not State.RESOLVED:
        return False
    if alarm.kind is AlarmKind.ACCEPT_OVERDUE:
        return after.accepted_at is None
    if alarm.kind is AlarmKind.CONTACT_OVERDUE:
        return after.contacted_at is None
    if alarm.kind is AlarmKind.ESCALATE:
        return alarm.rung is not None and alarm.rung.level > after.escalation_level
    return True
