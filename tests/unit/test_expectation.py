"""What a citizen can expect: how long the like took lately, by the clock of the promise, or honestly nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from domain.durations import Clock
from domain.expectation import (
    FEWEST_CASES,
    Case,
    Expectation,
    Experience,
    Scope,
    Unsaid,
    clock_of,
    expectation,
    experience,
    is_expected,
    pauses_of,
)
from domain.request import Event, Snapshot, State
from tests.builders import MONDAY_NINE, a_snapshot
from tests.city import a_city

CITY = a_city()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FRIDAY_FIVE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
"""A Friday, 17:00 in the city: one hour of work is left before the weekend."""


def some_cases(*hours: float, start: datetime = MONDAY_NINE) -> list[Case]:
    """Cases that took so many hours of the wall clock."""
    return [Case(start, start + taken * HOUR) for taken in hours]


def an_experience(usual: timedelta | None = DAY, cases: int = 40, scope: Scope = Scope.DEPARTMENT) -> Experience:
    return Experience(cases, scope, usual)


def an_event(at: datetime, before: State, state: State) -> Event:
    return Event(1, at, "act", "system", "", before, state, False)


@pytest.mark.parametrize(
    ("label", "hours", "usual"),
    [
        ("nobody", [], None),
        ("one too few", [1] * (FEWEST_CASES - 1), None),
        ("just enough", [1] * FEWEST_CASES, 1),
        ("the sixteenth of twenty", range(1, 21), 16),
        ("the order does not matter", range(20, 0, -1), 16),
        ("four of five may be a part of one: the next one up", range(1, 22), 17),
        ("the slowest fifth does not count", [2] * 80 + [1000] * 20, 2),
        ("one more of them does", [2] * 79 + [1000] * 21, 1000),
    ],
)
def test_experience_is_the_time_in_which_four_of_five_were_answered(
    label: str, hours: list[float], usual: float | None
) -> None:
    found = experience(CITY.calendar, Clock.WALL, some_cases(*hours), Scope.CATEGORY)
    assert found == Experience(len(hours), Scope.CATEGORY, None if usual is None else usual * HOUR)


@pytest.mark.parametrize(
    ("label", "clock", "case", "hours"),
    [
        ("an hour at work", Clock.WORKING, Case(MONDAY_NINE, MONDAY_NINE + HOUR), 1),
        ("over noon, when nobody works", Clock.WORKING, Case(MONDAY_NINE, MONDAY_NINE + 5 * HOUR), 3.5),
        ("over the weekend", Clock.WORKING, Case(FRIDAY_FIVE, MONDAY_NINE + HOUR), 2),
        ("over the weekend, day and night", Clock.WALL, Case(FRIDAY_FIVE, MONDAY_NINE + HOUR), 65),
        ("within the weekend", Clock.WORKING, Case(FRIDAY_FIVE + 24 * HOUR, FRIDAY_FIVE + 30 * HOUR), 0),
        ("without a pause of half an hour", Clock.WORKING, Case(MONDAY_NINE, MONDAY_NINE + 2 * HOUR, (MONDAY_NINE + HOUR, MONDAY_NINE + 1.5 * HOUR)), 1.5),
        ("without a pause over the weekend", Clock.WORKING, Case(FRIDAY_FIVE, MONDAY_NINE + 2 * HOUR, (FRIDAY_FIVE + HOUR / 2, MONDAY_NINE + HOUR)), 1.5),
        ("without that pause, day and night", Clock.WALL, Case(FRIDAY_FIVE, MONDAY_NINE + 2 * HOUR, (FRIDAY_FIVE + HOUR / 2, MONDAY_NINE + HOUR)), 1.5),
        ("without two pauses", Clock.WALL, Case(MONDAY_NINE, MONDAY_NINE + 9 * HOUR, (MONDAY_NINE + HOUR, MONDAY_NINE + 2 * HOUR, MONDAY_NINE + 4 * HOUR, MONDAY_NINE + 7 * HOUR)), 5),
        ("a pause before this assignment does not count", Clock.WALL, Case(MONDAY_NINE, MONDAY_NINE + 3 * HOUR, (MONDAY_NINE - 4 * HOUR, MONDAY_NINE - 2 * HOUR)), 3),
    ],
)  # fmt: skip
def test_experience_counts_by_the_clock_of_the_promise_and_leaves_out_pauses(
    label: str, clock: Clock, case: Case, hours: float
) -> None:
    found = experience(CITY.calendar, clock, [case] * FEWEST_CASES, Scope.DEPARTMENT)
    assert found.usual == hours * HOUR


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.RECEIVED, False), (State.TRIAGE, False), (State.ASSIGNED, True), (State.IN_PROGRESS, True),
        (State.AWAITING_CITIZEN, True), (State.ON_HOLD, True), (State.IN_REVIEW, True), (State.ADJUDICATION, False),
        (State.RESOLVED, False), (State.CLOSED, False), (State.DECLINED, False), (State.TRANSFERRED, False),
        (State.MERGED, False), (State.WITHDRAWN, False),
    ],
)  # fmt: skip
def test_answer_is_expected_while_a_department_owes_it(state: State, expected: bool) -> None:
    assert is_expected(a_snapshot(state)) is expected


@pytest.mark.parametrize("missing", ["category", "department", "assigned_at"])
def test_answer_is_not_expected_without(missing: str) -> None:
    changes: dict[str, Any] = {missing: None}
    assert not is_expected(a_snapshot(**changes))


@pytest.mark.parametrize(
    ("label", "category", "usual", "expected_at"),
    [
        ("three hours of work later", "street_light", 3 * HOUR, MONDAY_NINE + 3 * HOUR),
        ("a working day of 7.5 hours", "street_light", 7.5 * HOUR, MONDAY_NINE + 9 * HOUR),
        ("on the next day", "street_light", 8 * HOUR, MONDAY_NINE + 24.5 * HOUR),
        ("day and night", "gas_leak", 10 * HOUR, MONDAY_NINE + 10 * HOUR),
        ("of a category that the policy has dropped", "gone", 3 * HOUR, MONDAY_NINE + 3 * HOUR),
    ],
)
def test_expected_date_is_so_much_later_by_the_clock_of_the_promise(
    label: str, category: str, usual: timedelta, expected_at: datetime
) -> None:
    snapshot = a_snapshot(category=category)
    found = expectation(CITY, snapshot, (), an_experience(usual), MONDAY_NINE)
    assert found == Expectation(expected_at, 40, Scope.DEPARTMENT)


@pytest.mark.parametrize(
    ("label", "snapshot", "past", "now", "unsaid"),
    [
        ("too few", a_snapshot(), an_experience(None, 7, Scope.CATEGORY), MONDAY_NINE, Unsaid.TOO_FEW),
        ("too few, and paused", a_snapshot(State.ON_HOLD), an_experience(None, 7, Scope.CATEGORY), MONDAY_NINE, Unsaid.TOO_FEW),
        ("waits for the citizen", a_snapshot(State.AWAITING_CITIZEN), an_experience(), MONDAY_NINE, Unsaid.PAUSED),
        ("on hold", a_snapshot(State.ON_HOLD), an_experience(), MONDAY_NINE, Unsaid.PAUSED),
        ("it has passed", a_snapshot(), an_experience(HOUR), MONDAY_NINE + 2 * HOUR, Unsaid.LONGER),
        ("it passes this moment", a_snapshot(), an_experience(HOUR), MONDAY_NINE + HOUR, Unsaid.LONGER),
        ("all the others took no time", a_snapshot(), an_experience(timedelta(0)), MONDAY_NINE, Unsaid.LONGER),
    ],
)  # fmt: skip
def test_nothing_is_expected_where(
    label: str, snapshot: Snapshot, past: Experience, now: datetime, unsaid: Unsaid
) -> None:
    assert expectation(CITY, snapshot, (), past, now) == Expectation(None, past.cases, past.scope, unsaid)


def test_expected_date_moves_by_the_pauses_of_this_request() -> None:
    asked = an_event(MONDAY_NINE + HOUR, State.IN_PROGRESS, State.AWAITING_CITIZEN)
    answered = an_event(MONDAY_NINE + 2 * HOUR, State.AWAITING_CITIZEN, State.IN_PROGRESS)
    found = expectation(CITY, a_snapshot(), (asked, answered), an_experience(2 * HOUR), MONDAY_NINE + 2 * HOUR)
    assert found.at == MONDAY_NINE + 3 * HOUR


def test_pauses_are_the_moments_in_which_the_clock_stops_and_goes_on() -> None:
    states = (State.IN_PROGRESS, State.AWAITING_CITIZEN, State.AWAITING_CITIZEN, State.ON_HOLD, State.IN_PROGRESS, State.RESOLVED)  # fmt: skip
    events = [
        an_event(MONDAY_NINE + number * HOUR, before, after) for number, (before, after) in enumerate(pairwise(states))
    ]
    assert pauses_of(events) == (MONDAY_NINE, MONDAY_NINE + 3 * HOUR)
    assert pauses_of([Event(1, MONDAY_NINE, "submit", "citizen", "", None, State.RECEIVED, True)]) == ()


def test_clock_is_that_of_the_promise_of_the_category() -> None:
    assert clock_of(CITY, "street_light") is Clock.WORKING
    assert clock_of(CITY, "gas_leak") is Clock.WALL
    assert clock_of(CITY, "gone") is Clock.WORKING
