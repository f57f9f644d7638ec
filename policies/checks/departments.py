"""The tree of departments: one root, no circles, every district known."""

from __future__ import annotations

from policies.checks.known import Known, doubled, incomplete, unknown
from policies.reading import Folder
from policies.schema import DepartmentPart, DepartmentsFile

FILE = "departments.toml"


def check_departments(folder: Folder, known: Known) -> None:
    """Adds what is wrong with the departments among each other."""
    form = folder.form(FILE, DepartmentsFile)
    if form is None:
        return
    for code in doubled(department.code for department in form.department):
        folder.add(FILE, f"department[{code}].code", "is given twice; each department needs a code of its own")
    for department in form.department:
        _check_department(folder, department, known)
    _check_tree(folder, form)


def _check_department(folder: Folder, department: DepartmentPart, known: Known) -> None:
    key = f"department[{department.code}]"
    wrong = incomplete(known.languages, department.name)
    if wrong:
        folder.add(FILE, f"{key}.name", wrong)
    if department.parent is not None:
        wrong = unknown("department", department.parent, known.departments)
        if wrong:
            folder.add(FILE, f"{key}.parent", wrong)
    for district in department.districts:
        wrong = unknown("district", district, known.districts)
        if wrong:
            folder.add(FILE, f"{key}.districts", wrong)


def _check_tree(folder: Folder, form: DepartmentsFile) -> None:
    parents = {department.code: department.parent for department in form.department}
    roots = [code for code, parent in parents.items() if parent is None]
    if len(roots) > 1:
        folder.add(
            FILE,
            f"department[{roots[1]}].parent",
            f"is missing; only one department, here {roots[0]}, has none above it",
        )
    reported: set[str] = set()
    for code in parents:
        circle = _circle_from(code, parents)
        if circle and not reported & set(circle):
            reported |= set(circle)
            way = " -> ".join([*circle, circle[0]])
            folder.add(
                FILE, f"department[{circle[0]}].parent", f"the departments stand above each other in a circle: {way}"
            )


def _circle_from(code: str, parents: dict[str, str | None]) -> list[str]:
    """The circle that the way upwards from that department runs into; empty where it reaches the top."""
    way: list[str] = []
    step: str | None = code
    while step is not None and step in parents:
        if step in way:
            return way[way.index(step) :]
        way.append(step)
        step = parents[step]
    return []
