"""From the receipt to a department: rows 1 to 6 and 11 of PROCESS.md."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.requests import Contact
from domain import commands as c
from domain.request import State, Urgency
from tests.town import LOST_KEYS, Request, Town, a_text, refused, until


async def a_request_in_triage(town: Town) -> Request:
    return await town.submit("Good morning to you all.")


async def test_clear_request_is_assigned_at_once_and_everybody_told(town: Town) -> None:
    request = await town.submit("The street light is out.")
    after = await request.snapshot()
    assert (after.state, after.department, after.category) == (State.ASSIGNED, "housing", "street_light")
    assert after.due_at is not None
    assert await request.actions() == ["submit", "auto_assign"]
    assert await request.notices() == [("receipt", "citizen"), ("assigned", "citizen"), ("new_task", "handler")]
    assert await request.unsent() == []


async def test_place_in_the_city_gives_the_district(town: Town) -> None:
    request = await town.submit("The street light is out.", lat=28.5, long=112.5)
    assert (await request.snapshot()).district == "middle"


@pytest.mark.parametrize(
    ("description", "changes", "reason", "category"),
    [
        ("Good morning to you all.", {}, "no_category", None),
        ("The street light or the clinic.", {}, "two_departments", "street_light"),
        ("My lawsuit is going on.", {}, "out_of_scope", None),
        ("The street light, and my lawsuit.", {}, "out_of_scope", "street_light"),
        ("About child care, please.", {}, "sensitive", "child_care"),
        ("The street light is out.", {"lat": 40.0, "long": 116.0}, "outside_city", "street_light"),
    ],
)
async def test_request_that_no_rule_decides_goes_to_triage_with_the_reason(
    town: Town, description: str, changes: dict[str, float], reason: str, category: str | None
) -> None:
    request = await town.submit(description, **changes)
    after = await request.snapshot()
    assert (after.state, after.triage_reason, after.category) == (State.TRIAGE, reason, category)
    assert after.department is None
    assert (await request.latest()).facts["reason"] == reason
    assert await request.notices() == [("receipt", "citizen"), ("needs_triage", "dispatcher")]


async def test_two_departments_are_proposed_with_a_lead_and_a_helper(town: Town) -> None:
    request = await town.submit("The street light or the clinic.")
    facts = (await request.latest()).facts
    assert {name: value for name, value in facts.items() if name.startswith("proposal") and name != "proposal_why"} == {
        "proposal": "co_handler",
        "proposal_department": "housing",
        "proposal_category": "street_light",
        "proposal_co_department": "health",
        "proposal_co_category": "clinic",
        "proposal_because": "close",
        "proposal_sure": "0.50",
        "proposal_nearly": "0.41",
    }


async def test_matter_of_another_channel_waits_for_a_person_however_long_it_takes(town: Town) -> None:
    request = await town.submit("My lawsuit is going on.")
    facts = (await request.latest()).facts
    assert (facts["proposal"], facts["proposal_reason_code"]) == ("decline", "court")
    await request.wait(timedelta(days=60))
    assert await request.state() is State.TRIAGE
    assert "decline" not in await request.actions()
    await request.act(c.Decline(town.actor("dispatcher"), "court"))
    assert await request.state() is State.DECLINED


async def test_danger_that_looks_like_another_channels_matter_is_assigned_and_no_decline_is_proposed(
    town: Town,
) -> None:
    request = await town.submit("My lawsuit is going on, and now there is a gas leak in the house!")
    after = await request.snapshot()
    assert (after.state, after.urgency, after.department) == (State.ASSIGNED, Urgency.DANGER, "housing")
    assert not any(name.startswith("proposal") for name in (await request.latest()).facts)


async def test_danger_is_assigned_at_once(town: Town) -> None:
    request = await town.submit("There is a gas leak in our house!")
    after = await request.snapshot()
    assert (after.state, after.urgency, after.department) == (State.ASSIGNED, Urgency.DANGER, "housing")


async def test_text_that_nobody_can_read_goes_to_triage_instead_of_being_tried_for_ever(town: Town) -> None:
    request = await town.stored(keys=LOST_KEYS, contact=Contact())
    await town.start(request)
    for _ in range(6):  # the pauses between the tries grow to timers
        await request.settled()
        await town.environment.sleep(timedelta(minutes=1))
    await request.settled()
    after = await request.snapshot()
    assert (after.state, after.triage_reason) == (State.TRIAGE, "no_category")
    assert (await request.latest()).facts["decided_by"] == "failed"


async def test_dispatcher_assigns_from_triage(town: Town) -> None:
    request = await a_request_in_triage(town)
    taken = await request.act(c.Assign(town.actor("dispatcher"), "health", "clinic", Urgency.URGENT))
    assert (taken.state, taken.sequence) == (State.ASSIGNED, 3)
    after = await request.snapshot()
    assert (after.department, after.category, after.urgency) == ("health", "clinic", Urgency.URGENT)
    assert (after.triage_reason, after.due_at is not None) == (None, True)
    assert await request.notices("assign") == [("assigned", "citizen"), ("new_task", "clinic_handler")]


async def test_changed_category_is_kept_for_training(town: Town) -> None:
    request = await town.submit("About child care, please.")
    await request.act(c.Assign(town.actor("dispatcher"), "health", "clinic"))
    facts = (await request.latest()).facts
    assert facts == {"department": "health", "category": "clinic", "previous_category": "child_care"}


async def test_assignment_to_nobody_is_refused_and_changes_nothing(town: Town) -> None:
    request = await a_request_in_triage(town)
    with refused("invalid"):
        await request.act(c.Assign(town.actor("dispatcher"), "no_such_department", "clinic"))
    with refused("invalid"):
        await request.act(c.Assign(town.actor("dispatcher"), "health", "no_such_category"))
    assert await request.actions() == ["submit", "to_triage"]
    await request.act(c.Assign(town.actor("dispatcher"), "health", "clinic"))


async def test_declined_request_ends_at_once_and_the_citizen_hears_why(town: Town) -> None:
    request = await a_request_in_triage(town)
    await request.act(c.Decline(town.actor("dispatcher"), "court", a_text()))
    after = await request.snapshot()
    assert (after.state, after.closed_at is not None) == (State.DECLINED, True)
    assert await request.notices("decline") == [("declined", "citizen")]
    await until(request.is_over)


@pytest.mark.parametrize("state", [State.TRIAGE, State.ASSIGNED, State.IN_PROGRESS])
async def test_transferred_request_ends_at_once_wherever_it_stood(town: Town, state: State) -> None:
    request = await (a_request_in_triage(town) if state is State.TRIAGE else town.submit())
    if state is State.IN_PROGRESS:
        await request.accepted()
    assert await request.state() is state
    await request.act(c.Transfer(town.actor("dispatcher"), "next_city"))
    assert await request.state() is State.TRANSFERRED
    assert await request.notices("transfer") == [("transferred", "citizen")]
    await until(request.is_over)


@pytest.mark.parametrize("accepted", [False, True])
async def test_reassigned_request_keeps_its_due_date_and_both_departments_hear_of_it(
    town: Town, accepted: bool
) -> None:
    request = await town.submit()
    due_at = (await request.snapshot()).due_at
    if accepted:
        await request.accepted()
    await request.wait(timedelta(hours=30))
    await request.act(c.Reassign(town.actor("dispatcher"), "health", a_text(), "clinic"))
    after = await request.snapshot()
    assert (after.state, after.department, after.category) == (State.ASSIGNED, "health", "clinic")
    assert (after.due_at, after.accepted_at, after.assignee) == (due_at, None, None)
    assert await request.notices("reassign") == [
        ("assigned", "citizen"), ("new_task", "clinic_handler"), ("reassigned_away", "handler"),
    ]  # fmt: skip
    await request.accepted("clinic_handler")


async def test_reassigning_makes_no_late_contact_timely(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    await request.wait_until(before.contact_due_at)
    await request.act(c.Contact(town.actor("handler"), c.ContactKind.PHONE))
    await request.act(c.Reassign(town.actor("dispatcher"), "health", a_text()))
    after = await request.snapshot()
    assert after.contact_due_at == before.contact_due_at
    assert after.contacted_at is not None
    assert after.contacted_at > after.contact_due_at  # type: ignore[operator]


async def test_request_in_triage_is_reassigned_to_a_department(town: Town) -> None:
    request = await town.submit("About child care, please.")
    await request.act(c.Reassign(town.actor("supervisor"), "health", a_text()))
    assert (await request.snapshot()).department == "health"
    assert await request.notices("reassign") == [("assigned", "citizen"), ("new_task", "clinic_handler")]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (State.TRIAGE, []),
        (State.ASSIGNED, [("reclassified", "handler")]),
        (State.IN_PROGRESS, [("reclassified", "handler")]),
    ],
)
async def test_reclassified_request_stays_where_it_is(town: Town, state: State, told: list[tuple[str, str]]) -> None:
    request = await (a_request_in_triage(town) if state is State.TRIAGE else town.submit())
    if state is State.IN_PROGRESS:
        await request.accepted()
    before = await request.snapshot()
    await request.act(c.Reclassify(town.actor("dispatcher"), "litter", a_text()))
    after = await request.snapshot()
    assert (after.state, after.category) == (state, "litter")
    assert (after.department, after.due_at) == (before.department, before.due_at)
    assert await request.notices("reclassify") == told
    await request.act(c.SetUrgency(town.actor("dispatcher"), Urgency.URGENT, a_text()))
    after = await request.snapshot()
    assert (after.state, after.urgency, after.due_at) == (state, Urgency.URGENT, before.due_at)
    assert await request.notices("set_urgency") == told
