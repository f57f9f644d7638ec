"""Hot topics: what many people write about in a period, each with a name in their own words, and how it has grown.

Messages are alike by the pairs of characters (words, where a script has words) that they share, rare pairs counting more;
both how the message begins, or its title, and the whole of it must be alike. Groups are made by average linkage. A group
that shares no more than one name, of a housing estate say, is no topic: without the pairs that it shares most, its messages
must still be alike. Authors are counted, not messages. Nothing depends on chance; docs/topics.md has what was measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from classifier.linkage import Pair, joined
from classifier.topic_names import name_of, places_of
from classifier.topic_words import Weighed, beginning_of, weighed
from domain.spikes import Counts, Growth, growths

if TYPE_CHECKING:
    from scipy.sparse import csr_array

WINDOW = timedelta(days=35)
LATELY = 0.2
"""The part of the period whose authors are compared with those before: the last week of five."""
MOST_MESSAGES = 5_000
"""The newest; with more, the period that is looked at is shorter."""
FEWEST_AUTHORS = 5

_ALIKE = 0.18
_ALIKE_AS_WITHIN = 0.45
_KEPT_FROM = 0.05  # what is less alike counts as nothing alike
_SHARED_MOST = 8
_STILL_ALIKE = 0.025
# Without its eight most shared pairs; set where groups about one matter parted from those about one place (docs/topics.md).
_TIGHTER = 1.6
_SAME_AGAIN = 0.5  # of one author: the same said again
_SAME_WORDS = 0.8  # of whom nobody knows who they are: rather one person than two
_AT_ONCE = 512
_MOST_LOOKED_AT = 400


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """What somebody wrote. `author` is equal for equal authors, None where nobody knows; `place` as the author named it."""

    id: str
    at: datetime
    title: str
    text: str
    author: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Topic:
    """What at least five people write about. `name` is not masked; `messages` are ids, the newest first; `places` the
    names that several of them name, most named first."""

    name: str
    messages: tuple[str, ...]
    authors: Counts
    size: int
    growth: Growth
    places: tuple[str, ...]
    named_after: str


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when messages count, and since when they count as lately."""

    since: datetime
    until: datetime

    @property
    def lately_since(self) -> datetime:
        return self.until - (self.until - self.since) * LATELY


def topics_of(messages: Iterable[Message], period: Period) -> list[Topic]:
    """The topics of the period, those with the most authors first. One author who says a thing again says it once."""
    found = sorted(
        (each for each in messages if period.since <= each.at <= period.until), key=lambda each: (each.at, each.id)
    )[-MOST_MESSAGES:]
    if not found:
        return []
    read = _Read.of(found)
    groups = [group for group in read.groups() if len(read.authors_in(group)) >= FEWEST_AUTHORS]
    counted = [read.counted(group, period.lately_since) for group in groups]
    everybody = read.counted(range(len(found)), period.lately_since)
    grown = growths(counted, everybody, LATELY)
    topics = [read.topic(group, counts, growth) for group, counts, growth in zip(groups, counted, grown, strict=True)]
    return sorted(topics, key=lambda topic: (-topic.size, topic.messages))


