"""When a new model may take over, on answers that are made up."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import pytest

from classifier.comparison import SMALL_ONES, Answer, Reason, answers, chance_of_at_most, compare, rightly_decided
from classifier.examples import Example
from domain.classified import Classified

RIGHT, WRONG = Answer(True, True, 0.9, False), Answer(False, False, 0.9, False)
SURE, SURELY_WRONG = Answer(True, True, 0.99, True), Answer(False, False, 0.98, True)


def of_each(count: int, *kinds: Answer) -> list[Answer]:
    return [kind for kind in kinds for _ in range(count)]


def judged(
    candidate: Sequence[Answer], active: Sequence[Answer], labels: Sequence[str] | None = None, wanted: float = 0.9
) -> tuple[Reason, ...]:
    return compare(labels or ["lamp"] * len(candidate), candidate, active, wanted).reasons


def changed(cases: int, lost: int, won: int) -> tuple[list[Answer], list[Answer]]:
    """Candidate and active, both right but for what the candidate lost and won."""
    same = of_each(cases - lost - won, RIGHT)
    return [*same, *of_each(lost, WRONG), *of_each(won, RIGHT)], [*same, *of_each(lost, RIGHT), *of_each(won, WRONG)]


@pytest.mark.parametrize(
    ("label", "cases", "lost", "won", "is_worse"),
    [
        ("equal", 100, 0, 0, False),
        ("better", 100, 0, 9, False),
        ("one or two are nobody's fault", 20, 2, 0, False),
        ("three of twenty are more than a tenth", 20, 3, 0, True),
        ("four of forty are a tenth, and chance", 40, 4, 0, False),
        ("five of a hundred, none won: chance in 3 % of all cases", 100, 5, 0, True),
        ("five lost and one won: chance in 11 %", 100, 5, 1, False),
        ("fifteen lost and five won: chance in 2 %", 400, 15, 5, True),
        ("fourteen lost and six won: chance in 6 %", 400, 14, 6, False),
        ("a tenth of a large class, by chance or not", 100, 31, 20, True),
    ],
)
def test_class_is_worse_where_chance_does_not_explain_it(
    label: str, cases: int, lost: int, won: int, is_worse: bool
) -> None:
    candidate, active = changed(cases, lost, won)
    # Elsewhere it is better, so that only the class can speak against it.
    reasons = judged([*candidate, *of_each(50, RIGHT)], [*active, *of_each(50, WRONG)], ["lamp"] * cases + ["bin"] * 50)
    assert reasons == ((Reason.CLASS_WORSE,) if is_worse else ())


def test_classes_too_small_to_judge_are_judged_together() -> None:
    labels = ["lamp"] * 30 + ["bin", "taxi"] * 10
    candidate, active = [*of_each(50, RIGHT)], [*of_each(30, WRONG), *of_each(20, RIGHT)]
    for lost in (31, 32, 33, 34):
        candidate[lost] = WRONG
    found = compare(labels, candidate, active, 0.9)
    assert [(each.label, each.messages, each.lost) for each in found.classes] == [("lamp", 30, 0), (SMALL_ONES, 20, 4)]
    assert found.reasons == (Reason.CLASS_WORSE,)


@pytest.mark.parametrize(("lost", "reasons"), [(2, ()), (3, (Reason.CLASS_WORSE,))])
def test_two_messages_of_a_handful_are_nobodys_fault(lost: int, reasons: tuple[Reason, ...]) -> None:
    labels = ["lamp"] * 30 + ["bin"] * 8
    candidate = [*of_each(38 - lost, RIGHT), *of_each(lost, WRONG)]
    assert judged(candidate, [*of_each(30, WRONG), *of_each(8, RIGHT)], labels) == reasons


def test_fewer_right_in_total_is_refused_however_few() -> None:
    candidate, active = changed(200, 2, 1)
    assert judged(candidate, active) == (Reason.FEWER_RIGHT,)
    assert judged(active, candidate) == ()


def test_equal_model_may_take_over() -> None:
    both = of_each(40, SURE, RIGHT, WRONG)
    assert judged(both, both) == ()


@pytest.mark.parametrize(
    ("label", "right", "wrong", "reasons"),
    [
        ("as precise as wanted", 90, 10, ()),
        ("less, and chance explains it", 86, 14, ()),
        ("less than chance explains", 80, 20, (Reason.NOT_PRECISE,)),
        ("nothing is decided alone", 0, 0, ()),
    ],
)
def test_decisions_alone_keep_the_wanted_precision(
    label: str, right: int, wrong: int, reasons: tuple[Reason, ...]
) -> None:
    rest = 200 - right - wrong
    candidate = [*of_each(right, SURE), *of_each(wrong, SURELY_WRONG), *of_each(rest, RIGHT)]
    # The one in force has no more right, and decides nothing alone.
    active = [*of_each(right, RIGHT), *of_each(wrong, WRONG), *of_each(rest, RIGHT)]
    assert judged(candidate, active) == reasons


def test_model_that_leaves_more_to_people_is_refused() -> None:
    candidate, active = of_each(50, SURE, RIGHT), [*of_each(51, SURE), *of_each(49, RIGHT)]
    assert judged(candidate, active) == (Reason.DECIDES_LESS,)
    assert judged(active, candidate) == ()


def test_one_that_decides_much_and_wrongly_is_no_measure() -> None:
    """The words of a policy may decide on everything and be wrong on a third of it."""
    words = [*of_each(60, SURE), *of_each(40, SURELY_WRONG)]
    assert rightly_decided(words, 0.9) == 0.66
    candidate = [*of_each(66, SURE), *of_each(34, RIGHT)]
    assert judged(candidate, words) == ()
    assert judged([*of_each(65, SURE), *of_each(35, RIGHT)], words) == (Reason.DECIDES_LESS,)


def test_surest_decisions_come_first() -> None:
    found = [Answer(True, True, 0.7, True), Answer(False, False, 0.6, True), Answer(True, True, 0.99, False)]
    assert rightly_decided(found, 0.9) == pytest.approx(1 / 3)
    assert rightly_decided([], 0.9) == 0


@pytest.mark.parametrize(("successes", "tries"), [(0, 5), (5, 20), (20, 20), (980, 2000)])
def test_chance_is_exact(successes: int, tries: int) -> None:
    exact = sum(comb(tries, number) for number in range(successes + 1)) / 2**tries
    assert chance_of_at_most(successes, tries, 0.5) == pytest.approx(exact, rel=1e-9)


class Says:
    """Always the same answer."""

    def __init__(self, found: Classified) -> None:
        self._found = found

    def classify(self, description: str, title: str = "", given: str | None = None) -> Classified:
        return self._found


OWNERS = {"lamp": "housing", "roof": "housing", "bin": "health"}


@pytest.mark.parametrize(
    ("label", "found", "answer"),
    [
        ("lamp", Classified("lamp", 0.9, needed=0.8), Answer(True, True, 0.9, True)),
        ("lamp", Classified("lamp", 0.7, needed=0.8), Answer(True, True, 0.7, False)),
        ("lamp", Classified("lamp", 0.7), Answer(True, True, 0.7, True)),
        ("lamp", Classified("roof", 0.9), Answer(False, True, 0.9, True)),
        ("lamp", Classified("bin", 0.9), Answer(False, False, 0.9, True)),
        ("housing", Classified("roof", 0.9), Answer(True, True, 0.9, True)),
        ("lamp", Classified(None, 0.0), Answer(False, False, 0.0, False)),
    ],
)
def test_answer_is_held_against_what_was_decided(label: str, found: Classified, answer: Answer) -> None:
    def destination_of(code: str) -> str:
        return OWNERS.get(code, code)

    assert answers(Says(found), [Example("", "dark", label)], destination_of, 0.65) == [answer]
