"""Probabilities that mean what they say, and thresholds that keep the wanted precision on messages never seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from classifier.calibration import calibration_error, fitted, softmax
from classifier.destinations import Destinations
from classifier.thresholds import NEVER, thresholds
from classifier.training import train, with_precision
from tests.messages import some_messages

TODAY = date(2026, 11, 23)


def made_scores(count: int, stretch: float, seed: int = 4) -> tuple[Any, Any]:
    """Scores that three views give three labels, all right in their order, and labels drawn as the scores, stretched, say."""
    chance = np.random.default_rng(seed)
    meant = chance.normal(size=(count, 3))
    probabilities = softmax(meant * stretch + [0.0, 0.5, -0.5])
    labels = np.array([chance.choice(3, p=row / row.sum()) for row in probabilities], np.intp)
    return np.hstack([meant, 2 * meant + 1, chance.normal(size=(count, 3))]), labels


@pytest.mark.parametrize("stretch", [0.5, 1.0, 4.0])
def test_probabilities_mean_what_they_say(stretch: float) -> None:
    scores, labels = made_scores(6000, stretch)
    blend = fitted(scores[:3000], labels[:3000])
    probabilities = blend.probabilities(scores[3000:])
    right = probabilities.argmax(axis=1) == labels[3000:]
    assert calibration_error(probabilities.max(axis=1), right) < 0.04


def test_view_that_says_nothing_is_hardly_heard() -> None:
    scores, labels = made_scores(3000, 2.0)
    blend = fitted(scores, labels)
    telling, idle = np.abs(blend.matrix[:3]).max() + np.abs(blend.matrix[3:6]).max(), np.abs(blend.matrix[6:]).max()
    assert idle < telling / 4


def test_few_messages_do_not_make_a_bold_blend() -> None:
    """With nine messages and no mistake one could let every score speak about every label."""
    scores, _ = made_scores(9, 1.0)
    matrix = fitted(scores, scores[:, :3].argmax(axis=1)).matrix
    own = np.tile(np.eye(3, dtype=bool), (3, 1))
    assert np.abs(matrix[~own]).max() < np.abs(matrix[own]).max() / 10


def test_calibration_error_tells_boasting_from_honesty() -> None:
    right = np.array([True, False] * 500)
    assert calibration_error(np.full(1000, 0.9), right) == pytest.approx(0.4)
    assert calibration_error(np.full(1000, 0.5), right) == pytest.approx(0.0, abs=0.01)


def a_row(right: str) -> tuple[Any, Any, list[str]]:
    """Messages from the surest to the least sure: y was right, n was wrong."""
    return np.linspace(0.99, 0.5, len(right)), np.array([each == "y" for each in right]), ["here"] * len(right)


@pytest.mark.parametrize(
    ("label", "right", "precision", "decided"),
    [
        ("all right but few", "y" * 43, 0.9, 0),
        ("all right and enough", "y" * 44, 0.9, 44),
        ("a mistake at the end is left out", "y" * 44 + "n", 0.9, 44),
        ("a mistake that many right ones outweigh", "y" * 44 + "n" + "y" * 40, 0.9, 85),
        ("mistakes at the top spoil all", "n" * 5 + "y" * 30, 0.9, 0),
    ],
)
def test_threshold_is_the_lowest_that_shows_the_wanted_precision(
    label: str, right: str, precision: float, decided: int
) -> None:
    confidence, truth, said = a_row(right)
    needed = thresholds(confidence, truth, said, precision)["here"]
    assert int((confidence >= needed).sum()) == decided
    assert (needed == NEVER) is (decided == 0)


def test_messages_of_equal_confidence_stand_or_fall_together() -> None:
    confidence = np.array([0.9] * 60 + [0.8] * 10)
    right = np.array([True] * 60 + [True] * 5 + [False] * 5)
    assert 0.8 < thresholds(confidence, right, ["here"] * 70, 0.9)["here"] <= 0.9


def of_two(here: str, there: str) -> tuple[dict[str, float], Any]:
    """The thresholds of two destinations for a wanted precision of 0.9, and the confidence of the messages of each."""
    assert len(here) == len(there)
    confidence, right, _ = a_row(here)
    both = np.tile(confidence, 2), np.append(right, a_row(there)[1])
    return thresholds(*both, ["here"] * len(here) + ["there"] * len(there), 0.9), confidence


def test_destination_that_is_often_mistaken_has_a_higher_threshold_of_its_own() -> None:
    found, confidence = of_two("y" * 300, "y" * 180 + "yn" * 60)
    assert found["here"] == confidence[-1]
    assert confidence[-1] < found["there"] < confidence[180]


@pytest.mark.parametrize(
    ("label", "there", "decides"),
    [
        ("a ninth is wrong, and there is nothing wrong with the other", "yyyynyyyy" * 20, True),
        ("a fifth is wrong: more than half as many again as are wanted", "yynyy" * 36, False),
    ],
)
def test_one_destination_may_be_worse_than_wanted_only_so_far(label: str, there: str, decides: bool) -> None:
    found, confidence = of_two("y" * 180, there)
    assert found["here"] == confidence[-1]
    assert found["there"] == (confidence[-1] if decides else NEVER)


def test_where_all_are_mistaken_alike_one_confidence_stands_for_all() -> None:
    found, confidence = of_two("y" * 60 + "yyn" * 20, "y" * 60 + "nyy" * 20)
    assert found["here"] == found["there"]
    assert confidence[100] < found["here"] < confidence[60]


def test_thresholds_rise_with_the_wanted_precision_and_come_from_messages_the_model_had_not_seen() -> None:
    confusing = [replace(each, label="garbage") for each in some_messages(6, seed=9, matters=["taxi"])]
    made = train([*some_messages(60), *confusing], TODAY)
    at = {precision: with_precision(made, precision).thresholds for precision in (0.8, 0.9, 0.95)}
    assert all(low <= middle <= high for low, middle, high in zip(at[0.8], at[0.9], at[0.95], strict=True))
    # Seen messages would all be right; unseen ones show that taxi is not to be trusted so far.
    assert at[0.95][made.model.labels.index("taxi")] > 0.8 or at[0.95][made.model.labels.index("garbage")] > 0.8


def test_categories_of_one_department_share_confidence_and_threshold() -> None:
    department = {"street_light": "works", "garbage": "works", "wage_arrears": "labour", "taxi": "traffic"}.__getitem__
    model = train(some_messages(), TODAY, 0.9, department).model
    needed = dict(zip(model.labels, model.thresholds, strict=True))
    assert needed["street_light"] == needed["garbage"]
    destinations = Destinations.of(model.labels, department)
    both = destinations.probabilities(np.array([[0.4, 0.45, 0.1, 0.05]]))
    assert dict(zip(destinations.names, both[0], strict=True))["works"] == pytest.approx(0.85)
