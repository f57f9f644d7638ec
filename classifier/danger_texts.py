"""How a text is read for danger: its units and runs, and the windows of clauses in which one may be told.

A window is up to three clauses of one sentence: what happens, to whom, and how bad it is. What little words say of a
style (我, 在, the) says nothing of danger: runs of such words only are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifier.ngrams import Numbers, Places, Units, runs_of
from domain.characters import one_form

LONGEST_RUN = 3
MOST_CLAUSES = 3
_ANY_NUMBER, _ANY_SIGN = np.uint64(ord("0")), np.uint64(ord("|"))
_SIEVE_BITS = 18
_SIEVED = np.uint64(64 - _SIEVE_BITS)
_STOP = re.compile(r"[,、:。!?;\n.](?:(?<=([,、:]))[,、:]*|(?<=[。!?;\n])[。!?;\n]*|(?<=\.)(?:\.+|(?=\s|$)))")
"""The first group is the end of a clause only, everything else that of a sentence. It begins with a set, as in `ngrams`."""
_LITTLE_WORDS = (
    "我你您他她它们的了在是有个一不这那来去就都也还说下上里子着过被把到得地和与及自己人什么怎从又再很太多好大小能会要想叫让给对为以于而但"
    "可只没后前中时天年月日号点几两三十出起看走做用事情家边面头儿住现白越才啊呢吧吗呀之其此该每各向往跟比等因所由如并或且将已",
    "i a the my is are to of in and it on for that we you he she they this with at be have has was were there an our not me so as",
)


@dataclass(frozen=True)
class Told:
    """A text in one form (see `domain.text_forms`), its units, and where its windows begin and end among them."""

    units: Units
    codes: Numbers
    begins: Places
    ends: Places

    @classmethod
    def of(cls, one: str) -> Told:
        units = Units.of_folded(one)
        windows = list(_windows(one, units.starts))
        begins, ends = (np.array([each[side] for each in windows], np.intp) for side in (0, 1))
        return cls(units, _codes(units), begins, ends)

    @cached_property
    def runs(self) -> list[Numbers]:
        """The numbers of the runs of one unit, of two and of three; 0 for those that say nothing."""
        return _telling_runs(self.codes)

    def window(self, number: int) -> str:
        """The window as it stands in the text."""
        first, last = self.begins[number], self.ends[number] - 1
        return self.units.folded[self.units.starts[first] : self.units.ends[last]]

    def run(self, at: int, size: int) -> str:
        return self.units.folded[self.units.starts[at] : self.units.ends[at + size - 1]]

    def window_sums(self, size: int, is_known: NDArray[np.bool_], values: NDArray[np.float32]) -> NDArray[np.float64]:
        """For each window the sum of the values of the runs of that size inside it; only known runs have a value."""
        each = np.zeros(len(is_known))
        each[is_known] = values
        until = np.concatenate([np.zeros(1), np.cumsum(each)])
        last = np.maximum(np.minimum(self.ends - size + 1, len(each)), self.begins.clip(max=len(each)))
        found: NDArray[np.float64] = until[last] - until[self.begins.clip(max=len(each))]
        return found


def row_sums(texts: Sequence[str]) -> tuple[Numbers, Places]:
    """All runs of all texts, each with the number of its text."""
    forms = [one_form(text).replace("\n", " ") for text in texts]
    units = Units.of_folded("\n".join(forms))
    lengths = np.array([len(form) + 1 for form in forms])
    rows = np.searchsorted(np.cumsum(lengths), units.starts, side="right")
    runs = _telling_runs(_codes(units))
    found = [(run, rows[: len(run)]) for run in runs]
    whole = [(run != 0) & (rows[: len(run)] == rows[len(rows) - len(run) :]) for run in runs]
    return (
        np.concatenate([run[kept] for (run, _), kept in zip(found, whole, strict=True)]),
        np.concatenate([row[kept] for (_, row), kept in zip(found, whole, strict=True)]),
    )


def known_places(vocabulary: Numbers, runs: Numbers) -> tuple[Places, NDArray[np.bool_]]:
    """Where the known ones of the runs stand in the vocabulary, and which are known."""
    if not len(vocabulary):
        return np.empty(0, np.intp), np.zeros(len(runs), np.bool_)
    # In their order they are found more than twice as quickly.
    order = np.argsort(runs)
    places = np.empty(len(runs), np.intp)
    places[order] = np.searchsorted(vocabulary, runs[order])
    places[places == len(vocabulary)] = 0
    is_known = vocabulary[places] == runs
    return places[is_known], is_known


def sieve_of(vocabulary: Numbers) -> NDArray[np.bool_]:
    """For the first bits of a number whether any known run begins with them: most unknown ones are seen at once."""
    sieve = np.zeros(1 << _SIEVE_BITS, np.bool_)
    sieve[vocabulary >> _SIEVED] = True
    return sieve


def sifted_places(vocabulary: Numbers, sieve: NDArray[np.bool_], runs: Numbers) -> tuple[Places, NDArray[np.bool_]]:
    """`known_places`, more quickly where few are known."""
    is_known = sieve[runs >> _SIEVED]
    places, really = known_places(vocabulary, runs[is_known])
    is_known[is_known] = really
    return places, is_known


def _telling_runs(codes: Numbers) -> list[Numbers]:
    of_one_character, of_many = _little()
    is_little = of_one_character[np.minimum(codes, len(of_one_character) - 1)]
    longer = np.flatnonzero(codes >= len(of_one_character))
    is_little[longer] = np.isin(codes[longer], of_many)
    runs = runs_of(codes, LONGEST_RUN)
    little = is_little
    for size, run in enumerate(runs):
        if size:
            little = little[:-1] & is_little[size:]
        run[little[: len(run)]] = 0
    return runs


def _windows(one: str, starts: Places) -> Iterator[tuple[int, int]]:
    """First unit, and the one after the last."""
    cuts, of_sentence = _cuts(one)
    places = np.searchsorted(starts, cuts).tolist()
    for first, last in pairwise(of_sentence):
        clauses = [(places[at], places[at + 1]) for at in range(first, last, 2) if places[at] < places[at + 1]]
        for at in range(max(1, len(clauses) - MOST_CLAUSES + 1) if clauses else 0):
            yield clauses[at][0], clauses[min(at + MOST_CLAUSES, len(clauses)) - 1][1]


def _cuts(one: str) -> tuple[list[int], list[int]]:
    """Where each clause begins and where it ends, one after the other; and which of these is the first of each sentence."""
    cuts, of_sentence = [0], [0]
    for stop in _STOP.finditer(one):
        cuts += stop.span()
        if stop[1] is None:
            of_sentence.append(len(cuts) - 1)
    cuts.append(len(one))
    return cuts, [*of_sentence, len(cuts)]


def _codes(units: Units) -> Numbers:
    """All numbers are one, and all signs."""
    characters = np.frombuffer(units.folded.encode("utf-32-le", "surrogatepass"), np.uint32)[units.starts]
    codes = units.codes.copy()
    codes[(characters >= ord("0")) & (characters <= ord("9"))] = _ANY_NUMBER
    codes[~_is_word()[np.minimum(characters, 0xFFFF)]] = _ANY_SIGN
    return codes


@lru_cache(maxsize=1)
def _is_word() -> NDArray[np.bool_]:
    """Whether each character of the first plane is a letter or a number."""
    return np.array([chr(code).isalnum() for code in range(0x10000)])


@lru_cache(maxsize=1)
def _little() -> tuple[NDArray[np.bool_], Numbers]:
    """Which characters of the first plane are little words, and the numbers of the longer ones."""
    chinese, english = _LITTLE_WORDS
    codes = np.append(Units.of_folded(f"{' '.join(chinese)} {english}").codes, [_ANY_NUMBER, _ANY_SIGN])
    of_one_character = np.zeros(0x10001, np.bool_)
    of_one_character[codes[codes < 0x10000]] = True
    return of_one_character, codes[codes >= 0x10000]
