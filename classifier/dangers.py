"""Danger told in words that no list has: learnt from the sentences of the policy, dangerous ones and harmless ones alike.

One line between the two is drawn through runs of one to three units (logistic regression, by Newton's method), in less than
a second whenever a policy comes into force. So nothing is kept but the policy, and the same policy hears the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.danger_texts import Told, known_places, row_sums, sieve_of, sifted_places
from classifier.logistic import line_between
from classifier.ngrams import Numbers
from classifier.vectors import Floats
from domain.alarms import Alarm, Weighed
from domain.classification import Classifier
from domain.danger_examples import Sentence, sentences_of
from domain.policy import Policy
from domain.request import Urgency
from domain.text_forms import Forms

FEWEST = 20
"""Of fewer dangerous or harmless sentences nothing is learnt, and the words of the policy decide alone."""
NEEDED = -1.3
"""Log-odds that a text of one window needs; below even, for a miss is worse than a false alarm."""
PER_WINDOW = 0.7
"""So much more for each e-fold of windows: a long letter has many chances to sound like danger somewhere."""
WORDS_COUNT = 1.4
"""So much less where the words of the policy speak of danger as well."""
HARMLESS_COUNTS = 2.0
KEYWORDS_COUNT = 0.3
"""How much the keywords of harmless categories count beside sentences: what people write about on other days."""
FEWEST_ROWS = 2
SMOOTHING = 0.1
SLACK = 10.0
LITTLE = 100.0
"""What is known of a text, in squares of rarity, below which it says little: about three runs. One word is no evidence."""

_LEARNING = Lock()
"""So that threads that ask at once do not all learn the same."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Dangers:
    """For each run, ascending by number: its weight, the square of its rarity, and how much it speaks for each kind."""

    numbers: Numbers
    sieve: NDArray[np.bool_]
    weights: Floats
    squares: Floats
    kinds: tuple[str, ...]
    speaks: Floats
    start: float
    version: str

    def alarm(self, text: Forms, *, by_words: bool) -> Alarm | None:
        """The kind of danger, a code of the policy's watches, and the part that sounds most like it; None for none.

        `by_words` tells that the words of the policy speak of danger: then less is needed.
        """
        told = Told.of(text.one)
        if not len(told.begins):
            return None
        scores = self._scores(told)
        needed = NEEDED + PER_WINDOW * float(np.log(len(scores))) - (WORDS_COUNT if by_words else 0.0)
        loudest = int(scores.argmax())
        if scores[loudest] < needed:
            return None
        return Alarm(self._kind(told, loudest), told.window(loudest), float(scores[loudest]) - needed)

    def weighed(self, part: str, most: int = 10) -> list[Weighed]:
        """The runs of a part that weighed most for or against danger."""
        told = Told.of(part)
        places = [self._places(runs) for runs in told.runs]
        length = float(np.sqrt(sum(float(self.squares[found].sum()) for found, _ in places))) or 1.0
        found = {
            told.run(int(at), size): float(self.weights[place]) / length
            for size, (known, is_known) in enumerate(places, start=1)
            for at, place in zip(np.flatnonzero(is_known), known, strict=True)
        }
        return [Weighed(*each) for each in sorted(found.items(), key=lambda each: (-abs(each[1]), each[0]))[:most]]

    def _places(self, runs: Numbers) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        return sifted_places(self.numbers, self.sieve, runs)

    def _scores(self, told: Told) -> NDArray[np.float64]:
        sums, squares = np.zeros(len(told.begins)), np.zeros(len(told.begins))
        for size, runs in enumerate(told.runs, start=1):
            places, is_known = self._places(runs)
            for total, values in ((sums, self.weights), (squares, self.squares)):
                total += told.window_sums(size, is_known, values[places])
        found: NDArray[np.float64] = sums / np.sqrt(np.maximum(squares, LITTLE)) + self.start
        return found

    def _kind(self, told: Told, window: int) -> str:
        begin, end = told.begins[window], told.ends[window]
        heard = [self._places(runs[begin : end - size])[0] for size, runs in enumerate(told.runs)]
        return self.kinds[int(self.speaks[np.concatenate(heard)].sum(axis=0).argmax())]


