"""The three rates and the three failures a city is judged by, from the counts they are made of (PROCESS.md section 5).

What counts as contacted in time, solved or slow is decided where the counts are made, in judged_requests of db/schema.sql;
here stands which count is divided by which. Nobody's silence is ever counted as satisfaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Figure(StrEnum):
    """What is counted; each has a list of requests behind it. The names are those of the counts."""

    SUBMITTED = "submitted"
    ASSIGNED = "assigned"
    CONTACTED_IN_TIME = "contacted_in_time"
    CONTACT_PENDING = "contact_pending"
    ANSWERED = "answered"
    SOLVED = "solved"
    SATISFIED = "satisfied"
    NO_REPLY = "no_reply"
    NO_RESPONSE = "no_response"
    SLOW_RESPONSE = "slow_response"
    WRONG_RESPONSE = "wrong_response"
    QUICK_LOGGED = "quick_logged"


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the requests submitted in a period: in a part of the city or of the period, or with None in all of it, or where
    none is known.
    """

    part: str | None
    submitted: int
    assigned: int
    contacted_in_time: int
    contact_pending: int  # no contact yet, or none before it ended, and its time had not passed
    answered: int  # asked to rate, and the citizen did, on a page, by a message or on the phone
    solved: int  # of the answered: solved, not partly
    satisfied: int  # of the answered: 3 to 5 of 5
    no_reply: int  # asked to rate, and closed without an answer
    no_response: int  # a deadline passed without a contact
    slow_response: int  # contacted or resolved late
    wrong_response: int  # returned, reassigned, reworked or not solved
    quick_logged: int  # settled on the spot by staff, and in no other count

    def of(self, figure: Figure) -> int:
        number: int = getattr(self, figure)
        return number

    @property
    def response_rate(self) -> float | None:
        """First contact in time, of the assigned ones where it was made or was due. None where there are none."""
        return _share(self.contacted_in_time, self.assigned - self.contact_pending)

    @property
    def resolution_rate(self) -> float | None:
        """Solved, of those whose citizen answered."""
        return _share(self.solved, self.answered)

    @property
    def satisfaction_rate(self) -> float | None:
        """Satisfied, of those whose citizen answered."""
        return _share(self.satisfied, self.answered)


def together(parts: Iterable[Counts]) -> Counts:
    """The counts of all parts as one: each request belongs to one of them."""
    added = {figure.value: 0 for figure in Figure}
    for part in parts:
        for figure in Figure:
            added[figure] += part.of(figure)
    return Counts(None, **added)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
