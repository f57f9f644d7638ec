"""What is wrong with a policy folder, said so that whoever edits it can mend it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from domain.errors import HuishengError


@dataclass(frozen=True, order=True)
class Mistake:
    """`file` is relative to the policy folder, `key` says where in it (empty: the file itself), `reason` how to mend it."""

    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.key, self.reason)))


class PolicyMistakes(HuishengError):
    """The folder is not a policy; `mistakes` is all that was found."""

    code = "policy_mistakes"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to a sentence, or the list of what is known if it is short; nothing where neither helps."""
    options = sorted(known)
    close = get_close_matches(word, options, n=1)
    if close:
        return f" Did you mean '{close[0]}'?"
    return f" Known are: {', '.join(options)}." if 0 < len(options) <= 12 else ""


def mistakes_of(file: str, error: ValidationError, model: type[BaseModel], data: object) -> list[Mistake]:
    """Every mistake that the form of the file shows, with its place named by code where it has one."""
    return [
        Mistake(file, _key(detail["loc"], data), _sentence(detail, model))
        for detail in error.errors(include_url=False, include_context=True)
    ]


def _key(place: tuple[int | str, ...], data: object) -> str:
    """ "category[pothole].department": items of a list by their code, or else by their number from 1."""
    key = ""
    for step in place:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list) and step < len(data) else None
            key += f"[{_label(data, step)}]"
        elif step != "[key]":
            data = data.get(step) if isinstance(data, Mapping) else None
            key += f".{step}" if key else step
    return key


def _label(item: object, number: int) -> str:
    named = item.get("properties", item) if isinstance(item, Mapping) else None
    code = named.get("code") if isinstance(named, Mapping) else None
    return code if isinstance(code, str) and code else str(number + 1)


_WANTED = {
    "string_type": "should be a text in quotes",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "list_type": "should be a list in square brackets",
    "dict_type": 'should be a table, like { zh = "…", en = "…" }',
    "model_type": "should be a table",
    "date_type": "should be a date, like 2026-10-01",
    "date_parsing": "should be a date, like 2026-10-01",
    "date_from_datetime_parsing": "should be a date, like 2026-10-01",
    "date_from_datetime_inexact": "should be a date without a time, like 2026-10-01",
    "string_too_short": "is empty; write something, or remove the line",
    "string_pattern_mismatch": "should be a code of small letters, digits, - and _, beginning with a letter",
    "string_unicode": "is not valid text",
}


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "is missing; add it"
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        known = _fields_at(model, detail["loc"][:-1])
        return f"is not a field known here; correct or remove it.{did_you_mean(name, known)}"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind in ("enum", "literal_error"):
        return f"should be {context['expected']}"
    return _WANTED.get(kind) or _lower_first(detail["msg"])


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _fields_at(model: type[BaseModel], place: tuple[int | str, ...]) -> set[str]:
    """The names of the fields at that place of the form."""
    found: Any = model
    for step in place:
        annotation = (
            found.model_fields[step].annotation if isinstance(step, str) and step in found.model_fields else None
        )
        found = _model_in(annotation) or found
    return set(found.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
