"""Which things belong together by how alike they are in pairs: average linkage, on pairs that are kept only where alike.

Two groups are joined, the most alike first, while the mean likeness of their pairs reaches a bound; a pair that is not
given counts as nothing alike. Unlike chains of neighbours, a group does not wander off from where it began. Libraries have
it for a full matrix only, which for some thousand messages would not fit beside the rest of the worker.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from math import sqrt

Pair = tuple[int, int, float]
"""Two numbers, the smaller first, and how alike they are."""
_Score = Callable[[int, int], float]


def joined(number: int, pairs: Iterable[Pair], least: float, alike_as_within: float) -> list[list[int]]:
    """Groups of the things 0 to `number` - 1, each ascending, in the order of their first.

    In a second round two groups become one whose mean likeness is at least `alike_as_within` times that within them: what
    many tell in many ways falls into groups first, which the first bound does not join.
    """
    groups = _Groups(number, pairs)
    groups.join(lambda one, other: _from(groups.between(one, other), least))
    groups.join(lambda one, other: _from(groups.relative(one, other), alike_as_within))
    return sorted(sorted(members) for members in groups.members.values())


def _from(likeness: float, least: float) -> float:
    return likeness if likeness >= least else 0.0


class _Groups:
    """The groups so far, and the sums of likeness between them; sums stay right however groups are joined."""

    def __init__(self, number: int, pairs: Iterable[Pair]) -> None:
        self.members = {each: [each] for each in range(number)}
        self._sums: dict[int, dict[int, float]] = defaultdict(dict)
        self._within: dict[int, float] = defaultdict(float)
        for one, other, likeness in pairs:
            self._sums[one][other] = self._sums[other][one] = likeness

    def between(self, one: int, other: int) -> float:
        """The mean likeness of their pairs."""
        return self._sums[one][other] / (len(self.members[one]) * len(self.members[other]))

    def relative(self, one: int, other: int) -> float:
        """The same by that within the two; nothing for a single one, which has none within."""
        within = self._cohesion(one) * self._cohesion(other)
        return self.between(one, other) / sqrt(within) if within else 0.0

    def join(self, score: _Score) -> None:
        """Joins the two with the highest score, until no two have one. Equals are joined in the order of their numbers."""
        queue = [entry for one in list(self.members) for entry in self._scored(one, score) if entry[1] == one]
        heapq.heapify(queue)
        while queue:
            negative, one, other = heapq.heappop(queue)
            is_current = other in self._sums.get(one, ()) and score(one, other) == -negative
            if is_current:
                self._merge(one, other)
                for entry in self._scored(one, score):
                    heapq.heappush(queue, entry)

    def _scored(self, one: int, score: _Score) -> Iterable[tuple[float, int, int]]:
        for other in self._sums.get(one, ()):
            first, second = min(one, other), max(one, other)
            if found := score(first, second):
                yield -found, first, second

    def _merge(self, one: int, other: int) -> None:
        mine, theirs = self._sums[one], self._sums.pop(other)
        self._within[one] += self._within.pop(other, 0.0) + mine.pop(other)
        del theirs[one]
        for third, likeness in theirs.items():
            del self._sums[third][other]
            mine[third] = self._sums[third][one] = mine.get(third, 0.0) + likeness
        self.members[one] += self.members.pop(other)

    def _cohesion(self, one: int) -> float:
        size = len(self.members[one])
        return self._within[one] / (size * (size - 1) / 2) if size > 1 else 0.0
