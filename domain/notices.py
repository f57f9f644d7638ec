"""Which notice each turn of a request owes to whom: the last column of PROCESS.md section 3, as a table.

A recipient is a role, not a person; who holds it is looked up when the turn is recorded.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from domain.lifecycle import Action
from domain.request import OPEN, AlarmKind, OwedNotice, Snapshot, State, Urgency


class Recipient(StrEnum):
    """The part that a notice's recipient plays."""

    CITIZEN = "citizen"
    HANDLERS = "handlers"  # of a department
    LEADS = "leads"  # of a department
    ASSIGNEE = "assignee"  # who accepted; the handlers as long as nobody has
    DISPATCHERS = "dispatchers"
    SUPERVISORS = "supervisors"
    CALLERS = "callers"


class NoticeKind(StrEnum):
    """Each is a folder of texts in the policy."""

    RECEIPT = "receipt"
    ASSIGNED = "assigned"
    NEW_TASK = "new_task"
    NEEDS_TRIAGE = "needs_triage"
    DECLINED = "declined"
    TRANSFERRED = "transferred"
    REASSIGNED_AWAY = "reassigned_away"
    RECLASSIFIED = "reclassified"
    RETURNED_TO_TRIAGE = "returned_to_triage"
    NEEDS_DECISION = "needs_decision"
    DECIDED = "decided"
    PROGRESS = "progress"
    REVIEW_WANTED = "review_wanted"
    SENT_BACK = "sent_back"
    RESOLVED = "resolved"
    RATED = "rated"
    REOPENED = "reopened"
    REOPENED_DEPARTMENT = "reopened_department"
    URGED = "urged"
    SUPPLEMENTED = "supplemented"
    WITHDRAWN = "withdrawn"
    REMINDER_HALF = "reminder_half"
    REMINDER_EIGHTY = "reminder_eighty"
    ACCEPT_OVERDUE = "accept_overdue"
    CONTACT_OVERDUE = "contact_overdue"
    ESCALATED = "escalated"
    ESCALATED_FROM = "escalated_from"
    DEPARTMENT_CHANGED = "department_changed"
    FEEDBACK_REMINDER = "feedback_reminder"
    ANSWER_NOT_APPLIED = "answer_not_applied"
    ONE_TIME_CODE = "one_time_code"
    DANGER = "danger"
    QUESTION = "question"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    EXTENSION_WANTED = "extension_wanted"
    EXTENDED = "extended"
    EXTENSION_GRANTED = "extension_granted"
    EXTENSION_REFUSED = "extension_refused"
    HOLD_WANTED = "hold_wanted"
    ON_HOLD = "on_hold"
    HOLD_APPROVED = "hold_approved"
    HOLD_REFUSED = "hold_refused"
    RESUMED = "resumed"
    HEARTBEAT = "heartbeat"
    CALL_WANTED = "call_wanted"
    CO_TASK = "co_task"
    CO_DONE = "co_done"
    CO_RETURNED = "co_returned"
    CO_WAIVED = "co_waived"
    CO_REMINDER = "co_reminder"
    CO_ESCALATED = "co_escalated"
    DUE_MOVED = "due_moved"
    DUE_CHANGED = "due_changed"
    QUICK_LOGGED = "quick_logged"
    MERGED = "merged"
    UNMERGED = "unmerged"
    TOPIC_SPIKE = "topic_spike"


K, R = NoticeKind, Recipient
Owed = tuple[NoticeKind, Recipient]
"""A kind and the part its recipient plays; the department meant is the one that has the request after the turn."""

NEW_ASSIGNMENT: tuple[Owed, ...] = ((K.ASSIGNED, R.CITIZEN), (K.NEW_TASK, R.HANDLERS))

