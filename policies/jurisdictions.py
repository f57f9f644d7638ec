"""Which district a place lies in: by its coordinates, or by a name that the text mentions."""

from __future__ import annotations

from functools import lru_cache

from shapely import Point, STRtree, prepare
from shapely.geometry import shape

from domain.lexicon import Forms, Lexicon
from domain.policy import Policy


class Jurisdictions:
    """The districts of one policy, ready to be looked up; see `Jurisdictions.from_policy`."""

    def __init__(self, policy: Policy) -> None:
        self._codes = [district.code for district in policy.districts]
        outlines = [shape(dict(district.geometry)) for district in policy.districts]
        for outline in outlines:
            prepare(outline)
        self._tree = STRtree(outlines)
        self._names = Lexicon(
            (language, name, district.code)
            for district in policy.districts
            for language, name in [*district.name.items(), *map(_with_language, district.also_called)]
        )

    @staticmethod
    def from_policy(policy: Policy) -> Jurisdictions:
        """The jurisdictions of that policy; built once for each version."""
        return _built(policy)

    def district_at(self, long: float, lat: float) -> str | None:
        """The district at that place (WGS-84 degrees), its border included; None outside the city.

        On a border between districts it is the one that the policy names first.
        """
        found = self._tree.query(Point(long, lat), predicate="intersects")
        return self._codes[min(found)] if len(found) else None

    def district_named(self, text: str) -> str | None:
        """The district whose name the text mentions; None where it mentions none, or several."""
        named = {code for _, codes in self._names.find(Forms.of(text)) for code in codes}
        return named.pop() if len(named) == 1 else None


def _with_language(name: str) -> tuple[str, str]:
    return ("en" if name.isascii() else "zh", name)


@lru_cache(maxsize=8)
def _built(policy: Policy) -> Jurisdictions:
    return Jurisdictions(policy)
