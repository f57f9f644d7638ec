"""Where the next page of a list begins, as a word that a client keeps and need not understand."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from uuid import UUID

from api.errors import FieldsInvalid

Position = tuple[datetime, UUID]

_MOST_CHARACTERS = 200
"""Twice as long as ours are; a longer word could be nested deeper than the parser goes."""


def write_cursor(position: Position) -> str:
    """The row after which the next page begins."""
    at, row_id = position
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), str(row_id)]).encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> Position | None:
    """Raises FieldsInvalid for a word that is not one of ours."""
    if text is None:
        return None
    try:
        return _position(text)
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error):
        raise FieldsInvalid.of(
            "cursor", "This is not a cursor.", "Use next_cursor of the page before, or leave it out."
        ) from None


def _position(text: str) -> Position:
    if len(text) > _MOST_CHARACTERS:
        raise ValueError("longer than any cursor")
    at, row_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    # In UTC, as they are written: an instant of the year 1 in another zone may lie before all that there is.
    return datetime.fromisoformat(at).astimezone(UTC), UUID(row_id)
