"""The public number of a request: one way to write it, several to type it, and slips that it catches."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.references import NUMBERS, make_reference, parse_reference

NOVEMBER = date(2026, 11, 22)

references = st.builds(make_reference, st.dates(date(2020, 1, 1), date(2099, 12, 31)), st.integers(0, NUMBERS - 1))


def test_reference_is_year_month_number_and_check_digit() -> None:
    assert re.fullmatch(r"2611-4829-1370\d", make_reference(NOVEMBER, 48291370))
    assert make_reference(NOVEMBER, 0).startswith("2611-0000-0000")


@pytest.mark.parametrize("number", [-1, NUMBERS])
def test_reference_refuses_a_number_out_of_range(number: int) -> None:
    with pytest.raises(ValueError, match="lies between"):
        make_reference(NOVEMBER, number)


@given(references)
def test_reference_is_read_as_it_is_written(reference: str) -> None:
    assert parse_reference(reference) == reference


@pytest.mark.parametrize(
    ("label", "typed"),
    [
        ("without hyphens", "{0}{1}{2}"),
        ("with blanks", " {0} {1} {2} "),
        ("with dashes of other kinds", "{0}–{1}－{2}"),
        ("with an ideographic blank", "{0}\u3000{1}-{2}"),
    ],
)
def test_reference_is_read_however_it_is_spaced(label: str, typed: str) -> None:
    reference = make_reference(NOVEMBER, 48291370)
    assert parse_reference(typed.format(*reference.split("-"))) == reference


def test_reference_is_read_in_full_width_digits() -> None:
    reference = make_reference(NOVEMBER, 48291370)
    full_width = reference.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    assert parse_reference(full_width) == reference


@pytest.mark.parametrize(
    ("label", "typed"),
    [
        ("nothing", ""),
        ("too short", "2611-4829-137"),
        ("too long", "2611-4829-137045"),
        ("a letter", "2611-4829-1370X"),
        ("a superscript digit", "2611-4829-1370²"),
        ("words", "where is my request"),
    ],
)
def test_reference_is_not_read_from_what_is_none(label: str, typed: str) -> None:
    assert parse_reference(typed) is None


@given(references, st.integers(0, 12), st.integers(1, 9))
def test_reference_catches_every_single_wrong_digit(reference: str, position: int, shift: int) -> None:
    digits = list(reference.replace("-", ""))
    digits[position] = str((int(digits[position]) + shift) % 10)
    assert parse_reference("".join(digits)) is None


@given(references, st.integers(0, 11))
def test_reference_catches_every_swap_of_neighbours(reference: str, position: int) -> None:
    digits = list(reference.replace("-", ""))
    if digits[position] != digits[position + 1]:
        digits[position], digits[position + 1] = digits[position + 1], digits[position]
        assert parse_reference("".join(digits)) is None


def test_references_of_a_month_tell_nothing_of_their_order() -> None:
    assert make_reference(NOVEMBER, 1)[:9] == make_reference(NOVEMBER, 2)[:9]
    assert make_reference(NOVEMBER, 1) != make_reference(NOVEMBER, 2)
