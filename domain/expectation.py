"""By when a citizen can expect the answer: as long after the assignment as the like of it took lately (PROCESS.md section 4).

Said is the time in which four of five were answered. It passes by the clock of the promise, like the deadlines, and stands
still in a pause. Where too few were answered to say, or where it has passed, nothing is said but that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from domain.calendar import Calendar
from domain.durations import Clock
from domain.policy import Policy
from domain.request import PAUSED, Event, Snapshot, State

LATELY = timedelta(days=90)
LATEST_CASES = 500
"""Of a frequent category the latest ones count, so that a department that has become faster is believed."""
FEWEST_CASES = 20
SHARE = 0.8
_WITH_A_DEPARTMENT = frozenset({State.ASSIGNED, State.IN_PROGRESS, State.IN_REVIEW}) | PAUSED


class Scope(StrEnum):
    """Whose cases an expectation is based on."""

    DEPARTMENT = "department"  # of the category, in the department that has the request
    CATEGORY = "category"  # of the category, in all departments: in the one alone there were too few


class Unsaid(StrEnum):
    """Why nothing can be expected."""

    TOO_FEW = "too_few"  # too few cases lately
    LONGER = "longer"  # it has taken longer than four of five did
    PAUSED = "paused"  # its clock stands still, nobody knows for how long


@dataclass(frozen=True)
class Case:
    """A request that was answered: when it was assigned and resolved, and the moments in which a pause began or ended."""

    assigned_at: datetime
    resolved_at: datetime
    pauses: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Experience:
    """How long requests of a kind took lately, pauses left out; None where there were too few to say."""

    cases: int
    scope: Scope
    usual: timedelta | None


@dataclass(frozen=True)
class Expectation:
    """`at` is after the present moment; without it, `unsaid` is the reason."""

    at: datetime | None
    based_on: int
    scope: Scope
    unsaid: Unsaid | None = None


def is_expected(snapshot: Snapshot) -> bool:
    """Whether a department has it that owes an answer."""
    is_assigned = bool(snapshot.category and snapshot.department and snapshot.assigned_at)
    return is_assigned and snapshot.state in _WITH_A_DEPARTMENT


def clock_of(policy: Policy, category: str) -> Clock:
    """The clock of the promise; that of working hours for a category that the policy no longer has."""
    if not policy.has_category(category):
        return Clock.WORKING
    return policy.service_level(policy.category(category).service_level).clock


def experience(calendar: Calendar, clock: Clock, cases: Sequence[Case], scope: Scope) -> Experience:
    """The time in which four of five of the cases were answered, a time that one of them took."""
    if len(cases) < FEWEST_CASES:
        return Experience(len(cases), scope, None)
    lengths = sorted(_passed(calendar, clock, case.assigned_at, case.resolved_at, case.pauses) for case in cases)
    return Experience(len(cases), scope, lengths[ceil(SHARE * len(lengths)) - 1])


def expectation(
    policy: Policy, snapshot: Snapshot, events: Iterable[Event], past: Experience, now: datetime
) -> Expectation:
    """For a request of which `is_expected` is true, with its whole timeline."""
    at, unsaid = None, None
    if past.usual is None:
        unsaid = Unsaid.TOO_FEW
    elif snapshot.state in PAUSED:
        unsaid = Unsaid.PAUSED
    else:
        at = _expected_at(policy, snapshot, pauses_of(events), past.usual)
        at, unsaid = (at, None) if at > now else (None, Unsaid.LONGER)
    return Expectation(at, past.cases, past.scope, unsaid)


def pauses_of(events: Iterable[Event]) -> tuple[datetime, ...]:
    """The moments of a timeline in which a pause began or ended, in turn."""
    return tuple(event.at for event in events if (event.state in PAUSED) != (event.state_before in PAUSED))


def _expected_at(policy: Policy, snapshot: Snapshot, pauses: tuple[datetime, ...], usual: timedelta) -> datetime:
    assert snapshot.assigned_at is not None
    assert snapshot.category is not None
    clock = clock_of(policy, snapshot.category)
    paused = _paused(policy.calendar, clock, snapshot.assigned_at, pauses)
    if clock is Clock.WALL:
        return snapshot.assigned_at + usual + paused
    return policy.calendar.add_working_time(snapshot.assigned_at, usual + paused)


def _passed(
    calendar: Calendar, clock: Clock, start: datetime, end: datetime, pauses: tuple[datetime, ...]
) -> timedelta:
    """The time between, by that clock, without the pauses."""
    return max(_between(calendar, clock, start, end) - _paused(calendar, clock, start, pauses), timedelta(0))


def _paused(calendar: Calendar, clock: Clock, start: datetime, pauses: tuple[datetime, ...]) -> timedelta:
    """What the pauses since then took that have ended."""
    begun = [max(moment, start) for moment in pauses[::2]]
    spans = zip(begun, pauses[1::2], strict=False)
    return sum((_between(calendar, clock, begins, ends) for begins, ends in spans), timedelta(0))


def _between(calendar: Calendar, clock: Clock, start: datetime, end: datetime) -> timedelta:
    if clock is Clock.WALL:
        return max(end - start, timedelta(0))
    return calendar.working_time_between(start, end)
