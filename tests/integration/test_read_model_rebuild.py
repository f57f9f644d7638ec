"""`huisheng read-model rebuild` beside the running system: what the histories say is what stood there, row for row."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.worker import Worker

from supervision.temporal import TemporalServer
from tests.conftest import FreshDatabase
from tests.histories import opened
from tests.integration.test_api_actions import a_worker, assigned, done, eventually, in_state, run_is_over
from tests.interface import KEYS, Interface, Submitted, an_interface
from tests.rows import a_submitted_request
from workflows.connection import connect
from workflows.contract import workflow_id
from workflows.recapture import fetch

PROJECT = Path(__file__).parents[2]
OUTSIDE_OF_TEMPORAL = timedelta(days=1)

Rows = dict[str, list[dict[str, Any]]]


@dataclass
class Town:
    """A system at work with a handful of lives; `rows` is the read model as their runs have left it."""

    interface: Interface
    environment: dict[str, str]
    temporal: Client
    lives: dict[str, Submitted] = field(default_factory=dict)

    async def rows(self, *, without: str = "") -> Rows:
        """The tables as they are, but for one request."""
        found: Rows = {}
        for table, order in (("snapshots", ""), ("events", ", sequence")):
            rows = await self.interface.services.pool.fetch(
                f"select * from {table} where request_id not in (select id from requests where reference = $1)"
                f" order by request_id{order}",
                without,
            )
            found[table] = [dict(row) for row in rows]
        return found

    async def notices(self) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.interface.services.pool.fetch("select * from notices order by id")]

    async def sql(self, statement: str, *values: Any) -> None:
        """What nobody should do to the tables."""
        await self.interface.services.pool.execute(statement, *values)

    async def rebuild(self, *arguments: str, **changes: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", "read-model", "rebuild", *arguments,
            cwd=PROJECT, env=self.environment | changes, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, complaints = await asyncio.wait_for(process.communicate(), 240)
        assert "Traceback" not in complaints.decode(), complaints.decode()
        return process.returncode or 0, " ".join((output + complaints).decode().split())


async def left_alone(interface: Interface) -> Submitted:
    return await assigned(interface)


async def answered_and_rated(interface: Interface) -> Submitted:
    request = await assigned(interface)
    await done(interface, "handler", request, "accept")
    await done(interface, "handler", request, "contact", how="phone", note="Will come.")
    await done(interface, "handler", request, "progress", note="Ordered.", public=True)
    await done(interface, "handler", request, "resolve", outcome="solved", reply="Repaired.")
    await interface.tell(request, "rate", solved="yes", satisfied=5, text="Thank you.")
    await eventually(lambda: in_state(interface, request, "closed"))
    return request


async def reopened(interface: Interface) -> Submitted:
    request = await assigned(interface)
    await done(interface, "handler", request, "accept")
    await done(interface, "handler", request, "resolve", outcome="solved", reply="Repaired.")
    await interface.tell(request, "rate", solved="no", satisfied=1)
    await eventually(lambda: in_state(interface, request, "assigned"))
    return request


async def declined_in_triage(interface: Interface) -> Submitted:
    request = await interface.submit(description="Things are not as they should be.")
    await eventually(lambda: in_state(interface, request, "triage"))
    await done(interface, "dispatcher", request, "decline", reason_code="court", reason="A court decides.")
    return request


async def urged_and_escalated(interface: Interface) -> Submitted:
    request = await assigned(interface)
    await done(interface, "handler", request, "accept")
    await interface.tell(request, "urge", text="Please hurry.")
    await interface.tell(request, "supplement", text="It is dark.")
    await done(interface, "handler", request, "escalate", reason="Beyond us.")
    return request


async def withdrawn(interface: Interface) -> Submitted:
    request = await assigned(interface)
    await interface.tell(request, "withdraw", text="Settled.")
    await eventually(lambda: run_is_over(interface, request))
    return request


async def withdrawn_and_erased(interface: Interface) -> Submitted:
    request = await withdrawn(interface)

    async def is_erased() -> bool:
        return (await interface.tell(request, "erase")).status_code == 200

    await eventually(is_erased)
    return request


LIVES: tuple[Callable[[Interface], Awaitable[Submitted]], ...] = (
    left_alone, answered_and_rated, reopened, declined_in_triage, urged_and_escalated, withdrawn, withdrawn_and_erased,
)  # fmt: skip


async def outside_of_temporal(interface: Interface, *, delivered: bool) -> str:
    """A request that waits for its run, or one whose run is long forgotten; its reference."""
    services = interface.services
    async with services.pool.acquire() as connection, connection.transaction():
        request = await a_submitted_request(connection, services.keys, datetime.now(UTC))
        column = "delivered_at" if delivered else "not_before"
        moment = datetime.now(UTC) + OUTSIDE_OF_TEMPORAL
        await connection.execute(f"update inbox set {column} = $1 where request_id = $2", moment, request.request_id)
    return request.reference


@pytest.fixture(scope="module")
async def town(fresh_database: FreshDatabase, temporal_server: TemporalServer) -> AsyncIterator[Town]:
    url, address = fresh_database(), temporal_server.address
    environment = {
        **os.environ, "DATABASE_URL": url, "HUISHENG_KEYS": KEYS, "TEMPORAL_ADDRESS": address, "PYTHONPATH": str(PROJECT),
    }  # fmt: skip
    async with an_interface(url, address, real_time=True) as interface, a_worker(url, address):
        for username, role in (("dispatcher", "dispatcher"), ("supervisor", "supervisor")):
            await interface.employ(username, role)
        await interface.employ("handler", "handler", departments=["housing"])
        town = Town(interface, environment, await connect(address, interface.services.keys))
        for life in LIVES:
            town.lives[life.__name__] = await life(interface)
        await outside_of_temporal(interface, delivered=False)
        yield town


async def test_read_model_is_what_the_histories_say(town: Town) -> None:
    code, output = await town.rebuild("--check")
    assert (code, f"{len(LIVES) + 1} requests: {len(LIVES) + 1} as the histories say." in output) == (0, True), output


async def test_read_model_that_is_lost_comes_back_row_for_row(town: Town) -> None:
    before, notices = await town.rows(), await town.notices()
    assert len(before["snapshots"]) == len(LIVES) + 1
    await town.sql("truncate snapshots, events")
    code, output = await town.rebuild()
    assert (code, f"{len(LIVES) + 1} rebuilt." in output) == (0, True), output
    assert await town.rows() == before
    assert await town.notices() == notices, "no notice is owed again"


DAMAGES = [
    ("a state", "reopened", "update snapshots set state = 'closed' where request_id = {id}",
     "state is closed, the history says assigned"),
    ("a counter", "urged_and_escalated", "update snapshots set urge_count = 7 where request_id = {id}",
     "urge_count is 7, the history says 1"),
    ("no row", "left_alone", "delete from snapshots where request_id = {id}", "it has no row of its own"),
    ("an event missing", "answered_and_rated", "delete from events where request_id = {id} and sequence = 3",
     "event 3 (accept) is missing"),
    ("a forged event", "withdrawn",
     "insert into events select request_id, 99, at, 'rate', actor_kind, actor_id, state_before, state, public, text_id, facts"
     " from events where request_id = {id} and sequence = 1", "event 99 (rate) is not in the history"),
    ("the event of erasing missing", "withdrawn_and_erased",
     "delete from events where request_id = {id} and action = 'erase'", "(erase) is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("life", "damage", "said"), [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES])
async def test_damage_is_found_told_and_mended(town: Town, life: str, damage: str, said: str) -> None:
    reference = town.lives[life].reference
    before, notices = await town.rows(), await town.notices()
    await town.sql(damage.replace("{id}", f"(select id from requests where reference = '{reference}')"))
    damaged = await town.rows()
    assert damaged != before

    code, output = await town.rebuild("--check", reference)
    assert (code, f"{reference}: " in output, said in output) == (1, True, True), output
    assert "1 request: 1 not as the histories say." in output
    assert await town.rows() == damaged, "only compared"

    code, output = await town.rebuild(reference.replace("-", ""))
    assert (code, said in output, "1 request: 1 rebuilt." in output) == (0, True, True), output
    assert (await town.rows(), await town.notices()) == (before, notices)


async def test_nothing_is_written_where_nothing_differs(town: Town) -> None:
    versions = "select request_id, xmin::text as version from {0} order by 1, 2"
    pool = town.interface.services.pool
    before = [await pool.fetch(versions.format(table)) for table in ("snapshots", "events")]
    assert (await town.rebuild())[0] == 0
    assert [await pool.fetch(versions.format(table)) for table in ("snapshots", "events")] == before


async def test_request_whose_run_is_kept_no_longer_is_left_as_it_is(town: Town) -> None:
    reference = await outside_of_temporal(town.interface, delivered=True)
    await town.sql("update snapshots set state = 'closed' where reference = $1", reference)
    try:
        code, output = await town.rebuild(reference)
        assert (code, "1 request: 1 whose runs Temporal keeps no longer, left as they are." in output) == (0, True)
        state = await town.interface.row("select state from snapshots where reference = $1", reference)
        assert state["state"] == "closed"
    finally:
        await town.sql("delete from requests where reference = $1", reference)


async def test_system_goes_on_while_it_is_rebuilt(town: Town) -> None:
    interface, request = town.interface, await assigned(town.interface)
    await done(interface, "handler", request, "accept")
    rebuilding = asyncio.create_task(town.rebuild())
    taken = 0
    while not rebuilding.done():
        await interface.tell(request, "supplement", text="More of it.")
        await done(interface, "handler", request, "progress", note="Still at it.", public=True)
        await town.sql("update snapshots set urge_count = 5 where reference = $1", request.reference)
        taken += 1
    code, output = await rebuilding
    assert (code, taken > 1) == (0, True), output
    await done(interface, "handler", request, "progress", note="The last one.", public=True)

    async def is_calm() -> bool:
        query = "select count(*) as waiting from inbox where delivered_at is null and not_before < now()"
        return bool((await interface.row(query))["waiting"] == 0)

    await eventually(is_calm)
    await town.rebuild()
    assert (await town.rebuild("--check"))[0] == 0
    query = "select count(*) as number, max(sequence) as last from events join requests on id = request_id where reference = $1"
    counted = await interface.row(query, request.reference)
    assert counted["number"] == counted["last"] == 3 + 2 * taken + 1


async def test_run_that_was_reset_is_told_with_the_one_before_it(town: Town) -> None:
    interface, request = town.interface, await assigned(town.interface)
    await done(interface, "handler", request, "accept")
    await done(interface, "handler", request, "progress", note="Begun.", public=True)
    handle = town.temporal.get_workflow_handle(workflow_id(request.reference))
    completed = [
        event.event_id
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    await handle.terminate("by mistake")
    described = await handle.describe()
    await town.temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=town.temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=described.run_id),
            reason="terminated by mistake",
            workflow_task_finish_event_id=completed[-1],
            request_id=str(uuid4()),
        )
    )
    await done(interface, "handler", request, "resolve", outcome="solved", reply="Repaired.")
    life = await fetch(town.temporal, request.reference)
    assert life is not None
    assert (len(life.histories), life.is_whole) == (2, True)
    code, output = await town.rebuild("--check", request.reference)
    assert code == 0, output
    before = await town.rows()
    await town.sql(
        "delete from events where request_id = (select id from requests where reference = $1)", request.reference
    )
    assert (await town.rebuild(request.reference))[0] == 0
    assert await town.rows() == before


@workflow.defn(name="GoesOn", sandboxed=False)
class GoesOn:
    """As a request of very many events does."""

    @workflow.run
    async def run(self, times: int) -> None:
        if times:
            workflow.continue_as_new(times - 1)


async def test_run_that_went_on_as_a_new_one_is_fetched_from_its_beginning(town: Town) -> None:
    reference, queue = "2611-0000-00000", f"goes-on-{uuid4()}"
    async with Worker(town.temporal, task_queue=queue, workflows=[GoesOn]):
        await town.temporal.execute_workflow(GoesOn.run, 2, id=workflow_id(reference), task_queue=queue)
    life = await fetch(town.temporal, reference)
    assert life is not None
    firsts = [opened(each, town.interface.services.keys).events[0] for each in life.histories]
    inputs = [each.workflow_execution_started_event_attributes.input for each in firsts]
    assert [each.payloads[0].data for each in inputs] == [b"2", b"1", b"0"]
    assert life.is_whole


PLAIN = [
    ("a slip in a reference", ("2611-0000-00001",), {}, "digits do not add up", 2),
    ("an unknown reference", ("2611-0000-00000",), {}, "There is no request 2611-0000-00000.", 1),
    ("no Temporal", ("--check",), {"TEMPORAL_ADDRESS": "127.0.0.1:1"}, "Temporal does not answer", 1),
    ("no database", ("--check",), {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}, "Is PostgreSQL running", 1),
]


@pytest.mark.parametrize(
    ("arguments", "changes", "sentence", "code"), [row[1:] for row in PLAIN], ids=[row[0] for row in PLAIN]
)
async def test_command_says_plainly(
    town: Town, arguments: tuple[str, ...], changes: dict[str, str], sentence: str, code: int
) -> None:
    returned, output = await town.rebuild(*arguments, **changes)
    assert (returned, sentence in output) == (code, True), output


async def test_events_are_never_changed_not_even_here(town: Town) -> None:
    with pytest.raises(asyncpg.RaiseError):
        await town.sql("update events set public = true")
