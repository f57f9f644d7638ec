"""Which district a place lies in: by its coordinates on the invented map, and by the names people use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from domain.classified import FoundBy, Located, PlaceDoubt
from domain.locating import Around, Named, locate
from domain.policy import District, Neighbour, Policy
from policies.jurisdictions import Jurisdictions
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from tests.city import a_city, both

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
        pytest.param(110.24, 30.05, "clear_tone", id="on the border to the neighbour"),
        pytest.param(110.30, 30.05, None, id="in the neighbour"),
        pytest.param(109.999, 30.05, None, id="just outside"),
        pytest.param(30.05, 110.05, None, id="latitude and longitude exchanged"),
        pytest.param(-110.05, -30.05, None, id="the other side of the globe"),
    ],
)
def test_place_lies_in_its_district(long: float, lat: float, district: str | None) -> None:
    assert MAP.district_at(lat, long) == district


def test_many_points_at_once_lie_where_each_of_them_lies() -> None:
    """A grid over the map and beyond it that meets borders and corners."""
    lats, longs = (each.ravel() for each in np.meshgrid(np.linspace(29.98, 30.22, 49), np.linspace(109.98, 110.38, 81)))
    one_by_one = [MAP.district_at(lat, long) for lat, long in zip(lats, longs, strict=True)]
    assert {*one_by_one} == {"morning_bell", "clear_tone", "valley", "harmony", None}
    assert MAP.districts_at(lats, longs) == one_by_one
    assert MAP.districts_at(np.array([]), np.array([])) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("清音区听泉路3号", ("clear_tone",), id="a district and a street in it"),
        pytest.param("晨钟 小学对面", ("morning_bell",), id="its short name"),
        pytest.param("near the school in Harmony District", ("harmony",), id="in English"),
        pytest.param("Morning Bell station", ("morning_bell",), id="its short name in English"),
        pytest.param("从晨钟区到清音区的路上", ("morning_bell", "clear_tone"), id="two districts"),
        pytest.param("柳音小区2栋", ("clear_tone",), id="an estate"),
        pytest.param("回声大道88号", ("morning_bell", "clear_tone"), id="a street through two districts"),
        pytest.param("清音区回声大道88号", ("clear_tone",), id="of which the district is named"),
        pytest.param("和鸣区听泉路", ("clear_tone", "harmony"), id="a district and a street in another"),
        pytest.param("静水县中医院", ("still_water",), id="the neighbour"),
        pytest.param("晨钟路12号", (), id="a road that bears the name of a district"),
        pytest.param("Morning Bell Road 12", (), id="such a road in English"),
        pytest.param("晨钟区路灯不亮", ("morning_bell",), id="a district before the word for a road"),
        pytest.param("晨钟街道办事处", ("morning_bell",), id="a street office is no street"),
        pytest.param("in perfect harmony", (), id="a word that is a name only with another"),
        pytest.param("别处", (), id="no name"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_names_in_a_text_say_what_is_possible(text: str, named: tuple[str, ...]) -> None:
    assert MAP.named(text) == named


def test_city_without_districts_has_no_place_in_any_and_nothing_outside() -> None:
    nowhere = Jurisdictions(a_city(districts=()))
    assert nowhere.district_at(30.05, 110.05) is None
    assert nowhere.locate(30.05, 110.05, place="清音区") == Located()
    far = a_square("far", 0.03, 0.04, decline_reason="court")
    beside = Jurisdictions(a_city(districts=(), neighbours=(far,)))
    assert beside.locate(0.005, 0.01) == Located()
    assert beside.locate(0.005, 0.035).neighbour == "far"


# --- the rule ---------------------------------------------------------------------------------------------------------

METRE = 1 / 111_320


def a_square(code: str, west: float, east: float, **changes: Any) -> Any:
    """A kilometre and more from south to north at the equator, where a degree is the same both ways."""
    corners = [[west, 0.0], [east, 0.0], [east, 0.01], [west, 0.01], [west, 0.0]]
    kind = Neighbour if "decline_reason" in changes else District
    return kind(code, both(f"{code} district"), {"type": "Polygon", "coordinates": [corners]}, **changes)


def a_map(**changes: Any) -> Jurisdictions:
    """From west to east: alpha, beta, and a zone that overlaps with beta; a gap of 30 m, gamma; and the neighbour, far."""
    values: dict[str, Any] = {
        "districts": (
            a_square("alpha", 0.00, 0.01),
            a_square("beta", 0.01, 0.02),
            a_square("zone", 0.018, 0.022),
            a_square("gamma", 0.022 + 30 * METRE, 0.03),
        ),
        "neighbours": (a_square("far", 0.03, 0.04, decline_reason="court", also_called=("farland",)),),
        "places": {"beta": ("lake road",), "zone": ("lake road", "harbour")},
    }
    policy: Policy = a_city(**(values | changes))
    return Jurisdictions(policy)


BORDER, MIDDLE_OF_ALPHA = 0.01, 0.005


@pytest.mark.parametrize(
    ("long", "texts", "located"),
    [
        pytest.param(MIDDLE_OF_ALPHA, {}, Located("alpha", found_by=FoundBy.POINT), id="a point, no name"),
        pytest.param(MIDDLE_OF_ALPHA, {"place": "alpha district"}, Located("alpha", found_by=FoundBy.POINT), id="both say one"),
        pytest.param(BORDER, {}, Located("alpha", found_by=FoundBy.BORDER), id="on a border: the first"),
        pytest.param(BORDER, {"place": "beta district"}, Located("beta", found_by=FoundBy.BORDER),
                     id="on a border, the second is named"),
        pytest.param(0.019, {}, Located("beta", found_by=FoundBy.BORDER), id="in an overlap: the first"),
        pytest.param(0.019, {"text": "at the harbour"}, Located("zone", found_by=FoundBy.BORDER),
                     id="in an overlap, a place in the second is named"),
        pytest.param(0.019, {"place": "lake road"}, Located("beta", found_by=FoundBy.BORDER),
                     id="in an overlap, the name fits both: the first"),
        pytest.param(0.019, {"text": "zone district, beta district"}, Located("beta", found_by=FoundBy.BORDER),
                     id="in an overlap, both are named: the first"),
        pytest.param(0.03, {"place": "farland"},
                     Located("gamma", False, None, FoundBy.POINT, PlaceDoubt.NEAR_BORDER, ("gamma", "far")),
                     id="on the border to the neighbour, which is named"),
        pytest.param(0.022 + 10 * METRE, {}, Located("zone", found_by=FoundBy.NEAREST), id="in a gap: the nearer"),
        pytest.param(0.022 + 20 * METRE, {}, Located("gamma", found_by=FoundBy.NEAREST), id="in a gap, on the other side"),
        pytest.param(0.022 + 20 * METRE, {"place": "zone district"}, Located("zone", found_by=FoundBy.NEAREST),
                     id="in a gap, the farther is named"),
        pytest.param(-49 * METRE, {}, Located("alpha", found_by=FoundBy.NEAREST), id="just outside"),
        pytest.param(-55 * METRE, {}, Located(outside=True, found_by=FoundBy.POINT), id="outside of everything"),
        pytest.param(0.035, {}, Located(outside=True, neighbour="far", found_by=FoundBy.POINT), id="in the neighbour"),
        pytest.param(0.04 + 20 * METRE, {}, Located(outside=True, neighbour="far", found_by=FoundBy.NEAREST),
                     id="just behind the neighbour"),
        pytest.param(0.03, {}, Located("gamma", found_by=FoundBy.POINT), id="on the border to the neighbour: ours"),
        pytest.param(0.035, {"place": "farland"}, Located(outside=True, neighbour="far", found_by=FoundBy.POINT),
                     id="in the neighbour, which is named"),
    ],
)  # fmt: skip
def test_point_decides_and_names_decide_between_what_it_leaves_open(
    long: float, texts: dict[str, str], located: Located
) -> None:
    assert a_map().locate(0.005, long, **texts) == located


@pytest.mark.parametrize(
    ("long", "texts", "located"),
    [
        pytest.param(BORDER - 40 * METRE, {"place": "beta district"},
                     Located("alpha", False, None, FoundBy.POINT, PlaceDoubt.NEAR_BORDER, ("alpha", "beta")), id="just across the border"),
        pytest.param(BORDER - 60 * METRE, {"place": "beta district"},
                     Located("alpha", False, None, FoundBy.POINT, PlaceDoubt.POINT_AND_NAME, ("alpha", "beta")), id="too far from it"),
        pytest.param(MIDDLE_OF_ALPHA, {"text": "In beta district."},
                     Located("alpha", False, None, FoundBy.POINT, PlaceDoubt.POINT_AND_NAME, ("alpha", "beta")), id="named in the text"),
        pytest.param(BORDER - 40 * METRE, {"place": "beta district, gamma district"},
                     Located("alpha", False, None, FoundBy.POINT, PlaceDoubt.NEAR_BORDER, ("alpha", "beta")),
                     id="of two names the one across the border"),
        pytest.param(MIDDLE_OF_ALPHA, {"place": "farland"},
                     Located("alpha", False, None, FoundBy.POINT, PlaceDoubt.POINT_AND_NAME, ("alpha", "far")), id="the neighbour is named"),
        pytest.param(0.03 + 20 * METRE, {"place": "gamma district"},
                     Located(None, True, "far", FoundBy.POINT, PlaceDoubt.NEAR_BORDER, ("far", "gamma")), id="in the neighbour, ours is named"),
        pytest.param(-0.5, {"place": "beta district"},
                     Located(None, True, None, FoundBy.POINT, PlaceDoubt.POINT_AND_NAME, ("beta",)), id="outside of everything, ours is named"),
    ],
)  # fmt: skip
def test_name_that_the_point_contradicts_leaves_a_doubt(long: float, texts: dict[str, str], located: Located) -> None:
    assert a_map().locate(0.005, long, **texts) == located


@pytest.mark.parametrize(
    ("texts", "located"),
    [
        pytest.param({"place": "beta district"}, Located("beta", found_by=FoundBy.PLACE), id="the place"),
        pytest.param({"text": "in beta district"}, Located("beta", found_by=FoundBy.TEXT), id="the description"),
        pytest.param({"place": "beta district", "text": "I live in gamma district"}, Located("beta", found_by=FoundBy.PLACE),
                     id="the place goes before the description"),
        pytest.param({"place": "beta district and gamma district"},
                     Located(found_by=FoundBy.PLACE, doubt=PlaceDoubt.SEVERAL_NAMES, between=("beta", "gamma")), id="several"),
        pytest.param({"place": "farland"}, Located(outside=True, neighbour="far", found_by=FoundBy.PLACE), id="the neighbour"),
        pytest.param({"text": "I come from farland"}, Located(), id="a neighbour in the description says nothing"),
        pytest.param({"text": "I come from farland to beta district"}, Located("beta", found_by=FoundBy.TEXT),
                     id="nor does it make a district ambiguous"),
        pytest.param({"place": "somewhere"}, Located(), id="no name"),
    ],
)  # fmt: skip
def test_without_a_point_the_names_decide(texts: dict[str, str], located: Located) -> None:
    assert a_map().locate(None, None, **texts) == located


def test_distance_of_doubt_is_the_policys() -> None:
    city = a_city().city
    wide = Jurisdictions(
        a_city(
            city=type(city)(city.name, city.languages, border_metres=500),
            districts=(a_square("alpha", 0.00, 0.01), a_square("beta", 0.01, 0.02)),
        )
    )
    assert wide.locate(0.005, BORDER - 490 * METRE, place="beta district").doubt is PlaceDoubt.NEAR_BORDER
    assert wide.locate(0.005, BORDER - 510 * METRE, place="beta district").doubt is PlaceDoubt.POINT_AND_NAME


def test_metres_are_metres_far_from_the_equator_too() -> None:
    """At 60 degrees a degree of longitude is half as long."""
    square = {"type": "Polygon", "coordinates": [[[10, 59.9], [11, 59.9], [11, 60.1], [10, 60.1], [10, 59.9]]]}
    north = Jurisdictions(a_city(districts=(District("north", both("North"), square),)))
    assert north.locate(60.0, 10 - 95 * METRE).district == "north"
    assert north.locate(60.0, 10 - 105 * METRE).outside


def test_names_of_the_place_go_before_those_of_the_text_whoever_asks() -> None:
    both_name = Named(in_place=("beta",), in_text=("gamma",))
    assert locate((), None, both_name) == Located("beta", found_by=FoundBy.PLACE)
    assert locate((), Around(("alpha",)), both_name).between == ("alpha", "beta")
