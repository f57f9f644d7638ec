"""How a model is made: groups of near-duplicates, folds that keep them whole, thresholds from what the folds had not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from classifier.calibration import Probabilities, fitted
from classifier.destinations import Destinations
from classifier.duplicates import COPIED, groups_of
from classifier.examples import Example, check_enough
from classifier.figures import macro_f1
from classifier.learning import VIEWS, Indices, learn
from classifier.model import Lines, Model
from classifier.thresholds import NEVER, thresholds
from classifier.vectors import Counted, Floats

PRECISION = 0.97
FOLDS = 5
FAMILIAR_SHARE = 0.005
"""So many of the training messages, judged by folds that had not seen them, are less familiar than the bound."""
MOST_EXAMPLES = 60_000
"""Of more, the last are taken; training then still fits into a few gigabytes and ten minutes."""


@dataclass(frozen=True, slots=True, repr=False)
class Judged:
    """The training messages as judged by models that had not seen them: what thresholds and figures come from."""

    labels: tuple[str, ...]
    truth: Indices
    probabilities: Probabilities
    known: Probabilities


@dataclass(frozen=True, slots=True, repr=False)
class Trained:
    model: Model
    judged: Judged


def same(label: str) -> str:
    """Each label is a destination of its own."""
    return label


def train(
    examples: Sequence[Example],
    trained_on: date,
    precision: float = PRECISION,
    destination_of: Callable[[str], str] = same,
    facts: Mapping[str, Any] | None = None,
) -> Trained:
    """Learns from the examples; the same examples in the same order give the same model. Raises ExamplesUnusable.

    Confidence and thresholds are those of the destination (the department of a category), not of the label. `facts` are
    added to those that the model says of itself.
    """
    # Only training needs it: the worker starts without it.
    from threadpoolctl import threadpool_limits

    examples = examples[-MOST_EXAMPLES:]
    check_enough(examples)
    labels = tuple(sorted({example.label for example in examples}))
    truth = np.array([labels.index(example.label) for example in examples], np.intp)
    counts = _counts(examples)
    messages = [Counted.of(example.title, example.body) for example in examples]
    texts = [f"{each.title} {each.body}" for each in examples]
    groups = groups_of(texts, [each.group for each in examples])
    sources = np.array(groups_of(texts, [each.writer for each in examples], COPIED), np.intp)

    parts = folds(groups, truth)
    # Threads for matrices this small only wait for each other.
    with threadpool_limits(1):
        scores, known = _scored_by_others(messages, truth, counts, sources, len(labels), parts)
        judged = Judged(labels, truth, _blended_by_others(scores, truth, parts), known)
        lines = Lines.of(learn(messages, truth, counts, sources.tolist(), len(labels)), fitted(scores, truth))
    return Trained(_model(judged, lines, trained_on, precision, destination_of, facts or {}), judged)


def with_precision(trained: Trained, precision: float, destination_of: Callable[[str], str] = same) -> Model:
    """The same model with thresholds for another wanted precision."""
    found = _thresholds(trained.judged, precision, destination_of)
    return replace(trained.model, thresholds=found, facts={**trained.model.facts, "precision": precision}, version="")


def folds(groups: Sequence[int], truth: Indices, how_many: int = FOLDS) -> list[Indices]:
    """A partition of the messages that keeps groups whole and spreads the labels evenly: the largest groups first, each
    into the fold that its labels need most."""
    truth_of: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        truth_of.setdefault(group, []).append(index)
    per_label = np.bincount(truth).astype(float)
    held = np.zeros((how_many, len(per_label)))
    found: list[list[int]] = [[] for _ in range(how_many)]
    for members in sorted(truth_of.values(), key=lambda members: (-len(members), members[0])):
        adds = np.bincount(truth[members], minlength=len(per_label)) / per_label
        fold = int(np.argmin((held * (adds > 0)).sum(axis=1) + held.sum(axis=1) * 1e-3))
        held[fold] += adds
        found[fold].extend(members)
    return [np.array(sorted(members), np.intp) for members in found if members]


def _counts(examples: Sequence[Example]) -> Floats:
    """How much each example counts: 1 on average, for which the slack of the machines was chosen."""
    weights = np.array([example.weight for example in examples], np.float32)
    counts: Floats = weights / weights.mean()
    return counts


def _scored_by_others(
    messages: Sequence[Counted],
    truth: Indices,
    counts: Floats,
    sources: Indices,
    how_many: int,
    parts: Sequence[Indices],
) -> tuple[Probabilities, Probabilities]:
    """Scores and familiarity of every message, from views learnt without its fold."""
    scores, known = np.zeros((len(messages), VIEWS * how_many)), np.zeros(len(messages))
    for part in parts:
        others = np.setdiff1d(np.arange(len(messages)), part)
        learnt = [messages[index] for index in others]
        views = learn(learnt, truth[others], counts[others], sources[others].tolist(), how_many)
        for index in part:
            vector = views.vocabulary.vector(messages[index])
            scores[index], known[index] = views.scores(vector), vector.known
    return scores, known


def _blended_by_others(scores: Probabilities, truth: Indices, parts: Sequence[Indices]) -> Probabilities:
    """Probabilities of every message, from a blend fitted without its fold."""
    found = np.zeros((len(truth), scores.shape[1] // VIEWS))
    for part in parts:
        others = np.setdiff1d(np.arange(len(truth)), part)
        found[part] = fitted(scores[others], truth[others]).probabilities(scores[part])
    return found


def _model(
    judged: Judged,
    lines: Lines,
    trained_on: date,
    precision: float,
    destination_of: Callable[[str], str],
    facts: Mapping[str, Any],
) -> Model:
    found = judged.probabilities.argmax(axis=1)
    measured = {
        "trained_on": trained_on.isoformat(),
        "messages": len(judged.truth),
        "precision": precision,
        "macro_f1": round(macro_f1(judged.truth, found, len(judged.labels)), 4),
        "per_label": np.bincount(judged.truth, minlength=len(judged.labels)).tolist(),
    }
    return Model(
        labels=judged.labels,
        lines=lines,
        thresholds=_thresholds(judged, precision, destination_of),
        familiar=float(np.quantile(judged.known, FAMILIAR_SHARE)),
        facts={**measured, **facts},
    )


def _thresholds(judged: Judged, precision: float, destination_of: Callable[[str], str]) -> tuple[float, ...]:
    destinations = Destinations.of(judged.labels, destination_of)
    said, confidence = destinations.likeliest(judged.probabilities)
    right = said == destinations.number_of[judged.truth]
    found = thresholds(confidence, right, [destinations.names[each] for each in said], precision)
    return tuple(found.get(destination_of(label), NEVER) for label in judged.labels)
