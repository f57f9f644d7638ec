"""Ids as RFC 9562 lays them out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

import pytest

from db.ids import new_id, uuid7

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def test_uuid7_equals_the_example_of_the_rfc() -> None:
    chance = (0xCC3 << 68 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert str(uuid7(0x017F22E279B0, chance)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_uuid7_has_its_version_and_variant_whatever_the_chance() -> None:
    for chance in (bytes(10), b"\xff" * 10):
        made = uuid7(1, chance)
        assert (made.version, made.variant) == (7, RFC_4122)


@pytest.mark.parametrize(
    ("label", "ms", "chance"), [("before 1970", -1, bytes(10)), ("too little chance", 1, bytes(9))]
)
def test_uuid7_refuses_what_does_not_fit(label: str, ms: int, chance: bytes) -> None:
    with pytest.raises(ValueError, match="UUID"):
        uuid7(ms, chance)


def test_new_ids_stand_in_the_order_of_their_time() -> None:
    ids = [new_id(NOW + timedelta(milliseconds=step)) for step in range(100)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 100
