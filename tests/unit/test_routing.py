"""Where a request goes: one row for each reason to assign, and for each to ask a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.classified import AssignmentWanted, Classified, Located
from domain.policy import Policy
from domain.proposals import Proposal, ProposalKind
from domain.request import Urgency
from domain.routing import Route, TriageNeeded, TriageReason, assign, proposal, route
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


TWO = (("street_light", 0.48), ("clinic", 0.40))


def proposed(classified: Classified, located: Located = NOWHERE, policy: Policy = CITY) -> Proposal | None:
    return proposal(policy, route(policy, classified, located), classified, located)


@pytest.mark.parametrize(
    ("label", "candidates", "co_department"),
    [
        ("close", TWO, "health"),
        ("as far apart as the margin allows", (("street_light", 0.65), ("clinic", 0.25)), "health"),
        ("further apart", (("street_light", 0.70), ("clinic", 0.25)), None),
        ("both hardly sure", (("street_light", 0.21), ("clinic", 0.19)), None),
        ("of one department", (("street_light", 0.48), ("mattress", 0.40)), None),
        ("the second gone from the policy", (("street_light", 0.48), ("gone", 0.40)), None),
        ("only one", (("street_light", 0.48),), None),
        ("another than the first was decided", (("clinic", 0.5), ("street_light", 0.4)), None),
    ],
)
def test_second_department_is_proposed_where_it_is_close(
    label: str, candidates: tuple[tuple[str, float], ...], co_department: str | None
) -> None:
    policy = replace(CITY, triage=replace(CITY.triage, close_margin=0.4))
    shared = proposed(found("street_light", candidates[0][1], candidates=candidates), policy=policy)
    assert (shared.co_department if shared else None) == co_department


def test_two_departments_that_are_close_go_to_a_person_with_both_named() -> None:
    assignment = an_assignment_of(CITY, found("street_light", 0.48, candidates=TWO))
    assert assignment.triage_reason == "two_departments"
    assert Proposal.of(assignment.facts) == Proposal(
        ProposalKind.CO_HANDLER, "street_light 0.48 and clinic 0.40 sure: within 0.40", because="close", sure="0.48", nearly="0.40",
        department="housing", co_department="health", category="street_light", co_category="clinic",
    )  # fmt: skip


def test_sure_lead_has_the_request_and_the_second_is_shown_beside_it() -> None:
    assignment = an_assignment_of(CITY, found("street_light", 0.95, second="clinic"))
    assert (assignment.triage_reason, assignment.plan.department) == (None, "housing")
    assert (assignment.facts["proposal"], assignment.facts["proposal_co_department"]) == ("co_handler", "health")
    assert "a part of the message is surely about clinic" in assignment.facts["proposal_why"]


@pytest.mark.parametrize("second", ["street_light", "mattress", "gone"])
def test_part_about_the_lead_itself_or_about_nothing_known_proposes_nothing(second: str) -> None:
    assert proposed(found("street_light", second=second)) is None


def test_second_department_is_that_of_the_district() -> None:
    shared = proposed(found("street_light", second="stairwell"), MIDDLE)
    assert shared is not None
    assert shared.co_department == "north_street"


@pytest.mark.parametrize(
    ("classified", "reason", "ours"),
    [
        pytest.param(found(None, 0, elsewhere=("court",)), TriageReason.OUT_OF_SCOPE, None, id="nothing of ours"),
        pytest.param(found("street_light", elsewhere=("court",)), TriageReason.OUT_OF_SCOPE, "street_light", id="both"),
        pytest.param(
            found("street_light", 0.3, elsewhere=("court",)), TriageReason.OUT_OF_SCOPE, None, id="ours, unsure"
        ),
        pytest.param(
            found(None, 0, sensitive=True, elsewhere=("court",)), TriageReason.SENSITIVE, None, id="sensitive"
        ),
        pytest.param(
            found("street_light", 0.4, candidates=TWO, elsewhere=("court",)), TriageReason.OUT_OF_SCOPE, None, id="two"
        ),
    ],
)
def test_matter_of_another_channel_goes_to_a_person_with_a_decline_proposed(
    classified: Classified, reason: TriageReason, ours: str | None
) -> None:
    needed = route(CITY, classified, NOWHERE)
    assert isinstance(needed, TriageNeeded)
    assert needed.reason is reason
    declined = proposed(classified)
    assert declined is not None
    assert (declined.kind, declined.reason_code, declined.category) == (ProposalKind.DECLINE, "court", ours)


def test_reason_that_the_policy_no_longer_has_is_not_proposed() -> None:
    assert proposed(found("street_light", elsewhere=("gone",))) is None
    assert isinstance(route(CITY, found("street_light", elsewhere=("gone",)), NOWHERE), Route)


@pytest.mark.parametrize(
    "classified",
    [
        pytest.param(found("gas_leak", elsewhere=("court",)), id="a category of danger"),
        pytest.param(found("street_light", danger=True, elsewhere=("court",)), id="words of danger"),
        pytest.param(found(None, 0, danger=True, elsewhere=("court",)), id="words of danger and no category"),
        pytest.param(found("flood", elsewhere=("court",)), id="danger without a department"),
    ],
)
def test_where_there_is_danger_nothing_is_proposed_but_help(classified: Classified) -> None:
    assignment = an_assignment_of(CITY, classified) if classified.category != "flood" else None
    assert proposed(classified) is None
    assert assignment is None or "proposal" not in assignment.facts
    assert route(CITY, classified, NOWHERE).urgency is Urgency.DANGER


def test_danger_without_a_category_waits_in_triage_for_a_person_as_a_danger() -> None:
    needed = route(CITY, found(None, 0, danger=True, elsewhere=("court",)), NOWHERE)
    assert isinstance(needed, TriageNeeded)
    assert needed.urgency is Urgency.DANGER


@pytest.mark.parametrize("facts", [{}, {"why": "x"}, {"proposal": "something_newer", "proposal_why": "x"}])
def test_facts_without_a_proposal_that_is_known_hold_none(facts: dict[str, str | None]) -> None:
    assert Proposal.of(facts) is None
