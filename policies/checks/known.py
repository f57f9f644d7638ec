"""The codes that a folder defines, and the sentence for one that it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from policies.mistakes import did_you_mean
from policies.reading import Folder
from policies.schema import CityFile

Codes = frozenset[str] | None
"""None: not known, because the file that defines them could not be read; then nothing is said of references to them."""

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Known:
    """All codes of a folder by what they name."""

    languages: tuple[str, ...]
    departments: Codes
    categories: Codes
    levels: Codes
    chains: Codes
    districts: Codes
    neighbours: Codes
    decline_reasons: Codes
    transfer_targets: Codes


def known_in(folder: Folder) -> Known:
    """What the folder defines, entries with other mistakes included."""
    city = folder.form("city.toml", CityFile)
    return Known(
        languages=tuple(city.languages) if city else LANGUAGES,
        departments=folder.codes("departments.toml", "department"),
        categories=_categories(folder),
        levels=_levels(folder),
        chains=folder.codes("chains.toml", "chain"),
        districts=_areas(folder, neighbours=False),
        neighbours=_areas(folder, neighbours=True),
        decline_reasons=folder.codes("elsewhere.toml", "decline_reason"),
        transfer_targets=folder.codes("elsewhere.toml", "transfer_target"),
    )


def unknown(what: str, code: str, codes: Codes) -> str | None:
    """The sentence for a code that nothing defines; None for a good one."""
    if codes is None or code in codes:
        return None
    return f"there is no {what} '{code}'.{did_you_mean(code, codes)}"


def doubled(codes: Iterable[str]) -> list[str]:
    """The codes that occur more than once."""
    return sorted(code for code, times in Counter(codes).items() if times > 1)


def incomplete(languages: Iterable[str], given: Iterable[str]) -> str | None:
    """The sentence for a text that lacks a language of the city, or has one that the city does not speak."""
    wanted, given = set(languages), set(given)
    if wanted - given:
        return f"the text in {' and '.join(sorted(wanted - given))} is missing; add it"
    if given - wanted:
        return f"{' and '.join(sorted(given - wanted))} is not a language of this city (city.toml: languages)"
    return None


def _areas(folder: Folder, *, neighbours: bool) -> Codes:
    """The districts, or the neighbours, which are features of the same file."""
    claimed = folder.codes("jurisdictions.geojson", "features", "properties")
    if claimed is None:
        return None
    features = folder.raw[PurePosixPath("jurisdictions.geojson")]["features"]
    properties = [
        part for each in features if isinstance(each, dict) and isinstance(part := each.get("properties"), dict)
    ]
    apart = {part.get("code") for part in properties if part.get("neighbour") is not None}
    return claimed & apart if neighbours else claimed - apart


def _categories(folder: Folder) -> Codes:
    files = _all_readable(folder, "categories")
    return frozenset(code for file in files for code in folder.codes(str(file), "category") or ()) or None


def _levels(folder: Folder) -> Codes:
    files = _all_readable(folder, "service_levels")
    return frozenset(code for file in files for code in (file.stem, *_variants(folder, file))) or None


def _variants(folder: Folder, file: PurePosixPath) -> list[str]:
    variants = folder.raw[file].get("variant", {})
    return [f"{file.stem}-{code}" for code in variants] if isinstance(variants, dict) else []


def _all_readable(folder: Folder, name: str) -> list[PurePosixPath]:
    """The files of that folder, or none at all if one of them could not be read."""
    if any(file.parts[0] == name for file in folder.unreadable):
        return []
    return [file for file in folder.raw if file.parts[0] == name]
