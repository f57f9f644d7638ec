"""Questions to the citizen and holds: the clocks stand still, and every date moves by exactly that (rows 14, 15, 17, 18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from domain import commands as c
from domain.deadlines import shift_by_pause
from domain.request import Result, Snapshot, State
from tests.town import Request, Town, a_text, refused
from tests.workflows.test_clocks import clocks

SECONDS = timedelta(seconds=5)


async def asked(request: Request, text: str | None = None) -> str:
    question = text or a_text()
    await request.act(c.AskCitizen(request.town.actor("handler"), question))
    return question


async def on_hold(request: Request, days: int) -> None:
    review_on = await request.town.day_in(days)
    await request.act(c.RequestHold(request.town.actor("lead"), review_on, a_text()))
    await request.act(c.ApproveHold(request.town.actor("supervisor")))


def moved(town: Town, before: Snapshot, paused: Snapshot, after: Snapshot) -> datetime:
    """Where the due date must stand: later by the working time of the pause."""
    assert before.due_at is not None
    assert paused.paused_at is not None
    assert after.updated_at is not None
    return shift_by_pause(town.policy.calendar, before.due_at, paused.paused_at, after.updated_at)


async def test_question_stops_the_clocks_and_the_answer_moves_every_date_by_the_pause(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    question = await asked(request)
    paused = await request.snapshot()
    assert (paused.state, paused.question, paused.question_count) == (State.AWAITING_CITIZEN, question, 1)
    assert paused.due_at == before.due_at
    assert await request.notices("ask_citizen") == [("question", "citizen")]

    await request.wait(timedelta(days=4))
    assert await clocks(request) == []
    answer = a_text()
    await request.hear("answered", text=answer)
    after = await request.snapshot()
    assert (after.state, after.question, after.paused_at) == (State.IN_PROGRESS, None, None)
    assert after.due_at == moved(town, before, paused, after)
    assert after.due_at > before.due_at  # type: ignore[operator]
    event = await request.latest()
    assert (event.action, event.text, event.public) == ("answer", answer, True)
    assert event.facts == {
        "previous_due": before.due_at.isoformat(),  # type: ignore[union-attr]
        "due": after.due_at.isoformat(),
    }
    assert await request.notices("answer") == [("answered", "handler")]
    assert abs(after.paused_seconds - 4 * 86400) < 60


async def test_clocks_go_on_after_the_pause_where_they_stood(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked(request)
    await request.wait(timedelta(days=3))
    await request.hear("answered", text=a_text())
    due_at = (await request.snapshot()).due_at
    await request.wait_until(due_at)
    assert await clocks(request) == ["remind_half", "remind_eighty", "escalate1"]
    at = {event.action: event.at for event in await request.events()}
    assert abs(at["escalate"] - due_at) < SECONDS  # type: ignore[operator]


async def test_question_without_an_answer_goes_on_after_five_days(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    await asked(request)
    paused = await request.snapshot()
    assert paused.answer_due_at is not None
    await request.wait_until(paused.answer_due_at)
    after = await request.snapshot()
    assert after.state is State.IN_PROGRESS
    assert after.due_at == moved(town, before, paused, after)
    event = await request.latest()
    assert (event.action, event.actor_kind) == ("answer", "system")
    assert await request.notices("answer") == [("unanswered", "handler")]


async def test_answer_that_comes_too_late_is_kept(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked(request)
    await request.wait_until((await request.snapshot()).answer_due_at)
    text = a_text()
    await request.hear("answered", text=text)
    event = await request.latest()
    assert (event.action, event.text) == ("not_applied", text)


async def test_citizen_is_asked_at_most_twice(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    for _ in range(2):
        await asked(request)
        await request.hear("answered", text=a_text())
    with refused("not_allowed"):
        await asked(request)


async def test_asking_counts_as_the_first_contact(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked(request)
    assert (await request.snapshot()).contacted_at is not None


async def test_hold_lasts_until_its_review_and_moves_the_dates(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    reason = a_text()
    review_on = await town.day_in(20)
    await request.act(c.RequestHold(town.actor("lead"), review_on, reason))
    assert await request.notices("request_hold") == [("hold_wanted", "supervisor")]
    assert await request.state() is State.IN_PROGRESS
    await request.act(c.ApproveHold(town.actor("supervisor")))
    paused = await request.snapshot()
    assert (paused.state, paused.hold_review_on, paused.hold_asked_by) == (State.ON_HOLD, review_on, None)
    event = await request.latest()
    assert (event.text, event.public) == (reason, True)
    assert await request.notices("approve_hold") == [("hold_approved", "handler"), ("on_hold", "citizen")]

    review_begins = datetime.combine(review_on, time(), town.zone)
    await request.wait_until(town.policy.calendar.next_working_instant(review_begins))
    after = await request.snapshot()
    resumed = next(event for event in await request.events() if event.action == "resume")
    assert (after.state, resumed.actor_kind) == (State.IN_PROGRESS, "system")
    assert resumed.at.astimezone(town.zone).date() >= review_on
    assert town.policy.calendar.is_working(resumed.at + SECONDS)
    assert before.due_at is not None
    assert paused.paused_at is not None
    assert after.due_at == shift_by_pause(town.policy.calendar, before.due_at, paused.paused_at, resumed.at)
    assert "escalate1" not in await clocks(request)


async def test_hold_is_refused_with_a_reason_and_nothing_stands_still(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.RequestHold(town.actor("lead"), await town.day_in(9), a_text()))
    await request.act(c.RefuseHold(town.actor("supervisor"), a_text()))
    after = await request.snapshot()
    assert (after.state, after.hold_asked_by, after.hold_review_on) == (State.IN_PROGRESS, None, None)
    assert await request.notices("refuse_hold") == [("hold_refused", "handler"), ("hold_refused", "lead")]


async def test_hold_needs_a_date_ahead_that_is_not_too_far(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    for days in (-1, 400):
        with refused("invalid"):
            await request.act(c.RequestHold(town.actor("lead"), await town.day_in(days), a_text()))
    assert (await request.snapshot()).hold_asked_by is None


async def test_supervisor_resumes_before_the_review(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await on_hold(request, 30)
    await request.act(c.Resume(town.actor("supervisor"), a_text()))
    assert await request.state() is State.IN_PROGRESS
    assert await request.notices("resume") == [("resumed", "handler")]
    await request.wait(timedelta(days=40))
    assert "escalate1" in await clocks(request)


async def test_pauses_add_up_however_often(town: Town) -> None:
    """Over weekends and holidays: a pause cut in two moves the date as far as the whole one."""
    request = await town.submit()
    await request.accepted()
    expected = (await request.snapshot()).due_at
    for days in (3, 4, 11):
        if days == 11:
            await on_hold(request, days)
        else:
            await asked(request)
        paused = await request.snapshot()
        await request.wait(timedelta(days=days))
        if days != 11:
            await request.hear("answered", text=a_text())
        else:
            await request.wait(timedelta(days=4))
        end = [event for event in await request.events() if event.action in ("answer", "resume")][-1].at
        assert expected is not None
        assert paused.paused_at is not None
        expected = shift_by_pause(town.policy.calendar, expected, paused.paused_at, end)
        assert (await request.snapshot()).due_at == expected


async def test_withdrawn_while_waiting_is_over(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked(request)
    await request.hear("withdrawn")
    assert await request.state() is State.WITHDRAWN
    await request.wait(timedelta(days=6))
    assert await request.is_over()


async def test_department_that_takes_over_ends_the_pause(town: Town) -> None:
    request = await town.submit("There is litter on the square.")
    await request.accepted("street_handler")
    before = await request.snapshot()
    await request.act(c.Escalate(town.actor("street_handler"), a_text()))
    await request.act(c.AskCitizen(town.actor("street_handler"), a_text()))
    paused = await request.snapshot()
    await request.wait(timedelta(days=2))
    await request.act(c.Escalate(town.actor("street_handler"), a_text()))
    after = await request.snapshot()
    assert (after.state, after.department, after.escalation_level) == (State.ASSIGNED, "housing", 2)
    resumed, escalated = (await request.events())[-2:]
    assert (resumed.action, escalated.action) == ("resume", "escalate")
    assert after.due_at == moved(town, before, paused, replace(after, updated_at=resumed.at))


async def test_escalation_that_only_notifies_leaves_the_pause_as_it_is(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked(request)
    await request.act(c.Escalate(town.actor("handler"), a_text()))
    assert await request.state() is State.AWAITING_CITIZEN
    await request.hear("answered", text=a_text())
    await request.wait_until((await request.snapshot()).due_at)
    levels = [event.facts["level"] for event in await request.events() if event.action == "escalate"]
    assert levels == ["1"]


async def test_request_is_resolved_after_a_pause_as_ever(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked(request)
    await request.hear("answered", text=a_text())
    taken = await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    assert taken.state is State.RESOLVED


async def test_pause_is_over_when_the_citizen_withdraws(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked(request)
    paused = await request.snapshot()
    await request.wait(timedelta(hours=2))
    await request.hear("withdrawn")
    after = await request.snapshot()
    assert (after.state, after.paused_at, after.question, after.answer_due_at) == (State.WITHDRAWN, None, None, None)
    assert paused.paused_at is not None
    assert after.closed_at is not None
    assert after.paused_seconds == round((after.closed_at - paused.paused_at).total_seconds())
