"""Every mistake of a policy folder in one pass: of each file by itself, and of the files among each other."""

from __future__ import annotations

from pathlib import Path

from policies.checks.calendar import check_calendar
from policies.checks.categories import check_categories
from policies.checks.dangers import check_dangers
from policies.checks.departments import check_departments
from policies.checks.gazetteer import check_gazetteer
from policies.checks.known import known_in
from policies.checks.offices import check_offices
from policies.checks.places import check_places
from policies.checks.promises import check_promises
from policies.checks.texts import check_texts
from policies.mistakes import Mistake
from policies.reading import Folder, read_folder

CHECKS = (
    check_departments, check_categories, check_offices, check_promises, check_calendar, check_places, check_gazetteer,
    check_texts, check_dangers,
)  # fmt: skip


def check_folder(path: Path) -> list[Mistake]:
    """All mistakes that can be found, in the order of files and keys; none means that the folder is a policy."""
    return checked(path)[1]


def checked(path: Path) -> tuple[Folder, list[Mistake]]:
    """The folder as it was read, with all its mistakes."""
    folder = read_folder(path)
    if folder.raw or folder.unreadable:
        known = known_in(folder)
        for check in CHECKS:
            check(folder, known)
    return folder, sorted(set(folder.mistakes))
