"""What a lost run had heard, answered and missed, told from what is left of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.followed import Follower
from domain.lifecycle import Action
from domain.missed import (
    Done,
    Parent,
    Sent,
    answers,
    followed_up_to,
    followers_changed,
    followers_of,
    heard_up_to,
    parent_moved,
)
from domain.rebuilding import is_owed_a_run
from domain.request import Event, Snapshot, State

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def an_event(action: str, /, number: int = 1, kind: str = "citizen", text: str | None = None, **facts: str) -> Event:
    state = State(facts.pop("state", "in_progress"))
    before = State(facts.pop("before", state))
    at = MONDAY + timedelta(minutes=number)
    return Event(number, at, action, kind, "", before, state, True, text, facts)


def a_snapshot(state: State = State.IN_PROGRESS, **changes: Any) -> Snapshot:
    return replace(Snapshot("1", "2611-4829-13704", MONDAY, state=state), **changes)


def urging(number: int, text: str | None = None) -> Sent:
    return Sent(number, Action.URGE, text)


@pytest.mark.parametrize(
    ("messages", "events", "heard"),
    [
        pytest.param([], [], -1, id="nothing was sent"),
        pytest.param([urging(7)], [], -1, id="sent, and not taken"),
        pytest.param([urging(7)], [an_event("urge")], 7, id="taken"),
        pytest.param([urging(7), urging(8)], [an_event("urge")], 7, id="two of a kind, one taken"),
        pytest.param([urging(7, "a")], [an_event("urge", text="b")], -1, id="another text"),
        pytest.param([urging(7)], [an_event("urge", kind="staff")], -1, id="somebody else's"),
        pytest.param([urging(7, "a")], [an_event("not_applied", text="a", action="urge")], 7, id="noted as too late"),
        pytest.param(
            [urging(7, "a")], [an_event("not_applied", kind="admin", action="urge")], 7, id="noted, could not be read"
        ),
        pytest.param(
            [urging(7), Sent(8, Action.SUPPLEMENT, "s")], [an_event("supplement", text="s")], 8,
            id="in order: what comes before one that was taken was taken",
        ),
        pytest.param(
            [Sent(9, Action.REOPEN, None)], [an_event("rate", solved="no"), an_event("reopen")], -1,
            id="a reopening that came by itself is nobody's message",
        ),
        pytest.param(
            [Sent(9, Action.REOPEN, None)], [an_event("rate", solved="yes"), an_event("reopen")], 9,
            id="a reopening that was asked for",
        ),
    ],
)  # fmt: skip
def test_message_counts_as_heard_when_it_stands_in_the_timeline(
    messages: list[Sent], events: list[Event], heard: int
) -> None:
    assert heard_up_to(messages, events) == heard


def test_answer_tells_where_the_request_stood_after_all_that_the_update_made() -> None:
    events = [
        an_event("accept", 1, "staff"),
        an_event("resume", 2, "staff"),
        an_event("escalate", 3, "staff"),
        an_event("record_call", 4, "staff", solved="no", state="resolved"),
        an_event("reopen", 5, state="assigned"),
    ]
    told = answers([Done("a", 1), Done("b", 2), Done("b", 3), Done("c", 4)], events)
    assert [(each.update_id, each.sequence) for each in told] == [("a", 1), ("b", 3), ("c", 5)]
    assert told[-1].state is State.ASSIGNED


def test_followers_are_those_that_came_and_have_not_left() -> None:
    events = [an_event("joined", n, follower=name) for n, name in enumerate(["a", "b", "c"])]
    events.append(an_event("left", 3, follower="b"))
    assert followers_of(events) == ("a", "c")
    assert followers_changed(("a", "c"), ["c", "d"]) == (Follower("d"), Follower("a", leaves=True))


def a_parent(*events: Event, told: dict[int, tuple[str, ...]] | None = None) -> Parent:
    last = events[-1]
    stands = a_snapshot(last.state, sequence=last.sequence, reference="2611-0000-00010")
    return Parent(stands, events, told or {})


def test_merged_request_hears_once_what_its_parent_did_after_the_latest_that_it_followed() -> None:
    me = a_snapshot(State.MERGED, parent="2611-0000-00010")
    parent = a_parent(
        an_event("joined", 1, "system", follower=me.reference, state="assigned"),
        an_event("accept", 2, "staff", before="assigned", state="in_progress"),
        an_event("contact", 3, "staff", state="in_progress"),
        an_event("progress", 4, "staff", state="in_progress"),
        an_event("resolve", 5, "staff", before="in_progress", state="resolved"),
        told={4: ("progress", "new_task"), 5: ("resolved",)},
    )
    merge = an_event("merge", 1, "staff", state="merged")
    follow = an_event("follow", 9, "system", state="merged", parent_action="accept", parent_state="in_progress")
    assert followed_up_to(me, [merge], parent) == 1
    after = followed_up_to(me, [merge, follow], parent)
    assert after == 2
    heard = [(each.sequence, each.notices) for each in parent_moved(after, parent)]
    assert heard == [(4, ("progress",)), (5, ("resolved",)), (5, ())]
    assert parent_moved(5, parent) == ()


LATER, EARLIER = MONDAY + timedelta(days=1), MONDAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "parent_state", "own_end", "parent_end", "owed"),
    [
        (State.TRIAGE, None, None, None, True),
        (State.ON_HOLD, None, None, None, True),
        (State.RESOLVED, None, None, None, True),
        (State.CLOSED, None, LATER, None, True),
        (State.CLOSED, None, EARLIER, None, False),
        (State.CLOSED, None, None, None, False),
        (State.DECLINED, None, LATER, None, False),
        (State.WITHDRAWN, None, None, None, False),
        (State.MERGED, State.IN_PROGRESS, None, None, True),
        (State.MERGED, State.CLOSED, None, LATER, True),
        (State.MERGED, State.CLOSED, None, EARLIER, False),
        (State.MERGED, State.DECLINED, None, None, False),
    ],
)
def test_request_needs_a_run_as_long_as_something_may_happen_to_it(
    state: State, parent_state: State | None, own_end: datetime | None, parent_end: datetime | None, owed: bool
) -> None:
    assert is_owed_a_run(a_snapshot(state, parent_state=parent_state), own_end, parent_end, MONDAY) is owed
