"""The learner: a line between each label and the rest, drawn three times: on title and body together, and on each alone.

Each is a linear support vector machine on runs weighted by their naive-Bayes log-count ratio (Wang and Manning,
"Baselines and Bigrams", 2012, with their interpolation). What was tried, and did worse, stands in docs/classifier.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classifier.vectors import Counted, Floats, Vector, Vocabulary

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SLACK = 1.0
"""C of the support vector machines."""
ROW_LENGTH = 1.28
"""What messages are brought to on average; `SLACK` was chosen for it."""
SMOOTHING = 0.2
SPOKEN = 0.6
"""How much of a run's weight comes from what it speaks for; the rest is the same for all."""
VIEWS = 3

Indices: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True, repr=False)
class Views:
    """What was learnt: for each view, run and label a weight, and for each view and label a start.

    A view does not see the runs of the other field: their weights are 0 there.
    """

    vocabulary: Vocabulary
    weights: Floats
    starts: Floats

    def scores(self, vector: Vector) -> Floats:
        """How much the message speaks for each label: the labels of the first view, then of the second and the third."""
        scores: Floats = np.einsum("r,vrl->vl", vector.values, self.weights[:, vector.places]) + self.starts
        return scores.ravel()


def learn(messages: Sequence[Counted], labels: Indices, counts: Floats, sources: Sequence[int], how_many: int) -> Views:
    """`labels` are numbers below `how_many`, `counts` how much each message counts, `sources` tell who says it.

    Deterministic.
    """
    vocabulary = Vocabulary.learnt_from(messages, sources)
    rows, border = vocabulary.matrix(messages), vocabulary.titles_from
    weights = np.zeros((VIEWS, len(vocabulary), how_many), np.float32)
    starts = np.zeros((VIEWS, how_many), np.float32)
    for view, seen in enumerate((slice(None), slice(border, None), slice(None, border))):
        visible = rows[:, seen]
        for label in range(how_many):
            weights[view, seen, label], starts[view, label] = _line(visible, labels == label, counts)
    return Views(vocabulary, weights, starts)


def _line(rows: csr_array, positive: NDArray[np.bool_], counts: Floats) -> tuple[Floats, float]:
    # Only training needs it: the worker starts without it.
    from sklearn.svm import LinearSVC

    if not positive.any() or not rows.nnz:
        # A fold may lack a label that only one group of near-duplicates has.
        return np.zeros(rows.shape[1], np.float32), -1.0
    spoken = _spoken(rows, positive, counts)
    scaled = rows.copy()
    scaled.data = rows.data * spoken[rows.indices]
    length = float(np.sqrt((scaled.data**2).sum() / rows.shape[0])) / ROW_LENGTH
    scaled.data /= np.float32(length)
    machine = LinearSVC(C=SLACK, tol=1e-3, random_state=0).fit(scaled, positive, sample_weight=counts)
    return (machine.coef_[0] * spoken / length).astype(np.float32), float(machine.intercept_[0])


def _spoken(rows: csr_array, positive: NDArray[np.bool_], counts: Floats) -> Floats:
    """How much each run speaks for or against the label: 1 on average."""
    here = rows.T @ (counts * positive) + SMOOTHING
    elsewhere = rows.T @ (counts * ~positive) + SMOOTHING
    ratio = np.abs(np.log((here / here.sum()) / (elsewhere / elsewhere.sum())))
    spoken: Floats = (SPOKEN * ratio / max(ratio.mean(), 1e-6) + 1 - SPOKEN).astype(np.float32)
    return spoken
