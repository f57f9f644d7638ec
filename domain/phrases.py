"""Hearing what a text speaks of by the words of the policy: single words, and words that mean it only together.

Words that belong together stand in one clause: "燃气" and "味" in "闻到燃气很重的味道", not in two halves of a sentence. What
stands between them, and in which order they come, does not count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

from domain.characters import one_form
from domain.lexicon import LONGEST_TEXT, Forms, Lexicon, as_looked_for, english_words, without_gaps

GROUPS, ALTERNATIVES, BLANK = " ", "/", "_"
"""How words that belong together are written: "gas/propane smell/leak/burst_pipe"."""
MOST_CLAUSES = 300
_CHINESE_SENTENCE = re.compile(r"[;；.。!！?？…\n]+")
_CHINESE_CLAUSE = re.compile(r"[,、]+")
_ENGLISH_CLAUSE = re.compile(r"[.;!?。；！？\n]+")


class Spoken(Protocol):
    """What listens: a watch, or a reason to decline."""

    @property
    def words(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def together(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def unless(self) -> Mapping[str, tuple[str, ...]]: ...


Sense = TypeVar("Sense", bound=Spoken)


@dataclass(frozen=True, slots=True)
class _Rule(Generic[Sense]):
    """A word of each group must be there, when those of `unless` have been taken out."""

    sense: Sense
    groups: tuple[frozenset[str], ...]
    unless: tuple[str, ...]

    def could_hold(self, there: set[str]) -> bool:
        return not any(group.isdisjoint(there) for group in self.groups)

    def holds(self, clause: str) -> bool:
        return self._all_in(clause) and self._all_in(self._without_unless(clause))

    def _all_in(self, clause: str) -> bool:
        return all(any(word in clause for word in group) for group in self.groups)

    def _without_unless(self, clause: str) -> str:
        for word in self.unless:
            clause = clause.replace(word, " \0 ")
        return clause


class _Rules(Generic[Sense]):
    """All rules of one way of writing, and how a text is parted into clauses there."""

    def __init__(self, rules: Iterable[_Rule[Sense]], clauses_of: Callable[[str], list[str]]) -> None:
        self._rules = tuple(rules)
        self._clauses_of = clauses_of
        self._by_start: dict[str, set[str]] = defaultdict(set)
        for word in (word for rule in self._rules for group in rule.groups for word in group):
            self._by_start[word.strip()[:2]].add(word)

    def hear(self, text: str, form: str) -> list[Sense]:
        # Most rules are ruled out by the words of the whole; only for the rest it is taken apart.
        there = self._words_in(form)
        possible = [rule for rule in self._rules if rule.could_hold(there)]
        clauses = self._clauses_of(text) if possible else ()
        return [rule.sense for clause in clauses for rule in possible if rule.holds(clause)]

    def _words_in(self, form: str) -> set[str]:
        starts = {form[at : at + 2] for at in range(len(form))} | set(form)
        likely = (words for start, words in self._by_start.items() if start in starts)
        return {word for words in likely for word in words if word in form}


class Listener(Generic[Sense]):
    """The words of many senses, ready to be heard in a text."""

    def __init__(self, senses: Iterable[Sense]) -> None:
        senses = tuple(senses)
        self._words = Lexicon(_words(senses))
        self._chinese = _Rules((rule for sense in senses for rule in _rules(sense, english=False)), _chinese_clauses)
        self._english = _Rules((rule for sense in senses for rule in _rules(sense, english=True)), _english_clauses)

    def hear(self, text: str, forms: Forms) -> list[Sense]:
        """What the text speaks of, each once: first by single words, in the order of the text, then by words together."""
        heard = [sense for _, senses in self._words.find(forms) for sense in senses]
        heard += self._chinese.hear(text, forms.chinese)
        heard += self._english.hear(text, forms.english)
        return list({id(sense): sense for sense in heard}.values())


def _chinese_clauses(text: str) -> list[str]:
    """Each clause with the one that follows it in its sentence: people say what leaks first and that it smells next."""
    sentences = _CHINESE_SENTENCE.split(one_form(text[:LONGEST_TEXT]))
    found = (pair for sentence in sentences for pair in _pairs(_CHINESE_CLAUSE.split(without_gaps(sentence))))
    return list(islice(found, MOST_CLAUSES))


def _pairs(clauses: list[str]) -> Iterator[str]:
    yield from (f"{one},{other}" for one, other in zip(clauses, [*clauses[1:], ""], strict=True) if one)


def _english_clauses(text: str) -> list[str]:
    clauses = _ENGLISH_CLAUSE.split(text[:LONGEST_TEXT])
    return [english_words(clause) for clause in clauses[:MOST_CLAUSES] if clause]


def _words(senses: Iterable[Sense]) -> Iterator[tuple[str, str, Sense | None]]:
    for sense in senses:
        for language, words in sense.words.items():
            yield from ((language, word, sense) for word in words)
        for language, words in sense.unless.items():
            yield from ((language, word, None) for word in words)


def _rules(sense: Sense, *, english: bool) -> Iterator[_Rule[Sense]]:
    for language, lines in sense.together.items():
        if (language == "en") is english:
            unless = tuple(as_looked_for(word, language) for word in sense.unless.get(language, ()))
            yield from (_Rule(sense, groups_of(line, language), unless) for line in lines)


def groups_of(line: str, language: str) -> tuple[frozenset[str], ...]:
    """The groups of words that a line of the policy wants together, as they are looked for."""
    return tuple(
        frozenset(as_looked_for(word.replace(BLANK, " "), language) for word in group.split(ALTERNATIVES) if word)
        for group in line.split(GROUPS)
        if group.strip(ALTERNATIVES)
    )
