"""Many short texts judged at once, as the sentences of a message are: one search and one sum for all of them.

Each is judged as it would be alone, but for the last digits of the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.ngrams import FIELDS, LONGEST_RUN, LONGEST_TEXT, TITLES_FROM, Numbers, Places, Units, runs_of
from classifier.vectors import LENGTHS, Fields, Floats, Vocabulary
from domain.characters import one_width


@dataclass(frozen=True, slots=True, repr=False)
class Vectors:
    """The known runs of many messages: the row of each, its place in the vocabulary and its weight there; `known` is the
    share of all runs of each message, a row for each."""

    rows: Places
    places: Places
    values: Floats
    known: NDArray[np.float64]

    @classmethod
    def of(cls, vocabulary: Vocabulary, messages: Sequence[Fields]) -> Vectors:
        of_fields = [_vectors(vocabulary, [getattr(message, field) for message in messages], field) for field in FIELDS]
        rows, places, values, known, runs = (np.concatenate(each) for each in zip(*of_fields, strict=True))
        by_field = (len(FIELDS), len(messages))
        all_runs = runs.reshape(by_field).sum(axis=0)
        return cls(rows, places, values, known.reshape(by_field).sum(axis=0) / np.maximum(all_runs, 1))

    def sums(self, weights: NDArray[np.float16]) -> Floats:
        """For each message the weights of its runs, times theirs, added up: a row each, a column for each label."""
        weighed = self.values[:, None] * weights[self.places]
        return np.stack([np.bincount(self.rows, each, len(self.known)) for each in weighed.T], axis=1).astype(
            np.float32
        )


_Found = tuple[Places, Places, Floats, Places, Places]


def _vectors(vocabulary: Vocabulary, texts: Sequence[str], field: str) -> _Found:
    """Rows, places and weights of the known runs of one field; and for each text how many runs are known, and how many
    there are."""
    rows, numbers = _runs(texts, field)
    found, is_known = vocabulary.find(numbers)
    known = np.bincount(rows[is_known], minlength=len(texts))
    # Each run once in each text, with how often it stands there: what `Counted` holds of a single one.
    keys, times = np.unique(rows[is_known] * len(vocabulary) + found, return_counts=True)
    row, place = np.divmod(keys, max(len(vocabulary), 1))
    loudness = (1 + np.log(times)) * vocabulary.rarity[place]
    lengths = np.sqrt(np.bincount(row, loudness**2, len(texts)))
    values = (loudness * LENGTHS[field] / lengths[row]).astype(np.float32)
    return row, place, values, known, np.bincount(rows, minlength=len(texts))


def _runs(texts: Sequence[str], field: str) -> tuple[Places, Numbers]:
    """All runs of all texts, each with the number of its text; none reaches from one text into the next. They are ascending:
    so they are found in the vocabulary three times as quickly."""
    # A line break is no unit and ends words and numbers, as does a tab; so all are folded at once.
    folded = one_width("\n".join(text[:LONGEST_TEXT].replace("\n", "\t") for text in texts)).lower()
    units = Units.of_folded(folded)
    ends = np.cumsum([len(each) + 1 for each in folded.split("\n")])
    rows = np.searchsorted(ends, units.starts, side="right")
    runs = runs_of(units.codes, LONGEST_RUN)
    inside = [rows[: len(run)] == rows[len(rows) - len(run) :] for run in runs]
    numbers = np.concatenate([run[kept] for run, kept in zip(runs, inside, strict=True)]) & ~TITLES_FROM
    every_row = np.concatenate([rows[: len(kept)][kept] for kept in inside])
    order = np.argsort(numbers)
    return every_row[order], numbers[order] | (TITLES_FROM if field == "title" else np.uint64(0))
