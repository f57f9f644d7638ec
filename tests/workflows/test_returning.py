"""Requests that a department gives back, and what is decided of them: rows 8, 9 and 10 of PROCESS.md."""

from __future__ import annotations

from domain import commands as c
from domain.request import Outcome, State
from tests.town import Request, Town, a_text, refused, until


async def returned(request: Request) -> c.ReturnRequest:
    """Given back by the lead of whichever department has it, who names another."""
    town = request.town
    department = (await request.snapshot()).department
    lead, other = ("lead", "health") if department == "housing" else ("clinic_lead", "housing")
    command = c.ReturnRequest(town.actor(lead), a_text(), other)
    await request.act(command)
    return command


async def a_request_in_adjudication(town: Town) -> Request:
    """Returned three times."""
    request = await town.submit()
    for department, category in (("health", "clinic"), ("housing", "street_light")):
        await returned(request)
        await request.act(c.Assign(town.actor("dispatcher"), department, category))
    await returned(request)
    return request


async def test_return_leaves_the_due_date_and_does_not_bother_the_citizen(town: Town) -> None:
    request = await town.submit()
    before = await request.snapshot()
    command = await returned(request)
    after = await request.snapshot()
    assert (after.state, after.department, after.return_count) == (State.TRIAGE, None, 1)
    assert (after.due_at, after.triage_reason) == (before.due_at, "returned")
    event = await request.latest()
    assert (event.public, event.text, event.facts["proposed"]) == (False, command.reason, "health")
    assert await request.notices("return_request") == [("returned_to_triage", "dispatcher")]


async def test_accepted_request_can_be_returned_and_assigned_again_with_its_first_due_date(town: Town) -> None:
    request = await town.submit()
    due_at = (await request.snapshot()).due_at
    await request.accepted("lead")
    await returned(request)
    await request.act(c.Assign(town.actor("dispatcher"), "health", "clinic"))
    after = await request.snapshot()
    assert (after.state, after.department, after.due_at, after.accepted_at) == (State.ASSIGNED, "health", due_at, None)


async def test_handler_who_leads_nobody_cannot_return_it(town: Town) -> None:
    request = await town.submit()
    with refused("forbidden"):
        await request.act(c.ReturnRequest(town.actor("handler"), a_text(), "health"))


async def test_return_is_refused_after_two_working_days(town: Town) -> None:
    request = await town.submit()
    await request.wait_until((await request.snapshot()).return_until)
    with refused("not_allowed"):
        await returned(request)
    assert await request.state() is State.ASSIGNED


async def test_danger_cannot_be_returned_because_its_promise_leaves_no_time_for_it(town: Town) -> None:
    request = await town.submit("There is a gas leak!")
    with refused("not_allowed"):
        await returned(request)


async def test_third_return_asks_for_a_decision(town: Town) -> None:
    request = await a_request_in_adjudication(town)
    after = await request.snapshot()
    assert (after.state, after.return_count, after.department) == (State.ADJUDICATION, 3, "housing")
    assert await request.notices("return_request") == [("needs_decision", "supervisor")]
    assert [action for action in await request.actions() if action == "return_request"] == ["return_request"] * 3


async def test_decision_to_assign_binds_the_department(town: Town) -> None:
    request = await a_request_in_adjudication(town)
    due_at = (await request.snapshot()).due_at
    reason = a_text()
    await request.act(c.Decide(town.actor("supervisor"), c.Decision.ASSIGN, reason, department="health"))
    after = await request.snapshot()
    assert (after.state, after.department, after.binding, after.due_at) == (State.ASSIGNED, "health", True, due_at)
    assert (await request.latest()).text == reason
    assert await request.notices("decide") == [
        ("assigned", "citizen"), ("decided", "clinic_lead"), ("decided", "dispatcher"), ("new_task", "clinic_handler"),
    ]  # fmt: skip
    with refused("not_allowed"):
        await returned(request)
    await request.accepted("clinic_handler")


async def test_decision_to_close_is_final(town: Town) -> None:
    request = await a_request_in_adjudication(town)
    await request.act(c.Decide(town.actor("supervisor"), c.Decision.CLOSE, a_text()))
    after = await request.snapshot()
    assert (after.state, after.outcome) == (State.CLOSED, Outcome.NOT_SOLVED_FINAL)
    assert await request.notices("decide") == [("decided", "citizen"), ("decided", "dispatcher"), ("decided", "lead")]
    await until(request.is_over)


async def test_decision_to_decline_tells_the_citizen_why(town: Town) -> None:
    request = await a_request_in_adjudication(town)
    await request.act(c.Decide(town.actor("supervisor"), c.Decision.DECLINE, a_text(), reason_code="court"))
    assert await request.state() is State.DECLINED
    assert await request.notices("decide") == [("decided", "dispatcher"), ("decided", "lead"), ("declined", "citizen")]
    await until(request.is_over)


async def test_decision_without_what_it_needs_is_refused_before_it_enters_history(town: Town) -> None:
    request = await a_request_in_adjudication(town)
    before = await request.history()
    with refused("invalid"):
        await request.act(c.Decide(town.actor("supervisor"), c.Decision.ASSIGN, a_text()))
    with refused("invalid"):
        await request.act(c.Decide(town.actor("supervisor"), c.Decision.DECLINE, a_text()))
    assert await request.history() == before


async def test_dispatcher_who_does_not_agree_with_a_return_asks_for_a_decision(town: Town) -> None:
    request = await town.submit()
    before = await request.snapshot()
    with refused("not_allowed"):
        await request.act(c.Refer(town.actor("dispatcher"), a_text()))
    await returned(request)
    reason = a_text()
    taken = await request.act(c.Refer(town.actor("dispatcher"), reason))
    assert taken.state is State.ADJUDICATION
    assert (await request.latest()).text == reason
    assert await request.notices("refer") == [("needs_decision", "supervisor")]
    await request.act(c.Decide(town.actor("supervisor"), c.Decision.ASSIGN, a_text(), department="housing"))
    after = await request.snapshot()
    assert (after.state, after.department, after.binding, after.due_at) == (
        State.ASSIGNED, "housing", True, before.due_at,
    )  # fmt: skip
    with refused("not_allowed"):
        await returned(request)


async def test_decision_that_nobody_takes_is_escalated(town: Town) -> None:
    request = await town.submit()
    await returned(request)
    await request.act(c.Refer(town.actor("dispatcher"), a_text()))
    await request.wait_until((await request.snapshot()).due_at)
    assert "escalate" in await request.actions()
