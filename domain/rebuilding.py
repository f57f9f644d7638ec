"""Where the run of a request goes on that Temporal knows no more, put together from all that the read model knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.clocks import in_order
from domain.missed import (
    Done,
    Parent,
    Sent,
    answers,
    followed_up_to,
    followers_changed,
    followers_of,
    heard_up_to,
    parent_moved,
)
from domain.planning import plan_feedback
from domain.policy import Policy
from domain.rebuilt import KEPT_ANSWERS, SHOWN_EVENTS, Rebuilt
from domain.request import TERMINAL, Alarm, AlarmKind, Event, Snapshot, State
from domain.retold_clocks import retell_clocks


@dataclass(frozen=True)
class Found:
    """All that the read model knows of a request, its parent and its followers. `held_until` is when the first notice is due
    that quiet hours hold back; `merged` are the requests that stand as merged into this one."""

    snapshot: Snapshot
    events: Sequence[Event]
    messages: Sequence[Sent] = ()
    done: Sequence[Done] = ()
    merged: Sequence[str] = ()
    parent: Parent | None = None
    unsent: bool = False
    held_until: datetime | None = None


def rebuild(policies: Mapping[str, Policy], found: Found, now: datetime) -> Rebuilt:
    """Where the run goes on. Raises KeyError for a policy version that is missing."""
    snapshot, events, parent = found.snapshot, found.events, found.parent
    timed = retell_clocks(policies, snapshot, events, now)
    followers = followers_of(events)
    after = followed_up_to(snapshot, events, parent) if parent else 0
    own = Alarm(found.held_until, AlarmKind.SEND_HELD) if found.held_until else None
    ends = _end_with_parent(snapshot, parent, now)
    return Rebuilt(
        snapshot=snapshot,
        alarms=in_order((*timed.clocks.alarms, *filter(None, (own, ends)))),
        stopped=timed.clocks.stopped,
        rungs=timed.clocks.rungs,
        reopen_until=timed.clocks.reopen_until,
        heard_up_to=heard_up_to(found.messages, events),
        latest=tuple(events[-SHOWN_EVENTS:]),
        pauses=timed.clocks.pauses,
        followers=followers,
        parent_sequence=after,
        unsent=found.unsent,
        answered=answers(found.done, events)[-KEPT_ANSWERS:],
        parts=timed.parts,
        parent_moved=parent_moved(after, parent) if parent else (),
        followers_changed=followers_changed(followers, found.merged),
    )


def _end_with_parent(snapshot: Snapshot, parent: Parent | None, now: datetime) -> Alarm | None:
    """A merged request may be judged, and its parent reopened, until that day."""
    if parent is None or parent.reopen_until is None or parent.reopen_until <= now:
        return None
    is_closed = snapshot.parent_state is State.CLOSED
    return Alarm(parent.reopen_until, AlarmKind.END_REOPENING) if is_closed else None


def is_owed_a_run(snapshot: Snapshot, own_end: datetime | None, parent_end: datetime | None, now: datetime) -> bool:
    """Whether something may still happen to it: it is open, waits for a rating, or may yet be reopened.

    `own_end` is until when it may be reopened itself, `parent_end` until when the request may be that it was merged into.
    """
    if snapshot.state is State.MERGED:
        return snapshot.parent_state not in TERMINAL or (parent_end is not None and parent_end > now)
    if snapshot.state is State.CLOSED:
        return own_end is not None and own_end > now
    return snapshot.state not in TERMINAL


def versions_of(snapshot: Snapshot, events: Iterable[Event]) -> set[str]:
    """The policy versions that are needed to tell the clocks again."""
    named = (event.facts.get(name) for event in events for name in ("version", "previous_version"))
    return {version for version in (snapshot.policy_version, *named) if version}


def reopen_until(policy: Policy, snapshot: Snapshot) -> datetime | None:
    """Until when a closed request may be reopened; None where it was closed without an answer."""
    if snapshot.state is not State.CLOSED or snapshot.resolved_at is None:
        return None
    return plan_feedback(policy, snapshot.resolved_at).reopen_until
