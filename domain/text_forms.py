"""A text made ready for looking for words: its two forms, Chinese and English, and the clauses that it falls into in each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from operator import add

from domain.characters import one_form

LONGEST_TEXT = 12_000
"""Characters that are looked at: what a long message is about is said long before that."""
MOST_CLAUSES = 300

_CHINESE_SENTENCE = re.compile(r"[;；.。!！?？…\n]+")
_CHINESE_CLAUSE = re.compile(r"[,、]+")
_ENGLISH_CLAUSE = re.compile(r"[.;!?。；！？\n]+")
# Those that begin with a set of characters, and look behind it afterwards, are found several times as quickly.
_ENGLISH_WORD = re.compile(r"[a-z0-9][a-z0-9]*(?:'[a-z]+)?")
_GAP_IN_CHINESE = re.compile(r"\s(?<=[^\x00-\xff]\s)\s*(?=[^\x00-\xff])")
_PLURALS = (("ies", "y"), ("ses", "s"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", ""))


@dataclass(frozen=True)
class Forms:
    """Made once of a text, and used by everything that looks for words in it.

    `one` has the gaps and line breaks of the text, `chinese` has none inside Chinese words, `english` is its English words.
    """

    one: str
    chinese: str
    english: str
    parts: tuple[Forms, ...] = ()

    @classmethod
    def of(cls, text: str) -> Forms:
        one = one_form(text[:LONGEST_TEXT])
        return cls(one, _without_gaps(one), _english_words(one))

    @classmethod
    def joined(cls, parts: Iterable[Forms]) -> Forms:
        """One text after the other; no word reaches from one into the next."""
        parts = tuple(parts)
        return cls(
            "\n".join(part.one for part in parts),
            "\n".join(part.chinese for part in parts),
            "".join(part.english for part in parts),
            parts,
        )

    @cached_property
    def starts(self) -> Set[str]:
        """All characters that stand side by side in either form: where no word begins so, none has to be looked for."""
        if self.parts:
            return set[str]().union(*(part.starts for part in self.parts))
        return _side_by_side(self.chinese) | _side_by_side(self.english)

    @cached_property
    def chinese_clauses(self) -> tuple[str, ...]:
        """Each clause with the one that follows it in its sentence: people say what leaks first and that it smells next."""
        sentences = _CHINESE_SENTENCE.split(_without_gaps(self.one.replace("\n", ";")))
        found = (pair for sentence in sentences for pair in _pairs(_CHINESE_CLAUSE.split(sentence.strip())))
        return tuple(islice(found, MOST_CLAUSES))

    @cached_property
    def english_clauses(self) -> tuple[str, ...]:
        return tuple(_english_words(clause) for clause in _ENGLISH_CLAUSE.split(self.one)[:MOST_CLAUSES] if clause)


def as_looked_for(word: str, language: str) -> str:
    """A word of the policy as it stands in the forms of a text."""
    forms = Forms.of(word)
    return forms.english if language == "en" else forms.chinese


def _side_by_side(form: str) -> set[str]:
    return set(map(add, form, form[1:]))


def _pairs(clauses: list[str]) -> Iterator[str]:
    yield from (f"{one},{other}" for one, other in zip(clauses, [*clauses[1:], ""], strict=True) if one)


def _without_gaps(one: str) -> str:
    """No gap inside a Chinese word that a line break tore apart."""
    return _GAP_IN_CHINESE.sub("", one).strip()


def _english_words(one: str) -> str:
    """The words without plurals and punctuation, a space before and after each."""
    words = _ENGLISH_WORD.findall(one.replace("’", "'"))
    return f" {' '.join(map(_singular, words))} " if words else ""


@lru_cache(maxsize=4096)
def _singular(word: str) -> str:
    if len(word) <= 3 or word.endswith("ss"):
        return word
    return next((word.removesuffix(plural) + single for plural, single in _PLURALS if word.endswith(plural)), word)
