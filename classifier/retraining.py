"""A retraining from beginning to end: part the decisions, train a candidate, and compare it with what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from typing import Any

from classifier.comparison import Classifies, Result, answers, compare
from classifier.dangers import classifier_of
from classifier.examples import ExamplesUnusable, without_rare
from classifier.files import from_bytes, to_bytes
from classifier.held_out import Decision, Terms, TooFew, part
from classifier.labels import destination_in
from classifier.model import Model
from classifier.trained import TrainedClassifier
from classifier.training import PRECISION, train
from domain.policy import Policy

SEEN_UNTIL = "seen_until"
"""The fact of a model that tells the instant up to which it saw the city's decisions."""


@dataclass(frozen=True, slots=True, repr=False)
class Retrained:
    """The candidate as a file, and how it did; without a candidate only how many decisions there were."""

    content: bytes | None
    result: Result | None
    learnt: int
    held_out: int

    @property
    def figures(self) -> dict[str, Any]:
        """Counts, shares and codes, as JSON values."""
        return {"learnt": self.learnt, "held_out": self.held_out} | (self.result.as_plain() if self.result else {})


def retrain(
    decisions: Sequence[Decision],
    policy: Policy,
    active: Model | None,
    after: datetime | None,
    today: date,
    terms: Terms,
) -> Retrained:
    """Trains a candidate and compares it with the model in force, or with the words of the policy where there is none.

    It is to keep the precision that was wanted of the model in force.
    """
    parted = part(decisions, after, terms)
    if isinstance(parted, TooFew):
        return Retrained(None, None, parted.learnt, parted.held_out)
    precision = wanted_precision(active)
    destination_of = partial(destination_in, policy)
    learnt, rare = without_rare(parted.learnt)
    facts = {SEEN_UNTIL: parted.seen_until.isoformat(), "rare": rare}
    try:
        trained = train(learnt, today, precision, destination_of, facts)
    except ExamplesUnusable:
        return Retrained(None, None, len(learnt), len(parted.held_out))
    content = to_bytes(trained.model)

    in_force: Classifies = TrainedClassifier(active, policy) if active else classifier_of(policy)
    candidate = TrainedClassifier(from_bytes(content, "The candidate"), policy)
    new, old = (
        answers(each, parted.held_out, destination_of, policy.triage.threshold) for each in (candidate, in_force)
    )
    result = compare([each.label for each in parted.held_out], new, old, precision)
    return Retrained(content, result, len(learnt), len(parted.held_out))


def wanted_precision(model: Model | None) -> float:
    """What was wanted of its decisions when it was trained; the words of the policy were never asked."""
    return float(model.facts.get("precision", PRECISION)) if model else PRECISION


def seen_until(model: Model) -> datetime:
    """Up to when the model may have seen decisions of the city.

    Of one from a file nobody knows which messages were in it: it counts as having seen all until the day after.
    """
    told = model.facts.get(SEEN_UNTIL)
    if isinstance(told, str):
        return datetime.fromisoformat(told)
    day = date.fromisoformat(str(model.facts["trained_on"])) + timedelta(days=1)
    return datetime.combine(day, time_of_day(tzinfo=UTC))
