"""Which messages say nearly the same: copies with small changes must not stand on both sides of a check.

Two messages belong together when they share at least half of their runs of five characters; so does what belongs to one
of the two. Each run is known by a number, and only even numbers are looked at: an honest sample that
is the same for every message.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from classifier.ngrams import LONGEST_TEXT, Numbers, mixed

RUN = 5
SHARED = 0.5
COPIED = 0.8
"""What shares so much is one message sent again, perhaps with another date or greeting."""
ONE_IN = 2
FEWEST_SAMPLED = 4
_STOCK_PHRASE = 50
"""A run that so many messages share is a greeting or a formula, and joins nobody."""


def groups_of(texts: Sequence[str], given: Sequence[str | None] | None = None, shared: float = SHARED) -> list[int]:
    """A number for each text, the same for near-duplicates; `given` groups are taken over and joined with what is found.

    Near-duplicates have at least the share `shared` of their runs in common. Deterministic; texts too short for a sample are alone unless equal to another.
    """
    parents = list(range(len(texts)))
    for first, second in _pairs(texts, given or [None] * len(texts), shared):
        parents[_root(parents, first)] = _root(parents, second)
    return [_root(parents, index) for index in range(len(texts))]


def _pairs(texts: Sequence[str], given: Sequence[str | None], least: float) -> Iterable[tuple[int, int]]:
    yield from _equal(given)
    folded = ["".join(text.lower().split())[:LONGEST_TEXT] for text in texts]
    yield from _equal(folded)
    yield from _alike([_sample(text) for text in folded], least)


def _equal(keys: Sequence[str | None]) -> Iterable[tuple[int, int]]:
    first: dict[str, int] = {}
    for index, key in enumerate(keys):
        if key:
            yield first.setdefault(key, index), index


def _alike(samples: Sequence[frozenset[int]], least: float) -> Iterable[tuple[int, int]]:
    holders: dict[int, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        for number in sample:
            holders[number].append(index)
    shared: Counter[tuple[int, int]] = Counter()
    for held_by in holders.values():
        if 1 < len(held_by) <= _STOCK_PHRASE:
            shared.update((one, other) for at, one in enumerate(held_by) for other in held_by[at + 1 :])
    for (one, other), count in shared.items():
        if count >= least * min(len(samples[one]), len(samples[other])):
            yield one, other


def _sample(text: str) -> frozenset[int]:
    """Empty where so few runs were drawn that sharing half of them would mean nothing."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    if len(codes) < RUN:
        return frozenset()
    runs: Numbers = codes[: len(codes) - RUN + 1].copy()
    for offset in range(1, RUN):
        runs = mixed(runs + codes[offset : len(codes) - RUN + 1 + offset] * np.uint64(0x9E3779B1))
    drawn = frozenset(runs[runs % np.uint64(ONE_IN) == 0].tolist())
    return drawn if len(drawn) >= FEWEST_SAMPLED else frozenset()


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index
