"""Reminders and escalation by timer: section 4 of PROCESS.md, with all the time that they take."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain import commands as c
from domain.deadlines import deadline
from domain.durations import Duration
from domain.request import Result, Solved, State
from tests.town import Request, Town, a_text


def after(request: Request, at: datetime | None, duration: str) -> datetime:
    """So much working time later, by the town's calendar."""
    assert at is not None
    return deadline(request.town.policy.calendar, at, Duration.parse(duration))


async def clocks(request: Request) -> list[str]:
    """What the clocks of the handler did: the actions of the system after the assignment, escalations with their level."""
    events = [event for event in (await request.events())[2:] if event.action != "heartbeat"]
    return [event.action + event.facts.get("level", "") for event in events if event.actor_kind == "system"]


async def test_accepted_request_is_warned_at_half_and_four_fifths_and_escalated_to_the_top(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.Contact(town.actor("handler"), c.ContactKind.PHONE))
    due_at = (await request.snapshot()).due_at
    assert due_at is not None
    await request.wait_until(due_at - timedelta(minutes=1))
    assert await clocks(request) == ["remind_half", "remind_eighty"]
    assert await request.notices("remind_half") == [("reminder_half", "handler")]
    assert await request.notices("remind_eighty") == [("reminder_eighty", "handler")]

    told = []
    for duration in ("0 seconds", "1 working day", "3 working days"):
        await request.wait_until(after(request, due_at, duration))
        told.append(await request.notices("escalate"))
    assert told == [
        [("escalated", "lead"), ("escalated_from", "handler")],
        [("escalated", "lead"), ("escalated_from", "handler")],
        [("escalated", "supervisor"), ("escalated_from", "handler")],
    ]
    assert await clocks(request) == ["remind_half", "remind_eighty", "escalate1", "escalate2", "escalate3"]
    last = await request.snapshot()
    assert (last.state, last.escalation_level, last.due_at) == (State.IN_PROGRESS, 3, due_at)
    await request.wait(timedelta(days=30))
    assert len(await clocks(request)) == 5
    assert await request.unsent() == []


async def test_warnings_come_when_half_and_four_fifths_of_the_working_time_are_used(town: Town) -> None:
    request = await town.submit()
    before = await request.snapshot()
    assert before.due_at is not None
    assert before.assigned_at is not None
    await request.wait_until(before.due_at)
    at = {event.action: event.at for event in await request.events()}
    calendar = town.policy.calendar
    whole = calendar.working_time_between(before.assigned_at, before.due_at)
    for action, part in (("remind_half", 0.5), ("remind_eighty", 0.8)):
        used = calendar.working_time_between(before.assigned_at, at[action])
        assert abs(used - whole * part) < timedelta(minutes=1)


async def test_request_that_nobody_accepts_is_escalated_to_the_top(town: Town) -> None:
    request = await town.submit()
    before = await request.snapshot()
    await request.wait_until(after(request, before.due_at, "3 working days"))
    assert await clocks(request) == [
        "accept_overdue", "contact_overdue", "remind_half", "remind_eighty", "escalate1", "escalate2", "escalate3",
    ]  # fmt: skip
    assert await request.notices("accept_overdue") == [("accept_overdue", "handler"), ("accept_overdue", "lead")]
    assert await request.notices("contact_overdue") == [("contact_overdue", "handler")]
    assert await request.notices("escalate") == [("escalated", "supervisor"), ("escalated_from", "handler")]
    last = await request.snapshot()
    assert (last.state, last.due_at) == (State.ASSIGNED, before.due_at)
    assert await request.unsent() == []


async def test_request_in_triage_is_escalated_as_far_as_its_chain_goes(town: Town) -> None:
    request = await town.submit("Good morning to you all.")
    await request.wait_until(after(request, (await request.snapshot()).accept_due_at, "1 working day"))
    assert await clocks(request) == ["remind_half", "remind_eighty", "accept_overdue", "escalate1", "escalate2"]
    assert await request.notices("remind_half") == [("reminder_half", "dispatcher")]
    assert await request.notices("accept_overdue") == [("accept_overdue", "dispatcher")]
    assert await request.notices("escalate") == [("escalated", "head"), ("escalated_from", "dispatcher")]
    assert (await request.snapshot()).state is State.TRIAGE


async def test_request_returned_to_triage_is_reminded_of_there_although_it_had_been_accepted(town: Town) -> None:
    request = await town.submit()
    await request.accepted("lead")
    await request.act(c.ReturnRequest(town.actor("lead"), a_text(), "health"))
    await request.hear("supplemented", text=a_text())
    await request.wait_until((await request.snapshot()).accept_due_at)
    assert await request.notices("accept_overdue") == [("accept_overdue", "dispatcher")]


async def test_decision_that_is_late_is_asked_of_the_supervisors(town: Town) -> None:
    request = await town.submit()
    for department in ("health", "housing"):
        lead = "lead" if (await request.snapshot()).department == "housing" else "clinic_lead"
        await request.act(c.ReturnRequest(town.actor(lead), a_text(), department))
        await request.act(c.Assign(town.actor("dispatcher"), department, "clinic"))
    await request.act(c.ReturnRequest(town.actor("lead"), a_text(), "health"))
    assert await request.state() is State.ADJUDICATION
    await request.wait_until((await request.snapshot()).accept_due_at)
    assert await request.notices("accept_overdue") == [("accept_overdue", "supervisor")]


async def test_accepting_stops_the_reminder_to_accept_alone(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.wait_until((await request.snapshot()).accept_due_at)
    assert await clocks(request) == ["contact_overdue"]


async def test_contact_stops_the_reminder_of_it_even_beyond_a_new_assignment(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.Progress(town.actor("handler"), a_text(), public=True))
    await request.act(c.Reassign(town.actor("dispatcher"), "health", a_text()))
    await request.accepted("clinic_handler")
    await request.wait(timedelta(days=5))
    assert "contact_overdue" not in await clocks(request)


async def test_resolved_request_is_not_reminded_of_any_more(town: Town) -> None:
    request = await town.submit()
    await request.resolved()
    await request.wait_until(after(request, (await request.snapshot()).due_at, "3 working days"))
    assert await clocks(request) == ["remind_feedback", "close"]


async def test_request_in_review_is_still_escalated(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.Resolve(town.actor("handler"), Result.NOT_SOLVED, a_text()))
    await request.wait_until((await request.snapshot()).due_at)
    assert await clocks(request) == ["contact_overdue", "remind_half", "remind_eighty", "escalate1"]
    assert await request.state() is State.IN_REVIEW


async def test_reopened_request_is_escalated_from_the_next_level_on(town: Town) -> None:
    request = await town.submit()
    for _ in range(2):
        await request.resolved()
        await request.rated(Solved.NO, 1)
    before = await request.snapshot()
    assert before.escalation_level == 2
    await request.wait_until(after(request, before.due_at, "3 working days"))
    escalations = [event for event in await request.events() if event.action == "escalate"]
    assert [event.facts["level"] for event in escalations] == ["3"]
    assert await request.is_running()


async def test_danger_is_timed_on_the_wall_clock(town: Town) -> None:
    request = await town.submit("There is a gas leak!")
    before = await request.snapshot()
    assert before.due_at is not None
    assert before.assigned_at is not None
    assert abs(before.due_at - before.assigned_at - timedelta(hours=2)) < timedelta(seconds=1)
    await request.wait(timedelta(hours=2, minutes=1))
    assert await clocks(request) == ["accept_overdue", "contact_overdue", "remind_half", "remind_eighty", "escalate1"]
