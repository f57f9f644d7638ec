"""How many messages a relay gives out at once: the rule, and what counts as the end of a first turn."""

from __future__ import annotations

import asyncio

import pytest

from activities.first_turns import FirstTurns, at_most
from activities.narrowing import LESS, Width
from activities.relay import Pace
from workflows import delivery

QUICK, SLOW = 0.1, 0.6


def a_width(most: int = 32, least: int = 4) -> Width:
    return Width(most, least, slow=0.5)


def rounds(width: Width, seconds: float, number: int, begin_at: float = 0.0) -> float:
    """As many at once as it allows, so often, all of them taking so long; when the last ended."""
    for _ in range(number):
        for _ in range(width.now):
            width.ended(begin_at, begin_at + seconds)
        begin_at += seconds
    return begin_at


def test_relay_gives_out_all_that_it_may_as_long_as_the_engine_is_quick() -> None:
    width = a_width()
    rounds(width, QUICK, 100)
    assert width.now == 32


@pytest.mark.parametrize(
    ("number", "left"),
    [
        pytest.param(1, 22, id="those that were slow together count once"),
        pytest.param(2, 15, id="the next ones again"),
        pytest.param(6, 4, id="down to the least"),
        pytest.param(60, 4, id="and no further, so that the inbox is never left alone"),
    ],
)
def test_relay_gives_out_fewer_while_the_engine_is_slow(number: int, left: int) -> None:
    width = a_width()
    rounds(width, SLOW, number)
    assert width.now == left


def test_relay_gives_out_one_more_for_each_round_that_was_quick() -> None:
    width = a_width()
    ended_at = rounds(width, SLOW, 6)
    for _ in range(10):
        before = width.exact
        ended_at = rounds(width, QUICK, 1, ended_at)
        assert 0.7 < width.exact - before <= 1
    rounds(width, QUICK, 40, ended_at)
    assert width.now == 32


def test_message_that_was_given_out_before_the_relay_narrowed_tells_nothing_new() -> None:
    width = a_width()
    width.ended(0.0, 1.0)
    width.ended(0.9, 2.0)
    assert width.exact == 32 * LESS
    width.ended(1.0, 2.0)
    assert width.exact == 32 * LESS**2


def test_relay_that_may_give_out_one_gives_out_one() -> None:
    width = a_width(most=1)
    rounds(width, SLOW, 9)
    assert width.now == 1


async def test_first_turn_has_ended_when_something_of_that_request_is_recorded() -> None:
    turns = FirstTurns()
    with turns.expected("2611-4829-13704") as turn:
        turns.recorded("2611-0000-00001")
        assert not turn.done()
        asyncio.get_running_loop().call_soon(turns.recorded, "2611-4829-13704")
        await at_most(turn, 20.0)
        assert turn.done()
        assert not turn.cancelled()
        turns.recorded("2611-4829-13704")
    turns.recorded("2611-4829-13704")


async def test_first_turn_in_other_hands_is_not_waited_for_without_end() -> None:
    with FirstTurns().expected("2611-4829-13704") as turn:
        await at_most(turn, 0.01)


def test_waiting_for_a_first_turn_never_makes_a_delivery_fail() -> None:
    assert delivery._PATIENCE.total_seconds() + delivery.FIRST_TURN_SECONDS < Pace().delivery
