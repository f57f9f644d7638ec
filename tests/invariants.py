"""What must hold of every request at any time, whatever people do to it: told from its events, its snapshot and its run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from domain.lifecycle import MAX_ESCALATION_LEVEL, Action, rows_of
from domain.request import PAUSED, Event, Snapshot, State
from tests.town import Request

_ACTIONS = frozenset(action.value for action in Action)
_FIXES_A_DATE = frozenset({
    Action.AUTO_ASSIGN, Action.ASSIGN, Action.REASSIGN, Action.DECIDE, Action.ESCALATE, Action.REOPEN, Action.FOLLOW,
})  # fmt: skip
"""What may set a due date where there was none; a reopening fixes a new one, and a merged request has its parent's."""
_FIXES_ANEW = frozenset({Action.REOPEN, Action.FOLLOW})


def broken(snapshot: Snapshot, events: Sequence[Event]) -> list[str]:
    """Every rule that the events and the snapshot break, in words."""
    return [*_in_the_sequence(events), *_in_the_table(events), *_in_the_snapshot(snapshot, events)]


def _in_the_sequence(events: Sequence[Event]) -> Iterator[str]:
    if [event.sequence for event in events] != list(range(1, len(events) + 1)):
        yield f"the events are numbered {[event.sequence for event in events]}"
    for one, next_ in pairwise(events):
        if next_.state_before is not one.state:
            yield f"event {next_.sequence} ({next_.action}) begins in {next_.state_before}, not in {one.state}"
        if next_.at < one.at:
            yield f"event {next_.sequence} ({next_.action}) is earlier than the one before it"


def _in_the_table(events: Sequence[Event]) -> Iterator[str]:
    for event in events:
        if event.action not in _ACTIONS:
            if event.state is not event.state_before:
                yield f"event {event.sequence} ({event.action}) changes the state without a row in the table"
        elif not any(_is_row(row.sources, row.targets, event) for row in rows_of(Action(event.action))):
            yield f"event {event.sequence}: no row lets {event.action} lead from {event.state_before} to {event.state}"


def _is_row(sources: frozenset[State], targets: frozenset[State], event: Event) -> bool:
    if event.state_before is None:
        return not sources and event.state in targets
    stays = not targets or event.action == Action.ESCALATE
    return event.state_before in sources and (event.state in targets or (stays and event.state is event.state_before))


def _in_the_snapshot(snapshot: Snapshot, events: Sequence[Event]) -> Iterator[str]:
    for name, told in _told(events).items():
        if getattr(snapshot, name) != told:
            yield f"{name} is {getattr(snapshot, name)}, the events say {told}"
    if (snapshot.state in PAUSED) is not (snapshot.paused_at is not None):
        yield f"paused_at is {snapshot.paused_at} in {snapshot.state}"


def _told(events: Sequence[Event]) -> dict[str, Any]:
    """What the events say of the snapshot's attributes."""
    last = events[-1]
    return {
        "sequence": last.sequence,
        "state": last.state,
        "updated_at": last.at,
        "told_at": _latest(event for event in events if event.public and event.actor_kind != "citizen"),
        "urge_count": _number(events, Action.URGE),
        "urged_at": _latest(event for event in events if event.action == Action.URGE),
        "return_count": _number(events, Action.RETURN_REQUEST),
        "question_count": _number(events, Action.ASK_CITIZEN),
        "rework_count": sum(event.action == Action.REOPEN and event.state is State.ASSIGNED for event in events),
        "followers": _number(events, "joined") - _number(events, "left"),
        "extended_at": _latest(event for event in events if event.action == Action.GRANT_EXTENSION),
        "escalation_level": _level(events),
        "paused_seconds": _paused_seconds(events),
        "parent": _parent(events),
    }


def _number(events: Sequence[Event], action: str) -> int:
    return sum(event.action == action for event in events)


def _latest(events: Iterator[Event]) -> datetime | None:
    return max((event.at for event in events), default=None)


def _level(events: Sequence[Event]) -> int:
    level = 0
    for event in events:
        if event.action == Action.ESCALATE:
            level = max(level, int(event.facts["level"]))
        elif event.action == Action.REOPEN and event.state is State.ASSIGNED:
            level = min(level + 1, MAX_ESCALATION_LEVEL)
    return level


def _paused_seconds(events: Sequence[Event]) -> int:
    seconds, since = 0, None
    for event in events:
        if event.state in PAUSED and since is None:
            since = event.at
        elif event.state not in PAUSED and since is not None:
            seconds += round((event.at - since).total_seconds())
            since = None
    return seconds


def _parent(events: Sequence[Event]) -> str | None:
    parent = None
    for event in events:
        if event.action == Action.MERGE:
            parent = event.facts["parent"]
        elif event.action == Action.UNMERGE:
            parent = None
    return parent


def wrongly_moved(before: Snapshot, after: Snapshot, since: Sequence[Event]) -> list[str]:
    """What is wrong with the way in which the due date has moved from one snapshot to the other, by the events between."""
    due, wrong = before.due_at, []
    for event in since:
        if "previous_due" in event.facts:
            if due is None or datetime.fromisoformat(event.facts["previous_due"]) != due:
                wrong.append(f"event {event.sequence} ({event.action}) moves a due date that was not {due}")
            due = datetime.fromisoformat(event.facts["due"])
        elif event.action in _FIXES_ANEW or (event.action in _FIXES_A_DATE and due is None):
            due = after.due_at
    if due != after.due_at:
        wrong.append(f"the due date went from {before.due_at} to {after.due_at}, the events say {due}")
    return wrong


async def wrongly_told(request: Request) -> list[str]:
    """Notices that were not sent though there is an address, or sent more than once, or sent to nobody."""
    rows = await request.town.pool.fetch(
        "select n.sequence, n.kind, n.state, count(o.notice_id) as times from notices n"
        " left join outbox o on o.notice_id = n.id where n.request_id = $1 group by n.id"
        " having (n.state, count(o.notice_id)) not in (('sent', 1), ('no_address', 0))",
        request.id,
    )
    return [
        f"notice {row['kind']} of event {row['sequence']} is {row['state']}, out {row['times']} times" for row in rows
    ]
