"""Finding many words in one text quickly, in Chinese and English alike.

Chinese words are looked for anywhere in the text, English ones as whole words with or without a plural. The longest word
wins, from left to right, and hides the shorter ones inside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

LONGEST_TEXT = 12_000
"""Characters that are looked at: what a long message is about is said long before that."""

Sense = TypeVar("Sense")

_ENGLISH_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_GAP_IN_CHINESE = re.compile(r"(?<=[^\x00-\xff])\s+(?=[^\x00-\xff])")
_PLURALS = (("ies", "y"), ("ses", "s"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", ""))


class Lexicon(Generic[Sense]):
    """Words and what each of them speaks for. A word without senses only hides shorter ones inside it."""

    def __init__(self, words: Iterable[tuple[str, str, Sense | None]]) -> None:
        """From (language, word, sense); a language other than English is looked for as Chinese is."""
        self._senses: dict[str, list[Sense]] = {}
        for language, word, sense in words:
            senses = self._senses.setdefault(_english(word) if language == "en" else _chinese(word), [])
            if sense is not None and sense not in senses:
                senses.append(sense)
        lengths: dict[str, set[int]] = defaultdict(set)
        for word in self._senses:
            lengths[word[:2]].add(len(word))
        self._lengths = {start: tuple(sorted(found, reverse=True)) for start, found in lengths.items()}

    def find(self, text: str) -> list[tuple[str, list[Sense]]]:
        """The words found in the text, in order and as often as they stand there, each with its senses."""
        text = text[:LONGEST_TEXT]
        found = [*self._find_in(_chinese(text)), *self._find_in(_english(text))]
        return [(word, self._senses[word]) for word in found if self._senses[word]]

    def _find_in(self, text: str) -> Iterator[str]:
        lengths, senses = self._lengths, self._senses
        position, last = 0, len(text) - 1
        while position < last:
            for length in lengths.get(text[position : position + 2], ()):
                word = text[position : position + length]
                if word in senses:
                    yield word
                    # English words share the space between them.
                    position += length - 1 - word.endswith(" ")
                    break
            position += 1


def _chinese(text: str) -> str:
    """One form for each character, and no gap inside a word that a line break tore apart."""
    return _GAP_IN_CHINESE.sub("", unicodedata.normalize("NFKC", text).casefold()).strip()


def _english(text: str) -> str:
    """The words without plurals and punctuation, a space before and after each."""
    words = _ENGLISH_WORD.findall(text.casefold().replace("’", "'"))
    return f" {' '.join(map(_singular, words))} " if words else ""


def _singular(word: str) -> str:
    if len(word) <= 3 or word.endswith("ss"):
        return word
    return next((word.removesuffix(plural) + single for plural, single in _PLURALS if word.endswith(plural)), word)
