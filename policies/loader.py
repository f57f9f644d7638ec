"""From a policy folder to a policy, or to all that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from domain.policy import Policy
from policies.building import build
from policies.check import checked
from policies.mistakes import Mistake, PolicyMistakes


def load_folder(path: Path) -> Policy:
    """The policy of that folder. Raises PolicyMistakes with every mistake that was found."""
    return load_with_warnings(path)[0]


def load_with_warnings(path: Path) -> tuple[Policy, list[Mistake]]:
    """The policy of that folder, and what a city may want so and should know of. Raises PolicyMistakes."""
    folder, mistakes = checked(path)
    if mistakes:
        raise PolicyMistakes(mistakes)
    return build(folder), sorted(set(folder.warnings))
