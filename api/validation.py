"""Which sentence each kind of mistake in a request gets: what is wrong with which field, and how to mend it.

The value that was sent is never repeated: it may be personal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError


@dataclass(frozen=True)
class FieldError:
    """`field` is the path in the body, as in contact.phone."""

    field: str
    reason: str
    mend: str = ""


def wrong(reason: str, mend: str = "") -> PydanticCustomError:
    """What a validator of ours raises: both sentences for the reader."""
    return PydanticCustomError("wrong", "wrong", {"reason": reason, "mend": mend})


_Mistake = Mapping[str, Any]
_Words = Callable[[_Mistake], tuple[str, str]]


def _fixed(reason: str, mend: str) -> _Words:
    return lambda context: (reason, mend)


def _choices(context: _Mistake) -> tuple[str, str]:
    return "This is not one of the choices.", f"Choose {context.get('expected', 'another')}."


def _too_long(context: _Mistake) -> tuple[str, str]:
    limit = f"{context['max_length']:,}"
    return f"This is longer than {limit} characters.", f"Shorten it to at most {limit} characters."


def _too_low(context: _Mistake) -> tuple[str, str]:
    return "This number is too small.", f"It must be at least {context['ge']:g}."


def _too_high(context: _Mistake) -> tuple[str, str]:
    return "This number is too large.", f"It must be at most {context['le']:g}."


_NO_DATE = _fixed("This is not a date.", "Write it as in 2026-12-01: year, month, day.")

_WORDS: dict[str, _Words] = {
    "wrong": lambda context: (context["reason"], context["mend"]),
    "missing": _fixed("This field is required.", "Add it."),
    "extra_forbidden": _fixed("There is no such field.", "Leave it out, or check its spelling against /docs."),
    "string_type": _fixed("This must be a text.", 'Write it in quotation marks, as in "text".'),
    "string_unicode": _fixed("This text is not valid Unicode.", "Remove the broken character."),
    "string_too_short": _fixed("This must not be empty.", "Write something, or leave the field out."),
    "string_too_long": _too_long,
    "string_pattern_mismatch": _fixed(
        "This does not have the right form.", "The documentation under /docs shows an example."
    ),
    "too_long": lambda context: ("These are too many.", f"Send at most {context['max_length']}."),
    "bool_type": _fixed("This must be true or false.", "Write true or false, without quotation marks."),
    "int_type": _fixed("This must be a whole number.", "Write the number without quotation marks."),
    "int_parsing": _fixed("This must be a whole number.", "Write a whole number."),
    "int_from_float": _fixed("This must be a whole number.", "Write a whole number."),
    "float_type": _fixed("This must be a number.", "Write the number without quotation marks."),
    "finite_number": _fixed("This must be an ordinary number.", "Infinity and NaN are no places."),
    "list_type": _fixed("This must be a list.", "Write it in square brackets."),
    "tuple_type": _fixed("This must be a list.", "Write it in square brackets."),
    "model_type": _fixed("This must be an object.", "Write it in braces, with the fields that /docs shows."),
    "model_attributes_type": _fixed("This must be an object.", "Write it in braces, with the fields that /docs shows."),
    "dict_type": _fixed("This must be an object.", "Write it in braces, with the fields that /docs shows."),
    "literal_error": _choices,
    "enum": _choices,
    "greater_than_equal": _too_low,
    "less_than_equal": _too_high,
    "date_type": _NO_DATE,
    "date_parsing": _NO_DATE,
    "date_from_datetime_parsing": _NO_DATE,
    "date_from_datetime_inexact": _NO_DATE,
    "uuid_type": _fixed("This is not an id.", "Use the id that the interface gave."),
    "uuid_parsing": _fixed("This is not an id.", "Use the id that the interface gave."),
}
_UNKNOWN = _fixed("This is wrong.", "The documentation under /docs shows an example.")
_PLACES = frozenset({"body", "query", "path", "header", "cookie"})


def field_errors(errors: Sequence[Any]) -> Iterator[FieldError]:
    """Pydantic's findings in our words."""
    for error in errors:
        reason, mend = _WORDS.get(error["type"], _UNKNOWN)(error.get("ctx") or {})
        yield FieldError(_path(error["loc"]), reason, mend)


def _path(location: Sequence[int | str]) -> str:
    steps = location[1:] if location and location[0] in _PLACES else location
    return ".".join(str(step) for step in steps) or "body"


def is_malformed(errors: Sequence[Any]) -> bool:
    return any(error["type"] == "json_invalid" for error in errors)


def is_wrong_media_type(errors: Sequence[Any]) -> bool:
    """A body that came without a JSON content type reaches the model as bytes."""
    return any(tuple(error["loc"]) == ("body",) and isinstance(error.get("input"), bytes) for error in errors)
