"""What a decided request teaches: the last word, how much it counts, and from when on."""

from __future__ import annotations

import pytest

from domain.lessons import CORRECTIONS, SILENT, TOLD_BY, WEIGHTS, How, Lesson, Step, label_of, lesson
from domain.lifecycle import TRANSITIONS, Action
from domain.request import State
from tests.city import a_category, a_city
from tests.decided import MINUTE, a_way, ran_through, triaged
from tests.rows import SUNDAY_NOON

CITY = a_city(
    categories=(
        a_category("street_light", "housing"),
        a_category("garbage", "health"),
        a_category("noise", None, by_district={"north": "north_street"}),
    )
)

Told = tuple[str, str, dict[str, str]]

SENT: Told = (
    "auto_assign",
    "assigned",
    {"department": "housing", "decided_by": "model abc", "candidates": "street_light:0.98"},
)
CHOSEN: Told = ("auto_assign", "assigned", {"department": "housing", "decided_by": "citizen"})
TAKEN: Told = ("accept", "in_progress", {})
GIVEN_BACK: Told = ("return_request", "triage", {"previous_department": "housing", "proposed": "health"})
TO_HEALTH: Told = (
    "assign",
    "assigned",
    {"department": "health", "category": "garbage", "previous_category": "street_light"},
)
SAME_CATEGORY: Told = (
    "assign",
    "assigned",
    {"department": "health", "category": "garbage", "previous_category": "garbage"},
)
BACK_TO_HOUSING: Told = ("assign", "assigned", {"department": "housing", "category": "street_light"})
AWAY: Told = ("reassign", "assigned", {"department": "health", "previous_department": "housing"})
ANOTHER: Told = ("reclassify", "in_progress", {"category": "garbage", "previous_category": "street_light"})
CONTESTED: Told = ("return_request", "adjudication", {"previous_department": "housing"})
DECIDED: Told = ("decide", "assigned", {"decision": "assign", "department": "health"})
ESCALATED: Told = ("escalate", "assigned", {"department": "city", "previous_department": "housing"})
REOPENED: Told = ("reopen", "assigned", {})


@pytest.mark.parametrize(
    ("label", "way", "how", "department", "names_category"),
    [
        ("nobody objected", (SENT, TAKEN), How.RAN_THROUGH, "housing", True),
        ("the citizen chose", (CHOSEN, TAKEN), How.CHOSEN, "housing", True),
        ("from triage", (("to_triage", "triage", {}), TO_HEALTH, TAKEN), How.TRIAGED, "health", True),
        ("returned, with another category", (SENT, TAKEN, GIVEN_BACK, TO_HEALTH, TAKEN), How.MOVED, "health", True),
        ("returned, the category stayed", (SENT, GIVEN_BACK, SAME_CATEGORY, TAKEN), How.MOVED, "health", False),
        ("returned in vain", (SENT, GIVEN_BACK, BACK_TO_HOUSING, TAKEN), How.TRIAGED, "housing", True),
        ("reassigned", (SENT, TAKEN, AWAY, TAKEN), How.MOVED, "health", False),
        ("reclassified while worked on", (SENT, TAKEN, ANOTHER), How.RECLASSIFIED, "housing", True),
        ("decided, accepted or not", (SENT, CONTESTED, DECIDED), How.BOUND, "health", False),
        ("reclassified after a decision", (SENT, CONTESTED, DECIDED, TAKEN, ANOTHER), How.RECLASSIFIED, "health", True),
        ("taken over by the rung above", (SENT, TAKEN, ESCALATED, TAKEN), How.RAN_THROUGH, "housing", True),
        ("done again", (SENT, TAKEN, ("resolve", "resolved", {}), REOPENED, TAKEN), How.RAN_THROUGH, "housing", True),
    ],
)
def test_last_word_wins(label: str, way: tuple[Told, ...], how: How, department: str, names_category: bool) -> None:
    found = lesson(a_way(*way))
    assert found is not None
    assert (found.how, found.department, found.names_category) == (how, department, names_category)


