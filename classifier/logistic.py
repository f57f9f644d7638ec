"""A line between two kinds of rows: logistic regression with a penalty on its weights, by Newton's method.

The worker learns by it while it serves, so it takes no more than numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_STEPS = 12
_INNER_STEPS = 25
_CLOSE = 0.05
_DONE = 1e-3

Values: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]


def line_between(
    rows: Places, places: Places, values: Values, positive: NDArray[np.bool_], counts: Values, how_many: int
) -> tuple[Values, float]:
    """Weight for each of `how_many` places, and the start. A row's score is its values times their weights, plus the start.

    Entry i says that row `rows[i]` has `values[i]` at `places[i]`; `counts` says how much each row counts beside the penalty.
    """
    sign = np.where(positive, 1.0, -1.0)

    def scores(line: Values) -> Values:
        found: Values = np.bincount(rows, values * line[places], len(sign)) + line[-1]
        return found

    def back(each: Values) -> Values:
        return np.append(np.bincount(places, values * each[rows], how_many), each.sum())

    def cost(line: Values, found: Values) -> float:
        return float(line[:-1] @ line[:-1] / 2 + counts @ np.logaddexp(0, -sign * found))

    penalty = np.append(np.ones(how_many), 0.0)
    line = np.zeros(how_many + 1)
    found = scores(line)
    first = None
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(sign * found))
        slope = penalty * line - back(counts * sign * likely)
        size = float(np.linalg.norm(slope))
        first = first or size
        if size <= _DONE * first:
            break
        steep = counts * likely * (1 - likely)
        step = _towards(slope, lambda way: penalty * way + back(steep * scores(way)))  # noqa: B023
        line, found = _stepped(line, step, scores, cost, found)
    return line[:-1], float(line[-1])


def _towards(slope: Values, curved: Callable[[Values], Values]) -> Values:
    """Newton's step, nearly, by conjugate gradients."""
    step = np.zeros_like(slope)
    rest = -slope
    way, left = rest.copy(), float(rest @ rest)
    enough = _CLOSE**2 * left
    for _ in range(_INNER_STEPS):
        bent = curved(way)
        far = left / float(way @ bent)
        step += far * way
        rest -= far * bent
        now = float(rest @ rest)
        if now <= enough:
            break
        way, left = rest + now / left * way, now
    return step


def _stepped(
    line: Values,
    step: Values,
    scores: Callable[[Values], Values],
    cost: Callable[[Values, Values], float],
    found: Values,
) -> tuple[Values, Values]:
    """The line after the step, or after the half of it that makes things better."""
    before, along = cost(line, found), scores(step)
    share = 1.0
    while cost(line + share * step, found + share * along) > before and share > 1e-3:
        share /= 2
    return line + share * step, found + share * along
