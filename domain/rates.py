"""The three rates a city is judged by, from the counts they are made of (PROCESS.md section 5).

What counts as contacted in time, solved or slow is decided where the counts are made, in db/queries/rates.sql; here
stands which count is divided by which. Nobody's silence is ever counted as satisfaction.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the requests submitted in a period: in a part of the city, or with None in all of it, or where none is known."""

    part: str | None
    submitted: int
    assigned: int
    contacted_in_time: int
    contact_pending: int  # no contact yet, and still time for it
    answered: int  # asked to rate, and the citizen did
    solved: int  # of the answered: solved, not partly
    satisfied: int  # of the answered: 3 to 5 of 5
    no_reply: int  # asked to rate, and closed without an answer
    no_response: int  # the deadline of the first contact passed without one
    slow_response: int  # contacted or resolved late
    wrong_response: int  # returned, reassigned, reworked or not solved

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


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
