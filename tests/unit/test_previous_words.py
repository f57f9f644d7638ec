"""What the release before this one says and calls is still understood, and nothing is said to it that it does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.previous.record import recorded
from tests.previous.words import Field, Words, words_of_this_program

PREVIOUS = recorded().words
TODAY = words_of_this_program()

NEVER_MET: dict[str, str] = {}
"""What `missed` names and the previous release never meets all the same, each with the reason: a value that is known here and used
from the next release on, or that is nowhere stored and not sent; a name that the previous release calls no more."""


def missed(before: Words, now: Words) -> list[str]:
    """What a program of before would call in vain, or would not understand."""
    return [*_calls_in_vain(before, now), *_strange_values(before, now), *_strange_fields(before, now)]


def _calls_in_vain(before: Words, now: Words) -> Iterator[str]:
    for of_now, of_before in ((now.activities, before.activities), (now.handlers, before.handlers)):
        for place, names in of_before.items():
            yield from (f"{place} has no {name}" for name in names if name not in of_now.get(place, ()))
        yield from (f"no {place}" for place in of_before.keys() - of_now.keys())


def _strange_values(before: Words, now: Words) -> Iterator[str]:
    for kind, values in before.values.items():
        is_there = now.values.get(kind, [])
        yield from (f"{kind} does not know {value}" for value in values if value not in is_there)
        yield from (f"{kind} says {value}" for value in is_there if value not in values)


def _strange_fields(before: Words, now: Words) -> Iterator[str]:
    """New fields have a default, for old programs do not send them; those that an old program asks for stay."""
    yield from (f"{kind} does not travel any more" for kind in before.fields.keys() - now.fields.keys())
    for kind in before.fields.keys() & now.fields.keys():
        had, has = before.fields[kind], now.fields[kind]
        for name, field in had.items():
            if name in has and has[name].kind != field.kind:
                yield f"{kind}.{name} was {field.kind}, and is {has[name].kind}"
            if name not in has and field.is_to_be_given:
                yield f"{kind}.{name} is gone"
        for name, field in has.items():
            if field.is_to_be_given and (name not in had or not had[name].is_to_be_given):
                yield f"{kind}.{name} must be given"


def test_previous_release_and_this_one_understand_each_other() -> None:
    assert [each for each in missed(PREVIOUS, TODAY) if each not in NEVER_MET] == []
    assert {"domain.request.State", "domain.request.AlarmKind", "domain.notices.NoticeKind"} <= PREVIOUS.values.keys()
    assert {"workflows.contract.Submitted", "workflows.carried.Carried"} <= PREVIOUS.fields.keys()


def test_what_the_previous_release_never_meets_is_named_only_as_long_as_it_does_not_know_it() -> None:
    assert NEVER_MET.keys() <= set(missed(PREVIOUS, TODAY))


STATE, SUBMITTED = "domain.request.State", "workflows.contract.Submitted"


def with_field(name: str, field: Field) -> Words:
    return replace(TODAY, fields={**TODAY.fields, SUBMITTED: {**TODAY.fields[SUBMITTED], name: field}})


def without_field(name: str) -> Words:
    left = {each: field for each, field in TODAY.fields[SUBMITTED].items() if each != name}
    return replace(TODAY, fields={**TODAY.fields, SUBMITTED: left})


def without_handler(name: str) -> Words:
    left = [each for each in TODAY.handlers["RequestWorkflow"] if each != name]
    return replace(TODAY, handlers={**TODAY.handlers, "RequestWorkflow": left})


CHANGES: dict[str, tuple[Callable[[], Words], str]] = {
    "an activity renamed": (
        lambda: replace(TODAY, activities={**TODAY.activities, "requests": ["record_event"]}), "requests has no record",
    ),
    "a queue gone": (lambda: replace(TODAY, activities={"requests": TODAY.activities["requests"]}), "no notices"),
    "an update gone": (lambda: without_handler("update accept"), "RequestWorkflow has no update accept"),
    "a signal gone": (lambda: without_handler("signal catch_up"), "RequestWorkflow has no signal catch_up"),
    "a query gone": (lambda: without_handler("query carried"), "RequestWorkflow has no query carried"),
    "a new state": (
        lambda: replace(TODAY, values={**TODAY.values, STATE: [*TODAY.values[STATE], "asleep"]}), f"{STATE} says asleep",
    ),
    "a state gone": (
        lambda: replace(TODAY, values={**TODAY.values, STATE: TODAY.values[STATE][1:]}),
        f"{STATE} does not know {TODAY.values[STATE][0]}",
    ),
    "a field without a default": (lambda: with_field("mood", Field("str", True)), f"{SUBMITTED}.mood must be given"),
    "a default gone": (lambda: with_field("procedure", Field("int", True)), f"{SUBMITTED}.procedure must be given"),
    "a field of another kind": (
        lambda: with_field("reference", Field("int", True)), f"{SUBMITTED}.reference was str, and is int",
    ),
    "a class that another takes the place of": (
        lambda: replace(TODAY, fields={each: TODAY.fields[each] for each in TODAY.fields if each != SUBMITTED}),
        f"{SUBMITTED} does not travel any more",
    ),
    "a field gone": (lambda: without_field("reference"), f"{SUBMITTED}.reference is gone"),
}  # fmt: skip


@pytest.mark.parametrize("label", CHANGES)
def test_change_that_the_previous_release_would_not_understand_is_found(label: str) -> None:
    change, told = CHANGES[label]
    assert told in missed(TODAY, change())


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(with_field("mood", Field("str", False)), id="a field with a default"),
        pytest.param(without_field("procedure"), id="a field that nobody has to give"),
        pytest.param(
            replace(TODAY, values={**TODAY.values, "domain.moods.Mood": ["glad"]}), id="an enumeration of its own"
        ),
    ],
)
def test_change_that_everybody_understands_is_let_pass(changed: Words) -> None:
    assert missed(TODAY, changed) == []
