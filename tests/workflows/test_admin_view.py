"""What an admin sees in the Temporal UI, on a development server: search attributes, details, names of timers and steps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.testing import WorkflowEnvironment

from domain import commands as c
from domain.request import Result, State, Urgency
from supervision.temporal import TemporalServer
from tests.conftest import FreshDatabase
from tests.histories import opened
from tests.town import KEYS, Request, Town, a_text, refused, until
from tests.town_hall import a_town
from workflows.connection import connect
from workflows.visibility import ATTRIBUTES


@pytest.fixture(scope="module")
async def real_town(temporal_server: TemporalServer, fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    """A town on the server that `make up` starts; here nobody skips time."""
    client = await connect(temporal_server.address, KEYS)
    async with a_town(WorkflowEnvironment.from_client(client), fresh_database()) as ready:
        yield ready


@pytest.fixture
async def town(real_town: Town) -> AsyncIterator[Town]:
    yield real_town
    await real_town.put_away()


async def attributes(request: Request) -> dict[str, object]:
    described = await request.handle.describe()
    return {key.name: described.typed_search_attributes.get(key) for key in ATTRIBUTES}


async def test_search_attributes_say_where_the_request_stands(town: Town) -> None:
    request = await town.submit("The street light is out.", lat=28.5, long=112.5)
    after = await request.snapshot()
    assert after.due_at is not None
    found = await attributes(request)
    due_at = found.pop("DueAt")
    assert isinstance(due_at, datetime)
    assert abs(due_at - after.due_at) < timedelta(milliseconds=1)
    assert found == {
        "Reference": request.reference,
        "State": "assigned",
        "Department": "housing",
        "Category": "street_light",
        "District": "middle",
        "Urgency": "normal",
        "EscalationLevel": 0,
    }


async def test_search_attributes_follow_each_turn(town: Town) -> None:
    request = await town.submit("Litter everywhere.")
    await request.act(c.SetUrgency(town.actor("dispatcher"), Urgency.URGENT, a_text()))
    for _ in range(2):
        await request.act(c.Escalate(town.actor("street_lead"), a_text()))
    shown = await attributes(request)
    assert [shown[name] for name in ("State", "Department", "Urgency", "EscalationLevel")] == [
        "assigned", "housing", "urgent", 2,
    ]  # fmt: skip
    await request.act(c.ReturnRequest(town.actor("lead"), a_text(), "health"))
    shown = await attributes(request)
    assert (shown["State"], shown["Department"]) == ("triage", None)


async def test_admin_finds_requests_by_query(town: Town) -> None:
    request = await town.submit("Is the clinic open?")
    query = f"State = 'assigned' AND Department = 'health' AND Reference = '{request.reference}' AND DueAt > '2020-01-01T00:00:00Z'"

    async def found() -> bool:
        return [run.id async for run in town.environment.client.list_workflows(query)] == [request.handle.id]

    await until(found)


async def test_details_tell_the_state_who_has_it_due_when_and_what_happened(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    shown = await request.details()
    assert f"**{request.reference}** is **in_progress**" in shown
    assert "- department: housing, accepted" in shown
    assert "- due: 20" in shown
    assert [line.split("|")[2].strip() for line in shown.splitlines() if line.startswith("| 20")] == [
        "submit", "auto_assign", "accept",
    ]  # fmt: skip


async def test_run_has_a_summary_and_its_steps_and_timers_have_readable_names(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.Contact(town.actor("handler"), c.ContactKind.PHONE))
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    assert await (await request.handle.describe()).static_summary() == f"Request {request.reference}"
    history = opened(await request.handle.fetch_history(), KEYS)
    timers = [_summary(event) for event in history.events if event.HasField("timer_started_event_attributes")]
    assert timers == [
        "accept deadline, first contact deadline", "reminder at half of the time", "feedback reminder",
    ]  # fmt: skip


def _summary(event: HistoryEvent) -> str:
    return event.user_metadata.summary.data.decode().strip('"')


async def test_refused_update_leaves_not_one_event(town: Town) -> None:
    request = await town.submit()
    before = len((await request.handle.fetch_history()).events)
    for command in (c.Accept(town.actor("clinic_handler")), c.Approve(town.actor("dispatcher"))):
        with refused("forbidden" if isinstance(command, c.Accept) else "not_allowed"):
            await request.act(command)
    assert len((await request.handle.fetch_history()).events) == before


PLAIN_EVENTS, PLAIN_TASKS = 35, 4


async def test_plain_life_costs_no_more_than_it_did(town: Town) -> None:
    """Submitted, assigned, accepted, resolved, rated and closed; a last task of five events ends the run a month later."""
    request = await town.submit()
    await request.resolved()
    await request.rated()
    assert await request.state() is State.CLOSED
    history = await request.handle.fetch_history()
    names = [event.WhichOneof("attributes") for event in history.events]
    tasks = names.count("workflow_task_completed_event_attributes")
    assert (len(names), tasks) == (PLAIN_EVENTS, PLAIN_TASKS), names
