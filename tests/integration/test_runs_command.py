"""`huisheng runs` beside the running system, and a run that comes back because somebody of the staff needs it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from db import backups
from db.pool import open_pool
from supervision.temporal import TemporalServer
from tests.conftest import FreshDatabase
from tests.integration.test_api_actions import a_worker, assigned, done, eventually, in_state
from tests.interface import KEYS, Interface, Submitted, an_interface
from workflows.connection import connect
from workflows.contract import workflow_id

PROJECT = Path(__file__).parents[2]


@dataclass
class Town:
    interface: Interface
    environment: dict[str, str]
    temporal: Client

    async def runs(self, *arguments: str, **changes: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", "runs", *arguments,
            cwd=PROJECT, env=self.environment | changes, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, complaints = await asyncio.wait_for(process.communicate(), 240)
        assert "Traceback" not in complaints.decode(), complaints.decode()
        return process.returncode or 0, " ".join((output + complaints).decode().split())

    async def lost(self) -> Submitted:
        """A request whose run was terminated, and no list shows it as open any more."""
        request = await assigned(self.interface)
        await self.temporal.get_workflow_handle(workflow_id(request.reference)).terminate("by mistake")
        query = f'WorkflowId = "{workflow_id(request.reference)}" AND ExecutionStatus = "Running"'

        async def is_gone() -> bool:
            return (await self.temporal.count_workflows(query)).count == 0

        await eventually(is_gone)
        return request

    async def is_running(self, request: Submitted) -> bool:
        run = await self.temporal.get_workflow_handle(workflow_id(request.reference)).describe()
        return run.status is WorkflowExecutionStatus.RUNNING


@pytest.fixture(scope="module")
async def town(fresh_database: FreshDatabase, temporal_server: TemporalServer) -> AsyncIterator[Town]:
    url, address = fresh_database(), temporal_server.address
    environment = {
        **os.environ, "DATABASE_URL": url, "HUISHENG_KEYS": KEYS, "TEMPORAL_ADDRESS": address, "PYTHONPATH": str(PROJECT),
    }  # fmt: skip
    async with an_interface(url, address, real_time=True) as interface, a_worker(url, address):
        await interface.employ("handler", "handler", departments=["housing"])
        yield Town(interface, environment, await connect(address, interface.services.keys))


async def test_run_that_was_lost_is_back_when_somebody_acts(town: Town) -> None:
    request = await town.lost()
    taken = await done(town.interface, "handler", request, "accept")
    assert (taken["state"], taken["sequence"]) == ("in_progress", 3)
    assert await town.is_running(request)


async def test_run_that_was_lost_is_back_when_the_citizen_writes(town: Town) -> None:
    request = await town.lost()
    await town.interface.tell(request, "withdraw", text="It works again.")
    await eventually(lambda: in_state(town.interface, request, "withdrawn"))


async def test_check_names_what_is_missing_and_rebuild_brings_it_back(town: Town) -> None:
    request, other = await town.lost(), await town.lost()
    code, output = await town.runs("check")
    assert code == 1
    assert "2 requests without a run" in output
    assert request.reference in output
    for asked_for, said in (
        ([request.reference], "1 run started again."),
        ([request.reference], "0 runs started again. 1 had one already."),
        (["--all", "--rate", "100"], "1 run started again."),
    ):
        code, output = await town.runs("rebuild", *asked_for)
        assert (code, said in output) == (0, True), output
    assert await town.is_running(request)
    assert await town.is_running(other)
    before = await town.temporal.get_workflow_handle(workflow_id(request.reference)).describe()
    assert (await town.runs("rebuild", "--afresh", request.reference))[0] == 0
    after = await town.temporal.get_workflow_handle(workflow_id(request.reference)).describe()
    assert after.run_id != before.run_id
    await done(town.interface, "handler", request, "accept")


async def test_runs_are_distrusted_when_nobody_works_and_not_before(town: Town, fresh_database: FreshDatabase) -> None:
    url = fresh_database()
    async with open_pool(url, size=1, application_name="worker") as pool:
        code, output = await town.runs("distrust", DATABASE_URL=url)
        assert (code, "At work on this database just now: a worker. Stop that first." in output) == (1, True), output
        assert await backups.waiting_restore(pool) is None
    async with open_pool(url, size=1) as pool:
        code, output = await town.runs("distrust", DATABASE_URL=url)
        assert (code, "No run of before goes on." in output) == (0, True), output
        waiting = await backups.waiting_restore(pool)
        assert waiting is not None
        assert waiting.runs_copied_at is None


@pytest.mark.parametrize(
    ("arguments", "changes", "sentence"),
    [
        pytest.param(["rebuild"], {}, "Name the requests, or say --all.", id="nothing named"),
        pytest.param(["rebuild", "2611-4829-13705"], {}, "its digits do not add up", id="a slip"),
        pytest.param(["rebuild", "2611-4829-13704"], {}, "No run is needed for 2611-4829-13704", id="unknown"),
        pytest.param(["check"], {"TEMPORAL_ADDRESS": "127.0.0.1:9"}, "Temporal does not answer", id="no Temporal"),
    ],
)
async def test_command_says_plainly(town: Town, arguments: list[str], changes: dict[str, str], sentence: str) -> None:
    code, output = await town.runs(*arguments, **changes)
    assert code in (1, 2)
    assert sentence in output
