"""What messages are likened by to find topics: pairs of neighbouring characters, or words and their pairs, by rarity."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LONGEST_TEXT = 500
"""Characters that are looked at; later ones tell who and how long rather than what."""
_LONGEST_BEGINNING = 40
_COMMON = 0.05
"""Pairs that more of the messages have say nothing; in a few messages none counts as common."""
_FEW = 30

Floats: TypeAlias = NDArray[np.float32]

_UNIT = re.compile(r"[^\W\d_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+\d*|\d+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_END_OF_SENTENCE = re.compile(r"[。！？!?；;\n]|\.\s")
_FEWEST_LETTERS = 4


class Unit(NamedTuple):
    """A character of Chinese, a word or a number: folded, and where it stands in the text."""

    folded: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        return len(self.folded) >= _FEWEST_LETTERS and self.folded[0].isalpha()


@dataclass(frozen=True, slots=True, repr=False)
class Weighed:
    """A vector of length 1 for each text; `columns` and `rarity` by pair, for those that are rare enough to tell."""

    vectors: csr_array
    columns: dict[str, int]
    rarity: Floats


def beginning_of(title: str, text: str) -> str:
    """The title, or the first sentence where there is none."""
    return title.strip() or _END_OF_SENTENCE.split(text.strip(), maxsplit=1)[0][:_LONGEST_BEGINNING]


def units_of(text: str) -> list[Unit]:
    """The units in order. Width and case are folded one character at a time, so that places stay those of the text."""
    folded = "".join(_folded(character) for character in text)
    return [Unit(found.group(), *found.span()) for found in _UNIT.finditer(folded)]


def pairs_of(units: Sequence[Unit]) -> Iterator[tuple[str, int]]:
    """The pairs by which the text is likened, each with the number of its first unit; longer words also alone."""
    for number, unit in enumerate(units):
        if unit.is_word:
            yield unit.folded, number
        if number + 1 < len(units):
            yield f"{unit.folded} {units[number + 1].folded}", number


def weighed(texts: Iterable[str]) -> Weighed:
    """A pair counts by its rarity and a little by how often it stands in the text."""
    # Only whoever looks for topics needs it: the worker starts without it.
    from scipy.sparse import csr_array

    counted = [Counter(pair for pair, _ in pairs_of(units_of(text[:LONGEST_TEXT]))) for text in texts]
    spread = Counter(pair for counts in counted for pair in counts)
    most = max(_COMMON * len(counted), _FEW)
    columns = {pair: number for number, pair in enumerate(sorted(p for p, n in spread.items() if 2 <= n <= most))}
    spreads = np.array([spread[pair] for pair in columns], dtype=np.float32)
    rarity = np.log((1 + len(counted)) / (1 + spreads)).astype(np.float32)
    rows = [[(columns[pair], times) for pair, times in counts.items() if pair in columns] for counts in counted]
    starts = np.cumsum([0, *(len(row) for row in rows)])
    places = np.array([place for row in rows for place, _ in row], dtype=np.int32)
    values = (1 + np.log([times for row in rows for _, times in row])) * rarity[places] if len(places) else np.empty(0)
    lengths = np.sqrt(np.add.reduceat(np.append(values**2, 0), starts[:-1])) * (np.diff(starts) > 0)
    values = values / np.repeat(np.where(lengths > 0, lengths, 1), np.diff(starts))
    vectors = csr_array((values.astype(np.float32), places, starts), shape=(len(rows), len(columns)))
    return Weighed(vectors, columns, rarity)


def _folded(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character).lower()
    return plain if len(plain) == 1 else character
