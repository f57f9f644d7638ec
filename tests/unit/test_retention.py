"""When personal data is erased: not before the matter is over, and then not before its time, unless it is demanded."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta

import pytest

from domain.lifecycle import Action, rows_of
from domain.request import TERMINAL, State
from domain.retention import Because, Wait, erase, wait_of_demand, wait_of_retention
from tests.builders import MONDAY_NINE, a_snapshot

DAY = timedelta(days=1)
KEEP = 30 * DAY
IN_THE_END = MONDAY_NINE + 10 * DAY
A_MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize("state", list(State))
def test_demand_is_met_as_soon_as_the_request_is_over(state: State) -> None:
    assert wait_of_demand(a_snapshot(state), parent_over_since=IN_THE_END) == (None if state in TERMINAL else Wait.OPEN)


def test_states_in_which_the_table_lets_data_be_erased_are_those_that_are_over() -> None:
    (row,) = rows_of(Action.ERASE)
    assert row.sources == TERMINAL


def test_demand_of_a_merged_request_waits_for_its_parent() -> None:
    assert wait_of_demand(a_snapshot(State.MERGED), parent_over_since=None) is Wait.WITH_PARENT


RETENTION = [
    ("the time is not over", State.WITHDRAWN, IN_THE_END + KEEP - A_MOMENT, None, None, Wait.KEPT),
    ("the time is over", State.WITHDRAWN, IN_THE_END + KEEP, None, None, None),
    ("not over after years", State.RESOLVED, IN_THE_END + 99 * KEEP, None, None, Wait.OPEN),
    ("closed, and may be reopened for longer than it is kept", State.CLOSED, IN_THE_END + KEEP, None,
     IN_THE_END + KEEP, Wait.REOPENABLE),
    ("closed, and may be reopened no more", State.CLOSED, IN_THE_END + KEEP, None,
     IN_THE_END + KEEP - A_MOMENT, None),
    ("closed by decision", State.CLOSED, IN_THE_END + KEEP, None, None, None),
    ("merged, the parent is not over", State.MERGED, IN_THE_END + 99 * KEEP, None, None, Wait.WITH_PARENT),
    ("merged, the parent is over for less than the time", State.MERGED, IN_THE_END + KEEP,
     IN_THE_END + A_MOMENT, None, Wait.KEPT),
    ("merged, the parent was over before", State.MERGED, IN_THE_END + KEEP, IN_THE_END - DAY, None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "now", "parent_over_since", "reopen_until", "wait"),
    [row[1:] for row in RETENTION],
    ids=[row[0] for row in RETENTION],
)
def test_data_is_kept_for_its_time_from_the_end_of_the_matter(
    state: State, now: datetime, parent_over_since: datetime | None, reopen_until: datetime | None, wait: Wait | None
) -> None:
    snapshot = a_snapshot(state, closed_at=IN_THE_END, updated_at=IN_THE_END + 5 * DAY)
    assert wait_of_retention(snapshot, parent_over_since, now, KEEP, reopen_until) is wait


def test_erasing_leaves_the_tombstone_as_it_was() -> None:
    before = a_snapshot(State.CLOSED, closed_at=IN_THE_END, updated_at=IN_THE_END)
    turn = erase(before, Because.CITIZEN, IN_THE_END + DAY)
    changed = {each.name for each in fields(before) if getattr(before, each.name) != getattr(turn.snapshot, each.name)}
    assert {"sequence", "updated_at"} <= changed <= {"sequence", "updated_at", "told_at"}
    assert (turn.event.action, turn.event.facts, turn.event.public) == ("erase", {"because": "citizen"}, True)
    assert (turn.event.actor_kind, turn.event.state_before, turn.event.state) == ("system", State.CLOSED, State.CLOSED)
    assert turn.notices == ()
