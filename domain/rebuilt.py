"""What a run needs to go on where another was lost: told from the read model, handed to the new run as one value."""

from dataclasses import dataclass
from datetime import datetime

from domain.followed import Followed, Follower
from domain.request import Alarm, Event, Rung, Snapshot, State

SHOWN_EVENTS = 8
"""So many of the latest events a run keeps, for whoever looks at it in the Temporal UI."""

KEPT_ANSWERS = 100
"""So many answers to updates a run keeps, for whoever asks again with the same id."""


@dataclass(frozen=True)
class WatchedPart:
    """A part of a co-handling department that is asked for and not settled, with the clocks that have not rung."""

    number: int
    department: str
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class Answer:
    """An update that was carried out, and what it was answered."""

    update_id: str
    state: State
    sequence: int


@dataclass(frozen=True)
class Rebuilt:
    """Where the run of a request goes on. What other runs told the lost one, and it never took, is told once more."""

    snapshot: Snapshot
    alarms: tuple[Alarm, ...]
    stopped: tuple[Alarm, ...]
    rungs: tuple[Rung, ...]
    reopen_until: datetime | None
    heard_up_to: int  # the latest inbox id whose message stands in the timeline
    latest: tuple[Event, ...]
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    followers: tuple[str, ...] = ()
    parent_sequence: int = 0
    unsent: bool = False  # notices are due and not sent
    answered: tuple[Answer, ...] = ()
    parts: tuple[WatchedPart, ...] = ()
    parent_moved: tuple[Followed, ...] = ()
    followers_changed: tuple[Follower, ...] = ()
