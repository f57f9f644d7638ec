"""Where labels lead: several categories of one department are one destination, whose probability is the sum of theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import HIGHEST, Probabilities
from classifier.learning import Indices


@dataclass(frozen=True, slots=True, repr=False)
class Destinations:
    """The destinations of some labels: their names, and for each label the number of its own."""

    names: tuple[str, ...]
    number_of: Indices

    @classmethod
    def of(cls, labels: Sequence[str], destination_of: Callable[[str], str]) -> Destinations:
        leads_to = [destination_of(label) for label in labels]
        names = tuple(dict.fromkeys(leads_to))
        return cls(names, np.array([names.index(each) for each in leads_to], np.intp))

    def probabilities(self, of_labels: Probabilities) -> Probabilities:
        """A column for each destination instead of each label."""
        to: NDArray[np.float64] = np.eye(len(self.names))[self.number_of]
        found: Probabilities = np.minimum(of_labels @ to, HIGHEST)
        return found

    def likeliest(self, of_labels: Probabilities) -> tuple[Indices, Probabilities]:
        """The number of the likeliest destination of each row, and its probability."""
        found = self.probabilities(of_labels)
        return found.argmax(axis=1), found.max(axis=1)
