"""What people were told: every answer of the interface that promises something, written down as it comes."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, repr=False)
class Sent:
    """A request that was answered 201, with what the citizen had written."""

    number: int
    reference: str
    token: str
    description: str
    phone: str


@dataclass(frozen=True, slots=True)
class Acted:
    """A staff action that was answered 200: the state and the number of the event are what the answer said."""

    action: str
    username: str
    state: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A citizen's message that was answered 202, accepted at that moment."""

    action: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline as the citizen has read it."""

    at: datetime
    kind: str


@dataclass
class Ledger:
    """By reference, where it is about one request.

    `unanswered` counts the tries of citizens' messages that ended without an answer or with 503: each may have been stored.
    `denied` are the texts of those whose sender was told that nothing was stored.
    `wrong` are answers that should never come, in words.
    """

    sent: dict[str, Sent] = field(default_factory=dict)
    acted: defaultdict[str, list[Acted]] = field(default_factory=lambda: defaultdict(list))
    heard: defaultdict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    read: dict[str, tuple[Line, ...]] = field(default_factory=dict)
    photos: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unanswered: Counter[tuple[str, str]] = field(default_factory=Counter)
    denied: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def promises(self) -> int:
        """How many answers there are that must be kept."""
        by_request = (self.acted.values(), self.heard.values(), self.photos.values())
        return len(self.sent) + sum(len(promises) for lists in by_request for promises in lists)
