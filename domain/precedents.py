"""Which earlier decision of a supervisor a dispatcher should know of: one on the same departments, or on a like matter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from domain.similarity import NO_TEXT, Grams, alike, text_evidence

MOST_PRECEDENTS = 5
LIKE_FROM = 0.2
"""The evidence of the texts from which a decision in the same category is shown: decisions are few, so that one too many
costs a glance, and one too few an argument."""
_SAME_DEPARTMENTS = 0.5

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, repr=False)
class Dispute:
    """What was contested. `departments` are the one that returned the request and the one it proposed."""

    category: str | None = None
    departments: frozenset[str] = frozenset()
    grams: Grams = NO_TEXT


@dataclass(frozen=True, slots=True)
class Bearing:
    """How much a decision bears on a request, from 0 to 1, and why. `text` is how alike the texts are, None without one."""

    score: float
    text: float | None
    same_category: bool
    same_departments: bool


def bearing(of: Dispute, on: Dispute) -> Bearing:
    """The likeness of the texts, and half of what is missing to 1 when the same two departments contest."""
    same_departments = len(of.departments) > 1 and of.departments == on.departments
    text = alike(of.grams, on.grams)
    told = text_evidence(of.grams, on.grams, text)
    return Bearing(
        score=round(1 - (1 - told) * (1 - _SAME_DEPARTMENTS * same_departments), 4),
        text=text,
        same_category=of.category is not None and of.category == on.category,
        same_departments=same_departments,
    )


def bearing_on(
    contested: Dispute, decided: Iterable[tuple[Thing, Dispute]], *, most: int = MOST_PRECEDENTS
) -> list[tuple[Thing, Bearing]]:
    """The decisions between the same two departments, and those in the same category on a like matter; the most telling
    first, of equals as they were given."""
    found = [(thing, bearing(dispute, contested)) for thing, dispute in decided]
    telling = [(thing, each) for thing, each in found if each.same_departments or _is_like(each)]
    return sorted(telling, key=lambda pair: (-pair[1].score, not pair[1].same_category))[:most]


def _is_like(each: Bearing) -> bool:
    return each.same_category and each.score >= LIKE_FROM
