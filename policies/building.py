"""A policy folder without mistakes becomes a policy."""

from __future__ import annotations

from typing import Any

from domain import plain
from domain.coordinates import Datum, to_wgs84
from domain.notices import NoticeKind
from domain.policy import Policy
from policies.reading import CHANNELS, WORDS, Folder
from policies.schema import (
    CalendarFile,
    CategoriesFile,
    ChainsFile,
    CityFile,
    DangerExamplesFile,
    DepartmentsFile,
    ElsewhereFile,
    FeaturePart,
    JurisdictionsFile,
    PlacesFile,
    ServiceLevelFile,
    WatchwordsFile,
    WordsFile,
)


def build(folder: Folder) -> Policy:
    """The policy that the folder describes; only for one in which no mistake was found."""
    city = _need(folder, "city.toml", CityFile)
    elsewhere = _need(folder, "elsewhere.toml", ElsewhereFile)
    jurisdictions = _need(folder, "jurisdictions.geojson", JurisdictionsFile)
    places = folder.form("places.toml", PlacesFile)
    content = {
        "city": city.model_dump(mode="json", include={"name", "languages", "phone", "coordinates", "border_metres"}),
        **city.model_dump(mode="json", include={"quiet_hours", "reminders", "feedback", "triage", "limits"}),
        "departments": _dumped(_need(folder, "departments.toml", DepartmentsFile).department),
        "categories": _categories(folder),
        "service_levels": _levels(folder),
        "chains": [
            {"code": chain.code, "rungs": _dumped(chain.rung)}
            for chain in _need(folder, "chains.toml", ChainsFile).chain
        ],
        "calendar": _calendar(_need(folder, "calendar.toml", CalendarFile), city.zone),
        "texts": {language: _texts(folder, language) for language in city.languages},
        "watches": _dumped(_need(folder, "watchwords.toml", WatchwordsFile).watch),
        "decline_reasons": _dumped(elsewhere.decline_reason),
        "transfer_targets": _dumped(elsewhere.transfer_target),
        "districts": [_area(feature, jurisdictions.datum) for feature in jurisdictions.districts],
        "neighbours": [
            {**_area(feature, jurisdictions.datum), **part.model_dump()} for feature, part in jurisdictions.neighbours
        ],
        "places": places.places if places else {},
        "danger_examples": _dumped([form for _, form in folder.forms_in("dangers", DangerExamplesFile)]),
    }
    return plain.from_plain(Policy, content)


def level_parts(code: str, form: ServiceLevelFile) -> dict[str, dict[str, Any]]:
    """The service level of a file and its variants, by code; a variant has what it does not name from the file."""
    whole = {name: getattr(form, name) for name in type(form).model_fields if name != "variant"}
    found = {code: whole}
    for name, variant in form.variant.items():
        own = {field: getattr(variant, field) for field in variant.model_fields_set}
        found[f"{code}-{name}"] = {**whole, **own}
    return found


def _need(folder: Folder, name: str, kind: type[Any]) -> Any:
    form = folder.form(name, kind)
    assert form is not None, name
    return form


def _dumped(parts: list[Any]) -> list[dict[str, Any]]:
    return [part.model_dump(mode="json") for part in parts]


def _categories(folder: Folder) -> list[dict[str, Any]]:
    return [
        {**category.model_dump(mode="json"), "group": dict(form.group)}
        for _, form in folder.forms_in("categories", CategoriesFile)
        for category in form.category
    ]


def _levels(folder: Folder) -> list[dict[str, Any]]:
    return [
        {"code": code, **plain.to_plain(parts)}
        for file, form in folder.forms_in("service_levels", ServiceLevelFile)
        for code, parts in level_parts(file.stem, form).items()
    ]


def _calendar(form: CalendarFile, zone: str) -> dict[str, Any]:
    dumped = form.model_dump(mode="json")
    return {
        "zone": zone,
        "week": dumped["week"],
        "holidays": dumped["holiday"],
        "make_up_days": dumped["make_up_day"],
        "published_years": dumped["published_years"],
    }


def _area(feature: FeaturePart, datum: Datum) -> dict[str, Any]:
    """A district, or what a neighbour has in common with one."""
    geometry = {"type": feature.geometry.type, "coordinates": _in_wgs84(feature.geometry.coordinates, datum)}
    return {**feature.properties.model_dump(exclude={"neighbour"}), "geometry": geometry}


def _in_wgs84(part: list[Any], datum: Datum) -> list[Any]:
    """Every corner of an outline, however deep the lists; a third number, a height, goes."""
    if datum is Datum.WGS84:
        return part
    if isinstance(part[0], list):
        return [_in_wgs84(inner, datum) for inner in part]
    lat, long = to_wgs84(part[1], part[0], datum)
    return [round(long, 7), round(lat, 7)]


def _texts(folder: Folder, language: str) -> dict[str, Any]:
    words = _need(folder, f"texts/{language}/{WORDS}", WordsFile)
    notices = {
        kind.value: {channel: folder.texts[language, kind, channel] for channel in CHANNELS} for kind in NoticeKind
    }
    return {"notices": notices, **words.model_dump()}
