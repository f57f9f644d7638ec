"""What an overload has to leave whole, and that the page says no more than was seen."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.overload import Found
from benchmarks.overload_demands import LEVEL_AFTER_SECONDS, MOST_MEGABYTES, Memory
from benchmarks.overload_page import KINDS, page, summary
from tests.unit.test_benchmarks import MACHINE


def a_kind(came: int = 10_000, **changes: Any) -> dict[str, Any]:
    """A tenth was put off, all others were answered, and quickly."""
    quick = {"p50": 100.0, "p95": 200.0, "p99": 300.0, "most": 400.0}
    refused = came // 10
    return {
        "came": came, "served": {"number": came - refused, **quick}, "refused": {"number": refused, **quick},
        "statuses": {"200": came - refused, "503": refused}, "without_retry_after": 0, "unsent": 0,
    } | changes  # fmt: skip


def some_memory(part: str = "worker", *megabytes: float) -> Memory:
    return Memory(part, megabytes or (100.0,) * 8)


def a_find(kind: str = "submissions", met: dict[str, Any] | None = None, **changes: Any) -> Found:
    parts = {"api": 0.5, "worker": 0.4, "generator": 0.2}
    found = Found(
        seconds=1800.0, capacity=10.0, offered=20.0, kinds={each: a_kind() for each in KINDS} | {kind: met or a_kind()},
        cores_calm=parts, cores=parts, memory=tuple(some_memory(part) for part in MOST_MEGABYTES), confirmed=9000, lost=(),
        waiting=10, drained_per_second=1.0,
    )  # fmt: skip
    return replace(found, **changes)


def served(p99: float) -> dict[str, Any]:
    return {"number": 9000, "p50": 1.0, "p95": 1.0, "p99": p99}


def test_all_that_has_to_hold_held() -> None:
    assert a_find().broken == ()
    assert "held.**" in page(a_find(), MACHINE)


@pytest.mark.parametrize(
    ("found", "word"),
    [
        pytest.param(a_find(lost=("2611-4829-13704",)), "lead nowhere", id="a receipt that leads nowhere"),
        pytest.param(a_find(confirmed=0), "Nobody got", id="no receipt at all"),
        pytest.param(a_find(met=a_kind(served=served(9000.0))), "9000 ms", id="intake is slow"),
        pytest.param(a_find(met=a_kind(served=served(1000.0))), "1000 ms", id="intake takes just the second"),
        pytest.param(a_find(met=a_kind(served={"number": 0})), "nan", id="intake answers nobody"),
        pytest.param(a_find("looks", a_kind(without_retry_after=1)), "come back", id="no Retry-After"),
        pytest.param(a_find("lists", a_kind(statuses={"200": 1, "500": 4})), "4 times 500", id="a fault of ours"),
        pytest.param(a_find("lists", a_kind(statuses={"404": 1})), "1 times 404", id="a sender's fault that was none"),
        pytest.param(a_find("looks", a_kind(refused=served(2600.0))), "2600 ms", id="refused late"),
        pytest.param(
            a_find(met=a_kind(statuses={"201": 9, "ConnectionResetError": 2})), "2 times Conn", id="broken connections"
        ),
        pytest.param(a_find(met=a_kind(unsent=101)), "101 of 10000", id="not sent"),
        pytest.param(a_find(memory=(some_memory("api", 90_000.0),)), "90000 MB", id="memory"),
        pytest.param(
            a_find(memory=(some_memory("worker", *range(100, 340, 10)),)), "last quarter", id="memory that goes on growing"
        ),
    ],
)  # fmt: skip
def test_what_did_not_hold_is_said_and_fails_the_command(found: Found, word: str) -> None:
    assert len(found.broken) == 1
    assert word in found.broken[0]
    assert found.broken[0] in page(found, MACHINE)
    assert found.broken[0] in summary(found)


def test_little_is_forgiven_and_that_is_named() -> None:
    """A connection that the server had just closed, a generator whose own were all in use, actions that wait for the engine."""
    met = a_kind(statuses={"200": 9999, "ConnectionResetError": 1}, unsent=100)
    forgiven = a_find(met=met)
    assert not forgiven.broken
    assert "1 ConnectionResetError, 100 not sent" in page(forgiven, MACHINE)
    assert "*Not sent*" in page(forgiven, MACHINE)
    assert not a_find("actions", a_kind(refused=served(10_500.0))).broken


def test_memory_may_rise_while_caches_fill_in_a_run_that_is_too_short_to_level_off() -> None:
    rising = (some_memory("worker", *range(100, 340, 10)),)
    assert a_find(memory=rising, seconds=LEVEL_AFTER_SECONDS).broken
    assert not a_find(memory=rising, seconds=LEVEL_AFTER_SECONDS - 1).broken
    assert math.isclose(some_memory("api", 1, 1, 1, 1, 10, 10, 11, 11).growth, 0.1)
    assert some_memory("api", 1).growth == 0


def test_page_says_of_refusals_only_what_was_seen() -> None:
    assert "Each of the 5000 refusals" in page(a_find(), MACHINE)
    assert "**3 of 5000 refusals came without" in page(a_find(met=a_kind(without_retry_after=3)), MACHINE)
    nobody = {kind: a_kind(refused={"number": 0}, statuses={"200": 1}) for kind in KINDS}
    assert "Nobody was refused." in page(a_find(kinds=nobody), MACHINE)


def test_page_sets_the_receipts_beside_the_capacity_and_says_who_had_the_processor() -> None:
    written = page(a_find(), MACHINE)
    assert "5 receipts a second were given out, 50% of the 10" in written
    assert "| load generator | 0.20 | 0.20 |" in written
