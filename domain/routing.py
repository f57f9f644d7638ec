"""Where a request goes, and why; or why a person must decide.

A danger to life never waits for a person if any department can be named. Everything else goes to a person as soon as one
rule cannot be applied; the reason is kept for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.classified import Assignment, AssignmentWanted, Classified, Located
from domain.planning import PlanWanted, plan_assignment
from domain.policy import Category, Policy
from domain.request import Urgency


class TriageReason(StrEnum):
    """Why a person must decide."""

    NO_CATEGORY = "no_category"  # nothing in the text says what it is about
    LOW_CONFIDENCE = "low_confidence"  # not sure enough of the category
    SENSITIVE = "sensitive"  # a matter that a person must see first
    OUTSIDE_CITY = "outside_city"  # the place is not in the city
    NO_ROUTE = "no_route"  # the category has no department for that district, or needs a place and has none


@dataclass(frozen=True)
class Route:
    """The lead department, and the reason in words for the timeline of the staff."""

    department: str
    category: str
    urgency: Urgency
    reason: str


@dataclass(frozen=True)
class TriageNeeded:
    """Why the rules do not decide; `category` is the likeliest, for the person who does."""

    reason: TriageReason
    detail: str
    category: str | None
    urgency: Urgency


def route(policy: Policy, classified: Classified, located: Located) -> Route | TriageNeeded:
    """The department for what was found of a request. A category the policy does not know counts as none."""
    category = _known(policy, classified.category)
    urgency = _urgency(category, classified)
    if category is not None and urgency is Urgency.DANGER:
        department = _department(category, located.district) or category.department
        if department is not None:
            return Route(
                department, category.code, urgency, f"danger to life ({classified.decided_by}): assigned at once"
            )
    objection = _objection(policy, category, classified, located)
    if category is None or objection is not None:
        reason, detail = objection or (TriageReason.NO_CATEGORY, "")
        return TriageNeeded(reason, detail, category.code if category else None, urgency)
    department = _department(category, located.district)
    if department is None:
        return TriageNeeded(TriageReason.NO_ROUTE, _want_of_route(category, located), category.code, urgency)
    return Route(department, category.code, urgency, _reason(category, department, classified, located))


def _known(policy: Policy, code: str | None) -> Category | None:
    return policy.category(code) if code is not None and policy.has_category(code) else None


def assign(policy: Policy, wanted: AssignmentWanted) -> Assignment:
    """The route of a request with the deadlines of its assignment, or of waiting in triage."""
    found = route(policy, wanted.classified, wanted.located)
    department = found.department if isinstance(found, Route) else None
    plan = plan_assignment(
        policy,
        PlanWanted(
            reference=wanted.reference,
            at=wanted.at,
            category=found.category,
            department=department,
            urgency=found.urgency,
        ),
    )
    words = found.reason if isinstance(found, Route) else found.detail
    return Assignment(
        plan=plan,
        district=wanted.located.district,
        triage_reason=found.reason.value if isinstance(found, TriageNeeded) else None,
        facts={"why": words, **_found_facts(wanted.classified)},
    )


def _urgency(category: Category | None, classified: Classified) -> Urgency:
    if classified.danger:
        return Urgency.DANGER
    return category.urgency if category else Urgency.NORMAL


def _objection(
    policy: Policy, category: Category | None, classified: Classified, located: Located
) -> tuple[TriageReason, str] | None:
    """What forbids to decide by rule, the weightiest first."""
    if classified.sensitive or (category is not None and category.sensitive):
        return TriageReason.SENSITIVE, "a matter that a person must see before it goes anywhere"
    if located.outside:
        return TriageReason.OUTSIDE_CITY, "the place lies outside the city"
    if category is None:
        return TriageReason.NO_CATEGORY, "nothing in the text says what it is about"
    needed = policy.triage.threshold if classified.needed is None else classified.needed
    if classified.confidence < needed:
        wanted = f"{needed:.2f} needed" if needed < 1 else "never enough to decide this without a person"
        return TriageReason.LOW_CONFIDENCE, f"{classified.decided_by}: {classified.confidence:.2f} sure, {wanted}"
    return None


def _department(category: Category, district: str | None) -> str | None:
    if district is None:
        return None if category.place_required else category.department
    return category.by_district.get(district, category.department)


def _want_of_route(category: Category, located: Located) -> str:
    if located.district is None:
        return f"category {category.code} needs a place, and none is known"
    return f"category {category.code} has no department for the district {located.district}"


def _reason(category: Category, department: str, classified: Classified, located: Located) -> str:
    by_place = (
        f", district {located.district}" if category.by_district.get(located.district or "") == department else ""
    )
    return f"category {category.code}{by_place} ({classified.decided_by}, {classified.confidence:.2f} sure)"


def _found_facts(classified: Classified) -> dict[str, str]:
    """What a dispatcher is shown; codes and numbers only."""
    likeliest = " ".join(f"{code}:{confidence:.2f}" for code, confidence in classified.candidates)
    facts = {"decided_by": classified.decided_by, "confidence": f"{classified.confidence:.2f}", "candidates": likeliest}
    return {name: value for name, value in facts.items() if value}
