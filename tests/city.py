"""A small city for tests: a tree of departments, a few categories, chains with and without taking over."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.calendar import DAY_MINUTES, Calendar, Period
from domain.durations import Clock, Duration
from domain.notices import NoticeKind
from domain.policy import (
    Category,
    Chain,
    City,
    DeclineReason,
    Department,
    DepartmentKind,
    District,
    Feedback,
    Limits,
    Policy,
    Rung,
    ServiceLevel,
    Texts,
    TransferTarget,
    Triage,
)
from domain.request import Urgency

OFFICE_HOURS = (Period.parse("09:00-12:00"), Period.parse("13:30-18:00"))
WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), OFFICE_HOURS)


def both(text: str) -> dict[str, str]:
    """The same words in both languages."""
    return {"zh": text, "en": text}


def a_category(code: str, department: str | None, **changes: Any) -> Category:
    values: dict[str, Any] = {
        "code": code,
        "name": both(code.replace("_", " ")),
        "tell_us": both("where it is"),
        "group": both("things"),
        "service_level": "default",
        "chain": "default",
        "department": department,
        "keywords": {"zh": (), "en": (code.replace("_", " "),)},
    }
    return Category(**(values | changes))


def a_service_level(code: str = "default", **changes: Any) -> ServiceLevel:
    values: dict[str, Any] = {
        "code": code,
        "name": both(code),
        "clock": Clock.WORKING,
        "accept": Duration.parse("1 working day"),
        "contact": Duration.parse("1 working day"),
        "resolve": Duration.parse("5 working days"),
        "return_within": Duration.parse("2 working days"),
        "extension_max": Duration.parse("10 working days"),
    }
    return ServiceLevel(**(values | changes))


def _chain(code: str, take_over: str | None) -> Chain:
    return Chain(
        code,
        (
            Rung(1, Duration.parse("0 seconds"), ("lead",)),
            Rung(2, Duration.parse("1 working day"), ("head",), take_over),
            Rung(3, Duration.parse("3 working days"), ("supervisors",)),
        ),
    )


def _texts() -> Texts:
    kinds = [*NoticeKind]
    return Texts(notices={kind: {"sms": f"{kind} {{reference}}"} for kind in kinds}, states={}, timeline={}, missing={})


def an_hour_around(now: datetime) -> tuple[Period, ...]:
    """Quiet hours of the small city in which `now` lies in the middle."""
    local = now.astimezone(ZoneInfo("Asia/Shanghai"))
    middle = local.hour * 60 + local.minute
    start, end = (middle - 30) % DAY_MINUTES, (middle + 30) % DAY_MINUTES
    if end == 0:
        return (Period(start, DAY_MINUTES),)
    return (Period(start, end),) if start < end else (Period(start, DAY_MINUTES), Period(0, end))


def a_city(**changes: Any) -> Policy:
    """The policy of the small city, without quiet hours or samples unless told otherwise."""
    square = {
        "type": "Polygon",
        "coordinates": [[[112.0, 28.0], [113.0, 28.0], [113.0, 29.0], [112.0, 29.0], [112.0, 28.0]]],
    }
    values: dict[str, Any] = {
        "city": City(both("Small City"), ("zh", "en")),
        "departments": (
            Department("city", both("Supervision Centre"), DepartmentKind.CITY),
            Department("housing", both("Housing"), DepartmentKind.DEPARTMENT, "city"),
            Department("health", both("Health"), DepartmentKind.DEPARTMENT, "city"),
            Department("north_street", both("North Street"), DepartmentKind.STREET, "housing"),
        ),
        "categories": (
            a_category("street_light", "housing"),
            a_category("clinic", "health"),
            a_category("litter", "north_street", chain="upwards"),
            a_category("mattress", "housing", call_back=True),
            a_category("child_care", "health", sensitive=True),
            a_category("gas_leak", "housing", urgency=Urgency.DANGER, service_level="danger"),
        ),
        "service_levels": (
            a_service_level(),
            a_service_level("rework", resolve=Duration.parse("3 working days")),
            a_service_level("triage", resolve=Duration.parse("1 working day")),
            a_service_level(
                "danger",
                clock=Clock.WALL,
                accept=Duration.parse("15 minutes"),
                contact=Duration.parse("30 minutes"),
                resolve=Duration.parse("2 hours"),
                return_within=None,
                extension_max=None,
            ),
        ),
        "chains": (
            _chain("default", None),
            _chain("upwards", "parent"),
            Chain(
                "triage",
                (
                    Rung(1, Duration.parse("0 seconds"), ("supervisors",)),
                    Rung(2, Duration.parse("1 working day"), ("department:city",)),
                ),
            ),
        ),
        "calendar": Calendar("Asia/Shanghai", WEEK, published_years=(2026,)),
        "reminders": (0.5, 0.8),
        "feedback": Feedback(
            Duration.parse("3 days"), Duration.parse("7 days"), Duration.parse("30 days"), 0.0, 0.0, "rework"
        ),
        "triage": Triage("triage", "triage", 0.6),
        "limits": Limits(
            Duration.parse("1 day"), Duration.parse("3 working days"), Duration.parse("5 working days"), 365
        ),
        "texts": {"zh": _texts(), "en": _texts()},
        "decline_reasons": (
            DeclineReason("court", both("A court decides this"), both("Go to the court"), words={"en": ("lawsuit",)}),
        ),
        "transfer_targets": (TransferTarget("next_city", both("The next city")),),
        "districts": (District("middle", both("Middle"), square),),
    }
    return Policy(**(values | changes))
