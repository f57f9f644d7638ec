"""What a line of the timeline says of where a request stands after it: as much of the snapshot as its clocks depend on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.lifecycle import MAX_ESCALATION_LEVEL, Action
from domain.request import PAUSED, AlarmKind, Event, Snapshot, Solved, State

DUE_FROM_HERE = frozenset({Action.AUTO_ASSIGN, Action.ASSIGN, Action.REASSIGN, Action.DECIDE, Action.REOPEN})
"""What fixes a due date, where it leads to a department and none stays from before."""

_GIVES_AWAY = frozenset({
    Action.AUTO_ASSIGN, Action.TO_TRIAGE, Action.ASSIGN, Action.REASSIGN, Action.RETURN_REQUEST, Action.REFER,
    Action.REOPEN, Action.MERGE, Action.UNMERGE,
})  # fmt: skip
"""After these nobody has accepted yet."""


def told_after(before: Snapshot, event: Event) -> Snapshot:
    """State, department, level, and who was told, contacted or asked when."""
    changes: dict[str, Any] = {"sequence": event.sequence, "state": event.state, "updated_at": event.at}
    if event.public and event.actor_kind != "citizen":
        changes["told_at"] = event.at
    changes |= _of_the_assignment(before, event) | _of_the_work(before, event) | _of_a_pause(before, event)
    return replace(before, **changes)


def _of_the_assignment(before: Snapshot, event: Event) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    moves = event.facts.get("department") != event.facts.get("previous_department")
    takes_over = event.action == Action.ESCALATE and moves
    is_decided = event.action == Action.DECIDE and event.state is State.ASSIGNED
    if event.action in _GIVES_AWAY or takes_over or is_decided:
        changes["accepted_at"] = None
    if event.state is State.ASSIGNED and (event.action in DUE_FROM_HERE or takes_over):
        changes |= {"assigned_at": event.at, "department": event.facts.get("department", before.department)}
    if event.action == Action.ACCEPT:
        changes["accepted_at"] = event.at
    if event.action == Action.ESCALATE:
        changes["escalation_level"] = max(before.escalation_level, int(event.facts["level"]))
    elif event.action == Action.REOPEN and event.state is State.ASSIGNED:
        changes["escalation_level"] = min(before.escalation_level + 1, MAX_ESCALATION_LEVEL)
        changes["rework_count"] = before.rework_count + 1
    return changes


def _of_the_work(before: Snapshot, event: Event) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    is_answer = event.action in (Action.RESOLVE, Action.APPROVE) and event.state is State.RESOLVED
    is_note = event.action == Action.PROGRESS and event.public
    if event.action in (Action.CONTACT, Action.ASK_CITIZEN) or is_answer or is_note:
        changes["contacted_at"] = before.contacted_at or event.at
    if event.action == AlarmKind.WANT_CALL:
        changes["call_wanted_at"] = event.at
    elif is_answer or event.action in (Action.RATE, Action.CLOSE) or _is_called(event):
        changes["call_wanted_at"] = None
    if event.action == Action.GRANT_EXTENSION:
        changes |= {"extended_at": event.at, "extension_days": int(event.facts["days"])}
    return changes


def _is_called(event: Event) -> bool:
    """Whether a caller has come to an end with it."""
    return event.action == Action.RECORD_CALL and event.facts.get("result") in ("answered", "refused")


def _of_a_pause(before: Snapshot, event: Event) -> dict[str, Any]:
    if event.state in PAUSED:
        return {"paused_at": before.paused_at or event.at}
    return {"paused_at": None}


def is_unhappy(event: Event) -> bool:
    """Whether the citizen has said that it is not solved: then it goes on at once, without another message."""
    return event.action in (Action.RATE, Action.RECORD_CALL) and event.facts.get("solved") == Solved.NO
