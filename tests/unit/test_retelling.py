"""The read model told again from the records of a run: the same rule as recording, and what no history knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.procedure import submit
from domain.record import Entry, Record, Recorded
from domain.request import CITIZEN, Event, Snapshot, State, Turn
from domain.retelling import Erased, Standing, Told, differences, differing_numbers, retell
from domain.retention import Because, erase, not_started
from domain.turns import make_turn
from tests.builders import MONDAY_NINE

FIRST = not_started("00000000-0000-7000-8000-000000000001", "2611-0000-00010", MONDAY_NINE, confidential=False)
NOTHING = Standing(None, {})
LATER = MONDAY_NINE + timedelta(minutes=5)
ANSWERED = Recorded(0)


def a_life(*states: State) -> list[Turn]:
    """Submitted, then one turn a minute into each of the states."""
    turns = [submit(FIRST, CITIZEN)]
    for number, state in enumerate(states, start=1):
        at = MONDAY_NINE + timedelta(minutes=number)
        turns.append(make_turn(turns[-1].snapshot, "progress", CITIZEN, at, (), state=state))
    return turns


def told(*turns: Turn, recorded: Recorded | None = ANSWERED) -> Told:
    """Recorded together."""
    return Told(Record(turns[-1].snapshot, tuple(Entry(turn.event) for turn in turns)), recorded)


def standing(*turns: Turn) -> Standing:
    return Standing(turns[-1].snapshot, {turn.event.sequence: turn.event for turn in turns})


def test_nothing_recorded_leaves_the_request_where_the_intake_put_it() -> None:
    assert retell(FIRST, [], NOTHING, None) == Standing(FIRST, {})
    assert Snapshot(FIRST.request_id, FIRST.reference, MONDAY_NINE, updated_at=MONDAY_NINE) == FIRST


def test_events_and_snapshot_are_those_that_were_recorded() -> None:
    life = a_life(State.ASSIGNED, State.IN_PROGRESS, State.WITHDRAWN)
    records = [told(*life[:2]), told(life[2]), told(life[3])]
    for found in (NOTHING, standing(*life), standing(*life[:2])):
        assert retell(FIRST, records, found, None) == standing(*life)


def test_what_a_run_that_was_reset_does_again_changes_nothing() -> None:
    """Recording keeps the first event of a number and the snapshot with the highest."""
    life = a_life(State.ASSIGNED, State.IN_PROGRESS, State.WITHDRAWN)
    again = make_turn(life[1].snapshot, "progress", CITIZEN, LATER, (), state=State.IN_PROGRESS)
    records = [told(*life[:2]), told(life[2]), told(life[3]), told(*life[:2]), told(again)]
    assert retell(FIRST, records, NOTHING, None) == standing(*life)


@pytest.mark.parametrize(("is_written", "number"), [(True, 3), (False, 2)])
def test_record_without_an_answer_counts_where_it_is_written(is_written: bool, number: int) -> None:
    life = a_life(State.ASSIGNED, State.IN_PROGRESS)
    found = standing(*(life if is_written else life[:2]))
    records = [told(*life[:2]), told(life[2], recorded=None)]
    assert retell(FIRST, records, found, None) == standing(*life[:number])


def a_turn_of_a_forgotten_attempt() -> tuple[list[Turn], Told]:
    """The run took its turn at another moment than the attempt whose turn stands in the database."""
    *life, stands = a_life(State.ASSIGNED, State.IN_PROGRESS)
    remembered = make_turn(life[-1].snapshot, "progress", CITIZEN, LATER, (), state=State.IN_PROGRESS)
    return [*life, stands], told(remembered, recorded=Recorded(0, stands=stands.snapshot))


def test_turn_of_a_forgotten_attempt_counts_as_it_stands() -> None:
    life, record = a_turn_of_a_forgotten_attempt()
    assert retell(FIRST, [told(*life[:2]), record], standing(*life), None) == standing(*life)


def test_turn_of_a_forgotten_attempt_is_made_at_the_moment_that_its_snapshot_tells() -> None:
    life, record = a_turn_of_a_forgotten_attempt()
    assert retell(FIRST, [told(*life[:2]), record], NOTHING, None) == standing(*life)


def test_event_that_does_not_belong_to_the_snapshot_of_the_forgotten_attempt_is_made_anew() -> None:
    life, record = a_turn_of_a_forgotten_attempt()
    damaged = replace(life[-1].event, at=LATER, state=State.CLOSED)
    found = Standing(life[-1].snapshot, {**standing(*life).events, 3: damaged})
    assert retell(FIRST, [told(*life[:2]), record], found, None) == standing(*life)


def test_turns_before_it_that_the_forgotten_attempt_wrote_too_count_as_they_stand() -> None:
    life = a_life(State.ASSIGNED, State.IN_PROGRESS, State.IN_PROGRESS, State.IN_PROGRESS)
    again = [life[2]]
    for _ in range(2):
        again.append(make_turn(again[-1].snapshot, "progress", CITIZEN, LATER, (), state=State.IN_PROGRESS))
    stands = Recorded(0, stands=life[4].snapshot)
    records = [told(*life[:2]), told(life[2]), told(again[1]), told(again[2], recorded=stands)]
    assert retell(FIRST, records, standing(*life), None) == standing(*life)
    # Without an attempt to be forgotten, another moment is damage.
    assert retell(FIRST, records[:3], standing(*life[:4]), None) == standing(*life[:3], again[1])


@pytest.mark.parametrize("found", ["everything", "nothing"])
def test_erasing_follows_what_the_run_has_told(found: str) -> None:
    life = a_life(State.ASSIGNED, State.WITHDRAWN)
    gone = erase(life[-1].snapshot, Because.CITIZEN, LATER)
    stands = standing(*life, gone) if found == "everything" else NOTHING
    erased = Erased(LATER, Because.CITIZEN)
    assert retell(FIRST, [told(*life[:2]), told(life[2])], stands, erased) == standing(*life, gone)


@pytest.mark.parametrize("found", ["everything", "nothing"])
def test_turn_that_came_after_the_erasing_gives_way_to_it(found: str) -> None:
    life = a_life(State.ASSIGNED, State.CLOSED)
    gone = erase(life[-1].snapshot, Because.CITIZEN, LATER)
    reopened = make_turn(life[-1].snapshot, "reopen", CITIZEN, LATER, (), state=State.ASSIGNED)
    records = [told(*life[:2]), told(life[2]), told(reopened, recorded=Recorded(0, stands=gone.snapshot))]
    stands = standing(*life, gone) if found == "everything" else NOTHING
    assert retell(FIRST, records, stands, Erased(LATER, Because.CITIZEN)) == standing(*life, gone)


def test_events_before_the_first_that_is_kept_stay_as_they_are() -> None:
    life = a_life(State.ASSIGNED, State.IN_PROGRESS, State.WITHDRAWN)
    records = [told(life[2]), told(life[3])]
    assert retell(FIRST, records, standing(*life), None) == standing(*life)


def test_event_that_no_run_recorded_is_left_out() -> None:
    life = a_life(State.ASSIGNED, State.IN_PROGRESS)
    records = [told(*life[:2])]
    ought = retell(FIRST, records, standing(*life), None)
    assert ought == standing(*life[:2])
    assert differing_numbers(standing(*life), ought) == [3]


LIFE = a_life(State.ASSIGNED, State.IN_PROGRESS)
WHOLE = standing(*LIFE)


def with_event(number: int, event: Event | None) -> Standing:
    events = {**WHOLE.events, number: event}
    return Standing(WHOLE.snapshot, {number: each for number, each in events.items() if each})


DIFFERENT = [
    ("equal", WHOLE, []),
    ("no row", Standing(None, WHOLE.events), ["it has no row of its own"]),
    ("a column", Standing(replace(LIFE[-1].snapshot, state=State.CLOSED, category="clinic"), WHOLE.events),
     ["state is closed, the history says in_progress", "category is clinic, the history says empty"]),
    ("an event missing", with_event(2, None), ["event 2 (progress) is missing"]),
    ("an event too many", with_event(4, replace(LIFE[-1].event, sequence=4)),
     ["event 4 (progress) is not in the history"]),
    ("another event", with_event(2, replace(LIFE[1].event, actor_id="x", public=True)),
     ["event 2 (progress) differs in actor_id, public"]),
]  # fmt: skip


@pytest.mark.parametrize(("found", "said"), [row[1:] for row in DIFFERENT], ids=[row[0] for row in DIFFERENT])
def test_differences_are_told_in_words(found: Standing, said: list[str]) -> None:
    assert list(differences(found, WHOLE)) == said
    assert (found == WHOLE) == (not said)
