"""Finding many words in one text quickly, in Chinese and English alike.

Chinese words are looked for anywhere in the text, English ones as whole words with or without a plural. The longest word
wins, from left to right, and hides the shorter ones inside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from domain.characters import one_form

LONGEST_TEXT = 12_000
"""Characters that are looked at: what a long message is about is said long before that."""

Sense = TypeVar("Sense")

_ENGLISH_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_SPACE = re.compile(" ")
_GAP_IN_CHINESE = re.compile(r"(?<=[^\x00-\xff])\s+(?=[^\x00-\xff])")
_PLURALS = (("ies", "y"), ("ses", "s"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", ""))


@dataclass(frozen=True)
class Forms:
    """A text made ready for looking up words in both languages; made once, used by every lexicon."""

    chinese: str
    english: str

    @classmethod
    def of(cls, text: str) -> Forms:
        text = text[:LONGEST_TEXT]
        return cls(without_gaps(one_form(text)), english_words(text))

    @classmethod
    def joined(cls, parts: Iterable[Forms]) -> Forms:
        """One text after the other; no word reaches from one into the next."""
        parts = tuple(parts)
        return cls("\n".join(part.chinese for part in parts), "".join(part.english for part in parts))


class Lexicon(Generic[Sense]):
    """Words and what each of them speaks for. A word without senses only hides shorter ones inside it."""

    def __init__(self, words: Iterable[tuple[str, str, Sense | None]]) -> None:
        """From (language, word, sense); a language other than English is looked for as Chinese is."""
        self._senses: dict[str, list[Sense]] = {}
        for language, word, sense in words:
            senses = self._senses.setdefault(as_looked_for(word, language), [])
            if sense is not None and sense not in senses:
                senses.append(sense)
        lengths: dict[str, set[int]] = defaultdict(set)
        for word in self._senses:
            lengths[word[:2]].add(len(word))
        self._lengths = {start: tuple(sorted(found, reverse=True)) for start, found in lengths.items()}
        firsts = {re.escape(start[0]) for start in self._lengths if start and start[0] != " "}
        self._starts_chinese = re.compile(f"[{''.join(sorted(firsts))}]" if firsts else "(?!)")

    def find(self, text: Forms) -> list[tuple[str, list[Sense]]]:
        """The words found in the text, in order and as often as they stand there, each with its senses."""
        chinese = self._find_in(text.chinese, self._starts_chinese)
        english = self._find_in(text.english, _SPACE) if text.english else ()
        return [(word, self._senses[word]) for word in (*chinese, *english) if self._senses[word]]

    def _find_in(self, text: str, starts: re.Pattern[str]) -> Iterator[str]:
        lengths, senses, free_from = self._lengths, self._senses, 0
        for start in starts.finditer(text):
            position = start.start()
            if position < free_from:
                continue
            for length in lengths.get(text[position : position + 2], ()):
                word = text[position : position + length]
                if word in senses:
                    yield word
                    # English words share the space between them.
                    free_from = position + length - word.endswith(" ")
                    break


def as_looked_for(word: str, language: str) -> str:
    """A word of the policy as it stands in the forms of a text."""
    forms = Forms.of(word)
    return forms.english if language == "en" else forms.chinese


def without_gaps(text: str) -> str:
    """No gap inside a Chinese word that a line break tore apart."""
    return _GAP_IN_CHINESE.sub("", text).strip()


def english_words(text: str) -> str:
    """The words without plurals and punctuation, a space before and after each."""
    words = _ENGLISH_WORD.findall(unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))
    return f" {' '.join(map(_singular, words))} " if words else ""


@lru_cache(maxsize=4096)
def _singular(word: str) -> str:
    if len(word) <= 3 or word.endswith("ss"):
        return word
    return next((word.removesuffix(plural) + single for plural, single in _PLURALS if word.endswith(plural)), word)
