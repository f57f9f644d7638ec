"""Which clocks run on after a turn, where a new plan brings clocks that are settled already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.clocks import alarms_after
from domain.request import CITIZEN, AlarmKind, State
from domain.turns import make_turn
from tests.builders import MONDAY_NINE, a_plan, a_snapshot

LATER = MONDAY_NINE + timedelta(hours=5)


def kinds_after(**changes: Any) -> list[str]:
    turn = make_turn(a_snapshot(State.ASSIGNED), "reassign", CITIZEN, LATER, (), **changes)
    return [alarm.kind + str(alarm.rung.level if alarm.rung else "") for alarm in alarms_after(turn, (), a_plan())]


def test_new_plan_brings_all_its_clocks() -> None:
    assert kinds_after() == [
        "accept_overdue", "contact_overdue", "remind_half", "remind_eighty", "escalate1", "escalate2", "escalate3",
    ]  # fmt: skip


def test_new_plan_asks_for_no_contact_that_has_been_made() -> None:
    assert "contact_overdue" not in kinds_after(contacted_at=MONDAY_NINE)


def test_new_plan_escalates_to_no_level_that_has_been_reached() -> None:
    assert [kind for kind in kinds_after(escalation_level=2) if kind.startswith("escalate")] == ["escalate3"]


def test_request_that_is_over_keeps_no_clock_of_a_plan() -> None:
    assert kinds_after(state=State.DECLINED) == []


def test_clocks_of_one_moment_ring_in_the_same_order_however_they_were_planned() -> None:
    clocks = tuple(replace(alarm, at=LATER) for alarm in a_plan().alarms)
    turn = make_turn(a_snapshot(State.ASSIGNED), "reassign", CITIZEN, LATER, ())
    there, back = alarms_after(turn, clocks), alarms_after(turn, clocks[::-1])
    assert there == back
    assert [alarm.rung.level for alarm in there if alarm.rung and alarm.kind is AlarmKind.ESCALATE] == [1, 2, 3]
