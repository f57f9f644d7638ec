"""When a second opinion is wanted, and what it does to where a request goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from temporalio.converter import DataConverter

from domain.classified import Asked, AssignmentWanted, Classified, Located, Opinion
from domain.routing import TriageReason, assign
from domain.second_opinion import is_wanted, opinion_facts, with_opinion
from tests.builders import MONDAY_NINE
from tests.city import a_city

CITY = a_city()
ASSIGNS = a_city(triage=replace(CITY.triage, second_opinion_assigns=True))
CANDIDATES = (("street_light", 0.4), ("clinic", 0.1), ("litter", 0.1))
UNSURE = Classified("street_light", 0.4, CANDIDATES, decided_by="model abc")
NAMES_CLINIC = Opinion(Asked.PROPOSES, "small-1", "clinic")
ELSEWHERE = (("street_light", 0.4), ("gas_leak", 0.1))


@pytest.mark.parametrize(
    ("label", "found", "wanted"),
    [
        ("unsure", UNSURE, True),
        ("nothing found", Classified(None, 0.0, decided_by="model abc"), True),
        ("sure by the policy's threshold", replace(UNSURE, confidence=CITY.triage.threshold), False),
        ("just below it", replace(UNSURE, confidence=CITY.triage.threshold - 0.01), True),
        ("sure by the model's own", replace(UNSURE, needed=0.4), False),
        ("never sure enough", replace(UNSURE, confidence=0.99, needed=1.1), True),
        ("danger", replace(UNSURE, danger=True), False),
        ("sensitive", replace(UNSURE, sensitive=True), False),
        ("not ours", replace(UNSURE, elsewhere=("court",)), False),
        ("the citizen's choice", replace(UNSURE, decided_by="citizen"), False),
        ("a category of danger", replace(UNSURE, category="gas_leak"), False),
        ("a category of danger among the likeliest", replace(UNSURE, candidates=ELSEWHERE), False),
        ("a sensitive category", replace(UNSURE, category="child_care"), False),
        ("a category that the policy has no more", replace(UNSURE, category="gone"), True),
    ],
)
def test_opinion_is_wanted_only_where_the_classifier_is_unsure_of_what_is_harmless(
    label: str, found: Classified, wanted: bool
) -> None:
    assert is_wanted(CITY, found) is wanted


def a_route(found: Classified, *, assigns: bool) -> tuple[str | None, str | None, dict[str, str]]:
    """The triage reason, the department and the facts."""
    policy = ASSIGNS if assigns else CITY
    at = AssignmentWanted("2611-4829-13704", MONDAY_NINE, with_opinion(policy, found, NAMES_CLINIC), Located())
    assignment = assign(policy, at)
    return assignment.triage_reason, assignment.plan.department, assignment.facts


def test_opinion_is_a_proposal_unless_the_policy_says_otherwise() -> None:
    reason, department, facts = a_route(UNSURE, assigns=False)
    assert (reason, department) == (TriageReason.LOW_CONFIDENCE, None)
    assert facts["decided_by"] == "model abc"
    assert (facts["second_opinion"], facts["second_opinion_category"]) == ("proposes", "clinic")
    assert facts["second_opinion_by"] == "small-1"


def test_opinion_assigns_where_the_policy_says_so() -> None:
    reason, department, facts = a_route(UNSURE, assigns=True)
    assert (reason, department) == (None, "health")
    assert facts["decided_by"] == "second opinion small-1 with model abc"
    assert facts["confidence"] == "0.10"


def test_opinion_does_not_assign_what_is_not_among_the_three_likeliest() -> None:
    fourth = replace(UNSURE, candidates=(("street_light", 0.4), ("litter", 0.1), ("mattress", 0.05), ("clinic", 0.04)))
    reason, _, facts = a_route(fourth, assigns=True)
    assert reason == TriageReason.LOW_CONFIDENCE
    assert facts["second_opinion_category"] == "clinic"


@pytest.mark.parametrize("category", ["gas_leak", "child_care"])
def test_opinion_does_not_assign_what_a_person_must_see(category: str) -> None:
    found = replace(UNSURE, candidates=(("street_light", 0.4), (category, 0.1)))
    assert with_opinion(ASSIGNS, found, Opinion(Asked.PROPOSES, "small-1", category)).decided_by == "model abc"


def test_opinion_that_was_not_given_leaves_a_code() -> None:
    assert opinion_facts(None) == {}
    assert opinion_facts(Opinion(Asked.TIMED_OUT, "small-1")) == {
        "second_opinion": "timed_out", "second_opinion_by": "small-1",
    }  # fmt: skip


def test_opinion_travels_through_temporal_and_histories_without_one_are_read() -> None:
    converter = DataConverter.default.payload_converter
    told = replace(UNSURE, opinion=NAMES_CLINIC)
    assert converter.from_payloads(converter.to_payloads([told]), [Classified]) == [told]
    before = {"category": "clinic", "confidence": 0.9, "candidates": [["clinic", 0.9]], "decided_by": "model abc"}
    (read,) = converter.from_payloads(converter.to_payloads([before]), [Classified])
    assert read.opinion is None
