"""The words by which programs speak with each other through Temporal and the database: names that one calls the other by, the
values of enumerations, and the fields of what travels.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from unittest.mock import Mock, patch

from temporalio import activity, workflow

import worker
from activities.notices import NoticeActivities

PACKAGES = ("domain", "db", "activities", "workflows")
"""Where the words stand that are stored or travel."""


@dataclasses.dataclass(frozen=True)
class Field:
    kind: str
    is_to_be_given: bool  # it has no default


@dataclasses.dataclass(frozen=True)
class Words:
    """Activities by queue; handlers (`update accept`) by workflow; enumerations and the fields of what travels by full name."""

    activities: dict[str, list[str]]
    handlers: dict[str, list[str]]
    values: dict[str, list[str]]
    fields: dict[str, dict[str, Field]]


def words_of_this_program() -> Words:
    workers = registered()
    activities = {
        each["task_queue"]: sorted(_definition(one).name or "" for one in each["activities"]) for each in workers
    }
    defined = [_workflow(one) for each in workers for one in each.get("workflows", ())]
    handlers = {one.name or "": sorted(_handlers_of(one)) for one in defined}
    carried = {kind for each in workers for one in each["activities"] for kind in _types(_definition(one))}
    carried |= {kind for one in defined for kind in _types_of_workflow(one)}
    fields = {_name(kind): _fields_of(kind) for kind in _with_all_within(carried)}
    return Words(activities, handlers, dict(sorted(_enumerations())), dict(sorted(fields.items())))


def registered() -> list[dict[str, Any]]:
    """What the workers of this program offer to do: the options that each of its Worker objects gets."""
    found: list[dict[str, Any]] = []
    means = Mock(provider=Mock(prompt=False), notices=NoticeActivities.__new__(NoticeActivities))
    with patch.object(worker, "Worker", lambda client, **options: found.append(options)):
        worker._requests(means)
        worker._gateway(means)
    return found


def _definition(defined: Any) -> activity._Definition:
    return activity._Definition.must_from_callable(defined)


def _workflow(defined: type) -> workflow._Definition:
    return workflow._Definition.must_from_class(defined)


def _handlers_of(defined: workflow._Definition) -> Iterator[str]:
    for kind, known in (("update", defined.updates), ("signal", defined.signals), ("query", defined.queries)):
        yield from (f"{kind} {name}" for name in known if name and not name.startswith("__"))


def _types(defined: Any) -> Iterator[Any]:
    yield from defined.arg_types or ()
    yield defined.ret_type


def _types_of_workflow(defined: workflow._Definition) -> Iterator[Any]:
    yield from _types(defined)
    for each in (*defined.updates.values(), *defined.queries.values()):
        yield from _types(each)
    for signal in defined.signals.values():
        yield from signal.arg_types or ()


def _with_all_within(kinds: set[Any]) -> set[type]:
    """The dataclasses among them, with those that their fields hold."""
    found: set[type] = set()
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind not in found:
            found.add(kind)
            waiting += get_type_hints(kind).values()
    return found


def _fields_of(kind: Any) -> dict[str, Field]:
    hints = get_type_hints(kind)
    return {each.name: Field(_in_words(hints[each.name]), _is_to_be_given(each)) for each in dataclasses.fields(kind)}


def _is_to_be_given(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _in_words(hint: Any) -> str:
    if not (given := get_args(hint)):
        return _name(hint) if isinstance(hint, type) else str(hint).removeprefix("typing.")
    if get_origin(hint) in (Union, UnionType):
        return " | ".join(sorted(map(_in_words, given)))
    within = ", ".join("..." if each is Ellipsis else _in_words(each) for each in given)
    return f"{_in_words(get_origin(hint))}[{within}]"


def _enumerations() -> Iterator[tuple[str, list[str]]]:
    for package in PACKAGES:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            for each in vars(importlib.import_module(found.name)).values():
                if isinstance(each, type) and issubclass(each, Enum) and each.__module__ == found.name:
                    yield _name(each), [str(member.value) for member in each]


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
