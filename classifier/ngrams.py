"""What the classifier sees of a text: runs of one or two units, a unit being a Chinese character or an English word.

A number of five digits or more, as of a phone, an identity card, an account or a parcel, is the same unit for all: that
there is one may say something, which one must not be learnt. No dictionary is needed for either language. A run is known by a 64-bit number, so that a vocabulary of half a million of
them is one sorted array; two runs share a number about once in a hundred million vocabularies.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from domain.characters import one_width

LONGEST_TEXT = 3_000
"""Characters that are looked at; what a long message is about is said before that."""
LONGEST_RUN = 2

Numbers: TypeAlias = NDArray[np.uint64]
Places: TypeAlias = NDArray[np.intp]

LONGEST_NUMBER = 4
"""Digits: years, house numbers and prices. What is longer could be found out by trying all numbers of its length."""

# Groups of digits that stand together, as 138 1234 5678 or 010-8888-1234, are one number. An expression that begins with a set
# of characters is found several times as quickly as one that begins with a choice: elsewhere nothing else is tried.
_LONGER_UNIT = re.compile(r"[a-z0-9](?:(?<=[a-z])[a-z]+|(?<=[0-9])(?:[ -]?[0-9])+)")
_BLANKS = [ord(blank) for blank in map(chr, range(0x3001)) if blank.isspace()]
_LAST_BLANK = max(_BLANKS)
_IS_BLANK = np.isin(np.arange(_LAST_BLANK + 2), _BLANKS)
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
    """A text made ready: where each of its units begins and ends in the folded text, in order, and the number of each."""

    folded: str
    starts: Places
    ends: Places
    codes: Numbers

    @classmethod
    def of(cls, text: str) -> Units:
        return cls.of_folded(one_width(text[:LONGEST_TEXT]).lower())

    @classmethod
    def of_folded(cls, folded: str) -> Units:
        """Of a text that has been brought to lower case and one width. Every character is a unit but for blanks, and but
        for those inside words and numbers: only for these is the text gone through one by one."""
        characters = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)
        codes = characters.astype(np.uint64)
        begins = ~_IS_BLANK[np.minimum(characters, _LAST_BLANK + 1)]
        ends = np.arange(1, len(codes) + 1)
        for word in _LONGER_UNIT.finditer(folded):
            start, end = word.span()
            begins[start + 1 : end] = False
            ends[start], codes[start] = end, _code(word[0])
        starts = np.flatnonzero(begins)
        return cls(folded, starts, ends[starts], codes[starts])

    def runs(self) -> list[str]:
        """The runs as a person reads them, in the order of `numbers_of`."""
        starts, ends = self.starts.tolist(), self.ends.tolist()
        return [
            self.folded[start:end]
            for length in range(1, LONGEST_RUN + 1)
            for start, end in zip(starts, ends[length - 1 :], strict=False)
        ]


def numbers_of(units: Units, field: str) -> Numbers:
    """The number of every run, those of one unit first; a run in the title is another than the same in the body."""
    numbers = np.concatenate(runs_of(units.codes, LONGEST_RUN)) & ~TITLES_FROM
    return numbers | TITLES_FROM if field == "title" else numbers


def runs_of(codes: Numbers, longest: int) -> list[Numbers]:
    """The numbers of the runs of one unit, of two, and so on; each stands where its first unit stands."""
    runs = [mixed(codes)]
    for length in range(1, longest):
        runs.append(mixed(runs[-1][:-1] * _MULTIPLIER + codes[length:]) if len(codes) > length else codes[:0])
    return runs


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
