"""Connections that stay silent, unfinished or endless, and one more than there may be: over a real socket."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from api.admission import Admission
from api.arrivals import Arrivals
from api.connections import MOST_HEAD_BYTES, BoundedConnection
from api.errors import answer
from api.gate import Gate

PROJECT = Path(__file__).resolve().parents[2]
HEAD = b"POST / HTTP/1.1\r\nHost: city\r\nContent-Length: 4\r\n\r\n"


class Hasty(BoundedConnection):
    owed_within = 0.1
    _owing: ClassVar[dict[BoundedConnection, asyncio.TimerHandle]] = {}


class Few(BoundedConnection):
    most = 3
    _owing: ClassVar[dict[BoundedConnection, asyncio.TimerHandle]] = {}


async def unread(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, whatever is still to come."""
    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


@asynccontextmanager
async def a_server(connection: type[BoundedConnection], app: ASGIApp = unread) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, http=connection, ws="none", lifespan="off", log_config=None, access_log=False)
        )
        serving = asyncio.create_task(server._serve([listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            await serving


async def ending(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server closes the connection."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        pytest.param(b"", 0, id="says nothing"),
        pytest.param(HEAD[:-4], 0, id="does not end its head"),
        pytest.param(HEAD + b"body" + HEAD[:-4], 1, id="does not end its second head"),
        pytest.param(HEAD + b"bo", 1, id="does not end the body that nobody reads"),
    ],
)
async def test_connection_that_owes_us_something_is_closed(sent: bytes, answers: int) -> None:
    async with a_server(Hasty) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert (await ending(reader)).count(b"HTTP/1.1 503") == answers
        writer.close()
    assert not Hasty._owing


async def test_connection_that_ends_late_a_body_that_nobody_read_is_closed() -> None:
    async with a_server(Hasty) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"bo")
        await reader.readuntil(b"no")
        writer.write(b"dy")
        assert await ending(reader) == b""
        writer.close()


async def test_body_that_nobody_read_is_not_taken_for_the_next_request() -> None:
    async with a_server(BoundedConnection) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(HEAD)
            await reader.readuntil(b"no")
            writer.write(b"body")
        writer.close()


async def test_head_without_an_end_is_cut_off() -> None:
    async with a_server(BoundedConnection) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD[:-2] + b"X: ")
        closed = asyncio.create_task(ending(reader))
        for _ in range(MOST_HEAD_BYTES // 1024 * 16):  # far more than the sockets' own buffers hold in between
            writer.write(b"x" * 1024)
            await asyncio.sleep(0)
            if closed.done():
                break
        assert await closed == b""
        writer.close()


async def test_connection_too_many_takes_the_place_of_the_one_that_has_been_silent_longest() -> None:
    async with a_server(Few) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(Few.most)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await ending(silent[0][0]) == b""

        writer.write(HEAD + b"body")
        assert (await reader.readuntil(b"no")).startswith(b"HTTP/1.1 503")
        assert not any(each.at_eof() for each, _ in silent[1:])
        for _, each in (*silent, (reader, writer)):
            each.close()


async def test_senders_who_never_end_keep_out_nobody_who_sends_at_once() -> None:
    slow = b"POST /api/v1/requests HTTP/1.1\r\nHost: city\r\nContent-Length: 4\r\n\r\n"
    arrivals = Arrivals(most=4)
    async with a_server(BoundedConnection, Admission(unread, Gate(), arrivals, answer)) as port:
        senders = [await asyncio.open_connection("127.0.0.1", port) for _ in range(12)]
        for _, writer in senders:
            writer.write(slow + b"bo")
        for reader, _ in senders[:8]:
            told = await ending(reader)
            assert told.startswith(b"HTTP/1.1 408")
            assert b"application/problem+json" in told
        assert arrivals.cut_off == 8

        for sent in (slow + b"body", b"GET /healthz HTTP/1.1\r\nHost: city\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            assert await reader.readuntil(b"no")
            writer.close()
        for _, writer in senders:
            writer.close()


def test_interface_may_open_as_many_files_as_it_may_have_connections() -> None:
    program = (
        "import resource; from cli.api import _allow_files;"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1];"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)); _allow_files(512);"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE) == (512, hard))"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert told.stdout == "True\n"
