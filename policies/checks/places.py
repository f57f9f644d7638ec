"""Jurisdictions: outlines that are real areas on the globe, ground that each has to itself, and neighbours with a route."""

from __future__ import annotations

from shapely import STRtree, is_valid_reason
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from policies.checks.known import Known, doubled, incomplete, unknown
from policies.reading import Folder
from policies.schema import FeaturePart, JurisdictionsFile

FILE = "jurisdictions.geojson"
SLIVER = 0.01
"""Of the smaller area: outlines drawn by hand never fit exactly. What overlaps more is told, for the first one has it."""
NOTHING_LEFT = 0.99
"""Of an area: where so much lies in one that goes before it, no request would ever reach it."""


def check_places(folder: Folder, known: Known) -> None:
    """Adds what is wrong with the districts and neighbours, and warns of ground that two of them claim."""
    form = folder.form(FILE, JurisdictionsFile)
    if form is None:
        return
    for code in doubled(feature.properties.code for feature in form.features):
        folder.add(
            FILE, f"features[{code}].code", "is given twice; each district and neighbour needs a code of its own"
        )
    outlines: dict[str, BaseGeometry] = {}
    for feature in (*form.districts, *(neighbour for neighbour, _ in form.neighbours)):
        key = f"features[{feature.properties.code}]"
        wrong = incomplete(known.languages, feature.properties.name)
        if wrong:
            folder.add(FILE, f"{key}.properties.name", wrong)
        outline = _outline(folder, f"{key}.geometry", feature)
        if outline is not None:
            outlines.setdefault(feature.properties.code, outline)
    _check_overlaps(folder, outlines, {neighbour.properties.code for neighbour, _ in form.neighbours})
    _check_routes(folder, form, known)


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


def _check_overlaps(folder: Folder, outlines: dict[str, BaseGeometry], neighbours: set[str]) -> None:
    """In the order in which they are looked up: the districts first, then the neighbours."""
    codes, areas = list(outlines), list(outlines.values())
    pairs = STRtree(areas).query(areas, predicate="intersects").T.tolist()
    for earlier, later in sorted((one, other) for one, other in pairs if one < other):
        shared = areas[earlier].intersection(areas[later]).area
        key, first = f"features[{codes[later]}].geometry", codes[earlier]
        if shared / areas[later].area > NOTHING_LEFT:
            mend = "draw it beside" if codes[later] in neighbours else f"put it before {first}"
            folder.add(
                FILE, key, f"all of it lies in {first}, which goes before it and would have every request; {mend}"
            )
        elif (share := shared / min(areas[earlier].area, areas[later].area)) > SLIVER:
            folder.warn(
                FILE,
                key,
                f"{share:.0%} of the smaller one overlaps with {first}, which goes before it and has that ground",
            )


def _check_routes(folder: Folder, form: JurisdictionsFile, known: Known) -> None:
    for feature, neighbour in form.neighbours:
        key = f"features[{feature.properties.code}].properties.neighbour"
        wrong = unknown("decline reason", neighbour.decline_reason, known.decline_reasons)
        if wrong:
            folder.add(FILE, f"{key}.decline_reason", wrong)
        target = neighbour.transfer_target
        wrong = unknown("transfer target", target, known.transfer_targets) if target is not None else None
        if wrong:
            folder.add(FILE, f"{key}.transfer_target", wrong)
