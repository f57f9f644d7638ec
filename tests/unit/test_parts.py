"""One message about two matters: when a sentence is evidence for the second department."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from domain.parts import MOST_PARTS, second_matter, sentences_of

OWNERS = {"lamp": "housing", "bench": "housing", "school": "education", "clinic": "health"}


def second(
    whole: Sequence[tuple[str, float]], parts: dict[str, tuple[str, float]], text: str | None = None
) -> str | None:
    text = text if text is not None else "。".join(parts)
    return second_matter(text, whole, lambda part: [parts[part.rstrip("。")]], OWNERS.get)


LAMP, SCHOOL = "路灯坏了三天没有人修", "学校又收了一笔说不清的费用"
WHOLE = (("lamp", 0.8), ("school", 0.15), ("clinic", 0.05))


@pytest.mark.parametrize(
    ("label", "whole", "school", "found"),
    [
        ("surely about the second", WHOLE, ("school", 0.95), "school"),
        ("not surely", WHOLE, ("school", 0.89), None),
        ("about the first again", WHOLE, ("bench", 0.99), None),
        ("about the third", WHOLE, ("clinic", 0.99), None),
        ("too little of it in the whole", (("lamp", 0.97), ("school", 0.03)), ("school", 0.99), None),
        ("only one department", (("lamp", 0.97),), ("school", 0.99), None),
        ("nothing found", (), ("school", 0.99), None),
    ],
)
def test_sentence_is_evidence_for_the_second_department(
    label: str, whole: Sequence[tuple[str, float]], school: tuple[str, float], found: str | None
) -> None:
    assert second(whole, {LAMP: ("lamp", 0.99), SCHOOL: school}) == found


def test_sentence_names_its_own_category_of_that_department() -> None:
    assert second((("school", 0.7), ("lamp", 0.2)), {SCHOOL: ("school", 0.99), LAMP: ("bench", 0.95)}) == "bench"


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
