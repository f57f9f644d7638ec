"""The department in charge of a place: a district's own office, a place in doubt, a neighbour's matter."""

from __future__ import annotations

from typing import Any

import pytest

from domain.classified import AssignmentWanted, Classified, FoundBy, Located, PlaceDoubt
from domain.policy import DeclineReason, Department, DepartmentKind, District, Neighbour, Policy, TransferTarget
from domain.request import Urgency
from domain.routing import Route, TriageNeeded, TriageReason, assign, route
from tests.builders import MONDAY_NINE
from tests.city import a_category, a_city, both

STREET = DepartmentKind.STREET


def a_district(code: str) -> District:
    return District(code, both(code), {})


CITY = a_city(
    districts=(a_district("north"), a_district("south"), a_district("east")),
    departments=(
        Department("city", both("City"), DepartmentKind.CITY),
        Department("housing", both("Housing"), DepartmentKind.DEPARTMENT, "city"),
        Department("north_street", both("North"), STREET, "housing", districts=("north",)),
        Department("south_street", both("South"), STREET, "housing", districts=("south",)),
        Department("north_grid", both("North grid"), DepartmentKind.GRID, "north_street", districts=("north",)),
        Department("all_streets", both("All"), STREET, "housing"),
    ),
    categories=(
        a_category("lamp", "housing"),
        a_category("litter", "housing", district_office=STREET),
        a_category("bins", "housing", district_office=STREET, by_district={"north": "north_grid"}),
        a_category("noise", None, district_office=STREET, place_required=True),
        a_category("snow", "south_street"),
        a_category("parks", "housing", by_district={"north": "all_streets", "south": "all_streets"}, place_required=True),
        a_category("fire", None, district_office=STREET, urgency=Urgency.DANGER, place_required=True, service_level="danger"),
        a_category("child", "housing", sensitive=True),
    ),
    neighbours=(
        Neighbour("far", both("Far County"), {}, "far", transfer_target="far_hotline"),
        Neighbour("away", both("Away City"), {}, "away"),
    ),
    decline_reasons=tuple(DeclineReason(code, both(code), both("call them")) for code in ("court", "far", "away")),
    transfer_targets=(TransferTarget("far_hotline", both("Far County's hotline")),),
)  # fmt: skip


def found(category: str | None, confidence: float = 0.9, **changes: Any) -> Classified:
    return Classified(category, confidence, decided_by="keywords v1", **changes)


def in_doubt(*between: str, doubt: PlaceDoubt = PlaceDoubt.NEAR_BORDER, **changes: Any) -> Located:
    values: dict[str, Any] = {"district": between[0], "found_by": FoundBy.POINT, "doubt": doubt, "between": between}
    return Located(**(values | changes))


@pytest.mark.parametrize(
    ("category", "district", "department"),
    [
        pytest.param("litter", "north", "north_street", id="the district's office of the wanted kind"),
        pytest.param("litter", "south", "south_street", id="that of another district"),
        pytest.param("litter", "east", "housing", id="a district without such an office"),
        pytest.param("litter", None, "housing", id="no place known"),
        pytest.param("bins", "north", "north_grid", id="a department by name goes before the kind"),
        pytest.param("bins", "south", "south_street", id="and only where it is named"),
        pytest.param("noise", "north", "north_street", id="nothing but the kind"),
        pytest.param("snow", "south", "south_street", id="a department that serves this district"),
        pytest.param("snow", None, "south_street", id="or that nothing is known against"),
    ],
)
def test_request_goes_to_the_office_of_its_district(category: str, district: str | None, department: str) -> None:
    routed = route(CITY, found(category), Located(district))
    assert isinstance(routed, Route)
    assert routed.department == department


@pytest.mark.parametrize(
    ("category", "district"),
    [
        pytest.param("noise", "east", id="no office of the kind there, and no other department"),
        pytest.param("noise", None, id="no place, and one is needed"),
        pytest.param("snow", "north", id="a department that serves other districts only"),
    ],
)
def test_district_without_an_office_is_for_a_person(category: str, district: str | None) -> None:
    needed = route(CITY, found(category), Located(district))
    assert isinstance(needed, TriageNeeded)
    assert needed.reason is TriageReason.NO_ROUTE


@pytest.mark.parametrize(
    ("category", "located"),
    [
        pytest.param("litter", in_doubt("north", "south"), id="two districts with two offices"),
        pytest.param("litter", in_doubt("north", "south", doubt=PlaceDoubt.POINT_AND_NAME), id="far apart"),
        pytest.param("litter", in_doubt("north", "east"), id="an office here, none there"),
        pytest.param(
            "litter", in_doubt("north", "south", doubt=PlaceDoubt.SEVERAL_NAMES, district=None), id="two names, no point"
        ),
        pytest.param("lamp", in_doubt("north", "far"), id="ours or a neighbour's"),
        pytest.param("lamp", in_doubt("far", "north", district=None, outside=True, neighbour="far"), id="a neighbour's or ours"),
        pytest.param("lamp", in_doubt("north", district=None, outside=True), id="outside of everything, ours by name"),
        pytest.param(None, in_doubt("far", "north", district=None, outside=True, neighbour="far"), id="whatever it is about"),
    ],
)  # fmt: skip
def test_doubt_about_the_place_is_for_a_person_with_all_that_is_possible_named(
    category: str | None, located: Located
) -> None:
    needed = route(CITY, found(category), located)
    assert isinstance(needed, TriageNeeded)
    assert needed.reason is TriageReason.PLACE_IN_DOUBT
    assert all(code in needed.detail for code in located.between)


