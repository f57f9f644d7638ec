"""From the scores of the views to probabilities that mean what they say: of the messages with 0.9, nine in ten belong there.

The views are blended by a multinomial logistic regression on scores of messages that they were not learnt from. It begins
from one stretch for each view and a shift for each label (vector scaling: Guo and others, "On Calibration of Modern
Neural Networks", 2017) and departs from that only as far as the messages insist, so that few messages do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from classifier.learning import VIEWS, Indices
from classifier.vectors import Floats

HIGHEST = 0.9999
"""Nothing that was learnt is ever quite sure."""
BINS = 15
RELUCTANCE = 30.0
"""How hard it is for the blend to let the score of one label speak about another."""

_STEPS = 300

Probabilities: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Blend:
    """The log-odds of the labels are the scores of all views times `matrix`, plus `shifts`."""

    matrix: Probabilities
    shifts: Probabilities

    def probabilities(self, scores: Floats | Probabilities) -> Probabilities:
        """A row for each message."""
        return softmax(scores @ self.matrix + self.shifts)


def softmax(log_odds: Floats | Probabilities) -> Probabilities:
    """Of one message or of many (a row each): each adds up to 1, but for what is taken off the highest."""
    raised = np.exp(np.asarray(log_odds, np.float64) - log_odds.max(axis=-1, keepdims=True))
    found: Probabilities = np.minimum(raised / raised.sum(axis=-1, keepdims=True), HIGHEST)
    return found


def fitted(scores: Probabilities, labels: Indices) -> Blend:
    """The blend under which these labels are likeliest; `scores` has a row for each message."""
    # Only training needs it: the worker starts without it.
    from scipy.optimize import minimize

    how_many = scores.shape[1] // VIEWS
    centre = scores.mean(axis=0)
    spread = np.repeat([max(float(view.std()), 1e-6) for view in np.split(scores - centre, VIEWS, axis=1)], how_many)
    even = (scores - centre) / spread
    own, given = np.tile(np.eye(how_many), (VIEWS, 1)), np.eye(how_many)[labels]

    def matrix_of(stretches: Probabilities, departures: Probabilities) -> Probabilities:
        return np.repeat(np.exp(stretches), how_many)[:, None] * own + departures.reshape(own.shape)

    def surprise(values: Probabilities) -> tuple[float, Probabilities]:
        """The negative log-likelihood with its penalties, and its gradient."""
        stretches, shifts, departures = np.split(values, [VIEWS, VIEWS + how_many])
        found = softmax(even @ matrix_of(stretches, departures) + shifts)
        cost = -np.log(np.maximum((found * given).sum(axis=1), 1e-12)).sum()
        cost += RELUCTANCE / 2 * departures @ departures + (stretches @ stretches + shifts @ shifts) / 2
        slope = found - given
        slopes = even.T @ slope
        along = (slopes * own).reshape(VIEWS, -1).sum(axis=1) * np.exp(stretches) + stretches
        across = slopes.ravel() + RELUCTANCE * departures
        return float(cost), np.concatenate([along, slope.sum(axis=0) + shifts, across])

    begin = np.zeros(VIEWS + how_many + own.size)
    best = minimize(surprise, begin, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    stretches, shifts, departures = np.split(best, [VIEWS, VIEWS + how_many])
    matrix = matrix_of(stretches, departures) / spread[:, None]
    return Blend(matrix, shifts - centre @ matrix)


def calibration_error(confidence: Probabilities, right: NDArray[np.bool_]) -> float:
    """How far confidence and truth lie apart on average, over fifteen bins of equally many messages (ECE)."""
    order = np.argsort(confidence, kind="stable")
    bins = [found for found in np.array_split(order, BINS) if len(found)]
    apart = (len(found) * abs(float(confidence[found].mean() - right[found].mean())) for found in bins)
    return sum(apart) / max(len(confidence), 1)
