"""Jurisdictions: outlines that are real areas on the globe and do not claim the same ground."""

from __future__ import annotations

from itertools import combinations

from shapely import is_valid_reason
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from policies.checks.known import Known, doubled, incomplete
from policies.reading import Folder
from policies.schema import FeaturePart, JurisdictionsFile

FILE = "jurisdictions.geojson"
TOLERATED_OVERLAP = 0.01
"""Of the smaller area: outlines drawn by hand never fit exactly."""


def check_places(folder: Folder, known: Known) -> None:
    """Adds what is wrong with the districts."""
    form = folder.form(FILE, JurisdictionsFile)
    if form is None:
        return
    for code in doubled(feature.properties.code for feature in form.features):
        folder.add(FILE, f"features[{code}].code", "is given twice; each district needs a code of its own")
    outlines: dict[str, BaseGeometry] = {}
    for feature in form.features:
        key = f"features[{feature.properties.code}]"
        wrong = incomplete(known.languages, feature.properties.name)
        if wrong:
            folder.add(FILE, f"{key}.properties.name", wrong)
        outline = _outline(folder, f"{key}.geometry", feature)
        if outline is not None:
            outlines[feature.properties.code] = outline
    _check_overlaps(folder, outlines)


def _outline(folder: Folder, key: str, feature: FeaturePart) -> BaseGeometry | None:
    try:
        outline = shape({"type": feature.geometry.type, "coordinates": feature.geometry.coordinates})
    except (ShapelyError, ValueError, TypeError, IndexError):
        folder.add(FILE, key, "the coordinates do not make an area; draw the outline anew")
        return None
    west, south, east, north = outline.bounds if not outline.is_empty else (200.0,) * 4
    if outline.is_empty:
        folder.add(FILE, key, "the outline is empty; draw it")
    elif not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        folder.add(FILE, key, "the coordinates are not longitude and latitude in degrees (WGS-84), in this order")
    elif not outline.is_valid:
        folder.add(FILE, key, f"the outline crosses itself or is broken ({is_valid_reason(outline)}); draw it anew")
    else:
        return outline
    return None


def _check_overlaps(folder: Folder, outlines: dict[str, BaseGeometry]) -> None:
    for (one, outline), (other, second) in combinations(outlines.items(), 2):
        if not outline.intersects(second):
            continue
        share = outline.intersection(second).area / min(outline.area, second.area)
        if share > TOLERATED_OVERLAP:
            folder.add(
                FILE,
                f"features[{other}].geometry",
                f"{share:.0%} of it overlaps with {one}; one place has one district",
            )