@pytest.mark.parametrize(
    ("label", "way"),
    [
        ("nothing happened", ()),
        ("nobody has accepted", (SENT,)),
        ("returned", (SENT, TAKEN, GIVEN_BACK)),
        ("returned, and accepted by nobody yet", (SENT, TAKEN, GIVEN_BACK, TO_HEALTH)),
        ("reclassified in triage", (("to_triage", "triage", {}), ("reclassify", "triage", {"category": "garbage"}))),
        ("reassigned, and accepted by nobody yet", (SENT, TAKEN, AWAY)),
        ("decided to close", (SENT, CONTESTED, ("decide", "closed", {"decision": "close"}))),
        ("declined after all", (SENT, TAKEN, ("decline", "declined", {}))),
        ("merged into another", (SENT, ("merge", "merged", {"parent": "2611-4829-13704"}))),
        ("on its own again, and not decided anew", (SENT, ("merge", "merged", {}), ("unmerge", "triage", {}))),
        ("withdrawn", (SENT, TAKEN, ("withdraw", "withdrawn", {}))),
        ("settled on the spot", (("quick_log", "closed", {"category": "garbage", "department": "health"}),)),
        ("waits to be accepted anew", (SENT, TAKEN, ESCALATED)),
    ],
)
def test_what_nobody_stands_by_teaches_nothing(label: str, way: tuple[Told, ...]) -> None:
    assert lesson(a_way(*way)) is None


def test_lesson_counts_from_when_a_department_stands_by_it() -> None:
    way = a_way(SENT, TAKEN, GIVEN_BACK, TO_HEALTH, TAKEN, ("escalate", "in_progress", {}))
    found = lesson(way)
    assert found is not None
    assert found.at == SUNDAY_NOON + 4 * MINUTE


def test_lesson_of_an_earlier_moment_is_that_of_what_had_happened() -> None:
    way = a_way(SENT, TAKEN, GIVEN_BACK, TO_HEALTH, TAKEN)
    taught = [lesson(way, SUNDAY_NOON + minute * MINUTE) for minute in range(5)]
    assert [each.how if each else None for each in taught] == [None, How.RAN_THROUGH, None, None, How.MOVED]


def test_every_move_that_can_end_a_lesson_is_told() -> None:
    """Whatever takes a request away from a department that has it, and whatever sends it to one."""
    has_it = {State.IN_PROGRESS, State.ASSIGNED}
    ends = {
        row.action
        for row in TRANSITIONS
        if row.sources & has_it and row.targets and not row.targets <= has_it - row.sources
    }
    leaves = {Action.ASK_CITIZEN, Action.APPROVE_HOLD, Action.RESOLVE}
    assert ends - TOLD_BY <= leaves
    assert SILENT | CORRECTIONS <= TOLD_BY


@pytest.mark.parametrize(
    ("label", "category", "department", "names_category", "taught"),
    [
        ("the category leads there", "street_light", "housing", False, "street_light"),
        ("only the department was decided", "street_light", "health", False, "health"),
        ("somebody chose the category all the same", "street_light", "health", True, "street_light"),
        ("by district, and one of them", "noise", "north_street", False, "noise"),
        ("by district, and none of them", "noise", "health", False, "health"),
        ("no department is known", "street_light", None, False, "street_light"),
        ("a category that is no more", "long_gone", "housing", True, None),
        ("a department that is no more", "street_light", "long_gone", False, None),
    ],
)
def test_label_is_what_was_decided(
    label: str, category: str, department: str | None, names_category: bool, taught: str | None
) -> None:
    assert label_of(CITY, category, Lesson(How.MOVED, SUNDAY_NOON, department, names_category)) == taught


def test_more_counts_what_took_more_people() -> None:
    in_order = (How.RAN_THROUGH, How.CHOSEN, How.TRIAGED, How.RECLASSIFIED, How.MOVED, How.BOUND)
    values = [WEIGHTS[how].value for how in in_order]
    assert set(WEIGHTS) == set(How)
    assert values == sorted(values)
    assert WEIGHTS[How.TRIAGED].value == 1
    assert WEIGHTS[How.RAN_THROUGH].value < WEIGHTS[How.CHOSEN].value < 1 < WEIGHTS[How.MOVED].value
    assert all(weight.why for weight in WEIGHTS.values())


def test_builders_tell_what_they_say() -> None:
    taught = [lesson(ran_through("garbage")), lesson(triaged("garbage"))]
    assert [each.how if each else None for each in taught] == [How.RAN_THROUGH, How.TRIAGED]
    assert isinstance(ran_through("garbage")[0], Step)
