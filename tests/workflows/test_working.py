"""What a department does with a request: rows 7, 12, 13, 20 and 21 of PROCESS.md."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import commands as c
from domain.request import Result, State
from tests.town import Request, Town, a_text, refused


async def an_accepted_request(town: Town) -> Request:
    request = await town.submit()
    await request.accepted()
    return request


async def a_request_in_review(town: Town) -> Request:
    request = await an_accepted_request(town)
    await request.act(c.Resolve(town.actor("handler"), Result.NOT_SOLVED, a_text()))
    return request


async def test_accepting_names_the_assignee_and_leaves_the_due_date(town: Town) -> None:
    request = await town.submit()
    before = await request.snapshot()
    taken = await request.act(c.Accept(town.actor("handler")))
    after = await request.snapshot()
    assert (taken.state, after.assignee) == (State.IN_PROGRESS, str(town.staff["handler"]))
    assert (after.accepted_at is not None, after.due_at) == (True, before.due_at)
    assert await request.notices("accept") == []


async def test_first_contact_is_stamped_and_a_second_leaves_it(town: Town) -> None:
    request = await an_accepted_request(town)
    await request.act(c.Contact(town.actor("handler"), c.ContactKind.PHONE, a_text()))
    first = (await request.snapshot()).contacted_at
    await request.act(c.Contact(town.actor("handler"), c.ContactKind.VISIT))
    assert first is not None
    assert (await request.snapshot()).contacted_at == first
    assert [event.facts for event in (await request.events())[-2:]] == [{"how": "phone"}, {"how": "visit"}]


@pytest.mark.parametrize(("public", "told"), [(True, [("progress", "citizen")]), (False, [])])
async def test_progress_note_reaches_the_citizen_when_it_is_public(
    town: Town, public: bool, told: list[tuple[str, str]]
) -> None:
    request = await an_accepted_request(town)
    note = a_text()
    await request.act(c.Progress(town.actor("handler"), note, public))
    event = await request.latest()
    assert (event.text, event.public, event.state) == (note, public, State.IN_PROGRESS)
    assert await request.notices("progress") == told


async def test_resolved_request_is_answered_at_once(town: Town) -> None:
    request = await an_accepted_request(town)
    reply = a_text()
    taken = await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, reply))
    after = await request.snapshot()
    assert (taken.state, after.reply, after.result) == (State.RESOLVED, reply, Result.SOLVED)
    assert after.contacted_at == after.resolved_at is not None
    assert await request.notices("resolve") == [("resolved", "citizen")]


async def test_matter_that_is_not_solved_goes_through_review(town: Town) -> None:
    request = await a_request_in_review(town)
    assert await request.state() is State.IN_REVIEW
    assert (await request.latest()).public is False
    assert await request.notices("resolve") == [("review_wanted", "dispatcher")]


async def test_escalated_request_goes_through_review(town: Town) -> None:
    request = await an_accepted_request(town)
    await request.act(c.Escalate(town.actor("handler"), a_text()))
    taken = await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    assert taken.state is State.IN_REVIEW


async def test_approved_answer_reaches_the_citizen(town: Town) -> None:
    request = await a_request_in_review(town)
    reply = (await request.latest()).text
    await request.act(c.Approve(town.actor("dispatcher")))
    event = await request.latest()
    assert (event.state, event.text, event.public) == (State.RESOLVED, reply, True)
    assert await request.notices("approve") == [("resolved", "citizen")]


async def test_answer_sent_back_is_worked_on_again_by_the_same_person(town: Town) -> None:
    request = await a_request_in_review(town)
    await request.act(c.SendBack(town.actor("dispatcher"), a_text()))
    after = await request.snapshot()
    assert (after.state, after.reply, after.assignee) == (State.IN_PROGRESS, None, str(town.staff["handler"]))
    assert await request.notices("send_back") == [("sent_back", "handler")]
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    assert await request.state() is State.RESOLVED


async def test_person_who_resolved_cannot_review(town: Town) -> None:
    request = await a_request_in_review(town)
    self_approving = replace(town.actor("dispatcher"), id=str(town.staff["handler"]))
    with refused("not_allowed"):
        await request.act(c.Approve(self_approving))
    with refused("not_allowed"):
        await request.act(c.SendBack(self_approving, a_text()))


async def test_staff_of_another_department_may_not_touch_it(town: Town) -> None:
    request = await town.submit()
    with refused("forbidden"):
        await request.accepted("clinic_handler")
    await request.accepted("lead")
