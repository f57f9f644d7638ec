"""Co-handlers: a part of the work with its own department, date, reminders and escalation; only the lead speaks (row 19)."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain import commands as c
from domain.request import CoState, Result, State
from tests.town import Request, Town, a_text, refused, until
from workflows.contract import co_workflow_id


@pytest.fixture
def town(calm_town: Town) -> Town:
    """Time is never skipped while a child runs (temporalio/sdk-java issue 1618)."""
    return calm_town


async def helped(town: Town) -> Request:
    """A request of housing, in which the health department does a part."""
    request = await town.submit()
    await request.accepted()
    await request.act(c.AddCoHandler(town.actor("handler"), "health", a_text()))
    return request


async def part_is_watched(request: Request, number: int = 1) -> bool:
    handle = request.town.environment.client.get_workflow_handle(co_workflow_id(request.reference, number))
    return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def part_is_over(request: Request) -> bool:
    return not await part_is_watched(request)


async def test_co_handler_gets_a_task_with_a_date_of_its_own(town: Town) -> None:
    request = await helped(town)
    snapshot = await request.snapshot()
    (part,) = snapshot.co_handlers
    assert (part.number, part.department, part.state) == (1, "health", CoState.ASKED)
    assert snapshot.due_at is not None
    assert part.due_at <= snapshot.due_at
    assert (snapshot.state, snapshot.department, snapshot.co_departments) == (State.IN_PROGRESS, "housing", ("health",))
    assert await request.notices("add_co_handler") == [("co_task", "clinic_handler")]
    assert await part_is_watched(request)


async def test_dispatcher_asks_a_second_department_before_the_lead_has_accepted(town: Town) -> None:
    request = await town.submit()
    with refused("forbidden"):
        await request.act(c.AddCoHandler(town.actor("handler"), "health", a_text()))
    await request.act(c.AddCoHandler(town.actor("dispatcher"), "health", a_text()))
    snapshot = await request.snapshot()
    assert (snapshot.state, snapshot.department, snapshot.co_departments) == (State.ASSIGNED, "housing", ("health",))
    assert await request.notices("add_co_handler") == [("co_task", "clinic_handler")]
    await request.accepted()
    await request.act(c.FinishCoHandling(town.actor("clinic_handler"), a_text()))
    assert (await request.snapshot()).co_departments == ()


async def test_part_that_is_done_lets_the_lead_answer(town: Town) -> None:
    request = await helped(town)
    resolve = c.Resolve(town.actor("handler"), Result.SOLVED, a_text())
    with refused("not_allowed"):
        await request.act(resolve)
    note = a_text()
    await request.act(c.FinishCoHandling(town.actor("clinic_handler"), note))
    event = await request.latest()
    assert (event.action, event.text, event.public) == ("finish_co_handling", note, False)
    assert await request.notices("finish_co_handling") == [("co_done", "handler")]
    await until(lambda: part_is_over(request))
    assert (await request.act(resolve)).state is State.RESOLVED


async def test_part_that_is_returned_waits_for_the_lead_to_waive_it(town: Town) -> None:
    request = await helped(town)
    await request.act(c.ReturnCoHandling(town.actor("clinic_handler"), a_text()))
    assert await request.notices("return_co_handling") == [("co_returned", "handler")]
    resolve = c.Resolve(town.actor("handler"), Result.SOLVED, a_text())
    with refused("not_allowed"):
        await request.act(resolve)
    await request.act(c.WaiveCoHandling(town.actor("handler"), "health", a_text()))
    assert (await request.snapshot()).co_handlers[0].state is CoState.WAIVED
    assert (await request.act(resolve)).state is State.RESOLVED


async def test_only_the_lead_speaks_to_the_citizen(town: Town) -> None:
    request = await helped(town)
    with refused("forbidden"):
        await request.act(c.Progress(town.actor("clinic_handler"), a_text(), public=True))
    with refused("forbidden"):
        await request.act(c.Resolve(town.actor("clinic_handler"), Result.SOLVED, a_text()))
    note = a_text()
    await request.act(c.Progress(town.actor("clinic_handler"), note))
    assert (await request.latest()).text == note


async def test_department_that_was_not_asked_settles_nothing(town: Town) -> None:
    request = await helped(town)
    with refused("forbidden"):
        await request.act(c.FinishCoHandling(town.actor("street_handler"), a_text()))
    with refused("not_allowed"):
        await request.act(c.AddCoHandler(town.actor("handler"), "health", a_text()))
    with refused("not_allowed"):
        await request.act(c.AddCoHandler(town.actor("handler"), "housing", a_text()))
    with refused("invalid"):
        await request.act(c.AddCoHandler(town.actor("handler"), "nowhere", a_text()))


@pytest.mark.slow
async def test_part_has_reminders_and_escalations_of_its_own(quick_town: Town) -> None:
    request = await helped(quick_town)

    async def told() -> list[str]:
        return [event.facts["clock"] for event in await request.events() if event.action.startswith("co_")]

    async def all_told() -> bool:
        return len(await told()) >= 3

    await until(all_told, within=240)
    assert (await told())[:3] == ["remind_half", "remind_eighty", "escalate"]
    assert await request.notices("co_reminded") == [("co_reminder", "clinic_handler")]
    assert await request.notices("co_escalated") == [("co_escalated", "clinic_lead"), ("co_escalated", "handler")]


async def test_parts_are_called_off_when_the_request_leaves_the_department(town: Town) -> None:
    request = await helped(town)
    await request.act(c.Reassign(town.actor("dispatcher"), "north_street", a_text(), "litter"))
    snapshot = await request.snapshot()
    assert (snapshot.co_handlers[0].state, snapshot.co_departments) == (CoState.WAIVED, ())
    assert ("co_waived", "clinic_handler") in await request.notices("reassign")
    await until(lambda: part_is_over(request))


async def test_parts_are_called_off_when_the_request_is_withdrawn(town: Town) -> None:
    request = await helped(town)
    await request.hear("withdrawn")
    assert (await request.snapshot()).co_departments == ()
    await until(lambda: part_is_over(request))
    await until(request.is_over)


async def test_department_can_be_asked_again_for_another_part(town: Town) -> None:
    request = await helped(town)
    await request.act(c.FinishCoHandling(town.actor("clinic_handler"), a_text()))
    await request.act(c.AddCoHandler(town.actor("handler"), "health", a_text()))
    assert [part.state for part in (await request.snapshot()).co_handlers] == [CoState.DONE, CoState.ASKED]
    assert await part_is_watched(request, 2)
