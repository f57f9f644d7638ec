"""In which datum a point is given, and how one becomes the other.

Phones and maps sold in China show GCJ-02, WGS-84 moved by up to 700 metres, mostly some 400, in a direction that
changes from place to place. The rule was never published. The formula is the one that became known by "EvilTransform"
(2010, anonymous) and that all open implementations share: github.com/googollee/eviltransform (MIT),
github.com/Artoria2e5/PRCoords (CC0); the figures of the ellipsoid are Krasovsky's of 1940. Written anew here, checked
against their published points.
"""

from __future__ import annotations

import math
from enum import StrEnum

_AXIS_METRES = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_CENTRE = (35.0, 105.0)
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347
"""The box in which the official converters move points; far larger than China, so that it reaches its neighbours too."""
_CLOSE_ENOUGH = 1e-9
"""Degrees: a tenth of a millimetre."""
_MOST_ROUNDS = 20

LatLong = tuple[float, float]
"""Latitude and longitude in degrees."""


class Datum(StrEnum):
    """What a latitude and a longitude are counted from."""

    WGS84 = "wgs84"  # satellites, OpenStreetMap, GeoJSON: what is stored
    GCJ02 = "gcj02"  # maps sold in China: AMap, Tencent, and phones that ask them


def to_wgs84(lat: float, long: float, datum: Datum) -> LatLong:
    """The same place in WGS-84. Outside the box around China both datums are one, and the point stays as it is."""
    if datum is Datum.WGS84 or not is_near_china(lat, long):
        return lat, long
    # The shift changes so slowly that each round leaves less than a hundredth of the error.
    found = lat, long
    for _ in range(_MOST_ROUNDS):
        north, east = _shift(*found)
        off_north, off_east = lat - found[0] - north, long - found[1] - east
        found = found[0] + off_north, found[1] + off_east
        if abs(off_north) < _CLOSE_ENOUGH and abs(off_east) < _CLOSE_ENOUGH:
            break
    return found


def to_gcj02(lat: float, long: float) -> LatLong:
    """A WGS-84 point as a Chinese map shows it; outside the box around China as it is."""
    if not is_near_china(lat, long):
        return lat, long
    north, east = _shift(lat, long)
    return lat + north, long + east


def is_near_china(lat: float, long: float) -> bool:
    """Whether it lies in the rough box in which GCJ-02 differs from WGS-84."""
    return _SOUTH <= lat <= _NORTH and _WEST <= long <= _EAST


def _shift(lat: float, long: float) -> LatLong:
    """By how many degrees GCJ-02 moves a point, to the north and to the east."""
    y, x = lat - _CENTRE[0], long - _CENTRE[1]
    ripple = 20 * _sine(6 * x) + 20 * _sine(2 * x)
    north = ripple + 20 * _sine(y) + 40 * _sine(y / 3) + 160 * _sine(y / 12) + 320 * _sine(y / 30)
    east = ripple + 20 * _sine(x) + 40 * _sine(x / 3) + 150 * _sine(x / 12) + 300 * _sine(x / 30)
    root = math.sqrt(abs(x))
    north_metres = north * 2 / 3 - 100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    east_metres = east * 2 / 3 + 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    flattened = 1 - _ECCENTRICITY_SQUARED * math.sin(math.radians(lat)) ** 2
    meridian = _AXIS_METRES * (1 - _ECCENTRICITY_SQUARED) / flattened**1.5
    parallel = _AXIS_METRES / math.sqrt(flattened) * math.cos(math.radians(lat))
    return math.degrees(north_metres / meridian), math.degrees(east_metres / parallel)


def _sine(turns: float) -> float:
    """Of half turns."""
    return math.sin(turns * math.pi)
