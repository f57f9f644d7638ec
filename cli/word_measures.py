"""How well the words of a policy find danger, and what is not for this channel: counted on sentences that say what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cli.sentences import Sentence
from domain.classification import Classifier, Heard
from domain.classified import Classified
from domain.policy import DeclineReason, Watch

DANGER = "danger"
"""What a file expects of a sentence that speaks of danger to life; any other word is the code of a reason to decline."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`found` of the `expected` were flagged, and so were `false` of the `others`; `named` got the very reason expected."""

    name: str
    expected: int
    found: int
    named: int
    others: int
    false: int

    @property
    def recall(self) -> float | None:
        return self.found / self.expected if self.expected else None

    @property
    def precision(self) -> float | None:
        flagged = self.found + self.false
        return self.found / flagged if flagged else None


@dataclass(frozen=True, slots=True, repr=False)
class Judged:
    """A sentence and what was found in it; danger goes before anything else."""

    sentence: Sentence
    found: str

    @property
    def is_wrong(self) -> bool:
        return bool(self.found) != bool(self.sentence.expected)


def judge(classifier: Classifier, sentences: Iterable[Sentence]) -> list[Judged]:
    """Each sentence with what the words find in it: danger where the file asks for it, or else the reason to decline."""
    sentences = list(sentences)
    finds = _danger if any(each.expected == DANGER for each in sentences) else _reason
    return [Judged(each, finds(classifier.classify(each.text, each.title))) for each in sentences]


def _danger(found: Classified) -> str:
    return DANGER if found.danger else ""


def _reason(found: Classified) -> str:
    return found.elsewhere[0] if found.elsewhere else ""


def measure(name: str, judged: Sequence[Judged]) -> Measured:
    wanted = [each for each in judged if each.sentence.expected]
    others = [each for each in judged if not each.sentence.expected]
    return Measured(
        name=name,
        expected=len(wanted),
        found=sum(bool(each.found) for each in wanted),
        named=sum(each.found == each.sentence.expected for each in wanted),
        others=len(others),
        false=sum(bool(each.found) for each in others),
    )


def by(key: Callable[[Sentence], str], judged: Sequence[Judged]) -> list[Measured]:
    """A line for each value of that column."""
    values = dict.fromkeys(key(each.sentence) for each in judged)
    return [measure(value, [each for each in judged if key(each.sentence) == value]) for value in values if value]


@dataclass(frozen=True, slots=True)
class Counts:
    """What is flagged among messages of which nobody says what they are; `doubted` are those in which only words speak of
    danger, and the examples against it."""

    messages: int
    danger: int
    doubted: int
    sensitive: int
    elsewhere: int
    by_word: Mapping[str, int]


def count(classifier: Classifier, sentences: Sequence[Sentence]) -> Counts:
    """`by_word` counts the watches and the reasons to decline, each message once for each."""
    found = [classifier.heard(each.text, each.title) for each in sentences]
    return Counts(
        messages=len(found),
        danger=sum(each.danger is not None for each in found),
        doubted=sum(each.doubted for each in found),
        sensitive=sum(any(watch.sensitive for watch in each.watches) for each in found),
        elsewhere=sum(bool(each.reasons) and each.danger is None for each in found),
        by_word=dict(Counter(code for each in found for code in _codes(each.watches, each.reasons))),
    )


def flagged_as_danger(classifier: Classifier, sentences: Sequence[Sentence]) -> list[tuple[Sentence, str]]:
    """Those of the messages that wake people, each with the code of the danger and what found it."""
    found = [(each, classifier.heard(each.text, each.title)) for each in sentences]
    return [(each, f"{heard.danger.code} by {_found_by(heard)}") for each, heard in found if heard.danger is not None]


def _found_by(heard: Heard) -> str:
    if heard.alarm is None:
        return "words"
    return f"{'words and ' if heard.by_words else ''}examples, most by: {heard.alarm.part}"


def _codes(watches: Iterable[Watch], reasons: Iterable[DeclineReason]) -> Iterator[str]:
    yield from (watch.code for watch in watches)
    yield from (reason.code for reason in reasons)
