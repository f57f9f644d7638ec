"""The files of a policy folder: which fields each may have, in the form a city's engineer writes them.

One model a file. A field that is not named here is a mistake, for it would be a wish that nobody hears.
"""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, StringConstraints

from domain.calendar import Period
from domain.coordinates import Datum
from domain.durations import Clock, Duration
from domain.policy import BORDER_METRES, DepartmentKind
from domain.promises import CLOSE_MARGIN, FIVE_WORKING_DAYS, HALF_A_YEAR
from domain.request import Urgency


def _duration(value: object) -> Duration:
    if not isinstance(value, str):
        raise ValueError('write a duration in quotes, like "5 working days"')
    if value.strip().startswith("-"):
        raise ValueError("a duration cannot be negative")
    return Duration.parse(value)


def _positive(value: object) -> Duration:
    duration = _duration(value)
    if not duration:
        raise ValueError("a duration of nothing cannot be kept; write how long it may take")
    return duration


def _period(value: object) -> Period:
    if not isinstance(value, str):
        raise ValueError('write a working period in quotes, like "08:30-12:00"')
    return Period.parse(value)


def _night(value: object) -> tuple[Period, ...]:
    """ "21:00-08:00" is two periods, one on each side of midnight."""
    if not isinstance(value, str) or value.count("-") != 1:
        raise ValueError('write quiet hours like "21:00-08:00"')
    start, end = (part.strip() for part in value.split("-"))
    if start <= end:
        return (Period.parse(value),)
    evening = Period.parse(f"{start}-24:00")
    return (evening,) if end == "00:00" else (evening, Period.parse(f"00:00-{end}"))


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
ByLanguage = dict[str, Text]
Words = dict[str, list[Text]]
Wait = Annotated[Duration, PlainValidator(_duration), PlainSerializer(str)]
Span = Annotated[Duration, PlainValidator(_positive), PlainSerializer(str)]
Working = Annotated[Period, PlainValidator(_period), PlainSerializer(str)]
Night = Annotated[
    tuple[Period, ...], PlainValidator(_night), PlainSerializer(lambda parts: [str(part) for part in parts])
]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class FeedbackPart(_Part):
    remind_after: Span
    close_after: Span
    reopen_window: Span
    review_share: Share
    call_share: Share
    rework_level: Code
    call_within: Span = FIVE_WORKING_DAYS


class TriagePart(_Part):
    service_level: Code
    chain: Code
    threshold: Annotated[float, Field(gt=0, le=1)]
    close_margin: Share = CLOSE_MARGIN
    second_opinion_assigns: bool = False


class LimitsPart(_Part):
    urge_interval: Span
    heartbeat_after: Span
    answer_within: Span
    retention_days: Annotated[int, Field(ge=1, le=36_500)]
    longest_hold: Span = HALF_A_YEAR


class CityFile(_Part):
    name: ByLanguage
    zone: str
    languages: Annotated[list[Literal["zh", "en"]], Field(min_length=1)]
    phone: Text | None = None
    coordinates: Datum = Datum.WGS84
    border_metres: Annotated[int, Field(ge=0, le=1000)] = BORDER_METRES
    quiet_hours: Night = ()
    reminders: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(max_length=2)]
    feedback: FeedbackPart
    triage: TriagePart
    limits: LimitsPart


class DepartmentPart(_Part):
    code: Code
    name: ByLanguage
    kind: DepartmentKind
    parent: Code | None = None
    phone: Text | None = None
    districts: list[Code] = []


class DepartmentsFile(_Part):
    department: Annotated[list[DepartmentPart], Field(min_length=1)]


class CategoryPart(_Part):
    code: Code
    name: ByLanguage
    tell_us: ByLanguage
    service_level: Code
    chain: Code
    department: Code | None = None
    by_district: dict[str, Code] = {}
    district_office: DepartmentKind | None = None
    keywords: Words = {}
    hints: Words = {}
    urgency: Urgency = Urgency.NORMAL
    sensitive: bool = False
    review: bool = False
    place_required: bool = False
    photo_required: bool = False
    call_back: bool = False


class CategoriesFile(_Part):
    group: ByLanguage
    category: Annotated[list[CategoryPart], Field(min_length=1)]


class LevelParts(_Part):
    """A variant changes what it names; its code is that of the file, a dash, and its own."""

    name: ByLanguage
    clock: Clock | None = None
    accept: Span | None = None
    contact: Span | None = None
    resolve: Span | None = None
    extension_max: Span | None = None
    return_within: Span | None = None


class ServiceLevelFile(_Part):
    name: ByLanguage
    clock: Clock
    accept: Span
    contact: Span
    resolve: Span
    extension_max: Span | None = None
    return_within: Span | None = None
    variant: dict[Code, LevelParts] = {}


