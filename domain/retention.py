"""When the personal data of a request is erased, and the turn that this makes (PROCESS.md row 32).

What is left is a tombstone: reference, category, department, district, dates, outcome, rating and the kinds of the events.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.lifecycle import Action
from domain.request import SYSTEM, TERMINAL, Snapshot, State, Turn
from domain.turns import make_turn

ERASED = (
    "The personal data of this request was erased; nothing can be done with it any more. Please send a new request."
)


class Because(StrEnum):
    """Why the data was erased; it stands in the event as the fact `because`."""

    RETENTION = "retention"  # the city's time of keeping is over
    CITIZEN = "citizen"  # the citizen demanded it
    ADMIN = "admin"  # an admin did, with a reason that is kept with the demand


class Wait(StrEnum):
    """Why it is not erased yet."""

    OPEN = "open"  # not over: whoever works on it needs the data
    KEPT = "kept"  # over, and the time of keeping is not
    REOPENABLE = "reopenable"  # closed, and the citizen may still ask to have it done again
    WITH_PARENT = "with_parent"  # merged into another that is not over
    UNDER_WAY = "under_way"  # a message or a notice of it is just being delivered


def wait_of_demand(snapshot: Snapshot, parent_over_since: datetime | None) -> Wait | None:
    """None where a demand can be met now. Whoever demands it gives up the right to reopen (docs/decisions/0012).

    `parent_over_since` counts for a merged request only: it is over when the one is that it was merged into.
    """
    if snapshot.state not in TERMINAL:
        return Wait.OPEN
    if snapshot.state is State.MERGED and parent_over_since is None:
        return Wait.WITH_PARENT
    return None


def wait_of_retention(
    snapshot: Snapshot,
    parent_over_since: datetime | None,
    now: datetime,
    keep: timedelta,
    reopen_until: datetime | None,
) -> Wait | None:
    """None where the time of keeping is over. It counts from the end of the matter, not from what came too late after it."""
    wait = wait_of_demand(snapshot, parent_over_since)
    if wait is not None:
        return wait
    if snapshot.state is State.CLOSED and reopen_until is not None and now <= reopen_until:
        return Wait.REOPENABLE
    over_since = snapshot.closed_at or snapshot.updated_at or snapshot.submitted_at
    if snapshot.state is State.MERGED and parent_over_since is not None:
        over_since = max(over_since, parent_over_since)
    return Wait.KEPT if now < over_since + keep else None


def erase(before: Snapshot, because: Because, at: datetime) -> Turn:
    """The personal data is gone; the citizen can read that in the timeline, and nobody is owed a notice of it."""
    return make_turn(before, Action.ERASE, SYSTEM, at, (), public=True, facts={"because": because})


def not_started(request_id: str, reference: str, submitted_at: datetime, confidential: bool) -> Snapshot:
    """Where a request stands that no run has taken up yet."""
    first = Snapshot(request_id, reference, submitted_at, confidential)
    return replace(first, updated_at=submitted_at)
