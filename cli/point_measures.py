"""What comes of many points looked up among outlines: how fast, where they lie, and whether the file says the same."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cli.point_files import Points
from domain.classified import FoundBy, Located
from policies.jurisdictions import Jurisdictions

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Speed:
    """Seconds of one processor; `whole` is the rule that a request meets, with borders and neighbours."""

    points: int
    whole: float
    single: float
    bulk: float


@dataclass(frozen=True)
class Looked:
    """Where each point lies; `differing` are those for which looking up one and many disagree: none, or it is a fault."""

    located: list[Located]
    speed: Speed
    differing: int


@dataclass(frozen=True)
class Agreement:
    """Of the points that lie in a district and of which the file says something.

    `usual` counts those of which it says the same as of most points in that district; that is `named` where it says the
    districts' own codes. `beside` are others that have a district for which it would be usual within the border's width.
    """

    said: int
    named: int
    usual: int
    beside: int


def look_up(jurisdictions: Jurisdictions, points: Points) -> Looked:
    """Every point by the whole rule, by the look-up alone, and all at once."""
    pairs = list(zip(points.lats.tolist(), points.longs.tolist(), strict=True))
    bulk, seconds_bulk = _timed(lambda: jurisdictions.districts_at(points.lats, points.longs))
    single, seconds_single = _timed(lambda: [jurisdictions.district_at(*point) for point in pairs])
    located, seconds_whole = _timed(lambda: [jurisdictions.locate(*point) for point in pairs])
    differing = sum(one != other for one, other in zip(bulk, single, strict=True))
    return Looked(located, Speed(len(pairs), seconds_whole, seconds_single, seconds_bulk), differing)


def found_by(looked: Looked) -> Counter[str]:
    """How many points were found by what; those outside by `neighbour` or `outside`."""
    return Counter(_how(each) for each in looked.located)


def agreement(jurisdictions: Jurisdictions, points: Points, looked: Looked) -> Agreement:
    """Whether what the file says of the points fits the districts that they were found in."""
    rows = [
        (located.district, said, place)
        for place, (located, said) in enumerate(zip(looked.located, points.said, strict=True))
        if located.district is not None and said
    ]
    by_district: dict[str, Counter[str]] = defaultdict(Counter)
    for district, said, _ in rows:
        by_district[district][said] += 1
    usual = {district: said.most_common(1)[0][0] for district, said in by_district.items()}
    others = [(said, place) for district, said, place in rows if usual[district] != said]
    beside = 0
    for said, place in others:
        near = jurisdictions.near(float(points.lats[place]), float(points.longs[place]))
        beside += any(usual.get(code) == said for code in near)
    named = sum(district == said for district, said, _ in rows)
    return Agreement(len(rows), named, len(rows) - len(others), beside)


def _how(located: Located) -> str:
    if located.outside:
        return "neighbour" if located.neighbour else "outside"
    return located.found_by or FoundBy.POINT


def _timed(work: Callable[[], Answer]) -> tuple[Answer, float]:
    started = time.process_time()
    answer = work()
    return answer, time.process_time() - started
