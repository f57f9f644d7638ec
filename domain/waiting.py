"""What people do to a request that has to wait: questions to the citizen, holds, more time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain import commands as c
from domain.lifecycle import Action, Transition
from domain.notices import NoticeKind, Recipient, owe
from domain.pauses import Moved, PausePlan
from domain.planned import Planned
from domain.request import SYSTEM, Actor, OwedNotice, Snapshot, State, Turn
from domain.taking import take
from domain.turns import Changes, make_turn


@take.register
def _(command: c.AskCitizen, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, PausePlan)
    changes: Changes = {
        "state": State.AWAITING_CITIZEN,
        "question": command.question,
        "question_count": before.question_count + 1,
        "answer_due_at": plan.until,
        "paused_at": at,
        # Who asks has spoken with the citizen.
        "contacted_at": before.contacted_at or at,
    }
    # The link in the notice is derived from the id of the question, and opens it alone.
    facts = {"answer_due": plan.until.isoformat(), "question": command.question}
    return make_turn(before, Action.ASK_CITIZEN, command.by, at, text=command.question, facts=facts, **changes)


@take.register
def _(command: c.Answer, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    notices = (owe(NoticeKind.ANSWERED, Recipient.ASSIGNEE, before),)
    return go_on(before, Action.ANSWER, command.by, at, plan, notices, command.text)


@take.register
def _(command: c.Resume, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    notices = (owe(NoticeKind.RESUMED, Recipient.ASSIGNEE, before),)
    return go_on(before, Action.RESUME, command.by, at, plan, notices, command.reason)


def go_on_unanswered(before: Snapshot, at: datetime, plan: Moved) -> Turn:
    """The citizen's time to answer is over: the work goes on with what is known."""
    notices = (owe(NoticeKind.UNANSWERED, Recipient.ASSIGNEE, before),)
    return go_on(before, Action.ANSWER, SYSTEM, at, plan, notices)


def resume_for_review(before: Snapshot, at: datetime, plan: Moved) -> Turn:
    """The date of review has come."""
    notices = (owe(NoticeKind.RESUMED, Recipient.ASSIGNEE, before),)
    return go_on(before, Action.RESUME, SYSTEM, at, plan, notices)


def go_on(
    before: Snapshot,
    action: Action,
    by: Actor,
    at: datetime,
    plan: Planned,
    notices: tuple[OwedNotice, ...],
    text: str | None = None,
) -> Turn:
    """The pause is over: every date has moved by it, and the event says from when to when."""
    assert isinstance(plan, Moved)
    at = plan.at  # the end that the dates were moved by
    changes: Changes = {
        "state": State.IN_PROGRESS,
        "due_at": plan.due_at,
        "contact_due_at": before.contact_due_at if before.contacted_at else plan.contact_due_at,
        **pause_over(before, at),
    }
    if before.state is State.ON_HOLD:
        changes |= {"hold_review_on": None, "hold_reason": None}
    told = tuple(replace(notice, facts={**notice.facts, "due": plan.due_at.isoformat()}) for notice in notices)
    facts = {**_due(before, "previous_due"), **_due(replace(before, due_at=plan.due_at))}
    return make_turn(before, action, by, at, told, text=text, facts=facts, **changes)


def pause_over(before: Snapshot, at: datetime) -> Changes:
    """What ends with a pause; it counts with those before it, to the second. Nothing where there is none."""
    if before.paused_at is None:
        return {}
    lasted = max(0, round((at - before.paused_at).total_seconds()))
    return {
        "paused_seconds": before.paused_seconds + lasted,
        "paused_at": None,
        "question": None,
        "answer_due_at": None,
    }


@take.register
def _(command: c.RequestExtension, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {
        "extension_asked_by": command.by.id,
        "extension_reason": command.reason,
        "extension_days": command.days,
    }
    facts = {"days": str(command.days)}
    return make_turn(before, Action.REQUEST_EXTENSION, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.GrantExtension, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Moved)
    changes: Changes = {"due_at": plan.due_at, "extended_at": at, "extension_asked_by": None}
    facts = {
        "days": str(before.extension_days),
        "note": command.note,
        "asked_by": before.extension_asked_by,
        **_due(before, "previous_due"),
        **_due(replace(before, due_at=plan.due_at)),
    }
    # The citizen reads why it takes longer in the words of who asked.
    return make_turn(
        before, Action.GRANT_EXTENSION, command.by, at, text=before.extension_reason, facts=facts, **changes
    )


@take.register
def _(command: c.RefuseExtension, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {"extension_asked_by": None, "extension_reason": None, "extension_days": None}
    return make_turn(before, Action.REFUSE_EXTENSION, command.by, at, text=command.reason, **changes)


@take.register
def _(command: c.RequestHold, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {
        "hold_asked_by": command.by.id,
        "hold_reason": command.reason,
        "hold_review_on": command.review_on,
    }
    facts = {"review_on": command.review_on.isoformat()}
    return make_turn(before, Action.REQUEST_HOLD, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.ApproveHold, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, PausePlan)
    assert before.hold_review_on is not None
    changes: Changes = {"state": State.ON_HOLD, "paused_at": at, "hold_asked_by": None}
    facts = {"review_on": before.hold_review_on.isoformat(), "note": command.note, "asked_by": before.hold_asked_by}
    return make_turn(before, Action.APPROVE_HOLD, command.by, at, text=before.hold_reason, facts=facts, **changes)


@take.register
def _(command: c.RefuseHold, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {"hold_asked_by": None, "hold_reason": None, "hold_review_on": None}
    return make_turn(before, Action.REFUSE_HOLD, command.by, at, text=command.reason, **changes)


def _due(snapshot: Snapshot, name: str = "due") -> dict[str, str | None]:
    return {name: snapshot.due_at.isoformat() if snapshot.due_at else None}
