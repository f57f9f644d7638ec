"""Names of places: each leads to a district or a neighbour, and no two areas go by one name."""

from __future__ import annotations

from collections import defaultdict

from policies.checks.known import Known, doubled, unknown
from policies.reading import Folder
from policies.schema import AreaPart, JurisdictionsFile, PlacesFile

FILE = "places.toml"
OUTLINES = "jurisdictions.geojson"
SHORTEST_NAME = 2


def check_gazetteer(folder: Folder, known: Known) -> None:
    """Adds what is wrong with the names of areas and of places in them."""
    form = folder.form(OUTLINES, JurisdictionsFile)
    areas = [feature.properties for feature in form.features] if form else []
    owners = _owners(areas)
    for area in areas:
        shared = sorted(name for name in _names(area) if len(owners[name]) > 1 and area.code != min(owners[name]))
        if shared:
            others = ", ".join(sorted(owners[shared[0]] - {area.code}))
            reason = f"'{shared[0]}' is a name of {others}, too; a name that two areas share tells nothing: remove one"
            folder.add(OUTLINES, f"features[{area.code}].properties.also_called", reason)
    places = folder.form(FILE, PlacesFile)
    for code, names in places.places.items() if places else ():
        wrong = _wrong(code, names, owners, known)
        if wrong:
            folder.add(FILE, f"places.{code}", wrong)


def _wrong(code: str, names: list[str], owners: dict[str, set[str]], known: Known) -> str | None:
    areas = None if known.districts is None or known.neighbours is None else known.districts | known.neighbours
    if (wrong := unknown("district or neighbour", code, areas)) is not None:
        return wrong
    if short := [name for name in names if len(name) < SHORTEST_NAME]:
        return f"'{short[0]}' is too short for the name of a place; write at least {SHORTEST_NAME} characters"
    if twice := doubled(name.casefold() for name in names):
        return f"'{twice[0]}' stands here twice; remove one"
    for name in names:
        if others := sorted(owners.get(name.casefold(), set()) - {code}):
            return f"'{name}' is the name of {others[0]}; remove it here"
    return None


def _owners(areas: list[AreaPart]) -> dict[str, set[str]]:
    """The codes of the areas that go by each name."""
    found: dict[str, set[str]] = defaultdict(set)
    for area in areas:
        for name in _names(area):
            found[name].add(area.code)
    return found


def _names(area: AreaPart) -> set[str]:
    return {name.casefold() for name in (*area.name.values(), *area.also_called)}
