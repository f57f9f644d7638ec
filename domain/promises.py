"""What a city promises and what happens when it is late: service levels, escalation chains, feedback, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.durations import Clock, Duration, Unit

FIVE_WORKING_DAYS = Duration(5, Unit.WORKING_DAYS)
HALF_A_YEAR = Duration(180, Unit.DAYS)
CLOSE_MARGIN = 0.4

Names = Mapping[str, str]
"""A text by language, as in {"zh": "路灯不亮", "en": "Street light out"}."""


@dataclass(frozen=True)
class ServiceLevel:
    """What is promised, counted from assignment. `clock` says which hours count in hours, minutes and seconds.

    Without `extension_max` there is no extension; without `return_within` the department may not return the request.
    """

    code: str
    name: Names
    clock: Clock
    accept: Duration
    contact: Duration
    resolve: Duration
    extension_max: Duration | None = None
    return_within: Duration | None = None


class Selector(StrEnum):
    """Whom a rung notifies; besides these, "department:<code>" names the leads of one department."""

    LEAD = "lead"  # the leads of the department that has the request
    PARENT_LEAD = "parent_lead"  # the leads of the department above it
    HEAD = "head"  # the leads of the nearest department of kind "department", upwards
    SUPERVISORS = "supervisors"


DEPARTMENT_SELECTOR = "department:"
PARENT = "parent"


@dataclass(frozen=True)
class Rung:
    """One step of an escalation, `after` the due date. `take_over` moves the assignment: "parent" or a department."""

    level: int
    after: Duration
    notify: tuple[str, ...]
    take_over: str | None = None


@dataclass(frozen=True)
class Chain:
    """Who hears of a request that is late, and who takes it over; at most one rung a level."""

    code: str
    rungs: tuple[Rung, ...]


@dataclass(frozen=True)
class Feedback:
    """What happens after a request is resolved. The shares (0 to 1) are of those for which nothing else asks for it."""

    remind_after: Duration
    close_after: Duration
    reopen_window: Duration
    review_share: float
    call_share: float
    rework_level: str  # the service level of a reopened request
    call_within: Duration = FIVE_WORKING_DAYS  # so long a caller has to reach the citizen


@dataclass(frozen=True)
class Triage:
    """What is promised while a person must decide where a request belongs."""

    service_level: str
    chain: str
    threshold: float  # the confidence from which a request is assigned without a person
    close_margin: float = CLOSE_MARGIN  # a second department less sure by no more than this is proposed as a co-handler
    second_opinion_assigns: bool = False  # a language model may decide what is unsure


@dataclass(frozen=True)
class Limits:
    """How often and how long."""

    urge_interval: Duration
    heartbeat_after: Duration
    answer_within: Duration  # for the citizen, when asked a question
    retention_days: int
    longest_hold: Duration = HALF_A_YEAR  # from the approval to the review
