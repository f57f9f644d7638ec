"""From the labels of a file to the codes of a policy: a category or a department, by code, by name, or as a file says."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from classifier.examples import Example, ExamplesUnusable
from domain.policy import Category, Department, Policy

_SHOWN = 10


def read_labels(file: Path) -> dict[str, str]:
    """TOML with lines like `"Streets and lamps" = "street_light"`. Raises ExamplesUnusable."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ExamplesUnusable(f'{file} cannot be read as TOML with lines like "label" = "code": {error}.') from None
    wrong = [label for label, code in told.items() if not isinstance(code, str)]
    if wrong:
        raise ExamplesUnusable(
            f'{file}, {wrong[0]!r}: write "label" = "code", with a category or department as the code.'
        )
    return told


def renamed(examples: Iterable[Example], told: Mapping[str, str]) -> list[Example]:
    """The examples under the labels that the file gives them; a label it does not name stays."""
    return [replace(example, label=told.get(example.label, example.label)) for example in examples]


def in_codes(examples: Iterable[Example], policy: Policy) -> list[Example]:
    """The examples under codes of the policy. Raises ExamplesUnusable with the labels that it does not know."""
    examples = list(examples)
    known = _codes_by_name(policy)
    unknown = sorted({example.label for example in examples if _folded(example.label) not in known})
    if unknown:
        shown = ", ".join(repr(label) for label in unknown[:_SHOWN])
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        raise ExamplesUnusable(
            f"The active policy has no category or department of this code or name: {shown}{more}. "
            f'Say which are meant with --labels FILE, in lines like "label" = "code".'
        )
    return [replace(example, label=known[_folded(example.label)]) for example in examples]


def check_known(labels: Iterable[str], policy: Policy) -> None:
    """Raises ExamplesUnusable unless every label is the code of a category or a department."""
    foreign = [label for label in labels if not policy.has_category(label) and not policy.has_department(label)]
    if foreign:
        shown = ", ".join(repr(label) for label in foreign[:_SHOWN])
        raise ExamplesUnusable(
            f"The model has labels that are neither categories nor departments of the active policy: {shown}. "
            f"Train it again on the codes of this policy."
        )


def destination_in(policy: Policy, label: str) -> str:
    """The department that a category leads to; a department is its own destination."""
    if policy.has_category(label):
        return policy.category(label).department or label
    return label


def _codes_by_name(policy: Policy) -> dict[str, str]:
    """Codes go before names, and categories before departments, for they say more."""
    both: list[Department | Category] = [*policy.departments, *policy.categories]
    names = {_folded(name): each.code for each in both for name in each.name.values()}
    return names | {_folded(each.code): each.code for each in both}


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())
