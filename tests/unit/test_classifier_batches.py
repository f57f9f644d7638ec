"""Many texts judged at once are judged as each is alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from classifier.model import Model
from classifier.ngrams import LONGEST_TEXT
from classifier.training import train
from classifier.vectors import Fields, Vocabulary
from tests.messages import some_messages

KNOWN = "路灯坏了，请尽快处理"
TEXTS = [
    ("a sentence", KNOWN),
    ("said twice", f"{KNOWN}。{KNOWN}"),
    ("English", "The street lights are broken near the park, 3 lamps of 12"),
    ("nothing", ""),
    ("blanks and breaks", " \n路灯 \n\t坏了\n"),
    ("a number that the next text could go on with", "路灯坏了 138 0000"),
    ("the rest of it", "1111 垃圾没人清运"),
    ("a word that the next could go on with", "拖欠工资 wage"),
    ("its plural", "s 三个月没发"),
    ("nothing that is known", "Ünïcødé þæt nïemand kennt"),
    ("wide and spelled otherwise", "ＬＡＭＰ　路灯①②㎡"),
    ("half of a pair", "路灯\ud83d坏了"),
    ("longer than is looked at", "垃圾" * LONGEST_TEXT),
]


@pytest.fixture(scope="module")
def model() -> Model:
    return train(some_messages(), date(2026, 11, 23)).model


@pytest.mark.parametrize("title", ["", "出租车拒载"])
def test_texts_judged_at_once_are_judged_as_each_alone(model: Model, title: str) -> None:
    together = model.guesses([Fields.of(title, text) for _, text in TEXTS])
    for (label, text), found in zip(TEXTS, together, strict=True):
        alone = model.guess(title, text)
        assert found.known == pytest.approx(alone.known), label
        assert np.allclose(found.probabilities, alone.probabilities, atol=1e-5), label


def test_model_that_knows_no_run_judges_many_texts_too(model: Model) -> None:
    lines = model.lines
    nothing = Vocabulary(lines.vocabulary.numbers[:0], lines.vocabulary.rarity[:0])
    empty = replace(model, lines=replace(lines, vocabulary=nothing, weights=lines.weights[:0]))
    found = empty.guesses([Fields.of("", KNOWN), Fields.of("", "")])
    assert [each.known for each in found] == [0.0, 0.0]
    assert found[0].probabilities.tolist() == empty.guess("", KNOWN).probabilities.tolist()
