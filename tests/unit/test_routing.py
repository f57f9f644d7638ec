"""Where a request goes: one row for each reason to assign, and for each to ask a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.classified import AssignmentWanted, Classified, Located
from domain.policy import Policy
from domain.request import Urgency
from domain.routing import Route, TriageNeeded, TriageReason, assign, route
from tests.builders import MONDAY_NINE
from tests.city import a_category, a_city

CITY = a_city(
    categories=(
        *a_city().categories,
        a_category("stairwell", "housing", by_district={"middle": "north_street"}),
        a_category("pothole", "housing", place_required=True),
        a_category("grid_matter", None, by_district={"middle": "north_street"}, place_required=True),
        a_category("flood", None, by_district={"middle": "north_street"}, urgency=Urgency.DANGER, place_required=True),
    )
)
MIDDLE, NOWHERE, OUTSIDE = Located("middle"), Located(), Located(outside=True)


def found(category: str | None, confidence: float = 0.9, **changes: Any) -> Classified:
    return Classified(category, confidence, decided_by="keywords v1", **changes)


@pytest.mark.parametrize(
    ("classified", "located", "department", "urgency"),
    [
        pytest.param(found("street_light"), NOWHERE, "housing", Urgency.NORMAL, id="sure of the category"),
        pytest.param(found("street_light", 0.6), NOWHERE, "housing", Urgency.NORMAL, id="just sure enough"),
        pytest.param(found("stairwell"), MIDDLE, "north_street", Urgency.NORMAL, id="the district's own department"),
        pytest.param(found("stairwell"), Located("other"), "housing", Urgency.NORMAL, id="a district without one"),
        pytest.param(found("stairwell"), NOWHERE, "housing", Urgency.NORMAL, id="no place known"),
        pytest.param(found("pothole"), MIDDLE, "housing", Urgency.NORMAL, id="the place it needs"),
        pytest.param(found("gas_leak", 0.1), NOWHERE, "housing", Urgency.DANGER, id="danger, not sure"),
        pytest.param(found("gas_leak", sensitive=True), NOWHERE, "housing", Urgency.DANGER, id="danger, sensitive"),
        pytest.param(found("gas_leak"), OUTSIDE, "housing", Urgency.DANGER, id="danger, outside the city"),
        pytest.param(found("street_light", danger=True), NOWHERE, "housing", Urgency.DANGER, id="danger by its words"),
        pytest.param(found("flood"), MIDDLE, "north_street", Urgency.DANGER, id="danger in a district"),
    ],
)
def test_request_is_routed(classified: Classified, located: Located, department: str, urgency: Urgency) -> None:
    routed = route(CITY, classified, located)
    assert isinstance(routed, Route)
    assert (routed.department, routed.category, routed.urgency) == (department, classified.category, urgency)
    assert routed.reason


@pytest.mark.parametrize(
    ("classified", "located", "reason"),
    [
        pytest.param(found(None, 0), NOWHERE, TriageReason.NO_CATEGORY, id="no category"),
        pytest.param(found("unheard_of"), NOWHERE, TriageReason.NO_CATEGORY, id="a category the policy does not know"),
        pytest.param(found("street_light", 0.59), NOWHERE, TriageReason.LOW_CONFIDENCE, id="not sure enough"),
        pytest.param(found("child_care"), NOWHERE, TriageReason.SENSITIVE, id="a sensitive category"),
        pytest.param(found("street_light", sensitive=True), NOWHERE, TriageReason.SENSITIVE, id="sensitive words"),
        pytest.param(found(None, 0, sensitive=True), NOWHERE, TriageReason.SENSITIVE, id="sensitive and nothing else"),
        pytest.param(found("street_light"), OUTSIDE, TriageReason.OUTSIDE_CITY, id="outside the city"),
        pytest.param(found("pothole"), NOWHERE, TriageReason.NO_ROUTE, id="a place is needed"),
        pytest.param(
            found("grid_matter"), Located("other"), TriageReason.NO_ROUTE, id="no department for the district"
        ),
        pytest.param(found("flood"), NOWHERE, TriageReason.NO_ROUTE, id="danger without any department"),
    ],
)
def test_person_decides(classified: Classified, located: Located, reason: TriageReason) -> None:
    needed = route(CITY, classified, located)
    assert isinstance(needed, TriageNeeded)
    assert needed.reason is reason
    assert needed.detail


def test_danger_that_no_department_can_be_named_for_stays_a_danger() -> None:
    assert route(CITY, found("flood"), NOWHERE).urgency is Urgency.DANGER


def an_assignment_of(policy: Policy, classified: Classified) -> Any:
    return assign(policy, AssignmentWanted("2611-0000-00010", MONDAY_NINE, classified, MIDDLE))


def test_assignment_carries_the_plan_of_its_department_and_what_decided() -> None:
    assignment = an_assignment_of(CITY, found("stairwell", candidates=(("stairwell", 0.9), ("clinic", 0.05))))
    assert assignment.triage_reason is None
    assert (assignment.plan.department, assignment.plan.category) == ("north_street", "stairwell")
    assert assignment.plan.due_at == MONDAY_NINE + timedelta(days=7)
    assert assignment.district == "middle"
    assert assignment.facts["decided_by"] == "keywords v1"
    assert assignment.facts["candidates"] == "stairwell:0.90 clinic:0.05"
    assert "district middle" in assignment.facts["why"]


def test_triage_carries_the_reason_the_likeliest_category_and_a_plan_of_its_own() -> None:
    assignment = an_assignment_of(CITY, found("street_light", 0.4))
    assert assignment.triage_reason == "low_confidence"
    assert (assignment.plan.department, assignment.plan.category) == (None, "street_light")
    assert "0.40 sure, 0.60 needed" in assignment.facts["why"]
