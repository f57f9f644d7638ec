"""One message about two matters: when a sentence is evidence for the second department."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from domain.parts import MOST_PARTS, Likeliest, second_part, sentences_of

OWNERS = {"lamp": "housing", "bench": "housing", "school": "education", "clinic": "health"}
LAMP, SCHOOL = "路灯坏了三天没有人修", "学校又收了一笔说不清的费用"
WHOLE = (("lamp", 0.8), ("school", 0.15), ("clinic", 0.05))


def second(whole: Sequence[tuple[str, float]], parts: dict[str, Likeliest]) -> str | None:
    """The sentence that is found, of those about what `parts` say."""

    def likeliest(sentences: Sequence[str]) -> list[Likeliest]:
        return [parts[sentence.rstrip("。")] for sentence in sentences]

    found = second_part("。".join(parts), whole, OWNERS.get, likeliest)
    return found and found.rstrip("。")


@pytest.mark.parametrize(
    ("label", "whole", "about", "found"),
    [
        ("surely about the second", WHOLE, ("education", 0.95), SCHOOL),
        ("not surely", WHOLE, ("education", 0.89), None),
        ("about the first again", WHOLE, ("housing", 0.99), None),
        ("about the third", WHOLE, ("health", 0.99), None),
        ("about nothing that is known", WHOLE, (None, 0.0), None),
        ("too little of it in the whole", (("lamp", 0.97), ("school", 0.03)), ("education", 0.99), None),
        ("only one department", (("lamp", 0.97),), ("education", 0.99), None),
        ("nothing found", (), ("education", 0.99), None),
    ],
)
def test_sentence_is_evidence_for_the_second_department(
    label: str, whole: Sequence[tuple[str, float]], about: Likeliest, found: str | None
) -> None:
    assert second(whole, {LAMP: ("housing", 0.99), SCHOOL: about}) == found


def test_first_of_several_sentences_counts() -> None:
    again = "另一所学校也收了这笔费用"
    assert second(WHOLE, {LAMP: ("housing", 0.99), SCHOOL: ("education", 0.9), again: ("education", 0.99)}) == SCHOOL


def test_text_without_a_sentence_asks_nothing() -> None:
    assert second_part("路灯", WHOLE, OWNERS.get, lambda _: pytest.fail("there is nothing to judge")) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("路灯坏了三天没有人修。学校又收了一笔费用！好。", ["路灯坏了三天没有人修。", "学校又收了一笔费用！"]),
        ("The lamp is out. The school takes fees.", ["The lamp is out.", "The school takes fees."]),
        ("It costs 3.50 a day and nobody knows why", ["It costs 3.50 a day and nobody knows why"]),
        ("", []),
    ],
)
def test_text_falls_into_sentences_that_are_long_enough(text: str, parts: list[str]) -> None:
    assert list(sentences_of(text)) == parts


def test_no_more_sentences_are_looked_at_than_time_allows() -> None:
    assert len(list(sentences_of("路灯坏了三天没有人修。" * 500))) == MOST_PARTS
