"""Whether so many write about a matter lately that chance does not explain it: the rule by which a topic is a spike.

Of all authors who wrote about the matter, so many did lately as would be expected if it had grown like everything else: a
binomial with the share of lately among all other authors. That is the conditional test for comparing two Poisson means
(J. Przyborowski, H. Wilenski, Biometrika 31, 1940, 313-323). One run tests all its topics, so the probabilities are held
against a bound that gets stricter with their number (S. Holm, Scandinavian Journal of Statistics 6, 1979, 65-70).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FALSE_ALARMS = 0.01
"""How probable it may be that one run, over all its topics, warns of anything although nothing has grown."""
FEWEST_LATELY = 5
"""Authors; less than a handful of people is no spike however improbable it is."""
LEAST_GROWTH = 2.0
"""Times as many a day as before: a large old topic can grow surely and yet little."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Distinct authors: those who wrote lately, and those who wrote before that in the period that is looked at."""

    lately: int
    before: int


@dataclass(frozen=True, slots=True)
class Growth:
    """`probability` is that of as many lately by chance; `times` is how many times as many a day as before, None after none."""

    times: float | None
    probability: float
    is_spike: bool


def growths(topics: Sequence[Counts], everybody: Counts, lately_share: float) -> list[Growth]:
    """Each topic against all that is not about it. `lately_share` is the part of the period that counts as lately; a city
    that wrote less than usual lately makes no topic grow."""
    found = [(_times(topic, lately_share), _probability(topic, everybody, lately_share)) for topic in topics]
    improbable = _holm([probability for _, probability in found])
    return [
        Growth(times, probability, number in improbable and _is_large(topics[number], times))
        for number, (times, probability) in enumerate(found)
    ]


def _is_large(topic: Counts, times: float | None) -> bool:
    return topic.lately >= FEWEST_LATELY and (times is None or times >= LEAST_GROWTH)


def _times(topic: Counts, lately_share: float) -> float | None:
    if not topic.before:
        return None
    return (topic.lately / lately_share) / (topic.before / (1 - lately_share))


def _probability(topic: Counts, everybody: Counts, lately_share: float) -> float:
    others_lately = max(everybody.lately - topic.lately, 0)
    others_before = max(everybody.before - topic.before, 0)
    # One more of each: a city of a few requests tells little of how much it writes.
    share = max((others_lately + 1) / (others_lately + others_before + 2), lately_share)
    every = topic.lately + topic.before
    return min(sum(_binomial(every, number, share) for number in range(topic.lately, every + 1)), 1.0)


def _binomial(every: int, number: int, share: float) -> float:
    logarithm = (
        math.lgamma(every + 1) - math.lgamma(number + 1) - math.lgamma(every - number + 1)
        + number * math.log(share) + (every - number) * math.log1p(-share)
    )  # fmt: skip
    return math.exp(logarithm)


def _holm(probabilities: Sequence[float]) -> set[int]:
    """The numbers of those that stay improbable though all of them were looked at."""
    held: set[int] = set()
    for number in sorted(range(len(probabilities)), key=lambda each: probabilities[each]):
        if probabilities[number] > FALSE_ALARMS / (len(probabilities) - len(held)):
            break
        held.add(number)
    return held
