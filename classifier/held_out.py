"""Which decisions a new model learns from, and which are held out to compare it with the one in force.

Held out are the newest decisions that neither has seen. A message that says nearly the same as an earlier one is no test:
one of the two may have learnt it by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from classifier.duplicates import groups_of
from classifier.examples import Example


@dataclass(frozen=True, slots=True)
class Terms:
    """How many decisions it takes. Below a hundred held-out ones a model three points worse would often pass."""

    least_learnt: int = 200
    least_held_out: int = 100
    most_held_out: int = 2_000
    share_held_out: float = 0.2


@dataclass(frozen=True, slots=True, repr=False)
class Decision:
    """An example, since when it is one, and whether the model in force may have learnt from it."""

    example: Example
    at: datetime
    seen: bool


@dataclass(frozen=True, slots=True)
class TooFew:
    """There are not enough; `learnt` and `held_out` are those there would be."""

    learnt: int
    held_out: int


@dataclass(frozen=True, slots=True, repr=False)
class Parted:
    """The decisions in two parts, in the order of time; of those after `seen_until` the candidate knows nothing."""

    learnt: list[Example]
    held_out: list[Example]
    seen_until: datetime


def part(decisions: Sequence[Decision], after: datetime | None, terms: Terms) -> Parted | TooFew:
    """Parts the decisions; none is held out that was made before `after` or seen by the model in force."""
    decisions = sorted(decisions, key=lambda decision: decision.at)
    fit = _fit_to_be_held_out(decisions, after)
    most = min(terms.most_held_out, max(terms.least_held_out, round(terms.share_held_out * len(decisions))))
    chosen = fit[-most:]
    if len(chosen) < terms.least_held_out:
        return TooFew(len(decisions) - len(chosen), len(chosen))
    seen_until = decisions[chosen[0]].at - timedelta(microseconds=1)
    held_out = set(chosen)
    learnt = [
        each.example
        for index, each in enumerate(decisions)
        if index not in held_out and (each.at <= seen_until or each.seen)
    ]
    if len(learnt) < terms.least_learnt:
        return TooFew(len(learnt), len(chosen))
    return Parted(learnt, [decisions[index].example for index in chosen], seen_until)


def _fit_to_be_held_out(decisions: Sequence[Decision], after: datetime | None) -> list[int]:
    """The first of each group of near-duplicates, where it is new."""
    groups = groups_of([f"{each.example.title} {each.example.body}" for each in decisions])
    first: dict[int, int] = {}
    for index, group in enumerate(groups):
        first.setdefault(group, index)
    return [
        index
        for index in first.values()
        if not decisions[index].seen and (after is None or decisions[index].at > after)
    ]
