"""How good the learner is: trained on one file, judged on another that it never saw."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from classifier import timing
from classifier.calibration import calibration_error
from classifier.examples import Example, without_rare
from classifier.figures import ClassFigures, Decided, decided, macro_f1, per_class, risk_by_coverage
from classifier.learning import Indices
from classifier.model import Guess, Model, in_rows
from classifier.timing import Milliseconds
from classifier.training import PRECISION, Trained, train, with_precision
from domain.policy import Policy

PRECISIONS = (0.95, 0.97, 0.98, 0.99)
COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
PORTIONS = (0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`decided_at` by wanted precision: chosen on the training messages, realised on the others.

    `risk_coverage` holds (share of the surest, the confidence it takes, share of mistakes among them). `milliseconds` are
    those of a prediction on the others: of the `model` alone, and of the whole `classifier` for the words of a policy.
    """

    trained_on: int
    judged_on: int
    macro_f1: float
    accuracy: float
    calibration_error: float
    classes: list[ClassFigures]
    decided_at: dict[float, Decided]
    risk_coverage: list[tuple[float, float, float]]
    training_seconds: float
    milliseconds: dict[str, Milliseconds]


@dataclass(frozen=True, slots=True)
class Step:
    """A point of the learning curve: trained on so many messages, judged on the same others."""

    messages: int
    macro_f1: float
    accuracy: float
    decided: Decided


def evaluate(examples: Sequence[Example], others: Sequence[Example], policy: Policy | None = None) -> Evaluation:
    """Nothing about `others` enters training, calibration or thresholds. `policy` is that of the `classifier` whose time is
    taken. Raises ExamplesUnusable."""
    began = time.perf_counter()
    trained = train(examples, date.min)
    trained_after = time.perf_counter()
    guesses = [trained.model.guess(each.title, each.body) for each in others]
    labels, truth = _truth(trained.model, others)
    probabilities = in_rows(guesses)
    said, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = said == truth
    figures = per_class(truth, said, labels)
    return Evaluation(
        trained_on=len(examples),
        judged_on=len(others),
        macro_f1=macro_f1(truth, said, len(labels)),
        accuracy=float(right.mean()),
        calibration_error=calibration_error(confidence, right),
        classes=figures,
        decided_at={precision: _decided(trained, precision, guesses, truth) for precision in PRECISIONS},
        risk_coverage=risk_by_coverage(confidence, right, COVERAGES),
        training_seconds=trained_after - began,
        milliseconds={
            "model": timing.of_model(trained.model, others),
            **({"classifier": timing.of_classifier(trained.model, policy, others)} if policy else {}),
        },
    )


def learning_curve(examples: Sequence[Example], others: Sequence[Example]) -> list[Step]:
    """Each portion holds the smaller ones; which messages come first is drawn by their text, the same every time.

    Portions that lack examples of some label are left out.
    """
    drawn = sorted(examples, key=lambda example: hashlib.sha256((example.group or example.body).encode()).digest())
    portions = [drawn[: round(portion * len(drawn))] for portion in PORTIONS]
    how_many = len({example.label for example in examples})
    return [_step(each, others) for each in portions if len({e.label for e in without_rare(each)[0]}) == how_many]


def _step(examples: Sequence[Example], others: Sequence[Example]) -> Step:
    trained = train(examples, date.min)
    guesses = [trained.model.guess(each.title, each.body) for each in others]
    labels, truth = _truth(trained.model, others)
    said = in_rows(guesses).argmax(axis=1)
    return Step(
        messages=len(examples),
        macro_f1=macro_f1(truth, said, len(labels)),
        accuracy=float((said == truth).mean()),
        decided=_decided(trained, PRECISION, guesses, truth),
    )


def _truth(model: Model, others: Sequence[Example]) -> tuple[list[str], Indices]:
    """The labels of the model and those that only the others have, which it cannot but get wrong."""
    labels = [*model.labels, *sorted({each.label for each in others} - set(model.labels))]
    number = {label: at for at, label in enumerate(labels)}
    return labels, np.array([number[each.label] for each in others], np.intp)


def _decided(trained: Trained, precision: float, guesses: list[Guess], truth: Indices) -> Decided:
    model = with_precision(trained, precision)
    probabilities = in_rows(guesses)
    said = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1) >= np.array(model.thresholds)[said]
    sure &= np.array([model.is_familiar(guess) for guess in guesses])
    return decided(sure, said == truth)
