"""A trained model: everything that is needed to say what a message is about, and how sure to be. Plain numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.batches import Vectors
from classifier.calibration import Blend, Probabilities, softmax
from classifier.learning import VIEWS, Views
from classifier.vectors import Counted, Fields, Floats, Vector, Vocabulary


@dataclass(frozen=True, slots=True, repr=False)
class Lines:
    """What is left of views and blend, for both are linear: for each run a weight for each label, and starts. The sums are
    log-odds."""

    vocabulary: Vocabulary
    weights: NDArray[np.float16]
    starts: Floats

    @classmethod
    def of(cls, views: Views, blend: Blend) -> Lines:
        by_view = blend.matrix.reshape(VIEWS, -1, blend.matrix.shape[1])
        weights = sum(
            weights @ matrix for weights, matrix in zip(views.weights, by_view.astype(np.float32), strict=True)
        )
        starts = views.starts.ravel() @ blend.matrix + blend.shifts
        # Half precision keeps a model of sixty labels small; it moves no probability by more than a few thousandths.
        return cls(views.vocabulary, np.asarray(weights, np.float16), starts.astype(np.float32))

    def log_odds(self, vector: Vector) -> Floats:
        found: Floats = vector.values @ self.weights[vector.places].astype(np.float32) + self.starts
        return found


@dataclass(frozen=True, slots=True)
class Guess:
    """What a model says of one message: a probability for each of its labels, and the share of the text that it knows."""

    probabilities: Probabilities
    known: float


@dataclass(frozen=True, slots=True, repr=False)
class Model:
    """`thresholds` holds for each label the confidence in its destination that it takes to decide without a person.

    `familiar` is the share of known runs below which a text is not of the kind that the model was trained on. `facts` say
    what it was trained on and how well it did, for people; `version` names the content.
    """

    labels: tuple[str, ...]
    lines: Lines
    thresholds: tuple[float, ...]
    familiar: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    def guess(self, title: str, body: str) -> Guess:
        """Takes a millisecond or two for the longest text."""
        return self.guess_counted(Counted.of(title, body))

    def guess_counted(self, message: Counted) -> Guess:
        vector = self.lines.vocabulary.vector(message)
        return Guess(softmax(self.lines.log_odds(vector)), vector.known)

    def guesses(self, messages: Sequence[Fields]) -> list[Guess]:
        """The same of many short ones at once, many times as quickly as one by one."""
        vectors = Vectors.of(self.lines.vocabulary, messages)
        probabilities = softmax(vectors.sums(self.lines.weights) + self.lines.starts)
        return [Guess(each, known) for each, known in zip(probabilities, vectors.known.tolist(), strict=True)]

    def is_familiar(self, guess: Guess) -> bool:
        """Whether the text is of the kind that the model knows; if not, its probabilities mean nothing."""
        return guess.known > 0 and guess.known >= self.familiar


def in_rows(guesses: Sequence[Guess]) -> Probabilities:
    """A row of probabilities for each guess."""
    return np.stack([guess.probabilities for guess in guesses])