OWED: dict[tuple[Action, State], tuple[Owed, ...]] = {
    (Action.SUBMIT, State.RECEIVED): ((K.RECEIPT, R.CITIZEN),),
    (Action.AUTO_ASSIGN, State.ASSIGNED): NEW_ASSIGNMENT,
    (Action.ASSIGN, State.ASSIGNED): NEW_ASSIGNMENT,
    (Action.TO_TRIAGE, State.TRIAGE): ((K.NEEDS_TRIAGE, R.DISPATCHERS),),
    (Action.DECLINE, State.DECLINED): ((K.DECLINED, R.CITIZEN),),
    (Action.TRANSFER, State.TRANSFERRED): ((K.TRANSFERRED, R.CITIZEN),),
    (Action.RETURN_REQUEST, State.TRIAGE): ((K.RETURNED_TO_TRIAGE, R.DISPATCHERS),),
    (Action.RETURN_REQUEST, State.ADJUDICATION): ((K.NEEDS_DECISION, R.SUPERVISORS),),
    (Action.DECIDE, State.ASSIGNED): (*NEW_ASSIGNMENT, (K.DECIDED, R.LEADS), (K.DECIDED, R.DISPATCHERS)),
    (Action.DECIDE, State.CLOSED): ((K.DECIDED, R.CITIZEN), (K.DECIDED, R.LEADS), (K.DECIDED, R.DISPATCHERS)),
    (Action.DECIDE, State.DECLINED): ((K.DECLINED, R.CITIZEN), (K.DECIDED, R.LEADS), (K.DECIDED, R.DISPATCHERS)),
    (Action.REASSIGN, State.ASSIGNED): NEW_ASSIGNMENT,
    (Action.RECLASSIFY, State.TRIAGE): (),
    (Action.RECLASSIFY, State.ASSIGNED): ((K.RECLASSIFIED, R.ASSIGNEE),),
    (Action.RECLASSIFY, State.IN_PROGRESS): ((K.RECLASSIFIED, R.ASSIGNEE),),
    (Action.SET_URGENCY, State.TRIAGE): (),
    (Action.SET_URGENCY, State.ASSIGNED): ((K.RECLASSIFIED, R.ASSIGNEE),),
    (Action.SET_URGENCY, State.IN_PROGRESS): ((K.RECLASSIFIED, R.ASSIGNEE),),
    (Action.RESOLVE, State.IN_REVIEW): ((K.REVIEW_WANTED, R.DISPATCHERS),),
    (Action.RESOLVE, State.RESOLVED): ((K.RESOLVED, R.CITIZEN),),
    (Action.APPROVE, State.RESOLVED): ((K.RESOLVED, R.CITIZEN),),
    (Action.SEND_BACK, State.IN_PROGRESS): ((K.SENT_BACK, R.ASSIGNEE),),
    (Action.RATE, State.CLOSED): ((K.RATED, R.ASSIGNEE),),
    (Action.RATE, State.RESOLVED): (),  # the reopening that follows at once tells them
    (Action.REOPEN, State.ASSIGNED): (
        (K.REOPENED, R.CITIZEN), (K.REOPENED_DEPARTMENT, R.LEADS), (K.REOPENED_DEPARTMENT, R.SUPERVISORS),
    ),
    (Action.REOPEN, State.ADJUDICATION): ((K.NEEDS_DECISION, R.SUPERVISORS),),
    (Action.REFER, State.ADJUDICATION): ((K.NEEDS_DECISION, R.SUPERVISORS),),
    (Action.ASK_CITIZEN, State.AWAITING_CITIZEN): ((K.QUESTION, R.CITIZEN),),
    (Action.REQUEST_EXTENSION, State.IN_PROGRESS): ((K.EXTENSION_WANTED, R.DISPATCHERS),),
    (Action.GRANT_EXTENSION, State.IN_PROGRESS): ((K.EXTENDED, R.CITIZEN), (K.EXTENSION_GRANTED, R.ASSIGNEE)),
    (Action.REFUSE_EXTENSION, State.IN_PROGRESS): ((K.EXTENSION_REFUSED, R.LEADS), (K.EXTENSION_REFUSED, R.ASSIGNEE)),
    (Action.REQUEST_HOLD, State.IN_PROGRESS): ((K.HOLD_WANTED, R.SUPERVISORS),),
    (Action.APPROVE_HOLD, State.ON_HOLD): ((K.ON_HOLD, R.CITIZEN), (K.HOLD_APPROVED, R.ASSIGNEE)),
    (Action.REFUSE_HOLD, State.IN_PROGRESS): ((K.HOLD_REFUSED, R.LEADS), (K.HOLD_REFUSED, R.ASSIGNEE)),
    (Action.QUICK_LOG, State.CLOSED): ((K.QUICK_LOGGED, R.CITIZEN),),
    (Action.MERGE, State.MERGED): ((K.MERGED, R.CITIZEN),),
    (Action.UNMERGE, State.TRIAGE): ((K.UNMERGED, R.CITIZEN), (K.NEEDS_TRIAGE, R.DISPATCHERS)),
    **{(Action.HEARTBEAT, state): ((K.HEARTBEAT, R.CITIZEN),) for state in OPEN},
}  # fmt: skip

