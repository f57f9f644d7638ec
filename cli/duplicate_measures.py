"""How well the search for duplicates does on requests of a file: what a dispatcher would have been shown as each came in.

Each request is compared with what was there when it came in, narrowed down as db/queries/candidates.sql does, and scored
by domain/similarity.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from statistics import median

from cli.duplicate_reports import Report
from domain.similarity import MOST_SHOWN, NEARBY_METRES, Point, compare

_METRES_PER_DEGREE = 111_195.0
RATED_WITHIN = timedelta(days=7)
"""How long an answered request waits for its rating, and so is still offered (the demonstration city's policy)."""
KEPT_FROM = 0.1
"""Scores below this are forgotten: no threshold is so low."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """What one request was likened to, the likeliest first, and how many it was compared with."""

    report: Report
    others: list[tuple[float, Report]]
    compared: int

    def shown(self, threshold: float) -> list[Report]:
        return [other for score, other in self.others[:MOST_SHOWN] if score >= threshold]


class Register:
    """The requests that have come in so far, found again as SQL would find them."""

    def __init__(self, window: timedelta, most: int) -> None:
        self._window, self._most = window, most
        self._by_category: dict[str, list[Report]] = defaultdict(list)
        self._unlocated: dict[str, list[Report]] = defaultdict(list)
        self._by_cell: dict[tuple[str, int, int], list[Report]] = defaultdict(list)

    def add(self, report: Report) -> None:
        (category,) = report.matter.categories
        self._by_category[category].append(report)
        if report.matter.point is None:
            self._unlocated[category].append(report)
        else:
            self._by_cell[category, *_cell(report.matter.point)].append(report)

    def preselected(self, report: Report) -> list[Report]:
        """Those near it, then the latest of its category of which nobody knows how near they are."""
        (category,) = report.matter.categories
        point = report.matter.point
        if point is None:
            return list(islice(self._latest(self._by_category[category], report), self._most))
        row, column = _cell(point)
        cells = ((row + up, column + right) for up in (-1, 0, 1) for right in (-1, 0, 1))
        near = [each for cell in cells for each in self._latest(self._by_cell.get((category, *cell), ()), report)]
        near.sort(key=lambda each: each.matter.submitted_at, reverse=True)
        unlocated = self._latest(self._unlocated[category], report)
        return [*near, *islice(unlocated, self._most)][: self._most]

    def _latest(self, reports: Sequence[Report], report: Report) -> Iterator[Report]:
        """Those of the window that were open, or had just been answered, when this one came; the latest first."""
        at = report.matter.submitted_at
        for each in reversed(reports):
            if each.matter.submitted_at < at - self._window:
                return
            if each.closed_at is None or each.closed_at + RATED_WITHIN > at:
                yield each


def _cell(point: Point) -> tuple[int, int]:
    lat, long = point
    # The cosine of whole degrees, so that neighbours lie in one grid.
    east = _METRES_PER_DEGREE * math.cos(math.radians(round(lat)))
    return int(lat * _METRES_PER_DEGREE // NEARBY_METRES), int(long * east // NEARBY_METRES)


def suggestions(reports: Iterable[Report], window: timedelta, most: int) -> Iterator[Suggested]:
    """For each request in turn what it is likened to. `reports` are in the order in which they were sent."""
    register = Register(window, most)
    for report in reports:
        others = register.preselected(report)
        scored = [(compare(report.matter, other.matter).score, other) for other in others]
        likely = [each for each in scored if each[0] >= KEPT_FROM]
        likely.sort(key=lambda each: (-each[0], each[1].matter.submitted_at))
        yield Suggested(report, likely, len(others))
        register.add(report)


Same = Callable[[Report, Report], bool]
"""Whether two requests are the same matter, as some definition has it that the score knows nothing of."""


def named_as_parent(report: Report, other: Report) -> bool:
    return report.parent == other.id


def share_half_of_their_sentences(report: Report, other: Report) -> bool:
    """At least half of the sentences of the one that has fewer stand in the other to the letter."""
    fewer = min(len(report.sentences), len(other.sentences))
    return fewer > 0 and 2 * len(report.sentences & other.sentences) >= fewer


def have_one_title(report: Report, other: Report) -> bool:
    return report.title != "" and report.title == other.title


def partners_of(reports: Sequence[Report], same: Same, window: timedelta) -> dict[str, set[str]]:
    """For each request the earlier ones of the window that are the same matter, where there are any."""
    found: dict[str, set[str]] = {}
    first = 0
    for number, report in enumerate(reports):
        while reports[first].matter.submitted_at < report.matter.submitted_at - window:
            first += 1
        if partners := {other.id for other in reports[first:number] if same(report, other)}:
            found[report.id] = partners
    return found


@dataclass(frozen=True, slots=True)
class Against:
    """How a threshold does where the partners are known."""

    threshold: float
    shown: int
    right: int  # of the shown, those that are the same matter
    found: int  # duplicates with at least one right one shown
    duplicates: int
    disturbed: int  # others for which something was shown
    others: int


def against_partners(
    suggested: Sequence[Suggested], partners: dict[str, set[str]], thresholds: Sequence[float]
) -> list[Against]:
    return [_against(suggested, partners, threshold) for threshold in thresholds]


def _against(suggested: Sequence[Suggested], partners: dict[str, set[str]], threshold: float) -> Against:
    shown = right = found = disturbed = 0
    for each in suggested:
        ids = {other.id for other in each.shown(threshold)}
        true = ids & partners.get(each.report.id, set())
        shown, right, found = shown + len(ids), right + len(true), found + bool(true)
        disturbed += bool(ids) and each.report.id not in partners
    return Against(threshold, shown, right, found, len(partners), disturbed, len(suggested) - len(partners))


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where the first true partner stood among all that was scored."""

    first: int
    in_three: int
    in_ten: int
    missing: int  # not among those compared, or likened by less than any threshold
    median: float | None


def ranks(suggested: Iterable[Suggested], partners: dict[str, set[str]]) -> Ranks:
    places: list[int | None] = []
    for each in suggested:
        if true := partners.get(each.report.id):
            ordered = (place for place, (_, other) in enumerate(each.others, 1) if other.id in true)
            places.append(next(ordered, None))
    there = [place for place in places if place is not None]
    return Ranks(
        first=sum(place == 1 for place in there),
        in_three=sum(place <= 3 for place in there),
        in_ten=sum(place <= MOST_SHOWN for place in there),
        missing=len(places) - len(there),
        median=median(there) if there else None,
    )


@dataclass(frozen=True, slots=True)
class Flagged:
    """How a threshold does where it is only known that a request was a duplicate, and not of which."""

    threshold: float
    duplicates_shown: int
    duplicates: int
    others_shown: int
    others: int


def against_flags(suggested: Sequence[Suggested], thresholds: Sequence[float]) -> list[Flagged]:
    flagged = [each for each in suggested if each.report.is_duplicate]
    others = [each for each in suggested if not each.report.is_duplicate]

    def number(of: Sequence[Suggested], threshold: float) -> int:
        return sum(bool(each.shown(threshold)) for each in of)

    return [Flagged(t, number(flagged, t), len(flagged), number(others, t), len(others)) for t in thresholds]


@dataclass(frozen=True, slots=True)
class Load:
    """What a dispatcher would look at."""

    threshold: float
    with_some: int
    rows: int


def load(suggested: Sequence[Suggested], thresholds: Sequence[float]) -> list[Load]:
    return [
        Load(t, sum(bool(each.shown(t)) for each in suggested), sum(len(each.shown(t)) for each in suggested))
        for t in thresholds
    ]
