"""Hearing what a text speaks of by the words of the policy: single words, and words that mean it only together.

Words that belong together stand in one clause: "燃气" and "味" in "闻到燃气很重的味道", not in two halves of a sentence. What
stands between them, and in which order they come, does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from domain.lexicon import Lexicon
from domain.text_forms import Forms, as_looked_for

GROUPS, ALTERNATIVES, BLANK = " ", "/", "_"
"""How words that belong together are written: "gas/propane smell/leak/burst_pipe"."""


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
    groups: tuple[Set[str], ...]
    unless: tuple[str, ...]

    def among(self, there: Set[str]) -> _Rule[Sense] | None:
        """The rule with the words that are there at all; None where a group has none of them, and it cannot hold."""
        for group in self.groups:
            if group.isdisjoint(there):
                return None
        return _Rule(self.sense, tuple(sorted((group & there for group in self.groups), key=len)), self.unless)

    def holds(self, clause: str) -> bool:
        return self._all_in(clause) and self._all_in(self._without_unless(clause))

    def _all_in(self, clause: str) -> bool:
        for group in self.groups:
            for word in group:
                if word in clause:
                    break
            else:
                return False
        return True

    def _without_unless(self, clause: str) -> str:
        for word in self.unless:
            clause = clause.replace(word, " \0 ")
        return clause


class _Rules(Generic[Sense]):
    """All rules of one way of writing. Most are ruled out by the words of the whole text; only for the rest it is taken apart."""

    def __init__(self, rules: Iterable[_Rule[Sense]]) -> None:
        self._rules = tuple(rules)
        self._by_start: dict[str, set[str]] = defaultdict(set)
        for word in (word for rule in self._rules for group in rule.groups for word in group):
            # English words have a space before them: what follows it tells more of them apart.
            self._by_start[word.removeprefix(" ")[:2]].add(word)
        self._short = {start for start in self._by_start if len(start) < 2}

    def hear(self, form: str, starts: Set[str], clauses: Callable[[], Iterable[str]]) -> list[Sense]:
        likely = self._by_start.keys() & starts | self._short
        there = {word for start in likely for word in self._by_start[start] if word in form}
        possible = [rule for each in self._rules if (rule := each.among(there)) is not None]
        return [rule.sense for clause in (clauses() if possible else ()) for rule in possible if rule.holds(clause)]


class Listener(Generic[Sense]):
    """The words of many senses, ready to be heard in a text."""

    def __init__(self, senses: Iterable[Sense]) -> None:
        senses = tuple(senses)
        self._words = Lexicon(_words(senses))
        self._chinese = _Rules(rule for sense in senses for rule in _rules(sense, english=False))
        self._english = _Rules(rule for sense in senses for rule in _rules(sense, english=True))

    def hear(self, text: Forms) -> list[Sense]:
        """What the text speaks of, each once: first by single words, in the order of the text, then by words together."""
        heard = [sense for _, senses in self._words.find(text) for sense in senses]
        heard += self._chinese.hear(text.chinese, text.starts, lambda: text.chinese_clauses)
        heard += self._english.hear(text.english, text.starts, lambda: text.english_clauses)
        return list({id(sense): sense for sense in heard}.values())


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
