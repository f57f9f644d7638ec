"""Which count is divided by which."""

from __future__ import annotations

from dataclasses import fields, replace

from domain.rates import Counts, Figure, together

NOTHING = Counts(None, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_rates_of_nothing_are_unknown_and_not_zero() -> None:
    assert NOTHING.response_rate is None
    assert NOTHING.resolution_rate is None
    assert NOTHING.satisfaction_rate is None


def test_response_rate_leaves_out_those_with_time_left() -> None:
    assert replace(NOTHING, assigned=10, contacted_in_time=6, contact_pending=2).response_rate == 0.75


def test_resolution_and_satisfaction_are_shares_of_those_who_answered() -> None:
    counts = replace(NOTHING, answered=8, solved=6, satisfied=4, no_reply=100)
    assert counts.resolution_rate == 0.75
    assert counts.satisfaction_rate == 0.5


def test_counts_of_all_parts_together_are_their_sums() -> None:
    one = Counts("one", *range(12))
    other = replace(NOTHING, part=None, submitted=5, wrong_response=2)
    added = together([one, other, NOTHING])

    assert added.part is None
    assert [added.of(figure) for figure in Figure] == [5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 11]
    assert together([]) == NOTHING


def test_figures_are_the_counts_in_their_order() -> None:
    assert [field.name for field in fields(Counts)] == ["part", *Figure]
