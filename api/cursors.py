"""Where the next page of a list begins, as a word that a client keeps and need not understand."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from api.errors import FieldsInvalid

Position = tuple[datetime, UUID]


def write_cursor(position: Position) -> str:
    """The row after which the next page begins."""
    at, row_id = position
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), str(row_id)]).encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> Position | None:
    """Raises FieldsInvalid for a word that is not one of ours."""
    if text is None:
        return None
    try:
        at, row_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return datetime.fromisoformat(at), UUID(row_id)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise FieldsInvalid.of(
            "cursor", "This is not a cursor.", "Use next_cursor of the page before, or leave it out."
        ) from None
