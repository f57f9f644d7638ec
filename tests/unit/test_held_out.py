"""Which decisions a model learns from, and which it is compared on."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from classifier.examples import Example
from classifier.held_out import Decision, Parted, Terms, TooFew, part
from tests.rows import SUNDAY_NOON

TERMS = Terms(least_learnt=5, least_held_out=3, most_held_out=10, share_held_out=0.2)
HOUR = timedelta(hours=1)


def a_decision(number: int, seen: bool = False, text: str | None = None) -> Decision:
    """The words of each are its own."""
    chance = random.Random(number)
    words = text or "".join(chance.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(60))
    return Decision(Example(str(number), words, "lamp"), SUNDAY_NOON + number * HOUR, seen)


def parted(decisions: list[Decision], **changes: Any) -> tuple[list[str], list[str]]:
    """The titles on both sides."""
    found = part(decisions, changes.pop("after", None), TERMS)
    assert isinstance(found, Parted)
    return [each.title for each in found.learnt], [each.title for each in found.held_out]


def test_newest_are_held_out_in_whatever_order_they_come() -> None:
    decisions = [a_decision(number) for number in range(20)]
    random.Random(1).shuffle(decisions)
    learnt, held_out = parted(decisions)
    assert (learnt, held_out) == ([str(n) for n in range(16)], ["16", "17", "18", "19"])


def test_no_more_are_held_out_than_are_needed() -> None:
    learnt, held_out = parted([a_decision(number) for number in range(100)])
    assert (len(learnt), len(held_out)) == (90, 10)


def test_candidate_has_seen_nothing_since_the_first_that_is_held_out() -> None:
    found = part([a_decision(number) for number in range(20)], None, TERMS)
    assert isinstance(found, Parted)
    assert found.seen_until < SUNDAY_NOON + 16 * HOUR
    assert found.seen_until >= SUNDAY_NOON + 15 * HOUR


def test_what_the_model_in_force_has_seen_is_learnt_and_not_held_out() -> None:
    decisions = [a_decision(number, seen=number < 17) for number in range(20)]
    assert parted(decisions) == ([str(n) for n in range(17)], ["17", "18", "19"])


def test_what_it_has_seen_under_another_label_is_learnt_though_it_is_new() -> None:
    decisions = [a_decision(number, seen=number == 19) for number in range(20)]
    learnt, held_out = parted(decisions)
    assert "19" in learnt
    assert held_out == ["15", "16", "17", "18"]


def test_nothing_is_held_out_from_before_a_person_chose() -> None:
    decisions = [a_decision(number) for number in range(20)]
    assert parted(decisions, after=SUNDAY_NOON + 16 * HOUR)[1] == ["17", "18", "19"]
    assert part(decisions, SUNDAY_NOON + 17 * HOUR, TERMS) == TooFew(18, 2)


def test_message_that_was_sent_again_is_no_test() -> None:
    again = "the street light in front of our house has been dark for a week, please repair it"
    decisions = [a_decision(number) for number in range(18)]
    decisions += [a_decision(18, text=again), a_decision(19, text=again)]
    decisions[2] = a_decision(2, text=f"{again}!")
    learnt, held_out = parted(decisions)
    assert held_out == ["14", "15", "16", "17"]
    assert not {"18", "19"} & set(learnt)


@pytest.mark.parametrize(
    ("label", "count", "found"),
    [
        ("nothing", 0, TooFew(0, 0)),
        ("too few to compare on", 2, TooFew(0, 2)),
        ("too few to learn from", 7, TooFew(4, 3)),
    ],
)
def test_too_few_are_counted(label: str, count: int, found: TooFew) -> None:
    assert part([a_decision(number) for number in range(count)], None, TERMS) == found


def test_default_terms_ask_for_hundreds() -> None:
    assert part([a_decision(number) for number in range(280)], None, Terms()) == TooFew(180, 100)
    assert isinstance(part([a_decision(number) for number in range(300)], None, Terms()), Parted)
