"""What a city decides and may change without a programmer: departments, categories, promises, chains, calendar, texts.

A policy is a value. Its version is the hash of its content; a request keeps the version it was assigned under.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from domain import durations, plain
from domain.calendar import Calendar, Period
from domain.coordinates import Datum
from domain.danger_examples import DangerExamples
from domain.durations import Clock, Duration
from domain.promises import (
    DEPARTMENT_SELECTOR,
    PARENT,
    Chain,
    Feedback,
    Limits,
    Names,
    Rung,
    Selector,
    ServiceLevel,
    Triage,
)
from domain.request import Urgency

__all__ = [
    "DEPARTMENT_SELECTOR", "PARENT", "Calendar", "Category", "Chain", "City", "Clock", "DangerExamples", "DeclineReason", "Department",
    "DepartmentKind", "District", "Duration", "Feedback", "Limits", "Names", "Neighbour", "Period", "Policy", "Rung", "Selector",
    "ServiceLevel", "Texts", "TransferTarget", "Triage", "Watch", "from_plain", "in_language", "shortened", "to_plain",
    "version_of",
]  # fmt: skip


BORDER_METRES = 50
"""Half a wide road, a telephone's error between houses, and what a hand-drawn outline is off."""


class DepartmentKind(StrEnum):
    """The level of the tree a department stands on."""

    CITY = "city"
    DEPARTMENT = "department"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"


@dataclass(frozen=True)
class City:
    """`phone` is shown to citizens; the first language is the one for people who chose none.

    `coordinates` is what points that come without a datum are given in. A point that is no more than `border_metres` from
    a border may lie on its other side.
    """

    name: Names
    languages: tuple[str, ...]
    phone: str | None = None
    coordinates: Datum = Datum.WGS84
    border_metres: int = BORDER_METRES


@dataclass(frozen=True)
class Department:
    """Who works on requests. `districts` are those it serves; none means all of them. `phone` is for public display."""

    code: str
    name: Names
    kind: DepartmentKind
    parent: str | None = None
    phone: str | None = None
    districts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Category:
    """A kind of problem, in the words of the people who have it.

    `keywords` are words that speak for it on their own, `hints` such that only support it. `department` is its route;
    where the district is known `by_district` goes before it, and then the department of the kind `district_office` that
    serves the district. `sensitive` ones always pass a person first; `review` asks
    for a second pair of eyes before the citizen is answered.
    """

    code: str
    name: Names
    tell_us: Names
    group: Names
    service_level: str
    chain: str
    department: str | None = None
    by_district: Mapping[str, str] = field(default_factory=dict)
    district_office: DepartmentKind | None = None
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    urgency: Urgency = Urgency.NORMAL
    sensitive: bool = False
    review: bool = False
    place_required: bool = False
    photo_required: bool = False
    call_back: bool = False


@dataclass(frozen=True)
class Watch:
    """Words that mean danger to life, or a matter that a person must see first. A false alarm is better than a miss.

    `together` are words that mean it only in one clause (domain/phrases.py). `unless` are longer words that hold one of
    `words` but mean nothing of the kind. `category` is where a danger goes if the request's own category is not one of
    danger.
    """

    code: str
    name: Names
    words: Mapping[str, tuple[str, ...]]
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    danger: bool = False
    sensitive: bool = False
    category: str | None = None
    together: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class DeclineReason:
    """Why a request is not for this channel, and `route`: where its sender finds help instead.

    Where `words`, or words `together` in one clause, speak for it, it is proposed to a person; `unless` as in a watch.
    """

    code: str
    name: Names
    route: Names
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    together: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class TransferTarget:
    """Whom a request can be handed over to outside the city's own departments."""

    code: str
    name: Names


@dataclass(frozen=True)
class District:
    """A part of the city: its outline (GeoJSON geometry, WGS-84) and the names people call it by."""

    code: str
    name: Names
    geometry: Mapping[str, Any]
    also_called: tuple[str, ...] = ()


@dataclass(frozen=True)
class Neighbour:
    """A city or county beside ours, outside the jurisdiction: its outline as that of a district, and what is proposed for
    a matter there: the reason to decline, which names the right route, or the transfer target where it takes requests over.
    """

    code: str
    name: Names
    geometry: Mapping[str, Any]
    decline_reason: str
    also_called: tuple[str, ...] = ()
    transfer_target: str | None = None


@dataclass(frozen=True)
class Texts:
    """All texts of one language. `notices` by kind and channel; `states` and `timeline` by code; `missing` stands in for
    a value that is not known yet, by the name of its placeholder."""

    notices: Mapping[str, Mapping[str, str]]
    states: Names
    timeline: Names
    missing: Names


