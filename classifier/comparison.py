"""Whether a new model may take over: it must be no worse than the one in force, class by class, on recent decisions.

Both answer the same messages, so that what counts is where one of them alone is right (McNemar's test; Dietterich,
"Approximate Statistical Tests for Comparing Supervised Classification Learning Algorithms", 1998, found it the one
test for two learners and one set of messages that seldom sees a difference where there is none).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from classifier.examples import Example
from domain.classified import Classified

FEWEST_OF_A_CLASS = 20
"""With fewer held-out messages a class says nothing by itself; all such classes are judged together, as one."""
SMALL_ONES = "all smaller classes"
DOUBT = 0.05
"""A loss that mere chance would bring about in fewer than one of twenty comparisons is no chance."""
ALLOWED_LOSS = 0.1
"""Of the messages of one class, so many may be lost where chance might explain it: a class of 20 shows nothing smaller."""
ALWAYS_ALLOWED = 2
"""Messages. A difference of one or two is never held against a model."""


class Reason(StrEnum):
    """Why a model may not take over."""

    FEWER_RIGHT = "fewer_right"  # in total
    CLASS_WORSE = "class_worse"  # see the classes
    NOT_PRECISE = "not_precise"  # of what it decides alone, too little is right
    DECIDES_LESS = "decides_less"  # at the wanted precision it leaves more to people


class Classifies(Protocol):
    """A model at work, or the words of a policy."""

    def classify(self, description: str, title: str = "", given: str | None = None) -> Classified: ...


class Answer(NamedTuple):
    """What a classifier made of one message whose place is known. `sent_right` is about the department alone."""

    right: bool
    sent_right: bool
    confidence: float
    alone: bool


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One class: its messages, how many each had right, and how many the candidate alone lost or won."""

    label: str
    messages: int
    candidate: int
    active: int
    lost: int
    won: int

    @property
    def is_worse(self) -> bool:
        net = self.lost - self.won
        if net <= ALWAYS_ALLOWED:
            return False
        return net > ALLOWED_LOSS * self.messages or chance_of_at_most(self.won, self.lost + self.won, 0.5) <= DOUBT


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a comparison. Shares are of all held-out messages; a precision is None where nothing was decided.

    `*_decided` is what each decided alone; `*_rightly` is the part of it, the surest first, that kept the precision.
    """

    messages: int
    wanted_precision: float
    candidate_right: int
    active_right: int
    candidate_decided: float
    candidate_precision: float | None
    candidate_rightly: float
    active_decided: float
    active_precision: float | None
    active_rightly: float
    classes: tuple[ClassResult, ...]
    reasons: tuple[Reason, ...] = ()

    @property
    def may_take_over(self) -> bool:
        return not self.reasons

    def as_plain(self) -> dict[str, Any]:
        """JSON values; of each class also whether it is worse."""
        plain = asdict(self)
        plain["classes"] = [asdict(each) | {"worse": each.is_worse} for each in self.classes]
        plain["reasons"] = [str(reason) for reason in self.reasons]
        return plain


def answers(
    classifier: Classifies, held_out: Sequence[Example], destination_of: Callable[[str], str], threshold: float
) -> list[Answer]:
    """What the classifier says of each message by its text alone. `threshold` is for answers that bring none.

    A label that is a department asks for no more than the department.
    """
    return [
        _answer(classifier.classify(each.body, each.title), each.label, destination_of, threshold) for each in held_out
    ]


def _answer(found: Classified, label: str, destination_of: Callable[[str], str], threshold: float) -> Answer:
    if found.category is None:
        return Answer(False, False, 0.0, False)
    needed = threshold if found.needed is None else found.needed
    sent_to = destination_of(found.category)
    return Answer(
        right=label in (found.category, sent_to),
        sent_right=sent_to == destination_of(label),
        confidence=found.confidence,
        alone=found.confidence >= needed,
    )


def compare(
    labels: Sequence[str], candidate: Sequence[Answer], active: Sequence[Answer], wanted_precision: float
) -> Result:
    """The candidate beside the one in force, by the labels of the held-out messages; in force are the words or a model."""
    classes = _classes(labels, candidate, active)
    found = Result(
        messages=len(labels),
        wanted_precision=wanted_precision,
        candidate_right=sum(each.right for each in candidate),
        active_right=sum(each.right for each in active),
        candidate_decided=_share(candidate),
        candidate_precision=_precision(candidate),
        candidate_rightly=rightly_decided(candidate, wanted_precision),
        active_decided=_share(active),
        active_precision=_precision(active),
        active_rightly=rightly_decided(active, wanted_precision),
        classes=classes,
    )
    objections: Mapping[Reason, bool] = {
        Reason.FEWER_RIGHT: found.candidate_right < found.active_right,
        Reason.CLASS_WORSE: any(each.is_worse for each in classes),
        Reason.NOT_PRECISE: not _keeps(candidate, wanted_precision),
        Reason.DECIDES_LESS: found.candidate_rightly < found.active_rightly,
    }
    return replace(found, reasons=tuple(reason for reason, holds in objections.items() if holds))


def rightly_decided(found: Sequence[Answer], wanted_precision: float) -> float:
    """The largest share of all messages that, taken from the surest decisions on, was sent right often enough."""
    decisions = sorted((each for each in found if each.alone), key=lambda each: -each.confidence)
    right, kept = 0, 0
    for number, each in enumerate(decisions, start=1):
        right += each.sent_right
        if right >= wanted_precision * number:
            kept = number
    return kept / len(found) if found else 0.0


def chance_of_at_most(successes: int, tries: int, probability: float) -> float:
    """How likely so few successes are, exactly (binomial)."""
    return math.fsum(_chance_of(number, tries, probability) for number in range(successes + 1))


def _chance_of(successes: int, tries: int, probability: float) -> float:
    ways = math.lgamma(tries + 1) - math.lgamma(successes + 1) - math.lgamma(tries - successes + 1)
    return math.exp(ways + successes * math.log(probability) + (tries - successes) * math.log1p(-probability))


def _classes(labels: Sequence[str], candidate: Sequence[Answer], active: Sequence[Answer]) -> tuple[ClassResult, ...]:
    """The classes with enough messages by name, then all others as one."""
    members: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        members.setdefault(label, []).append(index)
    large = {label: found for label, found in sorted(members.items()) if len(found) >= FEWEST_OF_A_CLASS}
    small = [index for label, found in members.items() if label not in large for index in found]
    parts = large | ({SMALL_ONES: small} if small else {})
    return tuple(_class(label, found, candidate, active) for label, found in parts.items())


def _class(label: str, members: Sequence[int], candidate: Sequence[Answer], active: Sequence[Answer]) -> ClassResult:
    pairs = [(candidate[index].right, active[index].right) for index in members]
    return ClassResult(
        label=label,
        messages=len(pairs),
        candidate=sum(new for new, _ in pairs),
        active=sum(old for _, old in pairs),
        lost=sum(old and not new for new, old in pairs),
        won=sum(new and not old for new, old in pairs),
    )


def _keeps(found: Sequence[Answer], wanted_precision: float) -> bool:
    """Whether chance explains what the decisions lack of the wanted precision, if they lack anything."""
    decided = [each.sent_right for each in found if each.alone]
    return chance_of_at_most(sum(decided), len(decided), wanted_precision) > DOUBT


def _share(found: Sequence[Answer]) -> float:
    return sum(each.alone for each in found) / len(found) if found else 0.0


def _precision(found: Sequence[Answer]) -> float | None:
    decided = [each.sent_right for each in found if each.alone]
    return sum(decided) / len(decided) if decided else None
