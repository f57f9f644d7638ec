"""How a turn is made: the next snapshot, its event and what the table of notices owes; and the changes that recur."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.lifecycle import Action
from domain.notices import owed_for
from domain.planning import Plan
from domain.request import Actor, Event, OwedNotice, Snapshot, State, Turn

Changes = dict[str, Any]
"""New values of a snapshot's attributes, by name."""

PUBLIC = frozenset({
    Action.SUBMIT, Action.AUTO_ASSIGN, Action.ASSIGN, Action.DECLINE, Action.TRANSFER, Action.ACCEPT, Action.DECIDE,
    Action.REASSIGN, Action.CONTACT, Action.APPROVE, Action.URGE, Action.SUPPLEMENT, Action.WITHDRAW, Action.RATE,
    Action.REOPEN, Action.CLOSE,
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
    after = replace(before, sequence=before.sequence + 1, updated_at=at, **changes)
    given = {name: str(value) for name, value in (facts or {}).items() if value is not None}
    shown = (action in PUBLIC) if public is None else public
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
    if notices is None:
        notices = owed_for(Action(action), after, **{k: v for k, v in given.items() if k in _TEXT_FACTS})
    return Turn(after, event, notices)


_TEXT_FACTS = frozenset({"target", "reason_code", "previous_department"})
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
        "review_required": plan.review_required or before.review_required,
    }


def in_triage(plan: Plan) -> Changes:
    return {
        "state": State.TRIAGE,
        "policy_version": plan.policy_version,
        "accept_due_at": plan.accept_due_at,
        "accepted_at": None,
        "department": None,
        "assignee": None,
    }


def answered(before: Snapshot, at: datetime) -> Changes:
    # The answer itself is a contact where none was recorded before.
    return {"state": State.RESOLVED, "resolved_at": at, "contacted_at": before.contacted_at or at}
