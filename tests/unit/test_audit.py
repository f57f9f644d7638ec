"""The chain of looks: whatever is changed, left out, added or cut off in it shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.audit import BEGINNING, Head, Kind, Link, Look, chained, fault_of
from tests.rows import SUNDAY_NOON

REFERENCE = "2611-4829-13704"


def a_look(number: int = 1) -> Look:
    at = SUNDAY_NOON + timedelta(seconds=number)
    return Look(UUID(int=number), at, "staff:7", Kind.CONTACT, REFERENCE, 1, "192.0.2.7")


def a_chain() -> list[Link]:
    return chained(BEGINNING, [a_look(number) for number in range(1, 6)])


def first_fault(links: list[Link]) -> str | None:
    head = BEGINNING
    for link in links:
        if fault := fault_of(head, link):
            return fault
        head = Head(link.position, link.hash)
    return None


def test_a_chain_as_it_was_written_has_no_fault() -> None:
    assert first_fault(a_chain()) is None
    assert [link.position for link in a_chain()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "change",
    [
        {"id": UUID(int=99)}, {"looked_at": SUNDAY_NOON}, {"who": "staff:8"}, {"kind": Kind.LIST}, {"reference": None},
        {"count": 2}, {"address": "192.0.2.8"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_changed_field_shows_at_its_row(change: dict[str, object]) -> None:
    links = a_chain()
    links[2] = replace(links[2], look=replace(links[2].look, **change))  # type: ignore[arg-type]

    assert str(first_fault(links)).startswith("Row 3 (2026-11-22 ")


def test_a_row_with_a_hash_of_its_own_shows_at_the_next_one() -> None:
    links = a_chain()
    (links[2],) = chained(Head(2, links[1].hash), [replace(a_look(3), who="staff:8")])

    assert str(first_fault(links)).startswith("Row 4 (")
    assert "or row 3 before it" in str(first_fault(links))


@pytest.mark.parametrize(
    ("left", "sentence"),
    [
        ([0, 1, 3, 4], "Row 3 is missing: row 4 follows row 2."),
        ([1, 2], "Row 1 is missing: row 2 follows row 0."),
    ],
    ids=["in the middle", "at the beginning"],
)
def test_a_row_left_out_is_named(left: list[int], sentence: str) -> None:
    links = a_chain()

    assert first_fault([links[number] for number in left]) == sentence


def test_a_name_in_two_scripts_and_a_time_in_another_zone_change_nothing() -> None:
    look = replace(a_look(), who="machine:值班员", address="大厅")
    (link,) = chained(BEGINNING, [look])

    assert fault_of(BEGINNING, link) is None
    assert fault_of(BEGINNING, replace(link, look=replace(look, who="machine:值班"))) is not None


def test_fields_do_not_run_into_each_other() -> None:
    (one,) = chained(BEGINNING, [replace(a_look(), who="staff:7", kind="contact")])
    (other,) = chained(BEGINNING, [replace(a_look(), who='staff:7","contact', kind="")])

    assert one.hash != other.hash


def test_a_head_is_written_and_read_again() -> None:
    head = Head(5, a_chain()[-1].hash)

    assert Head.parse(f" {head} ") == head


@pytest.mark.parametrize(
    "text", ["", "5", "5:", "5:00", "-1:" + "0" * 64, "5:" + "g" * 64, ":" + "0" * 64, "٣:" + "0" * 64]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"position:hash|hexadecimal"):
        Head.parse(text)
