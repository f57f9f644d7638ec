"""What the players of a demonstration do with a request, as it stands and at that hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from demonstration import characters
from demonstration.chance import chance, choose
from demonstration.characters import Pace
from demonstration.interface import Account, DemonstrationFailed
from demonstration.parts import Deed, Part, Row
from demonstration.play import account_for
from demonstration.public import Public
from demonstration.staff import Staff
from domain.request import Solved, State
from tests.builders import MONDAY_NINE
from tests.city import a_city

DAY = timedelta(seconds=4)
SEED = 1


def a_row(state: State = State.ASSIGNED, **changes: Any) -> Row:
    """A request of `housing`, submitted on Monday at nine, with a day to accept and five to resolve."""
    values: dict[str, Any] = {
        "reference": "2611-0000-00010",
        "state": state,
        "category": "street_light",
        "department": None if state is State.TRIAGE else "housing",
        "submitted_at": MONDAY_NINE,
        "accept_due_at": MONDAY_NINE + DAY,
        "due_at": MONDAY_NINE + 5 * DAY,
        "escalation_level": 0,
    }
    return Row(**(values | changes))


def a_part(reference: str = "2611-0000-00010", label: str | None = None) -> Part:
    return Part(reference, "token", label)


def a_staff(**changes: Any) -> Staff:
    """Somebody in housing and in health, and a lead in housing."""
    values: dict[str, Any] = {
        "policy": a_city(),
        "seed": SEED,
        "day": DAY,
        "places": frozenset({"housing", "health"}),
        "led": frozenset({"housing"}),
        "labels": {"clinics": "health"},
        "slow": frozenset(),
    }
    return Staff(**(values | changes))


def a_reference(like: Callable[[str], bool]) -> str:
    """The first reference whose people are like that."""
    return next(reference for reference in (f"reference-{number}" for number in range(20_000)) if like(reference))


def is_ordinary(reference: str) -> bool:
    """Nothing special happens to it: worked on at once, resolved at the first go."""
    return (
        characters.pace(SEED, reference, 0, slow_department=False) is Pace.PROMPT
        and not characters.returns(SEED, reference)
        and not characters.notes_progress(SEED, reference)
        and not characters.escalates_by_hand(SEED, reference)
        and not characters.lies_in_triage(SEED, reference)
        and characters.triage(SEED, reference) is characters.Triage.ASSIGN
        and not characters.is_sent_back(SEED, reference, 0)
    )


def paced(pace: Pace) -> Callable[[str], bool]:
    def like(reference: str) -> bool:
        others = characters.returns(SEED, reference) or characters.escalates_by_hand(SEED, reference)
        mine = characters.pace(SEED, reference, 0, slow_department=False) is pace
        return mine and not others and not characters.notes_progress(SEED, reference)

    return like


def deed(staff: Staff, row: Row, part: Part, days: float) -> Deed | None:
    return staff.next_deed(row, part, MONDAY_NINE + DAY * days)


def test_chance_is_even_and_the_same_for_the_same_words() -> None:
    drawn = [chance("a", number) for number in range(4000)]
    assert drawn == [chance("a", number) for number in range(4000)]
    assert Counter(int(each * 4) for each in drawn).most_common()[-1][1] > 900


def test_choice_falls_by_share_and_the_last_takes_the_rest() -> None:
    shares = (("a", 0.1), ("b", 0.2), ("c", 1.0))
    assert [choose(drawn, shares) for drawn in (0.0, 0.09, 0.1, 0.29, 0.31, 0.999)] == ["a", "a", "b", "b", "c", "c"]


def test_among_five_hundred_requests_everything_happens() -> None:
    references = [f"reference-{number}" for number in range(500)]
    assert {characters.pace(SEED, each, 0, slow_department=False) for each in references} == set(Pace)
    rated = [characters.rating(SEED, each, 0) for each in references]
    assert {each.solved if each else None for each in rated} == {*Solved, None}
    plans = [characters.citizen(SEED, each) for each in references]
    for name in ("withdraws_after", "supplements_after", "urges_after"):
        assert 0 < sum(getattr(plan, name) is not None for plan in plans) < 100, name
    assert {characters.returns(SEED, each) for each in references} == {0, 1, 3}
    assert {characters.triage(SEED, each) for each in references} == set(characters.Triage)


@pytest.mark.parametrize(
    ("label", "category", "expected"),
    [
        pytest.param(
            "clinics", "street_light", ("health", "clinic"), id="the label's department, an ordinary category of it"
        ),
        pytest.param(None, "street_light", ("housing", "street_light"), id="the likeliest category"),
        pytest.param("unknown", "clinic", ("health", "clinic"), id="a label that means nothing"),
    ],
)
def test_dispatcher_assigns_by_label_else_by_likeliest_category(
    label: str | None, category: str, expected: tuple[str, str]
) -> None:
    reference = a_reference(is_ordinary)
    found = deed(a_staff(), a_row(State.TRIAGE, reference=reference, category=category), a_part(reference, label), 0)
    assert found is not None
    assert (found.by, found.action) == ("dispatcher", "assign")
    assert (found.body["department"], found.body["category"]) == expected


def test_dispatcher_finds_a_place_for_a_request_that_nothing_is_known_of() -> None:
    reference = a_reference(is_ordinary)
    found = deed(a_staff(), a_row(State.TRIAGE, reference=reference, category=None), a_part(reference), 0)
    assert found is not None
    assert found.body["department"] in {"housing", "health"}


def test_request_that_is_overlooked_in_triage_is_seen_when_it_has_escalated() -> None:
    reference = a_reference(lambda each: characters.lies_in_triage(SEED, each))
    row = a_row(State.TRIAGE, reference=reference)
    assert deed(a_staff(), row, a_part(reference), 9) is None
    escalated = a_row(State.TRIAGE, reference=reference, escalation_level=1)
    assert deed(a_staff(), escalated, a_part(reference), 9) is not None


@pytest.mark.parametrize(
    ("pace", "waits_until_day", "accepts_on_day"),
    [
        pytest.param(Pace.PROMPT, None, 0.1, id="at once"),
        pytest.param(Pace.ACCEPTS_LATE, 1.2, 1.3, id="after the deadline"),
        pytest.param(Pace.LATE, None, 0.1, id="late ones accept at once too"),
    ],
)
def test_department_accepts_at_its_pace(pace: Pace, waits_until_day: float | None, accepts_on_day: float) -> None:
    reference = a_reference(paced(pace))
    row, part, staff = a_row(reference=reference), a_part(reference), a_staff()
    if waits_until_day is not None:
        assert deed(staff, row, part, waits_until_day) is None
    assert deed(staff, row, part, accepts_on_day) == Deed("handler", "accept", {}, "housing")


def test_silent_department_wakes_when_the_supervision_centre_has_heard() -> None:
    reference = a_reference(paced(Pace.SILENT))
    assert deed(a_staff(), a_row(reference=reference, escalation_level=2), a_part(reference), 9) is None
    found = deed(a_staff(), a_row(reference=reference, escalation_level=3), a_part(reference), 9)
    assert found == Deed("lead", "accept", {}, "housing")


def test_request_of_a_department_that_nobody_plays_is_reassigned() -> None:
    found = deed(a_staff(), a_row(department="north_street"), a_part(), 0)
    assert found is not None
    assert (found.by, found.action) == ("dispatcher", "reassign")
    assert found.body["department"] in {"housing", "health"}


def test_lead_returns_a_request_as_often_as_is_drawn() -> None:
    reference = a_reference(lambda each: characters.returns(SEED, each) == 1)
    part = a_part(reference)
    found = deed(a_staff(), a_row(reference=reference), part, 0)
    assert found is not None
    assert (found.by, found.action, found.body["department"]) == ("lead", "return_request", "health")
    part.returned = 1
    after = deed(a_staff(), a_row(reference=reference), part, 9)
    assert after is None or after.action != "return_request"


@pytest.mark.parametrize(
    ("pace", "waits_until_day", "resolves_on_day"),
    [
        pytest.param(Pace.PROMPT, 0.1, 2.4, id="well in time"),
        pytest.param(Pace.SLOW, 4.5, 4.7, id="after both reminders"),
        pytest.param(Pace.LATE, 5.3, 6.6, id="after the due date"),
    ],
)
def test_department_speaks_with_the_citizen_and_resolves_at_its_pace(
    pace: Pace, waits_until_day: float, resolves_on_day: float
) -> None:
    reference = a_reference(paced(pace))
    row, part, staff = a_row(State.IN_PROGRESS, reference=reference), a_part(reference), a_staff()
    assert part.look(row, MONDAY_NINE) == MONDAY_NINE
    done = [found.action for day in (0.0, 1.3) if (found := deed(staff, row, part, day))]
    assert done[:1] == ["contact"]
    assert deed(staff, row, part, waits_until_day) is None
    found = deed(staff, row, part, resolves_on_day)
    assert found is not None
    assert (found.action, found.photo) == ("resolve", False)


def test_another_person_reviews_and_now_and_then_sends_back_once() -> None:
    reference = a_reference(lambda each: characters.is_sent_back(SEED, each, 0))
    row, part, staff = a_row(State.IN_REVIEW, reference=reference), a_part(reference), a_staff()
    assert [deed(staff, row, part, 1).action for _ in range(2)] == ["send_back", "approve"]  # type: ignore[union-attr]


def test_supervisor_decides_with_what_the_decision_needs() -> None:
    references = [f"reference-{number}" for number in range(200)]
    decided = [deed(a_staff(), a_row(State.ADJUDICATION, reference=each), a_part(each), 1) for each in references]
    assert all(found and (found.by, found.action) == ("supervisor", "decide") for found in decided)
    bodies = [found.body for found in decided if found]
    needed = {"assign": "department", "decline": "reason_code", "close": "reason"}
    assert {body["decision"] for body in bodies} == set(needed)
    assert all(needed[body["decision"]] in body for body in bodies)


@pytest.mark.parametrize("state", [State.RECEIVED, State.RESOLVED, State.CLOSED, State.WITHDRAWN, State.DECLINED])
def test_staff_waits_where_there_is_nothing_to_do(state: State) -> None:
    assert deed(a_staff(), a_row(state), a_part(), 99) is None


# The citizens.


def said(row: Row, part: Part, days: float) -> Deed | None:
    return Public(SEED, DAY).next_deed(row, part, MONDAY_NINE + DAY * days)


@pytest.mark.parametrize("action", ["supplement", "urge", "withdraw"])
def test_citizen_speaks_once_while_the_request_is_open(action: str) -> None:
    name = {"supplement": "supplements_after", "urge": "urges_after", "withdraw": "withdraws_after"}[action]
    reference = a_reference(
        lambda each: getattr(characters.citizen(SEED, each), name) is not None
        and sum(getattr(characters.citizen(SEED, each), other) is not None for other in ("withdraws_after", "supplements_after", "urges_after")) == 1
    )  # fmt: skip
    row, part = a_row(State.IN_PROGRESS, reference=reference), a_part(reference)
    assert [found.action if (found := said(row, part, days)) else None for days in (6.1, 6.2)] == [action, None]


def test_silent_citizen_never_rates() -> None:
    reference = a_reference(lambda each: characters.rating(SEED, each, 0) is None)
    assert said(a_row(State.RESOLVED, reference=reference), a_part(reference), 99) is None


def test_citizen_rates_once_and_is_content_when_it_is_closed() -> None:
    reference = a_reference(lambda each: _solved(each) is Solved.YES)
    public, part = Public(SEED, DAY), a_part(reference)
    resolved = a_row(State.RESOLVED, reference=reference)
    part.look(resolved, MONDAY_NINE)
    rating = said(resolved, part, 5)
    assert rating is not None
    assert (rating.action, rating.body["solved"]) == ("rate", "yes")
    public.note(part, rating)
    assert said(resolved, part, 6) is None
    assert not public.is_content(resolved, part)
    assert public.is_content(a_row(State.CLOSED, reference=reference), part)


def test_no_begins_another_round_when_the_request_is_open_again() -> None:
    reference = a_reference(lambda each: _solved(each) is Solved.NO)
    public, part = Public(SEED, DAY), a_part(reference)
    resolved = a_row(State.RESOLVED, reference=reference)
    part.look(resolved, MONDAY_NINE)
    rating = said(resolved, part, 5)
    assert rating is not None
    public.note(part, rating)
    part.look(resolved, MONDAY_NINE)
    assert part.round == 0
    part.look(a_row(State.ASSIGNED, reference=reference), MONDAY_NINE)
    assert part.round == 1
    assert not part.unhappy


def test_citizen_who_is_half_content_comes_back_once_after_the_closing() -> None:
    reference = a_reference(lambda each: bool((found := characters.rating(SEED, each, 0)) and found.reopens))
    public, part = Public(SEED, DAY), a_part(reference)
    part.done.add("rate 0")
    closed = a_row(State.CLOSED, reference=reference)
    reopening = said(closed, part, 9)
    assert reopening is not None
    assert reopening.action == "reopen"
    assert not public.is_content(closed, part)
    public.note(part, reopening)
    assert said(closed, part, 9) is None
    assert not public.is_content(closed, part), "it waits to be open again"


def _solved(reference: str) -> Solved | None:
    found = characters.rating(SEED, reference, 0)
    return found.solved if found else None


# Whose part it is.


def an_account(username: str, *roles: str, department: str | None = None, lead: bool = False) -> Account:
    return Account(username, "password", roles, (department,) if department else (), lead)


ACCOUNTS = (
    an_account("dispatcher", "dispatcher"),
    an_account("supervisor", "supervisor"),
    an_account("housing", "handler", department="housing"),
    an_account("housing_lead", "handler", department="housing", lead=True),
    an_account("centre_lead", "handler", department="centre", lead=True),
)


@pytest.mark.parametrize(
    ("by", "department", "username"),
    [
        ("dispatcher", None, "dispatcher"),
        ("supervisor", None, "supervisor"),
        ("handler", "housing", "housing"),
        ("lead", "housing", "housing_lead"),
        ("handler", "centre", "centre_lead"),
    ],
)
def test_deed_is_done_by_somebody_of_that_role_and_department(by: str, department: str | None, username: str) -> None:
    assert account_for(ACCOUNTS, Deed(by, "accept", {}, department), "2611").username == username


def test_part_that_nobody_can_play_is_said_plainly() -> None:
    with pytest.raises(DemonstrationFailed, match="no demonstration account for a handler of health"):
        account_for(ACCOUNTS, Deed("handler", "accept", {}, "health"), "2611")


def test_row_is_read_as_the_staff_list_gives_it() -> None:
    told = {
        "reference": "2611-4829-13704", "state": "triage", "category": None, "department": None,
        "submitted_at": "2026-11-23T01:00:00Z", "accept_due_at": None, "due_at": None, "escalation_level": 2,
    }  # fmt: skip
    row = Row.read(told)
    assert (row.state, row.submitted_at, row.due_at) == (State.TRIAGE, MONDAY_NINE, None)
    assert isinstance(row.submitted_at, datetime)
