"""Which district a place lies in: by its coordinates on the invented map, and by the names people use."""

from __future__ import annotations

import pytest

from policies.jurisdictions import Jurisdictions
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from tests.city import a_city

MAP = Jurisdictions.from_policy(load_folder(DEFAULT_POLICY_DIRECTORY))


@pytest.mark.parametrize(
    ("long", "lat", "district"),
    [
        pytest.param(110.05, 30.05, "morning_bell", id="in the west"),
        pytest.param(110.20, 30.05, "clear_tone", id="in the east"),
        pytest.param(110.05, 30.15, "valley", id="in the north-west"),
        pytest.param(110.20, 30.15, "harmony", id="in the north-east"),
        pytest.param(110.118, 30.07, "clear_tone", id="past the bend of the border"),
        pytest.param(110.05, 30.10, "morning_bell", id="on a border: the first district named"),
        pytest.param(110.00, 30.00, "morning_bell", id="on the outermost corner"),
        pytest.param(109.999, 30.05, None, id="just outside"),
        pytest.param(30.05, 110.05, None, id="latitude and longitude exchanged"),
        pytest.param(-110.05, -30.05, None, id="the other side of the globe"),
    ],
)
def test_place_lies_in_its_district(long: float, lat: float, district: str | None) -> None:
    assert MAP.district_at(long, lat) == district


@pytest.mark.parametrize(
    ("text", "district"),
    [
        ("清音区听泉路3号", "clear_tone"),
        ("晨钟 小学对面", "morning_bell"),
        ("near the school in Harmony District", "harmony"),
        ("Morning Bell station", "morning_bell"),
        ("从晨钟区到清音区的路上", None),
        ("in perfect harmony", None),
        ("别处", None),
        ("", None),
    ],
)
def test_named_district_is_found_if_it_is_only_one(text: str, district: str | None) -> None:
    assert MAP.district_named(text) == district


def test_city_without_districts_has_no_place_in_any() -> None:
    nowhere = Jurisdictions(a_city(districts=()))
    assert nowhere.district_at(110.05, 30.05) is None
    assert nowhere.district_named("清音区") is None
