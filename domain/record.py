"""What the procedure has written down, and what it hears back."""

from dataclasses import dataclass
from datetime import datetime

from domain.planning import FeedbackPlan
from domain.request import Act, Event, OwedNotice, Snapshot


@dataclass(frozen=True)
class Entry:
    """One event to be recorded with the notices it owes."""

    event: Event
    notices: tuple[OwedNotice, ...] = ()


@dataclass(frozen=True)
class Record:
    """What is written down together: one or more events, and the snapshot after the last of them.

    With `act` it is written before the history knows of the action that it comes from. With `feedback` the clocks of the
    feedback are planned in the same step.
    """

    snapshot: Snapshot
    entries: tuple[Entry, ...]
    act: Act | None = None
    feedback: bool = False


@dataclass(frozen=True)
class Recorded:
    """What is left to send: `owed` notices are due now; the earliest that quiet hours hold back is due at `held_until`.

    `by_gateway` says that they go through a stranger on the network, who may be slow. `stands` is the snapshot that was
    written before, where the same turn has been recorded by an attempt that nobody remembers. With `ahead` nothing was
    written: such an attempt has recorded that act under this number, and it has to be taken first. `feedback` is the plan as
    of the snapshot that counts, where one was wanted.
    """

    owed: int
    held_until: datetime | None = None
    by_gateway: bool = False
    stands: Snapshot | None = None
    ahead: Act | None = None
    feedback: FeedbackPlan | None = None