def classifier_of(policy: Policy) -> Classifier:
    """The words of the policy together with what is learnt from its sentences; made once for each version."""
    return Classifier.from_policy(policy, dangers_of(policy))


def dangers_of(policy: Policy) -> Dangers | None:
    """What is learnt from the sentences of that policy; None where it has too few."""
    with _LEARNING:
        return _dangers_of(policy)


@lru_cache(maxsize=4)
def _dangers_of(policy: Policy) -> Dangers | None:
    sentences = sentences_of(policy.danger_examples)
    harmful = sum(each.watch is not None for each in sentences)
    return _learnt(sentences, _keywords(policy)) if min(harmful, len(sentences) - harmful) >= FEWEST else None


def _keywords(policy: Policy) -> list[str]:
    return [
        word
        for category in policy.categories
        if category.urgency is not Urgency.DANGER
        for words in (*category.keywords.values(), *category.hints.values(), category.name.values(), category.tell_us.values())
        for word in words
    ]  # fmt: skip


def _learnt(sentences: Sequence[Sentence], keywords: Sequence[str]) -> Dangers:
    texts = [*(each.text for each in sentences), *keywords]
    is_danger = np.array([*(each.watch is not None for each in sentences), *(False for _ in keywords)])
    counts = np.array([each.count for each in sentences] + [KEYWORDS_COUNT] * len(keywords))
    counts[~is_danger] *= HARMLESS_COUNTS
    numbers, rows = row_sums(texts)
    vocabulary, rarity, places, is_known = _vocabulary(numbers, rows, len(texts))
    rows, values = rows[is_known], rarity[places]
    lengths = np.sqrt(np.maximum(np.bincount(rows, values**2, len(texts)), LITTLE))
    line, start = line_between(rows, places, values / lengths[rows], is_danger, SLACK * counts, len(vocabulary))
    kinds = tuple(sorted({each.watch for each in sentences if each.watch is not None}))
    weights = (line * rarity).astype(np.float32)
    return Dangers(
        vocabulary, sieve_of(vocabulary), weights, (rarity**2).astype(np.float32), kinds, _speaks(sentences, kinds, rows, places, len(vocabulary)), start,
        version=_version(vocabulary, rows, places, is_danger, counts),
    )  # fmt: skip


def _version(*learnt_from: NDArray[Any]) -> str:
    """Of what it is learnt from, and how: two machines round the weights themselves differently in the last place."""
    how = (NEEDED, PER_WINDOW, WORDS_COUNT, HARMLESS_COUNTS, KEYWORDS_COUNT, FEWEST_ROWS, SMOOTHING, SLACK, LITTLE)
    return hashlib.sha256(b"".join([repr(how).encode(), *(each.tobytes() for each in learnt_from)])).hexdigest()[:12]


def _vocabulary(
    numbers: Numbers, rows: NDArray[np.intp], how_many: int
) -> tuple[Numbers, NDArray[np.float64], NDArray[np.intp], NDArray[np.bool_]]:
    """The runs that stand in two sentences or more and how rare each is; then the places of all runs, where known."""
    order = np.lexsort((rows, numbers))
    first = np.append(True, (np.diff(numbers[order]) != 0) | (np.diff(rows[order]) != 0))
    found, spread = np.unique(numbers[order][first], return_counts=True)
    kept = spread >= FEWEST_ROWS
    rarity = np.log((1 + how_many) / (1 + spread[kept])) + 1
    places, is_known = known_places(found[kept], numbers)
    return found[kept], rarity, places, is_known


def _speaks(
    sentences: Sequence[Sentence], kinds: tuple[str, ...], rows: NDArray[np.intp], places: NDArray[np.intp], runs: int
) -> Floats:
    """For each run and kind of danger the logarithm of its share in the sentences of that kind (naive Bayes)."""
    number = {kind: at for at, kind in enumerate(kinds)}
    kind_of = np.array([-1 if each.watch is None else number[each.watch] for each in sentences])
    harmful = rows < len(sentences)
    harmful[harmful] = kind_of[rows[harmful]] >= 0
    at = places[harmful] * len(kinds) + kind_of[rows[harmful]]
    heard = np.bincount(at, minlength=runs * len(kinds)).reshape(runs, len(kinds)) + SMOOTHING
    spoken: Floats = np.log(heard / heard.sum(axis=0)).astype(np.float32)
    return spoken
