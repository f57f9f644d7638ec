"""What a command must look like whatever the state of the request, so that it can be written down at all.

The interface checks what people fill in; here the workflow checks what anybody may send to it.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from domain import commands as c
from domain.errors import Invalid

LONGEST_CODE = 100
MOST_ATTACHMENTS = 10
"""Of one request."""
SATISFIED = range(1, 6)
EXTENSION_DAYS = range(1, 61)
"""What can be written down; the promise of the category says how much of it is possible."""

_NEEDED_BY_DECISION = {c.Decision.ASSIGN: "department", c.Decision.DECLINE: "reason_code"}


def check_form(command: c.Command) -> None:
    """Raises Invalid, with the field, for what cannot be written down or carried out in any state."""
    if not _is_code(command.by.kind) or not _is_code(command.by.id or "nobody"):
        raise Invalid("'by' must say who acts.", field="by")
    for field, (fits, words) in _FORMS.items():
        value = getattr(command, field, None)
        if value is not None and not fits(value):
            raise Invalid(f"'{field}' must be {words}.", field=field)
    if isinstance(command, c.RecordCall) and command.result is c.CallResult.ANSWERED:
        for field in ("solved", "satisfied"):
            if getattr(command, field) is None:
                raise Invalid(f"A call that was answered needs '{field}'.", field=field)
    if isinstance(command, c.Decide):
        needed = _NEEDED_BY_DECISION.get(command.decision)
        if needed is not None and getattr(command, needed) is None:
            raise Invalid(f"The decision to {command.decision} needs '{needed}'.", field=needed)


def _is_id(value: str) -> bool:
    """In the one way of writing it that every reader takes."""
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_code(value: str) -> bool:
    return 0 < len(value) <= LONGEST_CODE and value.isprintable()


def _are_ids(values: tuple[str, ...]) -> bool:
    return len(values) <= MOST_ATTACHMENTS and all(_is_id(value) for value in values)


_TEXT = (_is_id, "the id of a text that was kept before")
_CODE = (_is_code, "a code of the policy")

_FORMS: dict[str, tuple[Callable[..., bool], str]] = {
    "reason": _TEXT,
    "note": _TEXT,
    "reply": _TEXT,
    "question": _TEXT,
    "text": _TEXT,
    "task": _TEXT,
    "version": (_is_code, "a version of the policy"),
    "parent": (_is_code, "the reference of a request"),
    "department": _CODE,
    "category": _CODE,
    "reason_code": _CODE,
    "target": _CODE,
    "attachments": (_are_ids, f"ids of at most {MOST_ATTACHMENTS} pictures"),
    "days": (EXTENSION_DAYS.__contains__, "a number of working days from 1 to 60"),
    "satisfied": (SATISFIED.__contains__, "a number from 1 to 5"),
}
