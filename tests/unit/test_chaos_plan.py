"""The plan of faults: the same for the same seed, every kind on every target, and within its time."""

from __future__ import annotations

from collections import Counter

import pytest
from click.testing import CliRunner

from chaos.load import make_load
from chaos.plan import TARGETS, Kind, make_plan
from cli.chaos import chaos

PAIRS = [(kind, target) for kind, targets in TARGETS.items() for target in targets]


def test_plan_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert make_plan(7, 50, 100.0) == make_plan(7, 50, 100.0)
    assert make_plan(7, 50, 100.0) != make_plan(8, 50, 100.0)


def test_plan_of_a_seed_stays_the_same_for_ever() -> None:
    """A seed that was written down with a failure has to show it again."""
    assert [str(fault) for fault in make_plan(1, 3, 9.0)] == FIRST_OF_SEED_ONE


@pytest.mark.parametrize("number", [len(PAIRS), 3 * len(PAIRS)])
def test_plan_has_every_pair_as_often_as_every_other(number: int) -> None:
    plan = make_plan(3, number, 60.0)
    found = Counter((fault.kind, fault.target) for fault in plan)
    assert set(found) == set(PAIRS)
    assert set(found.values()) == {number // len(PAIRS)}


def test_faults_are_spread_in_order_over_the_time() -> None:
    moments = [fault.at for fault in make_plan(5, 200, 600.0)]
    assert moments == sorted(moments)
    assert moments[0] < 3.01
    assert 597 <= moments[-1] <= 600


def test_no_fault_is_without_its_measure() -> None:
    for fault in make_plan(11, 400, 400.0):
        assert (fault.amount > 0) is (fault.kind in (Kind.DELAY, Kind.CLOCK_BACK)), fault
        assert 0 <= fault.lasts <= 20, fault


def test_plan_without_faults_is_empty() -> None:
    assert make_plan(1, 0, 60.0) == ()


def test_plan_of_some_kinds_has_no_others() -> None:
    plan = make_plan(2, 30, 30.0, (Kind.CUT, Kind.KILL))
    assert {fault.kind for fault in plan} == {Kind.CUT, Kind.KILL}


def test_command_shows_the_plan_and_how_to_run_it_again() -> None:
    words = ["--plan", "--seed", "7", "--faults", "4", "--requests", "20", "--kind", "cut", "--kind", "stall"]
    said = CliRunner().invoke(chaos, words).output
    faults = [str(fault) for fault in make_plan(7, 4, 12.0, (Kind.CUT, Kind.STALL))]
    assert said.splitlines()[1:] == faults
    assert "--seed 7 --requests 20 --faults 4 --seconds 12 --seconds-per-working-day 3 --kind cut --kind stall" in said


def test_load_is_the_same_for_the_same_seed() -> None:
    assert make_load(7, 90, 30.0) == make_load(7, 90, 30.0)
    assert make_load(7, 90, 30.0) != make_load(8, 90, 30.0)


def test_load_leaves_a_tenth_open_and_numbers_all_once() -> None:
    left, others = make_load(7, 90, 30.0)
    assert len(left) == 9
    assert all(part.is_left for part in left)
    assert not any(part.is_left for part in others)
    assert sorted(part.number for part in [*left, *others]) == list(range(90))
    assert len({part.description for part in [*left, *others]}) == 90


def test_load_says_what_the_messages_say_where_a_life_leaves_it_open() -> None:
    left, others = make_load(7, 40, 30.0, ["A message.", "Another one."])
    given = [part for part in [*left, *others] if part.description.startswith(("A message.", "Another one."))]
    assert len(given) > 20


FIRST_OF_SEED_ONE = [
    "#1        2.2 s  cut        worker-postgres for 0.9 s",
    "#2        3.5 s  cut        gateway-api     for 1.0 s",
    "#3        7.6 s  cut        worker-gateway  for 0.8 s",
]
