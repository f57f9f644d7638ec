"""Points and outlines from files, to check jurisdictions on: what is read of them, and nothing of it is shown."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry import shape

from classifier.given_files import UNREADABLE, opened
from domain.coordinates import Datum, to_wgs84
from domain.policy import District

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "lat": ("lat", "latitude", "Latitude"),
    "long": ("long", "lng", "lon", "longitude", "Longitude"),
    "district": ("district", "community_board", "borough", "county"),
}
"""The columns that are looked for, by what they say."""
_CODES = ("code", "BoroCD", "id", "name")
"""The properties that name an outline, the first that all of them have."""


class PointsUnusable(Exception):
    """The file cannot be used; the sentence says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Points:
    """Points in WGS-84; `said` is what the file says of where each lies, empty where it says nothing."""

    lats: NDArray[np.float64]
    longs: NDArray[np.float64]
    said: list[str]
    column: str | None
    skipped: int


def read_points(file: Path, named: Mapping[str, str], datum: Datum) -> Points:
    """Rows without a point on the globe are skipped. `named` overrides the names of columns. Raises PointsUnusable."""
    try:
        with opened(file) as lines:
            reader = csv.DictReader(lines)
            columns = _columns(reader.fieldnames or (), named)
            rows = [(_point(row, columns), (row.get(columns.get("district", "")) or "").strip()) for row in reader]
    except (*UNREADABLE, UnicodeDecodeError, csv.Error) as error:
        raise PointsUnusable(f"{file} cannot be read as CSV in UTF-8 ({type(error).__name__}).") from None
    found = [(to_wgs84(*point, datum), said) for point, said in rows if point is not None]
    if not found:
        raise PointsUnusable(f"{file} holds no row with a latitude and a longitude in degrees.")
    lats, longs = np.array([point for point, _ in found]).T
    return Points(lats, longs, [said for _, said in found], columns.get("district"), len(rows) - len(found))


def read_outlines(file: Path, code: str | None) -> tuple[District, ...]:
    """The features of a GeoJSON file as districts, each named by its property `code`. Raises PointsUnusable."""
    try:
        with opened(file) as lines:
            features = [feature for feature in json.load(lines)["features"] if feature["geometry"] is not None]
        wanted = code or next((each for each in _CODES if all(each in part["properties"] for part in features)), None)
        if wanted is None:
            raise PointsUnusable(f"{file}: say with --code which property names an outline.")
        codes = [str(feature["properties"][wanted]) for feature in features]
        areas = [shape(dict(feature["geometry"])) for feature in features]
    except (*UNREADABLE, ShapelyError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise PointsUnusable(
            f"{file} cannot be read as GeoJSON, or not every feature has that property ({type(error).__name__})."
        ) from None
    if not all(math.isfinite(area.area) and area.area > 0 for area in areas):
        raise PointsUnusable(f"{file}: not every feature is an area; outlines are polygons in degrees.")
    if not features:
        raise PointsUnusable(f"{file} has no outlines.")
    return tuple(
        District(name, {"en": name}, feature["geometry"]) for name, feature in zip(codes, features, strict=True)
    )


def _columns(there: Iterable[str], named: Mapping[str, str]) -> dict[str, str]:
    """The names of the columns by what they say."""
    known = set(there)
    if missing := set(named.values()) - known:
        raise PointsUnusable(f"The file has no column {' or '.join(sorted(missing))}.")
    found = {role: name for role, names in COLUMNS.items() for name in names[::-1] if name in known} | dict(named)
    if not {"lat", "long"} <= found.keys():
        raise PointsUnusable("The file has no columns for the point; they are looked for as lat and long, or latitude and longitude.")  # fmt: skip
    return found


def _point(row: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[float, float] | None:
    try:
        lat, long = float(row[columns["lat"]]), float(row[columns["long"]])
    except (TypeError, ValueError):
        return None
    is_there = math.isfinite(lat) and math.isfinite(long) and abs(lat) <= 90 and abs(long) <= 180
    return (lat, long) if is_there else None
