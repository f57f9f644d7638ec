"""GCJ-02 and WGS-84: published points, there and back, and where both are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.coordinates import Datum, to_gcj02, to_wgs84
from domain.similarity import metres_between

PUBLISHED = [
    pytest.param((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215), id="Shanghai"),
    pytest.param((22.543847, 113.912316), (22.540796131694766, 113.9171764808363), id="Shenzhen"),
    pytest.param((39.911954, 116.377817), (39.91334545536069, 116.38404722455657), id="Beijing"),
]
"""WGS-84 and GCJ-02, from the tests of github.com/googollee/eviltransform."""


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED)
def test_shift_is_the_published_one(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert to_gcj02(*wgs84) == pytest.approx(gcj02, abs=1e-6)
    assert to_wgs84(*gcj02, Datum.GCJ02) == pytest.approx(wgs84, abs=1e-6)


@given(lat=st.floats(3.0, 54.0), long=st.floats(73.0, 136.0))
def test_point_comes_back_from_there_within_a_tenth_of_a_metre(lat: float, long: float) -> None:
    moved = to_gcj02(lat, long)
    assert 30 < metres_between((lat, long), moved) < 3000
    assert metres_between(to_wgs84(*moved, Datum.GCJ02), (lat, long)) < 0.1


@given(lat=st.floats(18.0, 53.5), long=st.floats(73.5, 135.0))
def test_point_of_a_chinese_map_becomes_one_that_this_map_shows_there(lat: float, long: float) -> None:
    assert to_gcj02(*to_wgs84(lat, long, Datum.GCJ02)) == pytest.approx((lat, long), abs=1e-7)


@pytest.mark.parametrize(
    ("lat", "long"),
    [
        pytest.param(40.7, -74.0, id="New York"),
        pytest.param(52.4, 4.9, id="Amsterdam"),
        pytest.param(0.5, 110.0, id="south of the box"),
        pytest.param(56.0, 110.0, id="north of it"),
        pytest.param(-33.9, 151.2, id="Sydney"),
        pytest.param(90.0, 180.0, id="the pole"),
    ],
)
def test_both_datums_are_one_outside_the_box_around_china(lat: float, long: float) -> None:
    assert to_wgs84(lat, long, Datum.GCJ02) == (lat, long) == to_gcj02(lat, long)


def test_point_in_wgs84_stays_where_it_is() -> None:
    assert to_wgs84(31.1774276, 121.5272106, Datum.WGS84) == (31.1774276, 121.5272106)
