"""Messages from a file, to look for hot topics in: which columns say what, and which rows can be used."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from classifier.given_files import UNREADABLE, opened
from classifier.topics import Message
from cli.duplicate_reports import FileUnusable

_LONGEST_FIELD = 10_000_000

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("reference", "id", "message_id", "service_request_id", "uid"),
    "time": ("submitted_at", "created_at", "requested_datetime"),
    "title": ("title", "summary"),
    "text": ("description", "body", "text"),
    "author": ("author", "user", "phone"),
    "place": ("place", "district", "address"),
}
"""The columns that are looked for, by what they say; the first that is there. Text and time are needed."""


def read_messages(file: Path) -> tuple[list[Message], int]:
    """The messages, and how many rows without a time were left out. Raises FileUnusable, which quotes nothing of the file."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with opened(file) as lines:
            reader = csv.DictReader(lines)
            columns = _columns(reader.fieldnames or ())
            read = [_message(number, row, columns) for number, row in enumerate(reader, 1)]
    except (*UNREADABLE, UnicodeDecodeError, csv.Error) as error:
        raise FileUnusable(f"{file} cannot be read as CSV in UTF-8 ({type(error).__name__}).") from None
    messages = [each for each in read if each is not None]
    if not messages:
        raise FileUnusable(f"{file} holds no message with a time in ISO 8601.")
    return messages, len(read) - len(messages)


def _columns(there: Iterable[str]) -> dict[str, str]:
    known = set(there)
    found = {role: name for role, names in COLUMNS.items() for name in names[::-1] if name in known}
    for role in ("text", "time"):
        if role not in found:
            raise FileUnusable(
                f"The file has no column for the {role}; it is looked for as {', '.join(COLUMNS[role])}."
            )
    return found


def _message(number: int, row: Mapping[str, str | None], columns: Mapping[str, str]) -> Message | None:
    def told(role: str) -> str:
        return (row.get(columns[role]) or "").strip() if role in columns else ""

    try:
        at = datetime.fromisoformat(told("time"))
    except ValueError:
        return None
    return Message(
        id=told("id") or str(number),
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        title=told("title"),
        text=told("text"),
        author=told("author") or None,
        place=told("place") or None,
    )
