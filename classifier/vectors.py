"""How a message becomes numbers: each run counts by how often it stands there and by how few messages have it.

Title and description are two fields, each brought to a length of its own: a short title is heard beside a long
description. Where there is no title, the first sentence stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classifier.ngrams import FIELDS, TITLES_FROM, Numbers, Units, numbers_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LENGTHS = {"title": 0.65, "body": 1.0}
FEWEST_SOURCES = 3
"""A run that stands in messages of fewer people is not learnt: it would say more of its writers than of the matter, and
could be a name. Messages of one sender count once, and so do copies."""
LONGEST_FIRST_SENTENCE = 40

Floats: TypeAlias = NDArray[np.float32]
Places: TypeAlias = NDArray[np.intp]

_END_OF_SENTENCE = re.compile(r"[。！？!?；;\n]|\.\s")


@dataclass(frozen=True, slots=True, repr=False)
class Fields:
    """A message as the classifier reads it."""

    title: str
    body: str

    @classmethod
    def of(cls, title: str, body: str) -> Fields:
        if title.strip():
            return cls(title, body)
        return cls(_END_OF_SENTENCE.split(body.strip(), maxsplit=1)[0][:LONGEST_FIRST_SENTENCE], body)


@dataclass(frozen=True, slots=True, repr=False)
class Counted:
    """The runs of one message by field: their numbers, ascending, and how often each stands there."""

    fields: tuple[tuple[Numbers, Floats], ...]

    @classmethod
    def of(cls, title: str, body: str) -> Counted:
        read = Fields.of(title, body)
        return cls(tuple(_counted(getattr(read, field), field) for field in FIELDS))


@dataclass(frozen=True, slots=True, repr=False)
class Vector:
    """The known runs of one message as places in the vocabulary with their weights; `known` is their share of all runs."""

    places: Places
    values: Floats
    known: float


@dataclass(frozen=True, slots=True, repr=False)
class Vocabulary:
    """The runs that were learnt, ascending by number, each with how much it says for being rare."""

    numbers: Numbers
    rarity: Floats

    @classmethod
    def learnt_from(cls, messages: Sequence[Counted], sources: Sequence[int]) -> Vocabulary:
        """All runs that enough `sources` have, a number for each message; rarity is the usual inverse document frequency."""
        every = np.concatenate([numbers for message in messages for numbers, _ in message.fields])
        numbers, spread = np.unique(every, return_counts=True)
        kept = _sources_of_each(numbers, messages, sources) >= FEWEST_SOURCES
        rarity = np.log((1 + len(messages)) / (1 + spread[kept])) + 1
        return cls(numbers[kept], rarity.astype(np.float32))

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def titles_from(self) -> int:
        """The place of the first run of titles; before it stand those of bodies."""
        return int(np.searchsorted(self.numbers, TITLES_FROM))

    def vector(self, message: Counted) -> Vector:
        """The same message gives the same vector, alone or among many."""
        places, values, known, all_runs = [], [], 0.0, 0.0
        for field, (numbers, times) in zip(FIELDS, message.fields, strict=True):
            found, is_known = self.find(numbers)
            loudness = (1 + np.log(times[is_known])) * self.rarity[found]
            length = float(np.sqrt(loudness @ loudness))
            places.append(found)
            values.append(loudness * np.float32(LENGTHS[field] / length if length else 0.0))
            known, all_runs = known + float(times[is_known].sum()), all_runs + float(times.sum())
        return Vector(np.concatenate(places), np.concatenate(values), known / all_runs if all_runs else 0.0)

    def matrix(self, messages: Iterable[Counted]) -> csr_array:
        """A row for each message."""
        # Only training needs it: the worker starts without it.
        from scipy.sparse import csr_array

        vectors = [self.vector(message) for message in messages]
        starts = np.cumsum([0, *(len(vector.places) for vector in vectors)]).astype(np.int32)
        places = np.concatenate([vector.places for vector in vectors]).astype(np.int32)
        values = np.concatenate([vector.values for vector in vectors])
        return csr_array((values, places, starts), shape=(len(vectors), len(self)))

    def find(self, numbers: Numbers) -> tuple[Places, NDArray[np.bool_]]:
        """The places of those that are known, and which are."""
        if not len(self):
            return np.empty(0, np.intp), np.zeros(len(numbers), np.bool_)
        found = np.searchsorted(self.numbers, numbers)
        found[found == len(self)] = 0
        is_known = self.numbers[found] == numbers
        return found[is_known], is_known


def _sources_of_each(numbers: Numbers, messages: Sequence[Counted], sources: Sequence[int]) -> NDArray[np.intp]:
    """In how many sources each of the runs stands."""
    of_source: dict[int, list[Numbers]] = {}
    for message, source in zip(messages, sources, strict=True):
        of_source.setdefault(source, []).extend(found for found, _ in message.fields)
    once = [np.unique(np.concatenate(found)) for found in of_source.values()]
    found, times = np.unique(np.concatenate(once), return_counts=True)
    assert len(found) == len(numbers)
    return times


def _counted(text: str, field: str) -> tuple[Numbers, Floats]:
    numbers, times = np.unique(numbers_of(Units.of(text), field), return_counts=True)
    return numbers, times.astype(np.float32)
