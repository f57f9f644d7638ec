"""Offices of districts: every category reaches one in each district, and only one that serves it."""

from __future__ import annotations

from collections.abc import Mapping

from policies.checks.known import Known
from policies.reading import Folder
from policies.schema import CategoriesFile, CategoryPart, DepartmentPart, DepartmentsFile

Departments = Mapping[str, DepartmentPart]


def check_offices(folder: Folder, known: Known) -> None:
    """Adds what is wrong between the categories' ways and the districts that departments serve."""
    form = folder.form("departments.toml", DepartmentsFile)
    if form is None or not known.districts:
        return
    departments = {department.code: department for department in form.department}
    for file, categories in folder.forms_in("categories", CategoriesFile):
        for category in categories.category:
            key = f"category[{category.code}]"
            for district, department in category.by_district.items():
                if district in known.districts and not _serves(departments, department, district):
                    folder.add(file, f"{key}.by_district.{district}", _elsewhere(departments[department], district))
            if category.district_office is not None:
                _check_kind(folder, str(file), key, category, departments, known.districts)
            elif category.department is not None and category.department in departments:
                left = sorted(known.districts - category.by_district.keys())
                unserved = [district for district in left if not _serves(departments, category.department, district)]
                if unserved:
                    reason = _elsewhere(departments[category.department], ", ".join(unserved))
                    folder.add(file, f"{key}.department", reason)


def _check_kind(
    folder: Folder, file: str, key: str, category: CategoryPart, departments: Departments, districts: frozenset[str]
) -> None:
    """Exactly one office of the wanted kind in each district that is not given by name."""
    kind = category.district_office
    left_out = []
    for district in sorted(districts - category.by_district.keys()):
        offices = [each.code for each in departments.values() if each.kind is kind and district in each.districts]
        if len(offices) > 1:
            reason = f"{' and '.join(offices)} all serve {district}; name one of them in by_district"
            folder.add(file, f"{key}.district_office", reason)
        if not offices:
            left_out.append(district)
    rest = category.department
    unserved = [each for each in left_out if rest is None or not _serves(departments, rest, each)]
    if unserved:
        reason = (
            f"no department of the kind {kind} serves {', '.join(unserved)}: add one, or name a department for the rest"
        )
        folder.add(file, f"{key}.district_office", reason)
    elif left_out:
        reason = f"no department of the kind {kind} serves {', '.join(left_out)}; what happens there goes to {rest}"
        folder.warn(file, f"{key}.district_office", reason)


def _serves(departments: Departments, code: str | None, district: str) -> bool:
    """Whether it serves that district; of one that does not exist another check tells."""
    served = departments[code].districts if code is not None and code in departments else []
    return not served or district in served


def _elsewhere(department: DepartmentPart, districts: str) -> str:
    return (
        f"{department.code} serves {', '.join(department.districts)} only, not {districts}: name another department, "
        "or add the district to those it serves (departments.toml)"
    )
