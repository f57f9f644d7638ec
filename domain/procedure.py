"""What the system itself does with a request: put it on file, assign, remind, escalate, close.

Pure: the workflow has deadlines planned where an assignment changes, and records the turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.lifecycle import Action
from domain.notices import NoticeKind, Recipient, owe, owed_by_alarm
from domain.planning import Plan
from domain.request import SYSTEM, Actor, AlarmKind, Outcome, OwedNotice, QuickLog, Rung, Snapshot, State, Turn
from domain.turns import assigned, in_triage, make_turn


def submit(received: Snapshot, by: Actor) -> Turn:
    """The request is on file; the citizen gets a receipt."""
    return make_turn(received, Action.SUBMIT, by, received.submitted_at)


def auto_assign(before: Snapshot, plan: Plan, at: datetime, facts: Mapping[str, str | None]) -> Turn:
    """It goes to the department that the policy names for its category and district."""
    return make_turn(
        before,
        Action.AUTO_ASSIGN,
        SYSTEM,
        at,
        facts={"department": plan.department, **facts},
        **assigned(plan, at, before),
    )


def to_triage(before: Snapshot, plan: Plan, at: datetime, reason: str, facts: Mapping[str, str | None]) -> Turn:
    """A person must decide; the reason is kept for them."""
    facts = {"reason": reason, **facts}
    return make_turn(before, Action.TO_TRIAGE, SYSTEM, at, facts=facts, triage_reason=reason, **in_triage(plan))


def quick_log(before: Snapshot, settled: QuickLog, by: Actor, at: datetime) -> Turn:
    """Staff have settled a small matter on the spot: submitted, resolved and closed in one step."""
    changes: dict[str, Any] = {
        "state": State.CLOSED,
        "department": settled.department,
        "category": settled.category,
        "assignee": by.id,
        "result": settled.outcome,
        "outcome": Outcome(settled.outcome.value),
        "reply": settled.reply,
        "resolved_by": by.id,
        "closed_at": at,
        "quick_logged": True,
    }
    facts = {"department": settled.department, "category": settled.category, "outcome": settled.outcome}
    return make_turn(before, Action.QUICK_LOG, by, at, public=True, text=settled.reply, facts=facts, **changes)


def remind(before: Snapshot, kind: AlarmKind, at: datetime) -> Turn:
    """A clock ran out that only reminds: an event, the notices, no change of state."""
    return make_turn(before, kind, SYSTEM, at, owed_by_alarm(kind, before), public=False)


def heartbeat(before: Snapshot, at: datetime) -> Turn:
    """The citizen has heard nothing for long: who has it, and when it is due."""
    return make_turn(before, Action.HEARTBEAT, SYSTEM, at, facts={"department": before.department})


def close_without_reply(before: Snapshot, at: datetime) -> Turn:
    """The citizen said nothing: closed, and never counted as satisfied."""
    return make_turn(
        before,
        Action.CLOSE,
        SYSTEM,
        at,
        (),
        state=State.CLOSED,
        outcome=Outcome.NO_REPLY,
        closed_at=at,
        call_wanted_at=None,
    )


def escalate_by_rung(
    before: Snapshot, rung: Rung, by: Actor, at: datetime, plan: Plan | None, text: str | None = None
) -> Turn:
    """The next rung hears of it; where it takes over (`plan` given), the assignment moves there, the due date stays."""
    changes: dict[str, Any] = {"escalation_level": max(rung.level, before.escalation_level)}
    if plan is not None:
        changes |= assigned(plan, at, before)
    after = replace(before, **changes)
    facts = {"level": str(rung.level), "department": after.department, "previous_department": before.department}
    notices = _escalation_notices(before, after, rung)
    return make_turn(
        before, Action.ESCALATE, by, at, notices, public=plan is not None, text=text, facts=facts, **changes
    )


def _escalation_notices(before: Snapshot, after: Snapshot, rung: Rung) -> tuple[OwedNotice, ...]:
    below = Recipient.ASSIGNEE if before.department else Recipient.DISPATCHERS
    notices = [owe(NoticeKind.ESCALATED, Recipient.LEADS, after, department=code) for code in rung.departments]
    if rung.supervisors:
        notices.append(owe(NoticeKind.ESCALATED, Recipient.SUPERVISORS, after))
    notices.append(owe(NoticeKind.ESCALATED_FROM, below, after, department=before.department, assignee=before.assignee))
    if after.department != before.department:
        notices.append(owe(NoticeKind.NEW_TASK, Recipient.HANDLERS, after))
        notices.append(
            owe(NoticeKind.DEPARTMENT_CHANGED, Recipient.CITIZEN, after, previous_department=before.department)
        )
    return tuple(notices)


def not_applied(before: Snapshot, action: str, by: Actor, at: datetime, reason: str, text: str | None) -> Turn:
    """Something that was accepted for delivery came too late: it stays in the timeline, and the sender hears of it."""
    notices = (owe(NoticeKind.ANSWER_NOT_APPLIED, Recipient.CITIZEN, before),) if by.kind == "citizen" else ()
    facts = {"action": action, "reason": reason}
    return make_turn(before, "not_applied", by, at, notices, public=by.kind == "citizen", text=text, facts=facts)
