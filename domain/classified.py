"""What the first look at a request found: what it is about, where it is, and where it belongs."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.planning import Plan


class Asked(StrEnum):
    """What became of asking for a second opinion. All but the first three mean that none was given."""

    AGREES = "agrees"  # it names the category that the classifier held likeliest
    PROPOSES = "proposes"  # it names another one
    UNSURE = "unsure"  # it was given, and is that nothing fits
    OVER_BUDGET = "over_budget"  # the tokens of the day are spent
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"  # any status but 200, redirects too
    TOO_LONG = "too_long"  # more bytes than an answer can have
    NOT_UNDERSTOOD = "not_understood"  # not exactly one of the offered codes in JSON
    RESTING = "resting"  # not asked, because it failed several times just now
    FAILED = "failed"  # on our side


@dataclass(frozen=True)
class Opinion:
    """A second opinion of the language model `by`; `category` is what it names, where it names one."""

    asked: Asked
    by: str
    category: str | None = None


@dataclass(frozen=True)
class Classified:
    """What the request is about, and how sure that is.

    `candidates` are the likeliest categories with their confidence (0 to 1), best first; `decided_by` names the
    classifier and its version, or the citizen who chose. `needed` is the confidence that the classifier itself wants of
    this answer before it stands without a person; without it the policy's threshold counts. `second` is a category of
    another department that a part of the message is surely about; `elsewhere` the policy's reasons to decline (codes) that
    the words speak for. `opinion` is there where the classifier was unsure and a second opinion was asked for.
    """

    category: str | None
    confidence: float
    candidates: tuple[tuple[str, float], ...] = ()
    danger: bool = False
    sensitive: bool = False
    decided_by: str = ""
    needed: float | None = None
    second: str | None = None
    elsewhere: tuple[str, ...] = ()
    opinion: Opinion | None = None


class FoundBy(StrEnum):
    """What told where the matter is."""

    POINT = "point"
    BORDER = "border"  # a point that several districts hold: the one that the text names, or the policy names first
    NEAREST = "nearest"  # a point in no outline, but next to one
    PLACE = "place"  # a name in the place or the address that were given
    TEXT = "text"  # a name in title or description


class PlaceDoubt(StrEnum):
    """Why what is known does not settle where the matter is."""

    NEAR_BORDER = "near_border"  # the text names the district just across the border from the point
    POINT_AND_NAME = "point_and_name"  # the text names another district than that of the point
    SEVERAL_NAMES = "several_names"  # the text names several districts, and there is no point


@dataclass(frozen=True)
class Located:
    """Where the matter is: a district of the city, outside it, or nothing known.

    `neighbour` is the city or county (a code of the policy) that it lies in outside. With a `doubt`, `district` or
    `neighbour` is that of the point, and `between` are the codes of all that may be right, that one first.
    """

    district: str | None = None
    outside: bool = False
    neighbour: str | None = None
    found_by: FoundBy | None = None
    doubt: PlaceDoubt | None = None
    between: tuple[str, ...] = ()


@dataclass(frozen=True)
class FirstLook:
    """Both at once."""

    classified: Classified
    located: Located


@dataclass(frozen=True)
class LookWanted:
    """Which request to look at, and the instant that its deadlines are counted from."""

    request_id: str
    reference: str
    at: datetime


@dataclass(frozen=True)
class AssignmentWanted:
    """What the policy is asked: where does this go, and by when."""

    reference: str
    at: datetime
    classified: Classified
    located: Located


@dataclass(frozen=True)
class Assignment:
    """The policy's answer. With `triage_reason` (a code) a person must decide; `facts` are shown to staff."""

    plan: Plan
    district: str | None
    triage_reason: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
