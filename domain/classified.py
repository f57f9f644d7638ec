"""What the first look at a request found: what it is about, where it is, and where it belongs."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.planning import Plan


@dataclass(frozen=True)
class Classified:
    """What the request is about, and how sure that is.

    `candidates` are the likeliest categories with their confidence (0 to 1), best first; `decided_by` names the
    classifier and its version, or the citizen who chose. `needed` is the confidence that the classifier itself wants of
    this answer before it stands without a person; without it the policy's threshold counts.
    """

    category: str | None
    confidence: float
    candidates: tuple[tuple[str, float], ...] = ()
    danger: bool = False
    sensitive: bool = False
    decided_by: str = ""
    needed: float | None = None


@dataclass(frozen=True)
class Located:
    """Where the matter is: a district of the city, outside it, or nothing known."""

    district: str | None = None
    outside: bool = False


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
