"""Where a request goes, and why; or why a person must decide.

A danger to life never waits for a person if any department can be named. Everything else goes to a person as soon as one
rule cannot be applied; the reason is kept for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.classified import Assignment, AssignmentWanted, Classified, Located
from domain.offices import (
    doubt_in_words,
    doubt_matters,
    in_charge,
    in_charge_of_danger,
    is_surely_ours,
    place_facts,
)
from domain.planning import PlanWanted, plan_assignment
from domain.policy import Category, Policy
from domain.proposals import Because, Proposal, ProposalKind
from domain.request import Urgency
from domain.second_opinion import opinion_facts

FAINT_SECOND = 0.2
"""A second department of which the classifier is less sure than this is no proposal, however unsure it is of the first."""


class TriageReason(StrEnum):
    """Why a person must decide."""

    NO_CATEGORY = "no_category"  # nothing in the text says what it is about
    LOW_CONFIDENCE = "low_confidence"  # not sure enough of the category
    TWO_DEPARTMENTS = "two_departments"  # not sure which of two leads; both are proposed
    SENSITIVE = "sensitive"  # a matter that a person must see first
    OUTSIDE_CITY = "outside_city"  # the place is not in the city
    OUT_OF_SCOPE = "out_of_scope"  # words speak for a matter of another channel; a decline is proposed
    PLACE_IN_DOUBT = "place_in_doubt"  # point and names say different districts, whose departments differ
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
        department = in_charge_of_danger(policy, category, located)
        if department is not None:
            return Route(
                department, category.code, urgency, f"danger to life ({classified.decided_by}): assigned at once"
            )
    objection = _objection(policy, category, classified, located)
    if category is None or objection is not None:
        reason, detail = objection or (TriageReason.NO_CATEGORY, "")
        return TriageNeeded(reason, detail, category.code if category else None, urgency)
    if doubt_matters(policy, category, located):
        return TriageNeeded(TriageReason.PLACE_IN_DOUBT, doubt_in_words(located), category.code, urgency)
    # Where the doubt does not matter, any of the districts that it leaves has the same department.
    department = in_charge(policy, category, located.district or next(iter(located.between), None))
    if department is None:
        return TriageNeeded(TriageReason.NO_ROUTE, _want_of_route(category, located), category.code, urgency)
    return Route(department, category.code, urgency, _reason(category, department, classified, located))


def _known(policy: Policy, code: str | None) -> Category | None:
    return policy.category(code) if code is not None and policy.has_category(code) else None


def assign(policy: Policy, wanted: AssignmentWanted) -> Assignment:
    """The route of a request with the deadlines of its assignment, or of waiting in triage."""
    found = route(policy, wanted.classified, wanted.located)
    proposed = proposal(policy, found, wanted.classified, wanted.located)
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
        facts={
            "why": words,
            **_found_facts(wanted.classified),
            **place_facts(wanted.located),
            **(proposed.facts() if proposed else {}),
        },
    )


def proposal(policy: Policy, found: Route | TriageNeeded, classified: Classified, located: Located) -> Proposal | None:
    """What the person who sees it first could do instead of the plain thing; the weightiest only.

    Where there is danger nothing is proposed but help: nobody shall read "not for us" first.
    """
    if found.urgency is Urgency.DANGER:
        return None
    return (
        _neighbours_matter(policy, located)
        or _declining(policy, classified)
        or _two_departments(policy, classified, located)
    )


def _neighbours_matter(policy: Policy, located: Located) -> Proposal | None:
    """Of a matter that surely lies in a neighbour: to hand it over where the neighbour takes it, or to name its route."""
    if located.doubt is not None or located.neighbour not in {neighbour.code for neighbour in policy.neighbours}:
        return None
    neighbour = policy.neighbour(located.neighbour)
    why = f"the place lies in {neighbour.code}"
    there = {"because": Because.NEIGHBOUR.value, "where": neighbour.code}
    if neighbour.transfer_target is not None:
        return Proposal(ProposalKind.TRANSFER, why, target=neighbour.transfer_target, **there)
    return Proposal(ProposalKind.DECLINE, why, reason_code=neighbour.decline_reason, **there)


def _declining(policy: Policy, classified: Classified) -> Proposal | None:
    known = {reason.code for reason in policy.decline_reasons}
    code = next((code for code in classified.elsewhere if code in known), None)
    if code is None:
        return None
    is_ours = classified.category is not None and classified.confidence >= _needed(policy, classified)
    ours = classified.category if is_ours else None
    also = f"; a part of it is surely ours: category {ours}" if ours else ""
    why = f"the words of {code} in the policy{also}"
    return Proposal(ProposalKind.DECLINE, why, reason_code=code, category=ours, because=Because.WORDS.value)


def _two_departments(policy: Policy, classified: Classified, located: Located) -> Proposal | None:
    """Lead and co-handler, where the second is close to the first or a part of the message is surely about it."""
    lead, second, why, because = _known(policy, classified.category), *_second(policy, classified)
    if lead is None or second is None:
        return None
    department, helper = (in_charge(policy, each, located.district) or each.department for each in (lead, second))
    if department is None or helper is None or department == helper:
        return None
    return Proposal(
        ProposalKind.CO_HANDLER, why,
        department=department, co_department=helper, category=lead.code, co_category=second.code, **because,
    )  # fmt: skip


def _second(policy: Policy, classified: Classified) -> tuple[Category | None, str, dict[str, str]]:
    """The category of the other department, and why it is proposed: in words and as it is kept."""
    if classified.second is not None:
        why = f"a part of the message is surely about {classified.second}"
        return _known(policy, classified.second), why, {"because": Because.PART.value}
    likeliest = [each for each in classified.candidates if policy.has_category(each[0])][:2]
    if len(likeliest) < 2 or likeliest[0][0] != classified.category:
        return None, "", {}
    (first, sure), (other, nearly) = likeliest
    if nearly < FAINT_SECOND or sure - nearly > policy.triage.close_margin:
        return None, "", {}
    why = f"{first} {sure:.2f} and {other} {nearly:.2f} sure: within {policy.triage.close_margin:.2f}"
    return (
        _known(policy, other),
        why,
        {"because": Because.CLOSE.value, "sure": f"{sure:.2f}", "nearly": f"{nearly:.2f}"},
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
    if located.doubt is not None and not is_surely_ours(policy, located):
        return TriageReason.PLACE_IN_DOUBT, doubt_in_words(located)
    if located.outside:
        where = f"in {located.neighbour}, " if located.neighbour else ""
        return TriageReason.OUTSIDE_CITY, f"the place lies {where}outside the city"
    if (declined := _declining(policy, classified)) is not None:
        return TriageReason.OUT_OF_SCOPE, declined.why
    if category is None:
        return TriageReason.NO_CATEGORY, "nothing in the text says what it is about"
    if classified.confidence >= _needed(policy, classified):
        return None
    if (shared := _two_departments(policy, classified, located)) is not None:
        return TriageReason.TWO_DEPARTMENTS, shared.why
    return TriageReason.LOW_CONFIDENCE, _how_unsure(policy, classified)


def _needed(policy: Policy, classified: Classified) -> float:
    return policy.triage.threshold if classified.needed is None else classified.needed


def _how_unsure(policy: Policy, classified: Classified) -> str:
    needed = _needed(policy, classified)
    wanted = f"{needed:.2f} needed" if needed < 1 else "never enough to decide this without a person"
    return f"{classified.decided_by}: {classified.confidence:.2f} sure, {wanted}"


def _want_of_route(category: Category, located: Located) -> str:
    if located.district is None:
        return f"category {category.code} needs a place, and none is known"
    return f"category {category.code} has no department for the district {located.district}"


def _reason(category: Category, department: str, classified: Classified, located: Located) -> str:
    by_place = f", district {located.district}" if located.district and department != category.department else ""
    return f"category {category.code}{by_place} ({classified.decided_by}, {classified.confidence:.2f} sure)"


def _found_facts(classified: Classified) -> dict[str, str]:
    """What a dispatcher is shown; codes and numbers only."""
    likeliest = " ".join(f"{code}:{confidence:.2f}" for code, confidence in classified.candidates)
    facts = {"decided_by": classified.decided_by, "confidence": f"{classified.confidence:.2f}", "candidates": likeliest}
    return {name: value for name, value in facts.items() if value} | opinion_facts(classified.opinion)
