"""Requests from a file, to measure the search for duplicates on: which columns say what, and which rows can be used.

What the file says is compared and counted, and never shown.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from classifier.given_files import UNREADABLE, opened
from domain.similarity import Matter, exact_point, grams_of, plain_name

_LONGEST_FIELD = 10_000_000
_SENTENCE_CHARACTERS = 8
_SENTENCE_ENDS = re.compile(r"[\s。！？!?；;，,、：:]+")
_AMERICAN = "%m/%d/%Y %I:%M:%S %p"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("reference", "id", "service_request_id", "unique_key", "SRRecordID", "message_id"),
    "time": ("submitted_at", "requested_datetime", "created_at", "created_date", "CreatedDate"),
    "closed": ("closed_at", "closed_date", "CloseDate"),
    "category": ("category", "service_code", "complaint_type", "SRType"),
    "lat": ("lat", "latitude", "Latitude"),
    "long": ("long", "lng", "longitude", "Longitude"),
    "address": ("address", "Address"),
    "title": ("title", "summary"),
    "text": ("description", "body"),
    "status": ("status", "SRStatus"),
    "parent": ("parent", "duplicate_of"),
}
"""The columns that are looked for, by what they say. Those of Open311, of New York, of Baltimore and our own are known."""


class FileUnusable(Exception):
    """The file cannot be used; the sentence says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """One row. `sentences` and `title` tell which of them are the same matter; they are not what is compared."""

    id: str
    matter: Matter
    closed_at: datetime | None
    sentences: frozenset[str]
    title: str
    is_duplicate: bool
    parent: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Reports:
    """The rows in the order in which they were sent, and which columns there were."""

    rows: list[Report]
    columns: frozenset[str]
    skipped: int


def read_reports(file: Path, named: Mapping[str, str]) -> Reports:
    """Rows without a time are skipped. `named` overrides the names of columns. Raises FileUnusable."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with opened(file) as lines:
            reader = csv.DictReader(lines)
            columns = _columns(reader.fieldnames or (), named)
            read = [_report(number, row, columns) for number, row in enumerate(reader, 1)]
    except (*UNREADABLE, UnicodeDecodeError, csv.Error) as error:
        raise FileUnusable(f"{file} cannot be read as CSV in UTF-8 ({type(error).__name__}).") from None
    rows = sorted(filter(None, read), key=lambda report: report.matter.submitted_at)
    if not rows:
        raise FileUnusable(f"{file} holds no request with a time in ISO 8601, or as in 12/31/2026 01:05:00 PM.")
    return Reports(rows, frozenset(columns), len(read) - len(rows))


def _columns(there: Iterable[str], named: Mapping[str, str]) -> dict[str, str]:
    """The names of the columns by what they say."""
    known = set(there)
    found = {role: name for role, names in COLUMNS.items() for name in names[::-1] if name in known}
    if missing := set(named.values()) - known:
        raise FileUnusable(f"The file has no column {' or '.join(sorted(missing))}.")
    found |= named
    if "time" not in found:
        raise FileUnusable(f"The file has no column for the time; it is looked for as {', '.join(COLUMNS['time'])}.")
    if not {"category", "text", "lat"} & found.keys():
        raise FileUnusable("The file has neither categories nor texts nor places, so that there is nothing to compare.")
    return found


def _report(number: int, row: Mapping[str, str | None], columns: Mapping[str, str]) -> Report | None:
    def told(role: str) -> str:
        return (row.get(columns[role]) or "").strip() if role in columns else ""

    submitted_at = _instant(told("time"))
    if submitted_at is None:
        return None
    text = told("text")
    return Report(
        id=told("id") or str(number),
        matter=Matter(
            submitted_at=submitted_at,
            grams=grams_of(text),
            # Without categories all rows are of one kind, without a name.
            categories=(told("category"),),
            point=exact_point(_number(told("lat")), _number(told("long"))),
            address=plain_name(told("address")),
        ),
        closed_at=_instant(told("closed")),
        sentences=_sentences(text),
        title=plain_name(told("title")) or "",
        is_duplicate="duplicate" in told("status").casefold(),
        parent=told("parent") or None,
    )


def _sentences(text: str) -> frozenset[str]:
    """The parts between punctuation that are long enough to be nobody else's by chance."""
    parts = _SENTENCE_ENDS.split(unicodedata.normalize("NFKC", text).casefold())
    return frozenset(part for part in parts if len(part) >= _SENTENCE_CHARACTERS)


def _instant(text: str) -> datetime | None:
    """Without a zone it counts as UTC: only differences matter."""
    readers: tuple[Callable[[str], datetime], ...] = (
        datetime.fromisoformat,
        lambda text: datetime.strptime(text, _AMERICAN).replace(tzinfo=UTC),
    )
    for read in readers:
        try:
            at = read(text)
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
