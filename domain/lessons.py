"""What a decided request teaches: where it belonged, who said so in the end, and how much that word counts.

The last word wins, and it counts as soon as a department stands by it: by accepting the request, or because a
supervisor's decision binds. What was said before it teaches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.lifecycle import Action
from domain.policy import Category, Policy
from domain.request import State


class How(StrEnum):
    """How a request came to where it belongs."""

    RAN_THROUGH = "ran_through"
    CHOSEN = "chosen"
    TRIAGED = "triaged"
    RECLASSIFIED = "reclassified"
    MOVED = "moved"
    BOUND = "bound"


class Weight(NamedTuple):
    """How much such a decision counts beside one that a dispatcher took in triage, and why."""

    value: float
    why: str


WEIGHTS: Mapping[How, Weight] = {
    How.RAN_THROUGH: Weight(
        0.4, "the classifier's own answer, which the department accepted: it says little that is new"
    ),
    How.CHOSEN: Weight(
        0.6, "the citizen's own choice, which the department accepted; citizens do not know the categories"
    ),
    How.TRIAGED: Weight(1.0, "a dispatcher read it and chose, and the department accepted"),
    How.RECLASSIFIED: Weight(1.5, "somebody who knew the matter corrected the category and wrote down why"),
    How.MOVED: Weight(
        1.5, "one department said that it is not theirs, or a dispatcher took it away, and another accepted"
    ),
    How.BOUND: Weight(2.0, "departments disagreed, and a supervisor decided in writing"),
}

ACCEPTED = frozenset({
    State.IN_PROGRESS, State.AWAITING_CITIZEN, State.ON_HOLD, State.IN_REVIEW, State.RESOLVED, State.CLOSED,
})  # fmt: skip
"""A department has taken the request on and has not given it back; unless no department ever had it."""


class Step(NamedTuple):
    """What a line of the timeline says of it: `state` is the one after."""

    at: datetime
    action: str
    state: str
    facts: Mapping[str, str]


class Lesson(NamedTuple):
    """The last word on a request. `at` is when it began to count; `department` is where it sent the request.

    `names_category` tells whether the word was about the category, or only about the department.
    """

    how: How
    at: datetime
    department: str | None
    names_category: bool


SILENT = frozenset({Action.ACCEPT, Action.ESCALATE, Action.REOPEN})
"""They say nothing about where a request belongs, only whether a department has it."""
CORRECTIONS = frozenset({Action.RETURN_REQUEST, Action.REFER, Action.REASSIGN, Action.RECLASSIFY, Action.DECIDE})
"""Somebody did not agree with where a request was sent."""
TOLD_BY = frozenset({
    Action.AUTO_ASSIGN, Action.TO_TRIAGE, Action.ASSIGN, Action.DECLINE, Action.TRANSFER, Action.WITHDRAW, Action.MERGE,
    Action.UNMERGE, Action.QUICK_LOG, *CORRECTIONS, *SILENT,
})  # fmt: skip
"""The actions that a lesson is made of; all others leave it as it is."""


def lesson(steps: Iterable[Step], until: datetime | None = None) -> Lesson | None:
    """What the request taught at that moment, or teaches now; None while it taught nothing. `steps` in their order."""
    word: Lesson | None = None
    given_back_by: str | None = None
    since: datetime | None = None
    for step in steps:
        if until is not None and step.at > until:
            break
        if step.action not in TOLD_BY:
            continue
        if step.action not in SILENT:
            word, since = _word(step, word, given_back_by), None
        if step.action == Action.RETURN_REQUEST:
            given_back_by = step.facts.get("previous_department")
        if not _stands(word, step):
            since = None
        elif since is None:
            since = step.at
    return word._replace(at=since) if word and since else None


def _stands(word: Lesson | None, step: Step) -> bool:
    """Whether a department stands by the word after that step, or must."""
    return word is not None and (step.state in ACCEPTED or (word.how is How.BOUND and step.state == State.ASSIGNED))


def _word(step: Step, before: Lesson | None, given_back_by: str | None) -> Lesson | None:
    """What that step says of where the request belongs; None where it takes back what was said."""
    facts, department = step.facts, step.facts.get("department")
    match step.action:
        case Action.AUTO_ASSIGN:
            how = How.CHOSEN if facts.get("decided_by") == "citizen" else How.RAN_THROUGH
            return Lesson(how, step.at, department, names_category=True)
        case Action.ASSIGN if given_back_by not in (None, department):
            changed = facts.get("category") != facts.get("previous_category")
            return Lesson(How.MOVED, step.at, department, names_category=changed)
        case Action.ASSIGN:
            return Lesson(How.TRIAGED, step.at, department, names_category=True)
        case Action.REASSIGN:
            return Lesson(How.MOVED, step.at, department, names_category=False)
        case Action.RECLASSIFY:
            return Lesson(How.RECLASSIFIED, step.at, before.department if before else None, names_category=True)
        case Action.DECIDE if facts.get("decision") == "assign":
            return Lesson(How.BOUND, step.at, department, names_category=False)
    return None


def label_of(policy: Policy, category: str, found: Lesson) -> str | None:
    """The category that it teaches; the department where only that was decided and the category leads elsewhere.

    None where the policy knows neither any more.
    """
    if not policy.has_category(category):
        return None
    known = policy.category(category)
    if found.names_category or found.department is None or found.department in _owners(known):
        return category
    return found.department if policy.has_department(found.department) else None


def _owners(category: Category) -> set[str]:
    return {*category.by_district.values(), *([category.department] if category.department else [])}
