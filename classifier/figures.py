"""The figures by which a classifier is judged: per class, on average, and how much it decides at which precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Probabilities
from classifier.learning import Indices


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Of what was said to be of this label, the share that was (precision); of what was, the share found (recall)."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Decided:
    """The share of messages decided without a person, and the share of those that were right (None where none was)."""

    share: float
    precision: float | None


def per_class(truth: Indices, said: Indices, labels: Sequence[str]) -> list[ClassFigures]:
    """A label that was neither met nor said has an F1 of 0."""
    return [_class_figures(truth == number, said == number, label) for number, label in enumerate(labels)]


def macro_f1(truth: Indices, said: Indices, how_many: int) -> float:
    """The mean F1 over the labels that occur in truth or answer: each counts alike, however few its messages."""
    found = per_class(truth, said, [str(number) for number in range(how_many)])
    occurring = np.union1d(truth, said)
    return float(np.mean([found[number].f1 for number in occurring])) if len(occurring) else 0.0


def decided(sure: NDArray[np.bool_], right: NDArray[np.bool_]) -> Decided:
    """`sure` marks the messages that no person would see."""
    return Decided(float(sure.mean()), float(right[sure].mean()) if sure.any() else None)


def risk_by_coverage(
    confidence: Probabilities, right: NDArray[np.bool_], shares: Sequence[float]
) -> list[tuple[float, float, float]]:
    """For each share of messages, the surest first: the share, the confidence it takes, and how many are wrong."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    counts = [max(1, round(share * len(order))) for share in shares]
    return [
        (share, float(confidence[order[count - 1]]), float(wrong[count - 1] / count))
        for share, count in zip(shares, counts, strict=True)
    ]


def _class_figures(is_it: NDArray[np.bool_], was_said: NDArray[np.bool_], label: str) -> ClassFigures:
    both, support, answers = int((is_it & was_said).sum()), int(is_it.sum()), int(was_said.sum())
    return ClassFigures(
        label=label,
        precision=both / answers if answers else 0.0,
        recall=both / support if support else 0.0,
        f1=2 * both / (support + answers) if support + answers else 0.0,
        support=support,
    )
