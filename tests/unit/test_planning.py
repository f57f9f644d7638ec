"""Deadlines, reminders and rungs of an assignment, on a calendar with a lunch break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import Invalid
from domain.planning import PlanWanted, is_sampled, plan_assignment, plan_feedback
from domain.policy import shortened
from domain.request import AlarmKind, Rung, Urgency
from tests.city import a_category, a_city

ZONE = ZoneInfo("Asia/Shanghai")
FRIDAY_TEN = datetime(2026, 11, 20, 10, tzinfo=ZONE)
WANTED = PlanWanted("2611-0000-00010", FRIDAY_TEN, category="street_light", department="housing")


def _moments(plan: object, *kinds: AlarmKind) -> list[str]:
    alarms = [alarm for alarm in plan.alarms if alarm.kind in kinds]  # type: ignore[attr-defined]
    return [f"{alarm.at.astimezone(ZONE):%a %d %H:%M}" for alarm in alarms]


def test_deadlines_are_counted_in_working_days_from_assignment() -> None:
    plan = plan_assignment(a_city(), WANTED)
    assert f"{plan.accept_due_at.astimezone(ZONE):%a %d %H:%M}" == "Mon 23 10:00"
    assert plan.due_at is not None
    assert f"{plan.due_at.astimezone(ZONE):%a %d %H:%M}" == "Fri 27 10:00"


def test_reminders_come_at_half_and_four_fifths_of_the_working_time() -> None:
    plan = plan_assignment(a_city(), WANTED)
    assert _moments(plan, AlarmKind.REMIND_HALF, AlarmKind.REMIND_EIGHTY) == ["Tue 24 15:15", "Thu 26 10:00"]


def test_escalations_come_at_the_due_date_and_one_and_three_working_days_later() -> None:
    assert _moments(plan_assignment(a_city(), WANTED), AlarmKind.ESCALATE) == [
        "Fri 27 10:00",
        "Mon 30 10:00",
        "Wed 02 10:00",
    ]


def test_danger_runs_on_the_wall_clock() -> None:
    saturday_night = datetime(2026, 11, 21, 23, tzinfo=ZONE)
    wanted = PlanWanted("r", saturday_night, category="gas_leak", department="housing")
    plan = plan_assignment(a_city(), wanted)
    assert plan.urgency is Urgency.DANGER
    assert plan.accept_due_at - saturday_night == timedelta(minutes=15)
    assert plan.due_at == saturday_night + timedelta(hours=2)
    assert plan.return_until == saturday_night  # a danger is never passed on


def test_due_date_of_an_earlier_assignment_stays() -> None:
    due_at = FRIDAY_TEN + timedelta(days=3)
    plan = plan_assignment(a_city(), PlanWanted("r", FRIDAY_TEN, "clinic", "health", due_at=due_at))
    assert plan.due_at == due_at


def test_overdue_request_that_is_assigned_anew_escalates_at_once_and_reminds_no_more() -> None:
    due_at = FRIDAY_TEN - timedelta(days=30)
    plan = plan_assignment(a_city(), PlanWanted("r", FRIDAY_TEN, "clinic", "health", due_at=due_at))
    assert {alarm.at for alarm in plan.alarms if alarm.kind is AlarmKind.ESCALATE} == {FRIDAY_TEN}
    assert not [alarm for alarm in plan.alarms if alarm.kind in (AlarmKind.REMIND_HALF, AlarmKind.REMIND_EIGHTY)]


def test_triage_has_a_clock_and_a_chain_of_its_own() -> None:
    plan = plan_assignment(a_city(), PlanWanted("r", FRIDAY_TEN))
    assert plan.due_at is None
    assert [rung.supervisors for rung in plan.rungs] == [True, False]
    assert _moments(plan, AlarmKind.ESCALATE) == ["Mon 23 10:00", "Tue 24 10:00"]


def test_reopened_request_has_the_shorter_time() -> None:
    plan = plan_assignment(a_city(), PlanWanted("r", FRIDAY_TEN, "street_light", "housing", rework=True))
    assert plan.due_at is not None
    assert f"{plan.due_at.astimezone(ZONE):%a %d %H:%M}" == "Wed 25 10:00"
    assert plan.review_required


def test_rungs_are_seen_from_the_department_in_charge() -> None:
    plan = plan_assignment(a_city(), PlanWanted("r", FRIDAY_TEN, "litter", "north_street"))
    assert plan.rungs == (
        Rung(1, ("north_street",)),
        Rung(2, ("housing",), take_over="housing"),
        Rung(3, (), supervisors=True),
    )


def test_rungs_already_climbed_are_left_out() -> None:
    plan = plan_assignment(a_city(), PlanWanted("r", FRIDAY_TEN, "litter", "housing", escalation_level=2))
    assert [rung.level for rung in plan.rungs] == [3]


@pytest.mark.parametrize(
    ("label", "category", "department", "named"),
    [("unknown department", "clinic", "circus", "circus"), ("unknown category", "circus", "health", "circus")],
)
def test_plan_for_what_the_policy_does_not_know_is_refused(
    label: str, category: str, department: str, named: str
) -> None:
    with pytest.raises(Invalid, match=named):
        plan_assignment(a_city(), PlanWanted("r", FRIDAY_TEN, category, department))


def test_category_may_demand_a_review() -> None:
    city = a_city(categories=(a_category("street_light", "housing", review=True),))
    assert plan_assignment(city, WANTED).review_required


def test_sample_is_the_same_for_ever_and_of_the_wanted_share() -> None:
    drawn = [is_sampled(f"2611-{number:04d}", "review", 0.1) for number in range(5000)]
    assert drawn == [is_sampled(f"2611-{number:04d}", "review", 0.1) for number in range(5000)]
    assert 400 < sum(drawn) < 600


def test_feedback_is_asked_for_again_and_then_closed() -> None:
    plan = plan_feedback(a_city(), FRIDAY_TEN)
    assert _moments(plan, AlarmKind.REMIND_FEEDBACK, AlarmKind.END_FEEDBACK) == ["Mon 23 10:00", "Fri 27 10:00"]
    assert plan.reopen_until == FRIDAY_TEN + timedelta(days=30)


def test_days_of_seconds_pass_on_a_sunday_too() -> None:
    """In a demonstration nothing waits for Monday: neither the call nor the next heartbeat."""
    policy, sunday = shortened(a_city(), 2.0), datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
    feedback = {alarm.kind: alarm.at for alarm in plan_feedback(policy, sunday, category="mattress").alarms}
    assert feedback[AlarmKind.END_FEEDBACK] - feedback[AlarmKind.WANT_CALL] == timedelta(seconds=10)
    plan = plan_assignment(policy, PlanWanted("2611-0000-00010", sunday, "street_light", "housing"))
    beats = [alarm.at for alarm in plan.alarms if alarm.kind is AlarmKind.HEARTBEAT]
    assert beats == [sunday + timedelta(seconds=6)]