REMINDERS: dict[AlarmKind, tuple[Owed, ...]] = {
    AlarmKind.ACCEPT_OVERDUE: ((K.ACCEPT_OVERDUE, R.HANDLERS), (K.ACCEPT_OVERDUE, R.LEADS)),
    AlarmKind.CONTACT_OVERDUE: ((K.CONTACT_OVERDUE, R.ASSIGNEE),),
    AlarmKind.REMIND_HALF: ((K.REMINDER_HALF, R.ASSIGNEE),),
    AlarmKind.REMIND_EIGHTY: ((K.REMINDER_EIGHTY, R.ASSIGNEE),),
    AlarmKind.REMIND_FEEDBACK: ((K.FEEDBACK_REMINDER, R.CITIZEN),),
}
"""What a clock that has run out owes; escalations are owed by their rung."""

IN_TRIAGE: dict[AlarmKind, tuple[Owed, ...]] = {
    AlarmKind.ACCEPT_OVERDUE: ((K.ACCEPT_OVERDUE, R.DISPATCHERS),),
    AlarmKind.REMIND_HALF: ((K.REMINDER_HALF, R.DISPATCHERS),),
    AlarmKind.REMIND_EIGHTY: ((K.REMINDER_EIGHTY, R.DISPATCHERS),),
}
"""The same while no department has it: the dispatchers owe the next step."""

IN_ADJUDICATION: dict[AlarmKind, tuple[Owed, ...]] = {
    kind: tuple((notice, R.SUPERVISORS) for notice, _ in owed) for kind, owed in IN_TRIAGE.items()
}
"""The same while the supervisors owe a decision; the department is only a party to it."""

ALERTED: tuple[Owed, ...] = ((K.DANGER, R.LEADS), (K.DANGER, R.SUPERVISORS))
"""A danger to life alerts who can act at once, whatever else the turn owes and whatever the hour."""

_RAISES_DANGER = frozenset({Action.AUTO_ASSIGN, Action.TO_TRIAGE, Action.ASSIGN, Action.REASSIGN, Action.SET_URGENCY})

_PROMPT = frozenset({Urgency.URGENT, Urgency.DANGER})

_AT_ONCE = frozenset({Action.SUBMIT, Action.AUTO_ASSIGN})
"""Answers to what the citizen did a moment ago: whoever submits at ten at night is awake and waits for the receipt."""


def owe(
    kind: NoticeKind, to: Recipient, after: Snapshot, department: str | None = None, **facts: str | None
) -> OwedNotice:
    """One owed notice about the request as it stands after the turn; facts without a value are left out."""
    given = {name: value for name, value in {**_standing_facts(after), **facts}.items() if value is not None}
    return OwedNotice(kind, to, department or after.department, after.urgency in _PROMPT, given)


def _standing_facts(after: Snapshot) -> dict[str, str | None]:
    due_at = after.due_at or after.accept_due_at
    return {
        "department": after.department,
        "category": after.category,
        "due": due_at.isoformat() if due_at else None,
        "level": str(after.escalation_level),
        "state": after.state,
        "assignee": after.assignee,
    }


def owed_for(action: Action, after: Snapshot, **facts: str | None) -> tuple[OwedNotice, ...]:
    """What the table owes for that action with the request in its new state."""
    owed = OWED.get((action, after.state), ())
    if after.urgency is Urgency.DANGER and action in _RAISES_DANGER:
        owed = (*owed, *(ALERTED if after.department else ALERTED[1:]))
    notices = (owe(kind, to, after, **facts) for kind, to in owed)
    return tuple(replace(notice, urgent=notice.urgent or action in _AT_ONCE) for notice in notices)


def owed_by_alarm(kind: AlarmKind, after: Snapshot) -> tuple[OwedNotice, ...]:
    """What a clock that has run out owes."""
    table = REMINDERS if after.department else IN_TRIAGE
    if after.state is State.ADJUDICATION:
        table = IN_ADJUDICATION
    return tuple(owe(notice, to, after) for notice, to in table.get(kind, ()))


def owed_by_message(kind: NoticeKind, after: Snapshot) -> tuple[OwedNotice, ...]:
    """A citizen's supplement, urging or withdrawal reaches who has the request, or who must decide where it goes.

    The second urging goes to the lead, the third and every later one to the supervisors (PROCESS.md row 22).
    """
    to = R.ASSIGNEE if after.department else R.DISPATCHERS
    if after.state is State.ADJUDICATION:
        to = R.SUPERVISORS
    if kind is NoticeKind.URGED and after.urge_count == 2:
        to = R.LEADS if after.department else R.SUPERVISORS
    if kind is NoticeKind.URGED and after.urge_count > 2:
        to = R.SUPERVISORS
    return (owe(kind, to, after),)
