"""What people do with a request on its way from department to department and to its answer: the turns of their commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain import calling as _calling
from domain import commands as c
from domain import helping as _helping
from domain import merging as _merging
from domain import waiting as _waiting
from domain.lifecycle import MAX_ESCALATION_LEVEL, Action, Transition
from domain.notices import NoticeKind, Recipient, owe, owed_by_message
from domain.planned import Planned
from domain.planning import Plan
from domain.request import Outcome, Result, Snapshot, State, Turn
from domain.taking import take
from domain.turns import Changes, answered, assigned, in_triage, make_turn, rated

__all__ = ["ACTION_OF", "needs_review", "take"]

_OTHER_RULES = (_calling, _helping, _merging, _waiting)
"""Where the rest of the rules of `take` stand: imported so that they are known."""

ACTION_OF: dict[type, Action] = {
    c.Accept: Action.ACCEPT, c.Assign: Action.ASSIGN, c.Decline: Action.DECLINE, c.Transfer: Action.TRANSFER,
    c.ReturnRequest: Action.RETURN_REQUEST, c.Decide: Action.DECIDE, c.Reassign: Action.REASSIGN,
    c.Reclassify: Action.RECLASSIFY, c.SetUrgency: Action.SET_URGENCY, c.Contact: Action.CONTACT,
    c.Progress: Action.PROGRESS, c.Resolve: Action.RESOLVE, c.Approve: Action.APPROVE, c.SendBack: Action.SEND_BACK,
    c.Escalate: Action.ESCALATE, c.Reopen: Action.REOPEN, c.Supplement: Action.SUPPLEMENT, c.Urge: Action.URGE,
    c.Withdraw: Action.WITHDRAW, c.Rate: Action.RATE, c.Refer: Action.REFER, c.AskCitizen: Action.ASK_CITIZEN,
    c.Answer: Action.ANSWER, c.RequestExtension: Action.REQUEST_EXTENSION, c.GrantExtension: Action.GRANT_EXTENSION,
    c.RefuseExtension: Action.REFUSE_EXTENSION, c.RequestHold: Action.REQUEST_HOLD, c.ApproveHold: Action.APPROVE_HOLD,
    c.RefuseHold: Action.REFUSE_HOLD, c.Resume: Action.RESUME, c.RecordCall: Action.RECORD_CALL,
    c.AddCoHandler: Action.ADD_CO_HANDLER, c.FinishCoHandling: Action.FINISH_CO_HANDLING,
    c.ReturnCoHandling: Action.RETURN_CO_HANDLING, c.WaiveCoHandling: Action.WAIVE_CO_HANDLING, c.Merge: Action.MERGE,
    c.Unmerge: Action.UNMERGE, c.AdoptPolicy: Action.ADOPT_POLICY,
}  # fmt: skip


@take.register
def _(command: c.Accept, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    return make_turn(
        before, Action.ACCEPT, command.by, at, state=State.IN_PROGRESS, assignee=command.by.id, accepted_at=at
    )


@take.register
def _(command: c.Assign, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Plan)
    facts = {"department": plan.department, "category": plan.category, "previous_category": before.category}
    return make_turn(
        before, Action.ASSIGN, command.by, at, text=command.reason, facts=facts, **assigned(plan, at, before)
    )


@take.register
def _(command: c.Decline, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    facts = {"reason_code": command.reason_code}
    changes: Changes = {"state": State.DECLINED, "closed_at": at}
    return make_turn(before, Action.DECLINE, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.Transfer, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    facts = {"target": command.target}
    changes: Changes = {"state": State.TRANSFERRED, "closed_at": at}
    return make_turn(before, Action.TRANSFER, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.ReturnRequest, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Plan)
    facts = {"proposed": command.department, "previous_department": before.department}
    (state,) = row.targets
    changes = in_triage(plan) | {"state": state, "return_count": before.return_count + 1, "triage_reason": "returned"}
    if state is State.ADJUDICATION:
        changes["department"] = before.department  # a party to the decision
    return make_turn(
        before, Action.RETURN_REQUEST, command.by, at, public=False, text=command.reason, facts=facts, **changes
    )


@take.register
def _(command: c.Refer, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Plan)
    changes = in_triage(plan) | {"state": State.ADJUDICATION, "triage_reason": "contested"}
    return make_turn(before, Action.REFER, command.by, at, text=command.reason, **changes)


@take.register
def _(command: c.Decide, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    facts = {"decision": command.decision, "reason_code": command.reason_code, "department": command.department}
    if command.decision is c.Decision.ASSIGN:
        assert isinstance(plan, Plan)
        changes: Changes = assigned(plan, at, before) | {"binding": True}
    elif command.decision is c.Decision.CLOSE:
        changes = {"state": State.CLOSED, "outcome": Outcome.NOT_SOLVED_FINAL, "closed_at": at}
    else:
        changes = {"state": State.DECLINED, "closed_at": at}
    return make_turn(before, Action.DECIDE, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.Reassign, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Plan)
    facts = {"department": plan.department, "previous_department": before.department}
    turn = make_turn(
        before, Action.REASSIGN, command.by, at, text=command.reason, facts=facts, **assigned(plan, at, before)
    )
    if before.department is None or before.department == plan.department:
        return turn
    away = owe(NoticeKind.REASSIGNED_AWAY, Recipient.ASSIGNEE, before, previous_department=before.department)
    return replace(turn, notices=(*turn.notices, away))


@take.register
def _(command: c.Reclassify, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    facts = {"category": command.category, "previous_category": before.category}
    changes: Changes = {"category": command.category}
    return make_turn(
        before, Action.RECLASSIFY, command.by, at, public=False, text=command.reason, facts=facts, **changes
    )


@take.register
def _(command: c.AdoptPolicy, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Plan)
    changes: Changes = {
        "policy_version": plan.policy_version,
        "service_level": plan.service_level,
        "due_at": plan.due_at,
        "accept_due_at": before.accept_due_at if before.accepted_at else plan.accept_due_at,
        "contact_due_at": before.contact_due_at if before.contacted_at else plan.contact_due_at,
        "return_until": plan.return_until,
    }
    facts = {"version": plan.policy_version, "previous_version": before.policy_version}
    if plan.due_at == before.due_at:
        return make_turn(
            before, Action.ADOPT_POLICY, command.by, at, (), public=False, text=command.reason, facts=facts, **changes
        )
    facts |= {name: due.isoformat() for name, due in (("previous_due", before.due_at), ("due", plan.due_at)) if due}
    after = replace(before, due_at=plan.due_at)
    notices = (
        owe(NoticeKind.DUE_MOVED, Recipient.CITIZEN, after),
        owe(NoticeKind.DUE_CHANGED, Recipient.ASSIGNEE, after),
    )
    return make_turn(
        before, Action.ADOPT_POLICY, command.by, at, notices, public=True, text=command.reason, facts=facts, **changes
    )


@take.register
def _(command: c.SetUrgency, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    facts = {"urgency": command.urgency, "previous_urgency": before.urgency}
    changes: Changes = {"urgency": command.urgency}
    return make_turn(
        before, Action.SET_URGENCY, command.by, at, public=False, text=command.reason, facts=facts, **changes
    )


@take.register
def _(command: c.Contact, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {"contacted_at": before.contacted_at or at}
    return make_turn(
        before, Action.CONTACT, command.by, at, (), text=command.note, facts={"how": command.how}, **changes
    )


@take.register
def _(command: c.Progress, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    # What the citizen reads is a contact: the department has spoken (see docs/decisions on the response rate).
    changes: Changes = {"contacted_at": before.contacted_at or at} if command.public else {}
    notices = (owe(NoticeKind.PROGRESS, Recipient.CITIZEN, before),) if command.public else ()
    return make_turn(
        before, Action.PROGRESS, command.by, at, notices, public=command.public, text=command.note, **changes
    )


@take.register
def _(command: c.Resolve, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    review = needs_review(before, command.outcome)
    changes: Changes = {"result": command.outcome, "reply": command.reply, "resolved_by": command.by.id}
    changes |= {"state": State.IN_REVIEW} if review else answered(before, at)
    pictures = dict.fromkeys(command.attachments)
    facts = {
        "outcome": command.outcome,
        "attachments": str(len(pictures)) if pictures else None,
        "attachment_ids": " ".join(pictures) or None,
    }
    return make_turn(
        before, Action.RESOLVE, command.by, at, public=not review, text=command.reply, facts=facts, **changes
    )


@take.register
def _(command: c.Approve, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    facts = {"outcome": before.result, "note": command.note}
    return make_turn(before, Action.APPROVE, command.by, at, text=before.reply, facts=facts, **answered(before, at))


@take.register
def _(command: c.SendBack, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {"state": State.IN_PROGRESS, "reply": None, "result": None}
    return make_turn(before, Action.SEND_BACK, command.by, at, public=False, text=command.reason, **changes)


@take.register
def _(command: c.Urge, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {"urge_count": before.urge_count + 1, "urged_at": at}
    notices = owed_by_message(NoticeKind.URGED, replace(before, **changes))
    facts = {"count": str(before.urge_count + 1)}
    return make_turn(before, Action.URGE, command.by, at, notices, text=command.text, facts=facts, **changes)


@take.register
def _(command: c.Supplement, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    notices = owed_by_message(NoticeKind.SUPPLEMENTED, before)
    return make_turn(before, Action.SUPPLEMENT, command.by, at, notices, text=command.text)


@take.register
def _(command: c.Withdraw, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {"state": State.WITHDRAWN, "closed_at": at, **_waiting.pause_over(before, at)}
    notices = owed_by_message(NoticeKind.WITHDRAWN, replace(before, state=State.WITHDRAWN)) if before.department else ()
    return make_turn(before, Action.WITHDRAW, command.by, at, notices, text=command.text, **changes)


@take.register
def _(command: c.Rate, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes = rated(before, command.solved, command.satisfied, at) | {"call_wanted_at": None}
    facts = {"solved": command.solved, "satisfied": str(command.satisfied)}
    return make_turn(before, Action.RATE, command.by, at, text=command.text, facts=facts, **changes)


@take.register
def _(command: c.Reopen, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Plan)
    changes: Changes = {"outcome": None, "closed_at": None, "resolved_at": None}
    if plan.department is None:
        reason = "reworked_in_vain" if State.ADJUDICATION in row.targets else "no_route"
        # The answer was given by the old due date; a decision to assign fixes a new one.
        changes |= in_triage(plan) | {"state": State.ADJUDICATION, "triage_reason": reason, "due_at": None}
        changes["department"] = before.department  # a party to the decision
    else:
        level = min(before.escalation_level + 1, MAX_ESCALATION_LEVEL)
        changes |= assigned(plan, at, before) | {"due_at": plan.due_at, "due_from": plan.planned_at or at}
        changes |= {"rework_count": before.rework_count + 1, "escalation_level": level}
    changes["review_required"] = True
    return make_turn(before, Action.REOPEN, command.by, at, text=command.text, **changes)


def needs_review(before: Snapshot, result: Result) -> bool:
    """Escalated and reworked ones, "not solved", and those the plan demands or samples (PROCESS.md section 3)."""
    watched = before.escalation_level > 0 or before.rework_count > 0 or before.review_required
    return watched or result is Result.NOT_SOLVED
