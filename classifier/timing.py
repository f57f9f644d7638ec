"""How long a prediction takes, in milliseconds of processor time: the model alone, and all that is asked of a text."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from classifier.examples import Example
from classifier.model import Model
from classifier.trained import TrainedClassifier
from domain.free_text import MAX_DESCRIPTION_CHARACTERS, MAX_TITLE_CHARACTERS
from domain.policy import Policy

_TIMES = 3
"""Each message is judged so often, and the quickest counts: what else the machine did is not measured."""


@dataclass(frozen=True, slots=True)
class Milliseconds:
    """`p99` is what 99 % of the messages take at most."""

    median: float
    p99: float
    max: float


def of_model(model: Model, messages: Sequence[Example]) -> Milliseconds:
    """What the model alone takes."""
    return _measured(model.guess, messages)


def of_classifier(model: Model, policy: Policy, messages: Sequence[Example]) -> Milliseconds:
    """What a request takes: the words and dangers of the policy, the model, and the sentences of what may be two matters.

    Labels that are none of the policy's stand for its departments in turn: which, makes no difference to the time.
    """
    departments = [department.code for department in policy.departments]
    labels = tuple(
        label if policy.has_category(label) or policy.has_department(label) else departments[number % len(departments)]
        for number, label in enumerate(model.labels)
    )
    classifier = TrainedClassifier(replace(model, labels=labels), policy)
    return _measured(lambda title, body: classifier.classify(body, title), messages)


def _measured(judge: Callable[[str, str], object], messages: Sequence[Example]) -> Milliseconds:
    # What is prepared once for all is prepared with the first.
    _cut_and_timed(judge, messages[0])
    found = [_cut_and_timed(judge, message) for message in messages]
    return Milliseconds(float(np.median(found)), float(np.quantile(found, 0.99)), max(found))


def _cut_and_timed(judge: Callable[[str, str], object], message: Example) -> float:
    """Of a message that is no longer than those that citizens may send."""
    title, body = message.title[:MAX_TITLE_CHARACTERS], message.body[:MAX_DESCRIPTION_CHARACTERS]
    found = []
    for _ in range(_TIMES):
        began = time.thread_time()
        judge(title, body)
        found.append(1000 * (time.thread_time() - began))
    return min(found)
