"""Who the people of a demonstration are: how quick the staff is, and what each citizen does and says of the answer.

All of it is drawn by reference and seed, in shares that let every clock of the process run out somewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from demonstration.chance import chance, choose
from domain.request import Result, Solved


class Pace(StrEnum):
    """How a department works on one request."""

    PROMPT = "prompt"  # well within the time
    ACCEPTS_LATE = "accepts_late"  # the deadline of acceptance passes first
    SLOW = "slow"  # in time, but after both reminders
    LATE = "late"  # after the due date, so that it escalates
    SILENT = "silent"  # nothing before the supervision centre hears of it


PACES = ((Pace.ACCEPTS_LATE, 0.08), (Pace.SLOW, 0.08), (Pace.LATE, 0.06), (Pace.SILENT, 0.03), (Pace.PROMPT, 0.75))
PACES_OF_A_SLOW_DEPARTMENT = (
    (Pace.ACCEPTS_LATE, 0.2), (Pace.SLOW, 0.2), (Pace.LATE, 0.2), (Pace.SILENT, 0.1), (Pace.PROMPT, 0.3),
)  # fmt: skip
SLOW_DEPARTMENTS_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Rating:
    """What the citizen says, so many working days after the answer; with `reopens` they come back after the closing."""

    solved: Solved
    satisfied: int
    after_days: float
    reopens: bool = False


@dataclass(frozen=True, slots=True)
class Citizen:
    """What the citizen does of their own accord, in working days after sending; None: not at all."""

    withdraws_after: float | None
    supplements_after: float | None
    urges_after: float | None


def pace(seed: int, reference: str, round_: int, *, slow_department: bool) -> Pace:
    """How it is worked on in that round, which is the number of times it has been reopened."""
    shares = PACES_OF_A_SLOW_DEPARTMENT if slow_department else PACES
    return choose(chance(seed, reference, "pace", round_), shares)


def slow_departments(seed: int, departments: Iterable[str]) -> frozenset[str]:
    return frozenset(code for code in departments if chance(seed, "slow", code) < SLOW_DEPARTMENTS_SHARE)


def citizen(seed: int, reference: str) -> Citizen:
    def perhaps(what: str, share: float, within_days: float) -> float | None:
        return chance(seed, reference, what, "when") * within_days if chance(seed, reference, what) < share else None

    return Citizen(
        withdraws_after=perhaps("withdraw", 0.03, 2),
        supplements_after=perhaps("supplement", 0.1, 3),
        urges_after=perhaps("urge", 0.1, 6),
    )


def rating(seed: int, reference: str, round_: int) -> Rating | None:
    """What the citizen says of the answer in that round; None for those who never say anything."""
    stubborn = chance(seed, reference, "stubborn") < 0.03
    shares = ((None, 0.15), (Solved.NO, 0.12), (Solved.PARTLY, 0.15), (Solved.YES, 0.58))
    solved = Solved.NO if stubborn else choose(chance(seed, reference, "rate", round_), shares)
    if solved is None:
        return None
    drawn = chance(seed, reference, "satisfied", round_)
    satisfied = {Solved.YES: (3, 4, 5, 5), Solved.PARTLY: (2, 3, 3, 4), Solved.NO: (1, 1, 2, 2)}[solved][int(drawn * 4)]
    return Rating(
        solved,
        satisfied,
        after_days=chance(seed, reference, "rate", "when", round_) * 4,  # the last quarter only after the reminder
        reopens=solved is Solved.PARTLY and satisfied == 2 and round_ == 0,
    )


def result(seed: int, reference: str, round_: int) -> Result:
    """What the department says it achieved."""
    shares = ((Result.PARTLY_SOLVED, 0.1), (Result.EXPLAINED, 0.1), (Result.NOT_SOLVED, 0.05), (Result.SOLVED, 0.75))
    return choose(chance(seed, reference, "result", round_), shares)


def returns(seed: int, reference: str) -> int:
    """How often the lead of the department returns it as not theirs; the third time it is decided."""
    return choose(chance(seed, reference, "return"), ((3, 0.01), (1, 0.04), (0, 1.0)))


def escalates_by_hand(seed: int, reference: str) -> bool:
    return chance(seed, reference, "escalate") < 0.03


def notes_progress(seed: int, reference: str) -> bool:
    return chance(seed, reference, "progress") < 0.15


def is_sent_back(seed: int, reference: str, round_: int) -> bool:
    """Whether the reviewer is not content with the first answer of that round."""
    return chance(seed, reference, "review", round_) < 0.1


class Triage(StrEnum):
    """What a dispatcher does with a request that the rules did not decide."""

    ASSIGN = "assign"
    DECLINE = "decline"
    TRANSFER = "transfer"


def triage(seed: int, reference: str) -> Triage:
    return choose(
        chance(seed, reference, "triage"), ((Triage.DECLINE, 0.03), (Triage.TRANSFER, 0.02), (Triage.ASSIGN, 1.0))
    )


def lies_in_triage(seed: int, reference: str) -> bool:
    """Whether the dispatchers overlook it until it escalates."""
    return chance(seed, reference, "overlooked") < 0.05
