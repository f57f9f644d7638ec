"""How sure the classifier must be of each destination to decide without a person, from the precision that is wanted.

Measured on messages that the model had not seen. One confidence for all decides the most at any precision, where confidence
means what it says (Chow, "On Optimum Recognition Error and Reject Tradeoff", 1970): it is the lowest above which the wanted
share is right not only of those messages but, as surely as `SURENESS` says, of all like them. A destination of which that
asks too little, for it is mistaken more often than the others, has a higher one of its own. Both are exact one-sided bounds of
Clopper and Pearson (1934), and guard against luck with few messages: with nothing wrong at all, 0.97 takes 152 of them, and 23
of each destination.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Probabilities

NEVER = 1.0
"""A confidence that no trained model reaches: for a destination where the wanted precision cannot be shown."""
SURENESS = 0.99
"""That the wanted precision is kept over all destinations. Chosen by folds of the training messages alone: docs/classifier.md."""
SURENESS_OF_EACH = 0.65
"""Two to one that a destination is not mistaken beyond its bound: few messages cannot show more."""
MOST_MISTAKES = 1.5
"""Of one destination, for each mistake that the wanted precision allows."""


def thresholds(
    confidence: Probabilities, right: NDArray[np.bool_], said: Sequence[str], precision: float
) -> dict[str, float]:
    """For each destination that was said: the confidence it takes. `right` tells whether it was the true one."""
    destinations, of_each = np.array(said), 1 - MOST_MISTAKES * (1 - precision)
    own = {
        str(each): _threshold(confidence[destinations == each], right[destinations == each], of_each, SURENESS_OF_EACH)
        for each in np.unique(destinations)
    }
    counted = confidence >= np.array([own[each] for each in said])
    of_all = _threshold(confidence[counted], right[counted], precision, SURENESS)
    return {each: max(needed, of_all) for each, needed in own.items()}


def _threshold(confidence: Probabilities, right: NDArray[np.bool_], precision: float, sureness: float) -> float:
    # Only training needs it: the worker starts without it.
    from scipy.special import bdtr

    order = np.argsort(-confidence, kind="stable")
    sure, wrong = confidence[order], np.cumsum(~right[order])
    # So few mistakes would be luck if the precision were no better than wanted.
    shown = bdtr(wrong, np.arange(len(order)) + 1, 1 - precision) <= 1 - sureness
    # Messages of equal confidence stand or fall together.
    shown[:-1] &= sure[:-1] != sure[1:]
    if not shown.any():
        return NEVER
    last = int(np.flatnonzero(shown)[-1])
    # Half-way to the first that is left out: where exactly the line runs between the two, the data do not say.
    return float((sure[last] + sure[last + 1]) / 2) if last + 1 < len(sure) else float(sure[last])
