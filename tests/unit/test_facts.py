"""The words for facts."""

from __future__ import annotations

import pytest

from domain.facts import fact_words
from tests.city import a_city

CITY = a_city()
WORDS: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("a department has a name", {"department": "housing"}, {"department": "Housing"}),
    ("a reason brings the right route", {"reason_code": "court"}, {"reason_name": "A court decides this", "route": "Go to the court"}),
    ("a target has a name", {"target": "next_city"}, {"target": "The next city"}),
    ("an unknown code is left out", {"department": "circus", "category": "clinic"}, {"category": "clinic"}),
    ("a due date is told by the city's clock", {"due": "2026-11-27T16:30:00+00:00"}, {"due": "28 Nov 00:30"}),
    ("an offset is heeded", {"due": "2026-11-27T18:00:00+08:00"}, {"due": "27 Nov 18:00"}),
    ("a level is a number", {"level": "2"}, {"level": "2"}),
    ("other facts are nobody's business", {"assignee": "someone"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "words"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_words_of_facts(facts: dict[str, str], words: dict[str, str]) -> None:
    assert fact_words(CITY, "en", facts) == words


def test_chinese_dates_are_chinese() -> None:
    assert fact_words(CITY, "zh", {"due": "2026-11-27T10:05:00+00:00"}) == {"due": "11月27日18:05"}


def test_language_without_texts_gets_the_first_there_is() -> None:
    assert fact_words(CITY, "ug", {"department": "housing"}) == {"department": "Housing"}