@dataclass(frozen=True, slots=True, repr=False)
class _Read:
    """The messages with their vectors: `begins` by how they begin, `wholes` by all of it; `says_again` has for each the
    latest message in which its author says the same, itself mostly."""

    messages: Sequence[Message]
    authors: Sequence[str]
    begins: Weighed
    wholes: Weighed
    says_again: Sequence[int]

    @classmethod
    def of(cls, messages: Sequence[Message]) -> _Read:
        begins = weighed([beginning_of(each.title, each.text) for each in messages])
        wholes = weighed([_text(each) for each in messages])
        again = _said_again(messages, wholes.vectors)
        # Of whom nobody knows who they are, equal words are one person's; else each is a person.
        authors = [each.author or f"unknown {again[number]}" for number, each in enumerate(messages)]
        return cls(messages, authors, begins, wholes, again)

    def groups(self) -> list[list[int]]:
        """Messages by number that are about one matter; what an author says again stands with its latest."""
        latest = sorted(set(self.says_again))
        grouped = self._grouped(latest, _ALIKE)
        others = defaultdict(list)
        for number, again in enumerate(self.says_again):
            others[again].append(number)
        return [sorted(number for each in group for number in others[each]) for group in grouped]

    def _grouped(self, numbers: Sequence[int], least: float) -> list[list[int]]:
        """Groups of one matter. What shares a name only is looked at once more, more strictly."""
        found: list[list[int]] = []
        for places in joined(len(numbers), self._pairs(numbers), least, _ALIKE_AS_WITHIN):
            group = [numbers[place] for place in places]
            if len(self.authors_in(group)) < FEWEST_AUTHORS:
                continue
            if self._is_one_matter(group):
                found.append(group)
            elif least == _ALIKE:
                found += self._grouped(group, _ALIKE * _TIGHTER)
        return found

    def _pairs(self, numbers: Sequence[int]) -> Iterable[Pair]:
        return _alike(self.wholes.vectors[numbers], _KEPT_FROM, self.begins.vectors[numbers])

    def _is_one_matter(self, group: Sequence[int]) -> bool:
        seen = group[:: len(group) // _MOST_LOOKED_AT + 1]
        vectors = self.wholes.vectors[seen]
        shared = np.argsort(-vectors.sum(axis=0), kind="stable")[:_SHARED_MOST]
        vectors.data[np.isin(vectors.indices, shared)] = 0
        likeness = (vectors @ vectors.T).toarray()
        names = np.array([self.authors[number] for number in seen])
        by_others = names[:, None] != names[None, :]
        return float(likeness[by_others].mean()) >= _STILL_ALIKE

    def authors_in(self, numbers: Iterable[int]) -> set[str]:
        return {self.authors[number] for number in numbers}

    def counted(self, numbers: Iterable[int], lately_since: datetime) -> Counts:
        lately: set[str] = set()
        before: set[str] = set()
        for number in numbers:
            (lately if self.messages[number].at >= lately_since else before).add(self.authors[number])
        return Counts(len(lately), len(before))

    def topic(self, group: Sequence[int], counts: Counts, growth: Growth) -> Topic:
        told = [self.messages[number] for number in group]
        authors = [self.authors[number] for number in group]
        texts = [_text(each) for each in told]
        begun = [len(beginning_of(each.title, each.text)) for each in told]
        name, named_after = name_of(texts, begun, authors, self.wholes)
        return Topic(
            name=name,
            messages=tuple(each.id for each in reversed(told)),
            authors=counts,
            size=len(set(authors)),
            growth=growth,
            places=places_of(texts, [each.place for each in told], authors),
            named_after=told[named_after].id,
        )


def _text(message: Message) -> str:
    """Beginning with what `beginning_of` gives."""
    return f"{message.title.strip()}\n{message.text}" if message.title.strip() else message.text.strip()


def _said_again(messages: Sequence[Message], vectors: csr_array) -> list[int]:
    """For each message the number of the latest that says nearly the same and has the same author; those of whom nobody
    knows who they are count as one author here."""
    of_author: dict[str | None, list[int]] = defaultdict(list)
    for number, message in enumerate(messages):
        of_author[message.author].append(number)
    again = list(range(len(messages)))
    for author, numbers in of_author.items():
        if len(numbers) == 1:
            continue
        for one, other, _ in _alike(vectors[numbers], _SAME_AGAIN if author else _SAME_WORDS):
            again[numbers[one]] = max(again[numbers[one]], numbers[other])
    return [_latest(again, number) for number in range(len(messages))]


def _alike(vectors: csr_array, least: float, others: csr_array | None = None) -> Iterable[Pair]:
    """Pairs of rows that are alike; with `others`, by both: the geometric mean. In pieces, so that no square of all
    is ever in memory."""
    for start in range(0, vectors.shape[0], _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        likeness = vectors[rows] @ vectors.T
        if others is not None:
            likeness = likeness.multiply(others[rows] @ others.T)
            likeness.data = np.sqrt(likeness.data)
        likeness = likeness.tocoo()
        kept = (likeness.data >= least) & (likeness.row + start < likeness.col)
        yield from zip(
            (likeness.row[kept] + start).tolist(),
            likeness.col[kept].tolist(),
            likeness.data[kept].tolist(),
            strict=True,
        )


def _latest(again: Sequence[int], number: int) -> int:
    while again[number] != number:
        number = again[number]
    return number
