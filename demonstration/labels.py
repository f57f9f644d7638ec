"""From the label that a sorted file gives a message to the department that a dispatcher of this city would choose."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from domain.policy import Policy


class LabelsUnusable(Exception):
    """The file of labels cannot be used; the sentence says why."""


def departments_by_label(policy: Policy, labels: Iterable[str], file: Path | None = None) -> dict[str, str]:
    """The department of each label for which there is one: as the file says, else by the likeness of the names.

    The file is TOML with lines like `"Streets and lamps" = "urban_management"`. Raises LabelsUnusable.
    """
    told: dict[str, str] = _read(file, policy) if file else {}
    alike = {label: found for label in set(labels) if (found := most_alike(policy, label))}
    return alike | told


def most_alike(policy: Policy, label: str) -> str | None:
    """The department whose code is the label, or whose name shares the most with it; None where none or several do."""
    if policy.has_department(label):
        return label
    likeness = {
        department.code: max(len(_pairs(label) & _pairs(name)) for name in department.name.values())
        for department in policy.departments
    }
    best = max(likeness.values(), default=0)
    found = [code for code, shared in likeness.items() if shared == best]
    return found[0] if best and len(found) == 1 else None


def _pairs(text: str) -> set[str]:
    """Neighbouring characters: in Chinese about a word each."""
    folded = "".join(text.casefold().split())
    return {folded[at : at + 2] for at in range(len(folded) - 1)}


def _read(file: Path, policy: Policy) -> dict[str, str]:
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LabelsUnusable(
            f'{file} cannot be read as TOML with lines like "label" = "department": {error}.'
        ) from None
    for label, department in told.items():
        if not (isinstance(department, str) and policy.has_department(department)):
            known = ", ".join(each.code for each in policy.departments)
            raise LabelsUnusable(f"{file}, {label!r}: the policy has no such department. It has: {known}.")
    return told
