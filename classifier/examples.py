"""Decided messages to learn from, and the CSV files that hold them: what the columns may be called, what is wrong where."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.given_files import UNREADABLE, opened

TEXT_COLUMNS = ("body", "description", "text")
LABEL_COLUMNS = ("category", "department", "label")
FEWEST_PER_LABEL = 5
"""Of fewer messages nothing can be learnt that could also be checked on others."""

_LONGEST_FIELD = 10_000_000
_MISTAKES_SHOWN = 10


class ExamplesUnusable(Exception):
    """The examples cannot be used; the sentence says why and where, and quotes no message."""


@dataclass(frozen=True, slots=True, repr=False)
class Example:
    """A message and where it belonged. `group` names messages that say the same, where somebody has grouped them.

    `weight` is how much it counts in training beside the others. `writer` is the same for messages of one sender.
    """

    title: str
    body: str
    label: str
    group: str | None = None
    weight: float = 1.0
    writer: str | None = None


@dataclass(frozen=True, slots=True)
class _Columns:
    text: str
    label: str


def read_examples(file: Path) -> list[Example]:
    """All rows of a CSV file in UTF-8, plain or gzip. Raises ExamplesUnusable.

    A text stands in `body`, `description` or `text`, with or without `title`; where it belongs in `category`,
    `department` or `label`, the first that there is. Rows with the same `group` never stand on both sides of a check.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with opened(file) as lines:
            found, mistakes = _read(file, csv.DictReader(lines, strict=True))
    except UNREADABLE as error:
        raise ExamplesUnusable(f"{file} cannot be read ({type(error).__name__}).") from None
    except UnicodeDecodeError:
        raise ExamplesUnusable(f"{file} is not in UTF-8. Save it as CSV in UTF-8.") from None
    if mistakes:
        raise ExamplesUnusable(_in_sentences(file, mistakes))
    if not found:
        raise ExamplesUnusable(f"{file} holds no message below its line of column names.")
    return found


def check_enough(examples: Sequence[Example]) -> None:
    """Raises ExamplesUnusable where there is too little to learn from, naming the labels that lack examples."""
    spread = Counter(example.label for example in examples)
    if len(spread) < 2:
        only = f"only {next(iter(spread))!r}" if spread else "none"
        raise ExamplesUnusable(f"Learning needs at least two labels to tell apart; there is {only}.")
    scarce = sorted(label for label, count in spread.items() if count < FEWEST_PER_LABEL)
    if scarce:
        named = ", ".join(f"{label} ({spread[label]})" for label in scarce[:_MISTAKES_SHOWN])
        raise ExamplesUnusable(
            f"Each label needs at least {FEWEST_PER_LABEL} messages. Too few have: {named}. "
            f"Add messages, join such labels with others, or leave their rows out."
        )


def without_rare(examples: Sequence[Example]) -> tuple[list[Example], dict[str, int]]:
    """The examples of labels that have enough of them, and how many the others have."""
    spread = Counter(example.label for example in examples)
    rare = {label: count for label, count in sorted(spread.items()) if count < FEWEST_PER_LABEL}
    return [example for example in examples if example.label not in rare], rare


def _columns(file: Path, names: Sequence[str]) -> _Columns:
    text = next((name for name in TEXT_COLUMNS if name in names), None)
    label = next((name for name in LABEL_COLUMNS if name in names), None)
    lacking = [
        f"{what}: one of {', '.join(known)}"
        for what, known, found in (("the text", TEXT_COLUMNS, text), ("the label", LABEL_COLUMNS, label))
        if found is None
    ]
    if text is None or label is None:
        raise ExamplesUnusable(f"{file}, line 1: a column is missing for {' and for '.join(lacking)}.")
    return _Columns(text, label)


def _read(file: Path, reader: csv.DictReader[str]) -> tuple[list[Example], list[tuple[int, str]]]:
    """The examples, and what is wrong by line: the last line of a message that goes over several."""
    found: list[Example] = []
    mistakes: list[tuple[int, str]] = []
    try:
        columns = _columns(file, reader.fieldnames or ())
        for row in reader:
            example = _example(row, columns)
            if reason := _reason(row, example, columns):
                mistakes.append((reader.line_num, reason))
            else:
                found.append(example)
    except csv.Error as error:
        raise ExamplesUnusable(f"{file}, line {reader.line_num + 1}: this is not CSV ({error}).") from None
    return found, mistakes


def _example(row: Mapping[str, str | None], columns: _Columns) -> Example:
    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    return Example(cell("title"), cell(columns.text), cell(columns.label), cell("group") or None)


def _reason(row: Mapping[str | None, object], example: Example, columns: _Columns) -> str | None:
    if None in row:
        return "it has more cells than there are columns"
    if not example.label:
        return f"the column {columns.label} is empty"
    if not example.title and not example.body:
        return f"the column {columns.text} is empty"
    return None


def _in_sentences(file: Path, mistakes: Sequence[tuple[int, str]]) -> str:
    shown = "\n".join(_sentences(file, mistakes[:_MISTAKES_SHOWN]))
    more = len(mistakes) - _MISTAKES_SHOWN
    return f"{shown}\nand {more} more like these." if more > 0 else shown


def _sentences(file: Path, mistakes: Sequence[tuple[int, str]]) -> Iterator[str]:
    yield from (f"{file}, line {line}: {reason}." for line, reason in mistakes)
