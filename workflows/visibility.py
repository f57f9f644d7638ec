"""What an admin sees of a run in the Temporal UI: search attributes for queries, current details to read.

Search attributes are never encrypted: codes, numbers and instants only.
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

with workflow.unsafe.imports_passed_through():
    from domain.request import Event, Snapshot, State

REFERENCE = SearchAttributeKey.for_keyword("Reference")
STATE = SearchAttributeKey.for_keyword("State")
DEPARTMENT = SearchAttributeKey.for_keyword("Department")
CATEGORY = SearchAttributeKey.for_keyword("Category")
DISTRICT = SearchAttributeKey.for_keyword("District")
URGENCY = SearchAttributeKey.for_keyword("Urgency")
ESCALATION_LEVEL = SearchAttributeKey.for_int("EscalationLevel")
DUE_AT = SearchAttributeKey.for_datetime("DueAt")

ATTRIBUTES = (REFERENCE, STATE, DEPARTMENT, CATEGORY, DISTRICT, URGENCY, ESCALATION_LEVEL, DUE_AT)
"""All that a namespace must have registered."""

_KEYWORDS = (
    (STATE, "state"),
    (DEPARTMENT, "department"),
    (CATEGORY, "category"),
    (DISTRICT, "district"),
    (URGENCY, "urgency"),
)


def at_start(reference: str) -> TypedSearchAttributes:
    """The attributes a run starts with."""
    return TypedSearchAttributes(
        [SearchAttributePair(REFERENCE, reference), SearchAttributePair(STATE, State.RECEIVED.value)]
    )


def show(before: Snapshot, after: Snapshot, latest: tuple[Event, ...]) -> None:
    """Show the run as it stands now: one history event where a search attribute changed, none for the details."""
    updates = _changes(before, after)
    if updates:
        workflow.upsert_search_attributes(updates)
    workflow.set_current_details(details(after, latest))


def _changes(before: Snapshot, after: Snapshot) -> list[SearchAttributeUpdate[Any]]:
    updates: list[SearchAttributeUpdate[Any]] = []
    for key, name in _KEYWORDS:
        value = getattr(after, name)
        if value != getattr(before, name) or (name == "urgency" and before.sequence == 0):
            updates.append(key.value_set(str(value)) if value is not None else key.value_unset())
    if after.escalation_level != before.escalation_level or before.sequence == 0:
        updates.append(ESCALATION_LEVEL.value_set(after.escalation_level))
    due_at, was_due_at = after.due_at or after.accept_due_at, before.due_at or before.accept_due_at
    if due_at != was_due_at:
        updates.append(DUE_AT.value_set(due_at) if due_at else DUE_AT.value_unset())
    return updates


def details(snapshot: Snapshot, latest: tuple[Event, ...]) -> str:
    """Markdown for the UI: state, who has it, due when, the last events."""
    due_at = snapshot.due_at or snapshot.accept_due_at
    lines = [
        f"**{snapshot.reference}** is **{snapshot.state}**" + (f" ({snapshot.outcome})" if snapshot.outcome else ""),
        "",
        f"- department: {snapshot.department or 'none yet'}" + (", accepted" if snapshot.assignee else ""),
        f"- category: {snapshot.category or 'not known'}; urgency: {snapshot.urgency}",
        f"- due: {due_at:%Y-%m-%d %H:%M} UTC" if due_at else "- due: not fixed yet",
        f"- escalation level: {snapshot.escalation_level}; urged: {snapshot.urge_count}; reopened: {snapshot.rework_count}",
        "",
        "| at (UTC) | event | by | state |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {event.at:%Y-%m-%d %H:%M:%S} | {event.action} | {event.actor_kind} | {event.state} |" for event in latest
    ]
    return "\n".join(lines)
