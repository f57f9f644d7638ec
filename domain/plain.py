"""Frozen values to plain JSON and back, losslessly: how a policy is kept in the database and named by its content.

A class with `parse` (a duration, a working period) travels as its text; dates as ISO 8601; everything else by its fields.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Malformed(ValueError):
    """Plain JSON that does not describe the wanted value; the message names the place and the trouble."""


def to_plain(value: Any) -> Any:
    """JSON types only: dictionaries with string keys, lists, texts, numbers, true, false and null."""
    if hasattr(type(value), "parse") or isinstance(value, StrEnum):
        return str(value)
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value) if field.init}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def from_plain(kind: type[T], plain: Any, *, strict: bool = True) -> T:
    """The value of that class. Raises Malformed for a missing or unknown field or a wrong type.

    Unless `strict`, unknown fields are left out: a newer program may have written them.
    """
    built = _build(kind, plain, kind.__name__, strict)
    assert isinstance(built, kind)
    return built


def _build(kind: Any, plain: Any, where: str, strict: bool) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return plain
    if origin in (types.UnionType, Union):
        return None if plain is None else _build(get_args(kind)[0], plain, where, strict)
    if origin is tuple:
        _require(plain, list, where)
        item_kind = get_args(kind)[0]
        return tuple(_build(item_kind, item, f"{where}[{index}]", strict) for index, item in enumerate(plain))
    if origin is not None:  # Mapping[str, ...]
        _require(plain, dict, where)
        return {key: _build(get_args(kind)[1], item, f"{where}.{key}", strict) for key, item in plain.items()}
    if hasattr(kind, "parse") or issubclass(kind, (StrEnum, date)):
        _require(plain, str, where)
        return _parsed(kind, plain, where)
    if isinstance(kind, type) and is_dataclass(kind):
        _require(plain, dict, where)
        return _from_fields(kind, plain, where, strict)
    return _scalar(kind, plain, where)


def _parsed(kind: Any, text: str, where: str) -> Any:
    read: Callable[[str], Any] = getattr(kind, "parse", None) or getattr(kind, "fromisoformat", kind)
    try:
        return read(text)
    except ValueError as error:
        raise Malformed(f"{where}: {error}") from error


def _from_fields(kind: type, plain: dict[str, Any], where: str, strict: bool) -> Any:
    wanted = _wanted(kind)
    unknown = plain.keys() - wanted.keys()
    if unknown and strict:
        raise Malformed(f"{where} has a field this program does not know: {', '.join(sorted(unknown))}")
    known = {name: item for name, item in plain.items() if name in wanted}
    given = {name: _build(wanted[name], item, f"{where}.{name}", strict) for name, item in known.items()}
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise Malformed(f"{where}: {error}") from error


@lru_cache(maxsize=64)
def _wanted(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.init}


def _scalar(kind: type, plain: Any, where: str) -> Any:
    if kind is float and isinstance(plain, int) and not isinstance(plain, bool):
        try:
            return float(plain)
        except OverflowError as error:
            raise Malformed(f"{where} is larger than any number") from error
    _require(plain, kind, where)
    return plain


def _require(plain: Any, kind: type, where: str) -> None:
    if not isinstance(plain, kind) or (isinstance(plain, bool) and kind is not bool):
        raise Malformed(f"{where} should be a {kind.__name__}, not a {type(plain).__name__}")
