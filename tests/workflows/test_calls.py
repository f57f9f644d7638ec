"""Follow-up calls: who is called, what counts as a rating, and that silence never counts as satisfied (rows 27 and 30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import commands as c
from domain.planning import is_called, is_sampled
from domain.request import Outcome, Solved, State
from tests.city import a_city
from tests.town import Request, Town, a_text, refused

CALLED = "Somebody threw a mattress away."


async def to_call(town: Town) -> Request:
    """A resolved request whose citizen has said nothing until a call is wanted."""
    request = await town.submit(CALLED)
    await request.resolved()
    await request.wait(timedelta(days=8))
    return request


def call(town: Town, result: c.CallResult, solved: Solved | None = None, satisfied: int | None = None) -> c.RecordCall:
    return c.RecordCall(town.actor("caller"), result, solved, satisfied, a_text())


async def test_citizen_who_says_nothing_is_called_before_the_request_is_closed(town: Town) -> None:
    request = await to_call(town)
    snapshot = await request.snapshot()
    assert (snapshot.state, snapshot.call_wanted_at is not None) == (State.RESOLVED, True)
    assert await request.notices("call_wanted") == [("call_wanted", "caller")]


@pytest.mark.parametrize(
    ("solved", "satisfied", "outcome"),
    [(Solved.YES, 4, Outcome.SOLVED), (Solved.PARTLY, 2, Outcome.PARTLY_SOLVED)],
)
async def test_what_the_citizen_says_on_the_phone_is_a_rating(
    town: Town, solved: Solved, satisfied: int, outcome: Outcome
) -> None:
    request = await to_call(town)
    await request.act(call(town, c.CallResult.ANSWERED, solved, satisfied))
    after = await request.snapshot()
    assert (after.state, after.outcome, after.solved, after.satisfied) == (State.CLOSED, outcome, solved, satisfied)
    assert after.call_wanted_at is None
    assert await request.notices("record_call") == [("rated", "handler")]


async def test_not_solved_on_the_phone_opens_it_again(town: Town) -> None:
    request = await to_call(town)
    await request.act(call(town, c.CallResult.ANSWERED, Solved.NO, 1))
    after = await request.snapshot()
    assert (after.state, after.rework_count, after.call_wanted_at) == (State.ASSIGNED, 1, None)


async def test_nobody_at_home_is_tried_again_and_closed_in_the_end_without_a_reply(town: Town) -> None:
    request = await to_call(town)
    for count in (1, 2):
        await request.act(call(town, c.CallResult.NO_ANSWER))
        assert (await request.snapshot()).call_count == count
    assert await request.state() is State.RESOLVED
    await request.wait(timedelta(days=10))
    after = await request.snapshot()
    assert (after.state, after.outcome, after.satisfied) == (State.CLOSED, Outcome.NO_REPLY, None)


async def test_who_does_not_want_to_judge_is_left_alone_and_counts_as_no_reply(town: Town) -> None:
    request = await to_call(town)
    await request.act(call(town, c.CallResult.REFUSED))
    after = await request.snapshot()
    assert (after.state, after.outcome) == (State.CLOSED, Outcome.NO_REPLY)


async def test_call_that_was_answered_needs_what_was_said(town: Town) -> None:
    request = await to_call(town)
    with refused("invalid"):
        await request.act(call(town, c.CallResult.ANSWERED))


async def test_only_callers_record_calls(town: Town) -> None:
    request = await to_call(town)
    with refused("forbidden"):
        await request.act(replace(call(town, c.CallResult.REFUSED), by=town.actor("dispatcher")))


async def test_rating_by_the_link_makes_the_call_needless(town: Town) -> None:
    request = await to_call(town)
    await request.rated()
    after = await request.snapshot()
    assert (after.state, after.call_wanted_at) == (State.CLOSED, None)


async def test_request_outside_the_sample_is_closed_without_a_call(town: Town) -> None:
    request = await town.submit()
    await request.resolved()
    await request.wait(timedelta(days=8))
    assert (await request.snapshot()).outcome is Outcome.NO_REPLY
    assert "call_wanted" not in await request.actions()


def test_sample_is_the_same_whenever_it_is_drawn_and_about_as_large_as_wanted() -> None:
    references = [f"2611-{number:04}-00000" for number in range(2000)]
    drawn = [reference for reference in references if is_sampled(reference, "call", 0.1)]
    assert drawn == [reference for reference in references if is_sampled(reference, "call", 0.1)]
    assert 150 < len(drawn) < 250


def test_category_can_ask_for_a_call_every_time() -> None:
    city = a_city()
    assert is_called(city, "2611-0000-00010", "mattress")
    assert not is_called(city, "2611-0000-00010", "street_light")
