"""Finding many words in one text quickly, in Chinese and English alike.

Chinese words are looked for anywhere in the text, English ones as whole words with or without a plural. The longest word
wins, from left to right, and hides the shorter ones inside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from domain.text_forms import Forms, as_looked_for

Sense = TypeVar("Sense")

FEW = 60
"""So few words are looked for one by one sooner than it is found out which of them cannot be there."""


class Lexicon(Generic[Sense]):
    """Words and what each of them speaks for. A word without senses only hides shorter ones inside it."""

    def __init__(self, words: Iterable[tuple[str, str, Sense | None]]) -> None:
        """From (language, word, sense); a language other than English is looked for as Chinese is."""
        self._senses: dict[str, list[Sense]] = {}
        for language, word, sense in words:
            senses = self._senses.setdefault(as_looked_for(word, language), [])
            if sense is not None and sense not in senses:
                senses.append(sense)
        self._chinese = _Words(word for word in self._senses if word and not word.startswith(" "))
        self._english = _Words(word for word in self._senses if word.startswith(" "))

    def find(self, text: Forms) -> list[tuple[str, list[Sense]]]:
        """The words found in the text, in order and as often as they stand there, each with its senses."""
        found = (*self._chinese.find(text.chinese, text), *self._english.find(text.english, text))
        return [(word, self._senses[word]) for word in found if self._senses[word]]


class _Words:
    """The words of one form, by the two characters they begin with; English ones have a space before those."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        lengths: dict[str, set[int]] = defaultdict(set)
        for word in self._words:
            lengths[word.removeprefix(" ")[:2]].add(len(word))
        self._before = " " if any(word.startswith(" ") for word in self._words) else ""
        self._lengths = {start: tuple(sorted(found, reverse=True)) for start, found in lengths.items()}
        self._short = {start for start in self._lengths if len(start) < 2}

    def find(self, form: str, text: Forms) -> Iterator[str]:
        if not form:
            return
        few = len(self._lengths) <= FEW
        likely = self._lengths.keys() if few else self._lengths.keys() & text.starts | self._short
        places = sorted(place for each in likely for place in self._places_of(each, form))
        free_from = 0
        for place, lengths in places:
            if place < free_from:
                continue
            for length in lengths:
                word = form[place : place + length]
                if word in self._words:
                    yield word
                    # English words share the space between them.
                    free_from = place + length - word.endswith(" ")
                    break

    def _places_of(self, start: str, form: str) -> list[tuple[int, tuple[int, ...]]]:
        """Where words may begin so, each with the lengths that they have."""
        wanted, lengths = self._before + start, self._lengths[start]
        found = []
        place = form.find(wanted)
        while place >= 0:
            found.append((place, lengths))
            place = form.find(wanted, place + 1)
        return found
