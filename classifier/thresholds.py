"""How sure the classifier must be of each destination to decide without a person, from the precision that is wanted.

Measured on messages that the model had not seen: the lowest confidence above which the wanted share is right not only of
those messages but, as surely as `SURENESS` says, of all like them. That is the exact one-sided bound of Clopper and Pearson
(1934), and guards against luck with few messages: with nothing wrong at all, 0.97 still takes 35 of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Probabilities

NEVER = 1.0
"""A confidence that no trained model reaches: for a destination where the wanted precision cannot be shown."""
SURENESS = 0.65
"""Two to one that the wanted precision is kept. Chosen by folds of the training messages alone: docs/classifier.md."""


def thresholds(
    confidence: Probabilities, right: NDArray[np.bool_], said: Sequence[str], precision: float
) -> dict[str, float]:
    """For each destination that was said: the confidence it takes. `right` tells whether it was the true one."""
    destinations = np.array(said)
    return {
        str(each): _threshold(confidence[destinations == each], right[destinations == each], precision)
        for each in np.unique(destinations)
    }


def _threshold(confidence: Probabilities, right: NDArray[np.bool_], precision: float) -> float:
    # Only training needs it: the worker starts without it.
    from scipy.special import bdtr

    order = np.argsort(-confidence, kind="stable")
    sure, wrong = confidence[order], np.cumsum(~right[order])
    # So few mistakes would be luck if the precision were no better than wanted.
    shown = bdtr(wrong, np.arange(len(order)) + 1, 1 - precision) <= 1 - SURENESS
    # Messages of equal confidence stand or fall together.
    shown &= np.append(sure[:-1] != sure[1:], True)
    if not shown.any():
        return NEVER
    last = int(np.flatnonzero(shown)[-1])
    # Half-way to the first that is left out: where exactly the line runs between the two, the data do not say.
    return float((sure[last] + sure[last + 1]) / 2) if last + 1 < len(sure) else float(sure[last])
