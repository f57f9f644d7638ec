"""Which department is in charge of a category in a district, and whether a doubt about the place changes that."""

from __future__ import annotations

from domain.classified import Located, PlaceDoubt
from domain.policy import Category, Policy

_DOUBTS = {
    PlaceDoubt.NEAR_BORDER: "the point lies close to a border, and the text names the other side",
    PlaceDoubt.POINT_AND_NAME: "the point lies in one place, and the text names another",
    PlaceDoubt.SEVERAL_NAMES: "the text names several districts, and there is no point",
}


def in_charge(policy: Policy, category: Category, district: str | None) -> str | None:
    """The department by name for that district, or else its office of the wanted kind, or else the category's own.

    A department that serves other districts only is none for this one.
    """
    if district is None:
        return None if category.place_required else category.department
    if district in category.by_district:
        return category.by_district[district]
    office = policy.office(category.district_office, district) if category.district_office else None
    if office is not None:
        return office.code
    return category.department if _serves(policy, category.department, district) else None


def in_charge_of_danger(policy: Policy, category: Category, located: Located) -> str | None:
    """A danger cannot wait for its place: any department that can be named, the likeliest first."""
    places = (located.district, *located.between)
    named = (in_charge(policy, category, district) for district in places if district is not None)
    return next(filter(None, named), None) or category.department


def is_surely_ours(policy: Policy, located: Located) -> bool:
    """Whether the matter lies in the city whatever the doubt."""
    neighbours = {neighbour.code for neighbour in policy.neighbours}
    return not located.outside and neighbours.isdisjoint(located.between)


def doubt_matters(policy: Policy, category: Category, located: Located) -> bool:
    """Whether the districts that a doubt leaves have different departments for it; else nobody need be asked."""
    return len({in_charge(policy, category, district) for district in located.between}) > 1


def doubt_in_words(located: Located) -> str:
    """For staff; of a place in doubt only."""
    assert located.doubt is not None
    return f"{_DOUBTS[located.doubt]}: {' or '.join(located.between)}"


def place_facts(located: Located) -> dict[str, str]:
    """How the place was found, and what is not settled about it; codes only."""
    facts = {
        "place_by": located.found_by,
        "place_doubt": located.doubt,
        "place_between": " ".join(located.between),
        "neighbour": located.neighbour,
    }
    return {name: str(value) for name, value in facts.items() if value}


def _serves(policy: Policy, department: str | None, district: str) -> bool:
    served = policy.department(department).districts if department and policy.has_department(department) else ()
    return not served or district in served
