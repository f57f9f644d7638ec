"""What a merged request hears of its parent, and a parent of those merged into it. Values that travel between runs."""

from dataclasses import dataclass
from datetime import datetime

from domain.request import Snapshot, State, Turn


@dataclass(frozen=True)
class Followed:
    """Where the parent stands after a turn, and the kinds of notices that its citizen was owed."""

    sequence: int
    state: State
    action: str = ""
    department: str | None = None
    category: str | None = None
    due_at: datetime | None = None
    notices: tuple[str, ...] = ()
    until: datetime | None = None  # where it is closed: so long its citizens may still judge


@dataclass(frozen=True)
class Follower:
    """A request that was merged into this one, or has left it again."""

    reference: str
    leaves: bool = False


TO_FOLLOWERS = frozenset({
    "assigned", "declined", "transferred", "decided", "progress", "resolved", "reopened", "department_changed", "extended",
    "on_hold", "due_moved", "heartbeat", "feedback_reminder",
})  # fmt: skip
"""The notices of a parent's citizen that those of its followers get as well; a question is for the one who was asked."""


def standing_of(snapshot: Snapshot) -> Followed:
    """Where a request stands, for one that joins it."""
    return Followed(snapshot.sequence, snapshot.state, "", snapshot.department, snapshot.category, snapshot.due_at)


def news_of(turn: Turn) -> Followed | None:
    """What followers hear of a turn; None where it is nothing to them."""
    kinds = tuple(notice.kind for notice in turn.notices if notice.to == "citizen" and notice.kind in TO_FOLLOWERS)
    if not kinds and turn.event.state_before == turn.event.state:
        return None
    after = turn.snapshot
    return Followed(
        after.sequence, after.state, turn.event.action, after.department, after.category, after.due_at, kinds
    )
