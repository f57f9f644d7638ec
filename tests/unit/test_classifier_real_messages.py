"""The learner on real messages, where this machine has them: what docs/classifier.md promises still holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.evaluation import evaluate
from classifier.examples import read_examples

DATA = Path(__file__).parents[3] / "shared" / "data"
LEARNT, OTHERS = DATA / "messages_train.csv.gz", DATA / "messages_dev.csv.gz"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (LEARNT.exists() and OTHERS.exists()),
        reason="the real messages are no part of the project; where ../shared/data has them, this measures on them",
    ),
]


def test_learner_is_as_good_as_promised() -> None:
    found = evaluate(read_examples(LEARNT), read_examples(OTHERS))
    assert found.macro_f1 >= 0.925
    assert found.calibration_error < 0.04
    at = found.decided_at[0.97]
    assert at.share >= 0.8
    assert at.precision is not None
    assert at.precision >= 0.96