@pytest.mark.parametrize(
    ("category", "located", "department"),
    [
        pytest.param("lamp", in_doubt("north", "south"), "housing", id="one department for the whole city"),
        pytest.param("snow", in_doubt("south"), "south_street", id="nothing left to choose"),
        pytest.param("litter", in_doubt("east", "nowhere"), "housing", id="two districts without an office"),
        pytest.param(
            "lamp", in_doubt("north", "south", doubt=PlaceDoubt.SEVERAL_NAMES, district=None), "housing", id="two names"
        ),
        pytest.param(
            "parks", in_doubt("north", "south", doubt=PlaceDoubt.SEVERAL_NAMES, district=None), "all_streets",
            id="two names of districts that share one",
        ),
        pytest.param("fire", in_doubt("north", "south"), "north_street", id="danger: where the point lies"),
        pytest.param(
            "fire", in_doubt("east", "south", doubt=PlaceDoubt.SEVERAL_NAMES, district=None), "south_street",
            id="danger: the first that has an office",
        ),
    ],
)  # fmt: skip
def test_doubt_that_changes_nothing_keeps_nobody_waiting_and_is_told(
    category: str, located: Located, department: str
) -> None:
    assignment = assign(CITY, AssignmentWanted("2611-0000-00010", MONDAY_NINE, found(category), located))
    assert (assignment.triage_reason, assignment.plan.department) == (None, department)
    assert assignment.facts["place_doubt"] == located.doubt
    assert assignment.facts["place_between"] == " ".join(located.between)


def facts_of(classified: Classified, located: Located, city: Policy = CITY) -> dict[str, str]:
    assignment = assign(city, AssignmentWanted("2611-0000-00010", MONDAY_NINE, classified, located))
    return {"reason": assignment.triage_reason or "", **assignment.facts}


def test_matter_in_a_neighbour_that_takes_requests_over_is_proposed_for_a_transfer() -> None:
    facts = facts_of(found("lamp"), Located(outside=True, neighbour="far", found_by=FoundBy.POINT))
    assert (facts["reason"], facts["neighbour"], facts["place_by"]) == ("outside_city", "far", "point")
    assert (facts["proposal"], facts["proposal_target"]) == ("transfer", "far_hotline")
    assert "proposal_reason_code" not in facts
    assert "far" in facts["why"]


def test_matter_in_another_neighbour_is_proposed_for_a_decline_that_names_its_route() -> None:
    facts = facts_of(found("lamp"), Located(outside=True, neighbour="away", found_by=FoundBy.PLACE))
    assert (facts["reason"], facts["proposal"], facts["proposal_reason_code"]) == ("outside_city", "decline", "away")


@pytest.mark.parametrize(
    ("classified", "located", "reason"),
    [
        pytest.param(found("lamp"), Located(outside=True), "outside_city", id="outside of everything"),
        pytest.param(found("lamp"), Located(outside=True, neighbour="gone"), "outside_city",
                     id="a neighbour that the policy has no more"),
        pytest.param(found("lamp"), in_doubt("far", "north", district=None, outside=True, neighbour="far"), "place_in_doubt",
                     id="perhaps ours"),
        pytest.param(found("fire"), Located("north", neighbour=None), "", id="ours"),
    ],
)  # fmt: skip
def test_nothing_is_proposed_for_what_may_be_ours_or_nobodys(
    classified: Classified, located: Located, reason: str
) -> None:
    facts = facts_of(classified, located)
    assert facts["reason"] == reason
    assert "proposal" not in facts


def test_danger_in_a_neighbour_is_never_proposed_for_a_decline() -> None:
    facts = facts_of(found("lamp", danger=True), Located(outside=True, neighbour="away"))
    assert "proposal" not in facts


def test_sensitive_matter_in_a_neighbour_is_sensitive_first_and_told_with_its_route() -> None:
    facts = facts_of(found("child"), Located(outside=True, neighbour="away"))
    assert (facts["reason"], facts["proposal"]) == ("sensitive", "decline")


def test_words_of_another_channel_go_behind_the_place() -> None:
    facts = facts_of(found("lamp", elsewhere=("court",)), Located(outside=True, neighbour="away"))
    assert (facts["reason"], facts["proposal_reason_code"]) == ("outside_city", "away")
