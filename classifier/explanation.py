"""Why a model decided as it did: the runs of the text that weighed most for and against the label, with their weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classifier.model import Model
from classifier.ngrams import FIELDS, Units, numbers_of
from classifier.vectors import Counted, Fields


@dataclass(frozen=True, slots=True)
class Part:
    """A run of the text as it stands there, folded; `weight` is what it adds to the log-odds of the label."""

    text: str
    field: str
    weight: float


def explain(model: Model, title: str, body: str, label: str, most: int = 10) -> list[Part]:
    """The parts that weighed most, the weightiest first whether for (more than 0) or against. Together with the
    label's start the weights of all parts are its log-odds."""
    vector = model.lines.vocabulary.vector(Counted.of(title, body))
    weights = vector.values * model.lines.weights[vector.places, model.labels.index(label)].astype(np.float32)
    weight_of = dict(zip(model.lines.vocabulary.numbers[vector.places].tolist(), weights.tolist(), strict=True))
    parts: dict[int, Part] = {}
    read = Fields.of(title, body)
    for field in FIELDS:
        units = Units.of(getattr(read, field))
        for run, number in zip(units.runs(), numbers_of(units, field).tolist(), strict=True):
            if number in weight_of and number not in parts:
                parts[number] = Part(run, field, weight_of[number])
    return sorted(parts.values(), key=lambda part: (-abs(part.weight), part.text))[:most]
