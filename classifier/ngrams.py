"""What the classifier sees of a text: runs of one or two units, a unit being a Chinese character or an English word.

A number of five digits or more, as of a phone, an identity card, an account or a parcel, is the same unit for all: that
there is one may say something, which one must not be learnt. No dictionary is needed for either language. A run is known by a 64-bit number, so that a vocabulary of half a million of
them is one sorted array; two runs share a number about once in a hundred million vocabularies.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

LONGEST_TEXT = 3_000
"""Characters that are looked at; what a long message is about is said before that."""
LONGEST_RUN = 2

Numbers: TypeAlias = NDArray[np.uint64]

LONGEST_NUMBER = 4
"""Digits: years, house numbers and prices. What is longer could be found out by trying all numbers of its length."""

# Groups of digits that stand together, as 138 1234 5678 or 010-8888-1234, are one number.
_UNIT = re.compile(r"[a-z]+|[0-9](?:[ -]?[0-9])*|[^\s]")
_SEPARATORS = str.maketrans("", "", " -")
_ANY_LONG_NUMBER = 0x6E75_6D62_6572
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
FIELDS = ("body", "title")
TITLES_FROM = np.uint64(1 << 63)
"""The highest bit tells the fields apart: in order, the runs of all titles follow those of all bodies."""


@dataclass(frozen=True, slots=True, repr=False)
class Units:
    """A text made ready: its units in order, with where each stands in the folded text."""

    folded: str
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> Units:
        folded = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).lower()
        return cls(folded, tuple(match.span() for match in _UNIT.finditer(folded)))

    def runs(self) -> list[str]:
        """The runs as a person reads them, in the order of `numbers_of`."""
        ends = len(self.spans)
        return [
            self.folded[self.spans[start][0] : self.spans[start + length - 1][1]]
            for length in range(1, LONGEST_RUN + 1)
            for start in range(ends - length + 1)
        ]


def numbers_of(units: Units, field: str) -> Numbers:
    """The number of every run, those of one unit first; a run in the title is another than the same in the body."""
    codes = np.array([_code(units.folded[start:end]) for start, end in units.spans], dtype=np.uint64)
    runs = [mixed(codes)]
    for length in range(1, LONGEST_RUN):
        runs.append(mixed(runs[-1][:-1] * _MULTIPLIER + codes[length:]) if len(codes) > length else codes[:0])
    numbers = np.concatenate(runs) & ~TITLES_FROM
    return numbers | TITLES_FROM if field == "title" else numbers


def mixed(numbers: Numbers) -> Numbers:
    """Spreads neighbouring numbers over the whole range, so that sums of them do not meet."""
    mixed = (numbers ^ (numbers >> _SHIFT)) * _MIX
    return mixed ^ (mixed >> _SHIFT)


@lru_cache(maxsize=1 << 16)
def _code(unit: str) -> int:
    """The same on every machine and for ever, for it stands in model files."""
    if len(unit) == 1:
        return ord(unit)
    if unit[0].isdecimal():
        unit = unit.translate(_SEPARATORS)
        if len(unit) > LONGEST_NUMBER:
            return _ANY_LONG_NUMBER
    return int.from_bytes(hashlib.blake2b(_singular(unit).encode(), digest_size=8).digest(), "little")


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