class RungPart(_Part):
    level: Annotated[int, Field(ge=1, le=3)]
    after: Wait
    notify: Annotated[list[Text], Field(min_length=1)]
    take_over: Code | None = None


class ChainPart(_Part):
    code: Code
    rung: Annotated[list[RungPart], Field(min_length=1, max_length=3)]


class ChainsFile(_Part):
    chain: Annotated[list[ChainPart], Field(min_length=1)]


class WeekPart(_Part):
    monday: list[Working] = []
    tuesday: list[Working] = []
    wednesday: list[Working] = []
    thursday: list[Working] = []
    friday: list[Working] = []
    saturday: list[Working] = []
    sunday: list[Working] = []


class HolidayPart(_Part):
    name: ByLanguage
    first_on: date
    last_on: date


class MakeUpDayPart(_Part):
    name: ByLanguage
    on: date
    periods: list[Working] = []


class CalendarFile(_Part):
    published_years: list[Annotated[int, Field(ge=1972, le=2499)]] = []
    week: WeekPart
    holiday: list[HolidayPart] = []
    make_up_day: list[MakeUpDayPart] = []


class WatchPart(_Part):
    code: Code
    name: ByLanguage
    words: Words
    together: Words = {}
    unless: Words = {}
    danger: bool = False
    sensitive: bool = False
    category: Code | None = None


class WatchwordsFile(_Part):
    watch: list[WatchPart] = []


class DangerExamplesFile(_Part):
    """Sentences, by language, from which is learnt how danger is told."""

    watch: Code | None = None
    dangerous: Words = {}
    harmless: Words = {}


class DeclineReasonPart(_Part):
    code: Code
    name: ByLanguage
    route: ByLanguage
    words: Words = {}
    together: Words = {}
    unless: Words = {}


class TransferTargetPart(_Part):
    code: Code
    name: ByLanguage


class ElsewhereFile(_Part):
    decline_reason: list[DeclineReasonPart] = []
    transfer_target: list[TransferTargetPart] = []


class WordsFile(_Part):
    states: dict[str, Text]
    timeline: dict[str, Text]
    missing: dict[str, Text]


class NeighbourPart(_Part):
    """What makes a feature a neighbour instead of a district."""

    decline_reason: Code
    transfer_target: Code | None = None


class AreaPart(_Part):
    code: Code
    name: ByLanguage
    also_called: list[Text] = []
    neighbour: NeighbourPart | None = None


class OutlinePart(_Part):
    type: Literal["Polygon", "MultiPolygon"]
    coordinates: Annotated[list[Any], Field(min_length=1)]


class FeaturePart(_Part):
    type: Literal["Feature"]
    properties: AreaPart
    geometry: OutlinePart
    id: str | int | None = None
    bbox: list[float] | None = None


class JurisdictionsFile(_Part):
    type: Literal["FeatureCollection"]
    name: str | None = None
    datum: Datum = Datum.WGS84
    features: list[FeaturePart]

    @property
    def districts(self) -> list[FeaturePart]:
        return [feature for feature in self.features if feature.properties.neighbour is None]

    @property
    def neighbours(self) -> list[tuple[FeaturePart, NeighbourPart]]:
        return [(feature, part) for feature in self.features if (part := feature.properties.neighbour) is not None]


class PlacesFile(_Part):
    """Names by the code of the district or neighbour that they lie in."""

    places: dict[Code, list[Text]] = {}


SINGLE_FILES: dict[str, type[_Part]] = {
    "city.toml": CityFile,
    "departments.toml": DepartmentsFile,
    "chains.toml": ChainsFile,
    "calendar.toml": CalendarFile,
    "watchwords.toml": WatchwordsFile,
    "elsewhere.toml": ElsewhereFile,
    "jurisdictions.geojson": JurisdictionsFile,
    "places.toml": PlacesFile,
}
OPTIONAL_FILES = frozenset({"places.toml"})
OPTIONAL_FOLDERS = frozenset({"dangers"})
FOLDERS: dict[str, type[_Part]] = {
    "categories": CategoriesFile,
    "service_levels": ServiceLevelFile,
    "dangers": DangerExamplesFile,
}
"""Each TOML file in these folders."""


def model_of(file: PurePosixPath) -> type[_Part] | None:
    """The form of that file of a policy folder; None for a text, and for what is no file of a policy."""
    if len(file.parts) == 1:
        return SINGLE_FILES.get(file.name)
    if len(file.parts) == 2 and file.suffix == ".toml":
        return FOLDERS.get(file.parts[0])
    return WordsFile if len(file.parts) == 3 and file.parts[0] == "texts" and file.name == "words.toml" else None
