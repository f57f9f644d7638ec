"""What the players know of one request: who sent it, how it stands on the staff's list, and what has been done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.request import OPEN, TERMINAL, State


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the staff's list."""

    reference: str
    state: State
    category: str | None
    department: str | None
    submitted_at: datetime
    accept_due_at: datetime | None
    due_at: datetime | None
    escalation_level: int

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Row:
        return cls(
            reference=told["reference"],
            state=State(told["state"]),
            category=told["category"],
            department=told["department"],
            submitted_at=datetime.fromisoformat(told["submitted_at"]),
            accept_due_at=_instant(told["accept_due_at"]),
            due_at=_instant(told["due_at"]),
            escalation_level=told["escalation_level"],
        )

    @property
    def is_over(self) -> bool:
        return self.state in TERMINAL


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(slots=True, repr=False)
class Part:
    """A request as the players remember it. `done` holds what is done once a round, or once at all.

    A round ends when the citizen was not content (`unhappy`) and the request is open again.
    """

    reference: str
    token: str
    label: str | None
    round: int = 0
    returned: int = 0
    unhappy: bool = False
    done: set[str] = field(default_factory=set)
    since: datetime | None = None
    _stage: tuple[object, ...] = ()

    def look(self, row: Row, now: datetime) -> datetime:
        """Since when it has stood as it stands now, as far as the players have seen."""
        if self.unhappy and row.state in OPEN:
            self.round, self.unhappy = self.round + 1, False
        stage = (row.state, row.department, self.round)
        if self.since is None or stage != self._stage:
            self._stage, self.since = stage, now
        return self.since

    def once(self, what: str) -> bool:
        """True the first time."""
        if what in self.done:
            return False
        self.done.add(what)
        return True


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that one of the players does now; `by` is whose part it is."""

    by: str  # citizen, dispatcher, supervisor, handler or lead
    action: str
    body: dict[str, Any]
    department: str | None = None  # of the handler or lead
    photo: bool = False  # of what was done goes with it
