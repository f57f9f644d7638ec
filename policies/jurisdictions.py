"""Which district a place lies in, or which neighbour: by its coordinates, and by the names that the text mentions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from domain.classified import Located
from domain.lexicon import Lexicon
from domain.locating import Around, Named, locate
from domain.policy import District, Neighbour, Policy
from domain.text_forms import Forms
from policies.outlines import NOWHERE, Numbers, Outlines

_OF_AREAS = "区县市州盟旗镇乡"
"""A name that ends so is that of an area whatever follows: 清音区路灯 is no road."""
_ROADS = {
    "zh": ("路", "大道", "大街", "街", "巷", "弄", "胡同"),
    "en": (" road", " street", " avenue", " lane", " boulevard", " drive"),
}


class Jurisdictions:
    """The districts and neighbours of one policy, ready to be looked up; see `Jurisdictions.from_policy`."""

    def __init__(self, policy: Policy) -> None:
        areas: tuple[District | Neighbour, ...] = (*policy.districts, *policy.neighbours)
        self._codes = [area.code for area in areas]
        self._order = {code: place for place, code in enumerate(self._codes)}
        self._districts = len(policy.districts)
        self._neighbours = frozenset(neighbour.code for neighbour in policy.neighbours)
        self._border_metres = policy.city.border_metres
        self._outlines = Outlines(area.geometry for area in areas)
        self._names = Lexicon(
            [
                *(entry for area in areas for entry in _names_of(area)),
                *(
                    (_language(name), name, code)
                    for code, names in policy.places.items()
                    for name in names
                    if code in self._order
                ),
            ]
        )

    @staticmethod
    def from_policy(policy: Policy) -> Jurisdictions:
        """The jurisdictions of that policy; built once for each version."""
        return _built(policy)

    def locate(self, lat: float | None, long: float | None, *, place: str = "", text: str = "") -> Located:
        """The rule of docs/decisions/0018-where-a-matter-is.md; `place` is the place and the address that were given,
        `text` title and description. In a city that has drawn no districts only what lies in a neighbour is outside."""
        in_place = self.named(place)
        named = Named(in_place, () if in_place else self.named(text))
        around = None if lat is None or long is None else self._around(lat, long, named)
        return locate(self._neighbours, around, named)

    def district_at(self, lat: float, long: float) -> str | None:
        """The district whose outline holds that point (WGS-84 degrees), its border included; None where none does.

        On a border between districts it is the one that the policy names first.
        """
        found = self._outlines.holding(lat, long)
        return self._codes[found[0]] if found and found[0] < self._districts else None

    def districts_at(self, lats: Numbers, longs: Numbers) -> list[str | None]:
        """`district_at` for many points at once."""
        codes = [*self._codes[: self._districts], *[None] * (len(self._codes) - self._districts)]
        return [None if each == NOWHERE else codes[each] for each in self._outlines.first_holding(lats, longs)]

    def near(self, lat: float, long: float) -> tuple[str, ...]:
        """The districts and neighbours within the policy's distance of doubt, the nearest first."""
        return tuple(self._codes[each] for each in self._outlines.within(self._border_metres, lat, long))

    def named(self, text: str) -> tuple[str, ...]:
        """The districts and neighbours that the names in the text leave possible, in the policy's order.

        A street that lies in several narrows them down together with a district: what all names agree on counts, and where
        they agree on nothing all of them.
        """
        found = [set(codes) for _, codes in self._names.find(Forms.of(text))] if text else []
        if not found:
            return ()
        agreed = set.intersection(*found) or set.union(*found)
        return tuple(sorted(agreed, key=self._order.__getitem__))

    def _around(self, lat: float, long: float, named: Named) -> Around | None:
        inside = tuple(self._codes[each] for each in self._outlines.holding(lat, long))
        if not inside and not self._districts:
            return None
        names = named.in_place or named.in_text
        # Measuring takes ten times as long as looking up.
        asked = not inside or (names and not set(names) & set(inside))
        return Around(inside, self.near(lat, long) if asked else ())


def _names_of(area: District | Neighbour) -> Iterator[tuple[str, str, str | None]]:
    """Its names for the lexicon, and without a sense the roads that only bear its name: 北京路 is in every city."""
    named = [*area.name.items(), *((_language(name), name) for name in area.also_called)]
    for language, name in named:
        yield language, name, area.code
    for language, name in named:
        yield from ((language, road, None) for road in _roads(language, name))
        if language == "zh" and name[-1] not in _OF_AREAS:
            yield language, f"{name}街道", area.code  # a street office is no street


def _roads(language: str, name: str) -> Iterable[str]:
    if name[-1] in _OF_AREAS or name.casefold().endswith((" district", " county", " city")):
        return ()
    return (name + road for road in _ROADS.get(language, ()))


def _language(name: str) -> str:
    return "en" if name.isascii() else "zh"


@lru_cache(maxsize=8)
def _built(policy: Policy) -> Jurisdictions:
    return Jurisdictions(policy)
