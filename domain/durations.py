"""How a policy writes a length of time: "5 working days", "24 hours", "15 minutes", "90 seconds", "7 days"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Unit(StrEnum):
    """What is counted. Which hours count, those at work or all of them, says the clock of the service level."""

    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"  # of the calendar, at the same local time
    WORKING_DAYS = "working days"


class Clock(StrEnum):
    """Which time passes for seconds, minutes and hours."""

    WORKING = "working"  # only the city's working periods
    WALL = "wall"  # day and night


_SECONDS = {Unit.SECONDS: 1, Unit.MINUTES: 60, Unit.HOURS: 3600}
_WHOLE_UNITS = frozenset({Unit.DAYS, Unit.WORKING_DAYS})
_TEXT = re.compile(r"(\d+(?:\.\d+)?) +(second|minute|hour|day|working day)s?", re.IGNORECASE | re.ASCII)
_LONGEST = {Unit.SECONDS: 10**9, Unit.MINUTES: 10**6, Unit.HOURS: 10**5, Unit.DAYS: 3_650, Unit.WORKING_DAYS: 2_500}
FORM = 'like "5 working days", "7 days", "24 hours", "15 minutes" or "90 seconds"'


@dataclass(frozen=True)
class Duration:
    """A length of time, never negative. Days of either kind are whole."""

    amount: float
    unit: Unit

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= _LONGEST[self.unit]:
            raise ValueError(f"a duration is from 0 to {_LONGEST[self.unit]} {self.unit}")
        if self.unit in _WHOLE_UNITS and self.amount != int(self.amount):
            raise ValueError(f"{self.unit} are counted whole; for a part of a day write hours")

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Raises ValueError, with the form that is wanted, for anything else."""
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"write a duration {FORM}")
        return cls(float(found[1]), Unit(found[2].lower() + "s"))

    def __str__(self) -> str:
        number = str(int(self.amount)) if self.amount == int(self.amount) else f"{self.amount:.9f}".rstrip("0")
        return f"{number} {self.unit.removesuffix('s') if number == '1' else self.unit}"

    def __bool__(self) -> bool:
        return self.amount > 0

    @property
    def timedelta(self) -> timedelta:
        """The length of seconds, minutes and hours; raises ValueError for days, whose length the calendar knows."""
        if self.unit in _WHOLE_UNITS:
            raise ValueError(f"the length of {self} depends on the calendar")
        return timedelta(seconds=self.amount * _SECONDS[self.unit])


def in_seconds(duration: Duration) -> int:
    """The length on the wall clock, a day of either kind taken as 24 hours: for people who have no office hours."""
    if duration.unit in _WHOLE_UNITS:
        return int(duration.amount) * 86_400
    return round(duration.timedelta.total_seconds())


SECONDS_PER_WORKING_DAY = 8 * 3600
"""The working day that `shortened` takes as its measure."""


def shortened(duration: Duration, seconds_per_working_day: float) -> Duration:
    """The duration as seconds, where a day of either kind lasts that many seconds and an hour an eighth of them."""
    days = (
        duration.amount
        if duration.unit in _WHOLE_UNITS
        else duration.timedelta.total_seconds() / SECONDS_PER_WORKING_DAY
    )
    return Duration(round(days * seconds_per_working_day, 6), Unit.SECONDS)
