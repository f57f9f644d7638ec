"""`huisheng keys used`: what it says while a key is being replaced, and that it is true."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec
from temporalio.worker import Worker

from db.sealing import KeyRing
from supervision.temporal import TemporalServer
from tests.breaking import BreaksWorkflow, break_down
from tests.servers import a_temporal_server
from tests.town import until
from workflows.connection import connect

PROJECT = Path(__file__).parents[2]
KEY = {
    name: f"{name}:{base64.b64encode(bytes([number] * 32)).decode()}"
    for number, name in enumerate(("old", "new", "idle"))
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TemporalServer]:
    """One of its own: the command reads all that there is."""
    with a_temporal_server(tmp_path) as server:
        yield server


async def a_run(server: TemporalServer, keys: str, *, ends: bool) -> None:
    client, queue = await connect(server.address, KeyRing.from_text(keys)), f"runs-{uuid4()}"
    handle = await client.start_workflow(BreaksWorkflow.run, "", id=queue, task_queue=queue)
    if ends:
        async with Worker(client, task_queue=queue, workflows=[BreaksWorkflow], activities=[break_down]):
            await handle.result()


async def a_schedule(server: TemporalServer, keys: str) -> None:
    client = await connect(server.address, KeyRing.from_text(keys))
    action = ScheduleActionStartWorkflow(BreaksWorkflow.run, "", id="never", task_queue="nowhere")
    await client.create_schedule("never", Schedule(action=action, spec=ScheduleSpec()))


async def used(server: TemporalServer, ring: str) -> tuple[int, list[str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "keys", "used", cwd=PROJECT, stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ, "DATABASE_URL": "postgresql://nobody@nowhere/nothing", "HUISHENG_KEYS": ring,
            "TEMPORAL_ADDRESS": server.address,
        },
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode().splitlines()


async def until_listed(server: TemporalServer, number: int) -> None:
    """What lists runs hears of them a moment later."""
    client: Client = await connect(server.address, KeyRing.from_text(KEY["new"]))

    async def are_listed() -> bool:
        return (await client.count_workflows()).count >= number

    await until(are_listed)


async def test_says_which_key_is_needed_by_how_many(server: TemporalServer) -> None:
    await a_run(server, KEY["old"], ends=True)
    await a_run(server, KEY["old"], ends=False)
    await a_run(server, f"{KEY['new']},{KEY['old']}", ends=True)
    await a_schedule(server, KEY["old"])
    await until_listed(server, 3)

    code, said = await used(server, f"{KEY['new']},{KEY['old']},{KEY['idle']}")
    assert (code, said) == (0, [
        "3 histories of Temporal were read.",
        "Key new seals: 1 run, 0 of them not over.",
        "Key old: 2 runs, 1 of them not over, 1 schedule. Keep it in HUISHENG_KEYS.",
        "Key idle: Temporal needs it no longer. It can be taken out as soon as `huisheng keys rotate` finds nothing.",
    ])  # fmt: skip
    code, said = await used(server, KEY["new"])
    assert (code, said[-1]) == (
        1, "Key old: 2 runs, 1 of them not over, 1 schedule, and HUISHENG_KEYS does not hold it. Add it, or they cannot go on."
    )  # fmt: skip


async def test_without_temporal_it_says_so(server: TemporalServer) -> None:
    away = TemporalServer(server.home, 1)
    code, said = await used(away, KEY["new"])
    assert (code, said) == (1, [])
