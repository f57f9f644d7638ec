"""How good the proposals of a second department are: on messages with one known label, where most belong to one department."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from classifier.examples import Example
from classifier.model import Model
from classifier.training import train
from classifier.vectors import Fields
from domain.parts import Likeliest, second_part
from domain.routing import FAINT_SECOND


@dataclass(frozen=True, slots=True)
class Proposed:
    """What one margin does. `wrong` are the messages whose likeliest label is wrong, `mended` those of them whose right one
    is proposed beside it; `by_part` of the `proposed` rest on a sentence alone, and `decided` stand without a person."""

    margin: float
    messages: int
    proposed: int
    by_part: int
    decided: int
    wrong: int
    mended: int
    mended_by_part: int


@dataclass(frozen=True, slots=True)
class _Judged:
    """`first` and `second` with their probabilities; `part` is a sentence that is surely about the second."""

    label: str
    first: tuple[str, float]
    second: tuple[str, float]
    part: str | None
    is_sure: bool


def evaluate_second(examples: Sequence[Example], others: Sequence[Example], margins: Sequence[float]) -> list[Proposed]:
    """Learns from the examples and counts on the others. Raises ExamplesUnusable."""
    model = train(examples, date.min).model
    judged = [_judge(model, each) for each in others]
    return [_proposed(judged, margin) for margin in margins]


def _judge(model: Model, example: Example) -> _Judged:
    guess = model.guess(example.title, example.body)
    ranked = sorted(range(len(model.labels)), key=lambda label: -guess.probabilities[label])[:2]
    candidates = [(model.labels[label], float(guess.probabilities[label])) for label in ranked]

    def likeliest(sentences: Sequence[str]) -> list[Likeliest]:
        parts = model.guesses([Fields.of("", sentence) for sentence in sentences])
        return [
            (model.labels[int(part.probabilities.argmax())], float(part.probabilities.max()))
            if model.is_familiar(part)
            else (None, 0.0)
            for part in parts
        ]

    return _Judged(
        label=example.label,
        first=candidates[0],
        second=candidates[1],
        part=second_part(example.body, candidates, lambda label: label, likeliest),
        is_sure=candidates[0][1] >= model.thresholds[ranked[0]],
    )


def _proposed(judged: Sequence[_Judged], margin: float) -> Proposed:
    def is_close(each: _Judged) -> bool:
        return each.second[1] >= FAINT_SECOND and each.first[1] - each.second[1] <= margin

    shown = [each for each in judged if is_close(each) or each.part]
    wrong = [each for each in judged if each.first[0] != each.label]
    mended = [each for each in shown if each.second[0] == each.label]
    return Proposed(
        margin=margin,
        messages=len(judged),
        proposed=len(shown),
        by_part=sum(not is_close(each) for each in shown),
        decided=sum(each.is_sure for each in shown),
        wrong=len(wrong),
        mended=len(mended),
        mended_by_part=sum(not is_close(each) for each in mended),
    )
