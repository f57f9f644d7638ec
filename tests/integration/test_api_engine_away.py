"""What staff hear while the engine is away, slow or silent; citizens hear nothing of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.request import CITIZEN
from supervision.temporal import TemporalServer
from tests.interface import Interface, Submitted, an_interface, problem
from workflows.contract import Submitted as RunInput
from workflows.delivery import start_run

PATIENCE_SECONDS = 9.0
"""Two and a half are what the interface gives itself, ten those of a person whose action nobody takes; the rest is for a busy machine."""


@asynccontextmanager
async def a_silent_server() -> AsyncIterator[str]:
    """Takes connections and never says anything, as a server that was stopped does."""
    writers: list[asyncio.StreamWriter] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in writers:
            writer.close()
        server.close()


async def everything_a_citizen_says(interface: Interface) -> None:
    request = await interface.submit()
    assert (await interface.tell(request, "supplement", text="More.")).status_code == 202
    assert (await interface.tell(request, "urge")).status_code == 202
    resolved = await interface.submit()
    await interface.move(resolved, "resolved", department="housing")
    assert (await interface.tell(resolved, "rate", solved="yes", satisfied=5)).status_code == 202
    assert (await interface.tell(request, "withdraw")).status_code == 202
    assert (await interface.look_up(request))["state"] == "received"
    kinds = [row["kind"] for row in await interface.services.pool.fetch("select kind from inbox order by id")]
    assert kinds == ["submitted", "supplemented", "urged", "submitted", "rated", "withdrawn"]


async def refused_action(interface: Interface) -> None:
    await interface.employ("handler", "handler", departments=["housing"])
    request = await interface.submit()
    await interface.move(request, "assigned", department="housing")
    await interface.sign_in("handler")
    started = time.monotonic()
    answer = await interface.act("handler", request, "accept")

    problem(answer, 503, "engine_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert time.monotonic() - started < PATIENCE_SECONDS


async def test_while_nobody_listens_citizens_are_served_and_staff_told_at_once(database_url: str) -> None:
    async with an_interface(database_url) as interface:
        await everything_a_citizen_says(interface)
        await refused_action(interface)
        ready = await interface.http.get("/readyz")

    assert ready.status_code == 200
    assert ready.json()["engine"] == "down"


async def test_while_the_engine_is_silent_citizens_are_served_and_staff_told_soon(database_url: str) -> None:
    async with a_silent_server() as address, an_interface(database_url, address) as interface:
        await everything_a_citizen_says(interface)
        await refused_action(interface)


async def test_an_action_on_a_request_that_the_engine_does_not_know_yet_asks_for_patience(
    database_url: str, temporal_server: TemporalServer
) -> None:
    async with an_interface(database_url, temporal_server.address) as interface:
        await interface.employ("dispatcher", "dispatcher")
        request = await interface.submit()
        answer = await interface.act("dispatcher", request, "transfer", {"target": "next_city"})

    assert "not reached" in problem(answer, 503, "engine_unavailable")["detail"]


@pytest.mark.slow
async def test_an_action_that_no_worker_takes_says_that_it_may_yet_happen(
    database_url: str, temporal_server: TemporalServer
) -> None:
    async with an_interface(database_url, temporal_server.address) as interface:
        await interface.employ("handler", "handler", departments=["housing"])
        request = await interface.submit()
        await started(interface, request)
        await interface.move(request, "in_progress", department="housing")
        answer = await interface.act("handler", request, "contact", {"how": "phone", "note": "Spoke with them."})
        texts = await interface.services.pool.fetchval("select count(*) from texts")

    assert "may still be carried out" in problem(answer, 503, "engine_unavailable")["detail"]
    assert texts == 1


async def started(interface: Interface, request: Submitted) -> None:
    request_id = await interface.services.pool.fetchval(
        "select id from requests where reference = $1", request.reference
    )
    await start_run(
        interface.services.temporal, RunInput(str(request_id), request.reference, interface.clock(), CITIZEN)
    )