@dataclass(frozen=True, eq=False)
class Policy:
    """All that one city decides. Two policies are the same if their content is.

    `places` are names of streets, estates and landmarks by the district or neighbour that they lie in.
    """

    city: City
    departments: tuple[Department, ...]
    categories: tuple[Category, ...]
    service_levels: tuple[ServiceLevel, ...]
    chains: tuple[Chain, ...]
    calendar: Calendar
    reminders: tuple[float, ...]
    feedback: Feedback
    triage: Triage
    limits: Limits
    texts: Mapping[str, Texts]
    quiet_hours: tuple[Period, ...] = ()
    watches: tuple[Watch, ...] = ()
    decline_reasons: tuple[DeclineReason, ...] = ()
    transfer_targets: tuple[TransferTarget, ...] = ()
    districts: tuple[District, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    danger_examples: tuple[DangerExamples, ...] = ()
    version: str = field(default="", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", version_of(to_plain(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.version == other.version

    def __hash__(self) -> int:
        return hash(self.version)

    # Lookups by code raise KeyError for an unknown one.

    def department(self, code: str) -> Department:
        return self._departments[code]

    def category(self, code: str) -> Category:
        return self._categories[code]

    def service_level(self, code: str) -> ServiceLevel:
        return self._service_levels[code]

    def chain(self, code: str) -> Chain:
        return self._chains[code]

    def decline_reason(self, code: str) -> DeclineReason:
        return {reason.code: reason for reason in self.decline_reasons}[code]

    def transfer_target(self, code: str) -> TransferTarget:
        return {target.code: target for target in self.transfer_targets}[code]

    def neighbour(self, code: str) -> Neighbour:
        return {neighbour.code: neighbour for neighbour in self.neighbours}[code]

    def office(self, kind: DepartmentKind, district: str) -> Department | None:
        """The first department of that kind that serves this district by name, one for all districts aside."""
        return next((each for each in self.departments if each.kind is kind and district in each.districts), None)

    def has_department(self, code: str) -> bool:
        return code in self._departments

    def has_category(self, code: str) -> bool:
        return code in self._categories

    def above(self, code: str) -> tuple[Department, ...]:
        """The departments above that one, nearest first."""
        found: list[Department] = []
        parent = self.department(code).parent
        while parent is not None:
            found.append(self.department(parent))
            parent = found[-1].parent
        return tuple(found)

    def below(self, code: str) -> tuple[str, ...]:
        """The codes of that department and of all below it, in the policy's order."""
        return tuple(d.code for d in self.departments if d.code == code or code in {a.code for a in self.above(d.code)})

    @property
    def zone(self) -> str:
        return self.calendar.zone

    @cached_property
    def _departments(self) -> dict[str, Department]:
        return {department.code: department for department in self.departments}

    @cached_property
    def _categories(self) -> dict[str, Category]:
        return {category.code: category for category in self.categories}

    @cached_property
    def _service_levels(self) -> dict[str, ServiceLevel]:
        return {level.code: level for level in self.service_levels}

    @cached_property
    def _chains(self) -> dict[str, Chain]:
        return {chain.code: chain for chain in self.chains}


def in_language(names: Names, language: str) -> str:
    """The text in that language, or in the first there is."""
    return names.get(language) or next(iter(names.values()), "")


def to_plain(policy: Policy) -> dict[str, Any]:
    """The content as JSON types, without the version, which is its hash."""
    content: dict[str, Any] = plain.to_plain(policy)
    return content


def from_plain(content: Mapping[str, Any], version: str | None = None) -> Policy:
    """The policy with that content. Raises `plain.Malformed` where it is not one.

    `version` is the name under which the content was kept: it stays, even where this program knows more fields than the
    one that named it, or fewer. Those that it does not know it leaves out: they are what it cannot do.
    """
    policy = plain.from_plain(Policy, dict(content), strict=version is None)
    if version is not None:
        object.__setattr__(policy, "version", version)
    return policy


def version_of(content: Mapping[str, Any]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the content, written with sorted keys and without spaces."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def shortened(policy: Policy, seconds_per_working_day: float) -> Policy:
    """The same policy for demonstrations and load: every duration in seconds of the wall clock, a day lasting that many.

    An hour lasts an eighth of a day. Quiet hours are lifted, for they would hold a whole demonstration back; retention
    stays, for nobody wants a demonstration to vanish.
    """
    short: Policy = _shorten_all(policy, seconds_per_working_day)
    levels = tuple(replace(level, clock=Clock.WALL) for level in short.service_levels)
    return replace(short, service_levels=levels, quiet_hours=())


def _shorten_all(value: Any, seconds: float) -> Any:
    if isinstance(value, Duration):
        return durations.shortened(value, seconds)
    if isinstance(value, tuple):
        return tuple(_shorten_all(item, seconds) for item in value)
    if is_dataclass(value) and not isinstance(value, (type, Calendar)):
        changed = {each.name: _shorten_all(getattr(value, each.name), seconds) for each in fields(value) if each.init}
        return replace(value, **changed)
    return value
