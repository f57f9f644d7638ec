"""A run that a newer program began: a program that does not know its procedure leaves it alone, and it goes on with one that does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from domain import commands as c
from domain.request import State
from tests.town import Request, Town, a_text, until
from workflows import contract
from workflows.contract import Message, Submitted
from workflows.delivery import start_run

FUTURE = 99


async def of_the_future(town: Town) -> Request:
    """A request whose run follows a procedure that nobody knows yet."""
    request = await town.stored()
    await start_run(town.environment.client, replace(await town.submitted(request), procedure=FUTURE))
    town.started.append(request)
    return request


async def failed_tasks(request: Request) -> list[str]:
    """Why each failed: the name of the exception, for what it says is sealed."""
    history = await request.handle.fetch_history()
    return [
        event.workflow_task_failed_event_attributes.failure.application_failure_info.type
        for event in history.events
        if event.HasField("workflow_task_failed_event_attributes")
    ]


@pytest.mark.slow
async def test_run_of_a_newer_program_waits_for_one_that_knows_it(
    calm_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await of_the_future(calm_town)

    async def has_been_left() -> bool:
        return bool(await failed_tasks(request))

    await until(has_been_left, within=120)
    assert set(await failed_tasks(request)) == {"UnknownProcedure"}
    assert await request.history() == ["WORKFLOW_EXECUTION_STARTED"]
    assert await request.actions() == []
    monkeypatch.setattr(contract, "KNOWN_PROCEDURES", range(1, FUTURE + 1))

    async def is_received() -> bool:
        return await request.actions() != []

    await until(is_received, within=120)
    await request.settled()
    assert await request.state() is State.ASSIGNED
    await request.accepted()
    await request.act(c.Progress(calm_town.actor("handler"), a_text()))
    assert await request.actions() == ["submit", "auto_assign", "accept", "progress"]


async def begun_with(request: Request) -> Submitted:
    """The input of the latest run."""
    (started, *_) = (await request.handle.fetch_history()).events
    payloads = started.workflow_execution_started_event_attributes.input.payloads
    (submitted,) = await request.town.environment.client.data_converter.decode(payloads, [Submitted])
    assert isinstance(submitted, Submitted)
    return submitted


@pytest.mark.slow
async def test_long_life_never_goes_on_with_an_earlier_procedure(
    calm_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "KNOWN_PROCEDURES", range(1, FUTURE + 1))
    request = await of_the_future(calm_town)
    await request.settled()
    numbers = count(1)

    async def goes_on() -> bool:
        """A run sees how long it is when a task begins: so messages come until it does."""
        await request.handle.signal("supplemented", Message(next(numbers), datetime.now(UTC), a_text()))
        return (await begun_with(request)).carried is not None

    await until(goes_on, within=120)
    assert (await begun_with(request)).procedure == FUTURE


def test_runs_begin_with_a_procedure_that_is_known() -> None:
    assert contract.PROCEDURE in contract.KNOWN_PROCEDURES
