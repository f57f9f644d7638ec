"""How a turn is made: the next snapshot, its event and what the table of notices owes; and the changes that recur."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.lifecycle import Action
from domain.notices import NoticeKind, Recipient, owe, owed_for
from domain.planning import Plan
from domain.request import Actor, CoState, Event, Outcome, OwedNotice, Result, Snapshot, Solved, State, Turn

Changes = dict[str, Any]
"""New values of a snapshot's attributes, by name."""

PUBLIC = frozenset({
    Action.SUBMIT, Action.AUTO_ASSIGN, Action.ASSIGN, Action.DECLINE, Action.TRANSFER, Action.ACCEPT, Action.DECIDE,
    Action.REASSIGN, Action.CONTACT, Action.APPROVE, Action.URGE, Action.SUPPLEMENT, Action.WITHDRAW, Action.RATE,
    Action.REOPEN, Action.CLOSE, Action.ASK_CITIZEN, Action.ANSWER, Action.GRANT_EXTENSION, Action.APPROVE_HOLD,
    Action.RESUME, Action.HEARTBEAT, Action.RECORD_CALL,
})  # fmt: skip
"""What the citizen's timeline shows; a progress note and a resolution are public by what they say."""


def make_turn(
    before: Snapshot,
    action: str,
    by: Actor,
    at: datetime,
    notices: tuple[OwedNotice, ...] | None = None,
    *,
    public: bool | None = None,
    text: str | None = None,
    facts: Mapping[str, str | None] | None = None,
    **changes: Any,
) -> Turn:
    """The turn that makes these changes; owes what the table says unless told otherwise.

    A clock that was set back never puts an event before the one it follows.
    """
    at = max(at, before.updated_at or at)
    given = {name: str(value) for name, value in (facts or {}).items() if value is not None}
    shown = (action in PUBLIC) if public is None else public
    if shown and by.kind != "citizen":
        changes["told_at"] = at
    after = replace(before, sequence=before.sequence + 1, updated_at=at, **changes)
    event = Event(
        after.sequence,
        at,
        action,
        by.kind,
        by.id,
        before.state if before.sequence else None,
        after.state,
        shown,
        text,
        given,
    )
    if after.co_departments and not _keeps_co_handlers(before, after):
        after, waived = _without_co_handlers(after, at)
    else:
        waived = ()
    if notices is None:
        notices = owed_for(Action(action), after, **{k: v for k, v in given.items() if k in _TEXT_FACTS})
    return Turn(after, event, (*notices, *waived))


_KEEPS_CO_HANDLERS = frozenset({State.IN_PROGRESS, State.AWAITING_CITIZEN, State.ON_HOLD})


def _keeps_co_handlers(before: Snapshot, after: Snapshot) -> bool:
    """Also while the lead department that they were asked to help has yet to accept."""
    waits = before.state is after.state is State.ASSIGNED and before.department == after.department
    return waits or after.state in _KEEPS_CO_HANDLERS


def _without_co_handlers(after: Snapshot, at: datetime) -> tuple[Snapshot, tuple[OwedNotice, ...]]:
    """The lead department has the request no more, or it is over: whoever helped need do nothing more."""
    asked = [each for each in after.co_handlers if each.state is CoState.ASKED]
    waived = {each.number: replace(each, state=CoState.WAIVED, settled_at=at) for each in asked}
    co_handlers = tuple(waived.get(each.number, each) for each in after.co_handlers)
    after = replace(after, co_handlers=co_handlers, co_departments=())
    notices = (
        owe(
            NoticeKind.CO_WAIVED,
            Recipient.HANDLERS,
            after,
            department=each.department,
            due=each.due_at.isoformat(),
            co_department=each.department,
        )
        for each in asked
    )
    return after, tuple(notices)


_TEXT_FACTS = frozenset({"target", "reason_code", "previous_department", "answer_due", "review_on", "question"})
"""The facts of an event that its notices may name."""


def assigned(plan: Plan, at: datetime, before: Snapshot) -> Changes:
    """The changes of a new assignment; the due date of an earlier one stays as it was fixed (PROCESS.md section 4).

    So does the deadline of the first contact once there was one: a new assignment makes no late contact timely.
    """
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
        "contact_due_at": before.contact_due_at if before.contacted_at else plan.contact_due_at,
        "return_until": plan.return_until,
        "due_at": before.due_at or plan.due_at,
        "due_from": before.due_from if before.due_at else plan.planned_at or at,
        "review_required": plan.review_required or before.review_required,
        "service_level": plan.service_level,
        "urge_every_seconds": plan.urge_every_seconds,
        **NOTHING_ASKED,
    }


NOTHING_ASKED: Changes = {
    "hold_asked_by": None,
    "hold_reason": None,
    "hold_review_on": None,
    "extension_asked_by": None,
}
"""What was asked for and not answered lapses when the request moves on."""


def in_triage(plan: Plan) -> Changes:
    return {
        **NOTHING_ASKED,
        "urge_every_seconds": plan.urge_every_seconds,
        "state": State.TRIAGE,
        "policy_version": plan.policy_version,
        "accept_due_at": plan.accept_due_at,
        "accepted_at": None,
        "department": None,
        "assignee": None,
    }


def rated(before: Snapshot, solved: Solved, satisfied: int, at: datetime) -> Changes:
    """The citizen's own word. "Not solved" closes nothing: it goes on at once with row 28, 29 or 31.

    Who reported what another had reported before judges for themselves; the request stays merged.
    """
    changes: Changes = {"solved": solved, "satisfied": satisfied}
    if solved is not Solved.NO and before.state is State.MERGED:
        changes["outcome"] = _outcome(before.result, solved)
    elif solved is not Solved.NO:
        changes |= {"state": State.CLOSED, "outcome": _outcome(before.result, solved), "closed_at": at}
    return changes


def _outcome(result: Result | None, solved: Solved) -> Outcome:
    """The citizen's word counts; what was only explained is never counted as solved by the department's own."""
    if solved is Solved.PARTLY:
        return Outcome.PARTLY_SOLVED
    return Outcome.EXPLAINED if result is Result.EXPLAINED else Outcome.SOLVED


def answered(before: Snapshot, at: datetime) -> Changes:
    # The answer itself is a contact where none was recorded before.
    return {
        "state": State.RESOLVED,
        "resolved_at": at,
        "contacted_at": before.contacted_at or at,
        "call_wanted_at": None,
        "call_count": 0,
        **NOTHING_ASKED,
    }
