"""Texts from a file, to measure the words of a policy on: sentences with what should be found, or messages as they came."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from classifier.given_files import UNREADABLE, opened

TEXT_COLUMNS = ("text", "body", "description")
EXPECTED, HALF, LANGUAGE, TITLE = "expected", "half", "language", "title"
_LONGEST_FIELD = 10_000_000


class SentencesUnusable(Exception):
    """The file cannot be used; the sentence says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Sentence:
    """`expected` is what should be found in it: empty for nothing, None where the file does not say."""

    text: str
    title: str = ""
    expected: str | None = None
    half: str = ""
    language: str = ""


def read_sentences(file: Path) -> list[Sentence]:
    """All rows with a text of a CSV file in UTF-8, plain or .gz. Raises SentencesUnusable."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with opened(file) as lines:
            found = list(_sentences(file, csv.DictReader(lines)))
    except UNREADABLE as error:
        raise SentencesUnusable(f"{file} cannot be read ({type(error).__name__}).") from None
    except (UnicodeDecodeError, csv.Error):
        raise SentencesUnusable(f"{file} is not CSV in UTF-8.") from None
    if not found:
        raise SentencesUnusable(f"{file} holds no text below its line of column names.")
    return found


def _sentences(file: Path, reader: csv.DictReader[str]) -> Iterator[Sentence]:
    names = reader.fieldnames or ()
    column = next((name for name in TEXT_COLUMNS if name in names), None)
    if column is None:
        raise SentencesUnusable(f"{file}, line 1: a column is missing for the text: one of {', '.join(TEXT_COLUMNS)}.")
    for row in reader:
        if _cell(row, column) or _cell(row, TITLE):
            expected = _cell(row, EXPECTED) if EXPECTED in names else None
            yield Sentence(_cell(row, column), _cell(row, TITLE), expected, _cell(row, HALF), _cell(row, LANGUAGE))


def _cell(row: Mapping[str, str | None], name: str) -> str:
    return (row.get(name) or "").strip()
