"""What a run hands to the next one, when its history has grown long: everything that it knows, and nothing twice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.request import Alarm, Event, Rung, Snapshot, State


@dataclass(frozen=True)
class Waiting:
    """A signal as it came, whose turn has not come yet."""

    signal: str
    sent: tuple[Any, ...]


@dataclass(frozen=True)
class Answered:
    """An update that was carried out: asked again with the same id, it gets the same answer, also from a later run."""

    update_id: str
    state: State
    sequence: int


@dataclass(frozen=True)
class Carried:
    """The course of a request at the seam between two runs; no turn is under way there."""

    snapshot: Snapshot
    alarms: tuple[Alarm, ...]
    stopped: tuple[Alarm, ...]
    rungs: tuple[Rung, ...]
    reopen_until: datetime | None
    heard_up_to: int  # the latest inbox id: the relay delivers in order
    latest: tuple[Event, ...]
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    followers: tuple[str, ...] = ()
    parent_sequence: int = 0
    waiting: tuple[Waiting, ...] = ()
    unsent: bool = False  # notices were on their way to a gateway
    answered: tuple[Answered, ...] = ()
