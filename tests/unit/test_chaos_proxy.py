"""The proxy between the parts, against real sockets: what passes, what is cut, stalled and delayed, and whose it is."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chaos.proxy import Link, Proxy, by_application

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SOON = 60.0


@asynccontextmanager
async def an_echo() -> AsyncIterator[int]:
    """The port of a server that says everything again."""

    async def say_again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(say_again, "127.0.0.1")
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def a_link() -> AsyncIterator[tuple[Link, int]]:
    link = Link("here-there")
    async with an_echo() as upstream, Proxy(upstream, link) as proxy:
        yield link, proxy.port


@asynccontextmanager
async def a_call(port: int) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said(ends: Ends, words: bytes) -> bytes:
    reader, writer = ends
    writer.write(words)
    async with asyncio.timeout(SOON):
        return await reader.read(1000)


async def is_broken(ends: Ends, words: bytes = b"hello") -> bool:
    try:
        return await said(ends, words) == b""
    except ConnectionError:
        return True


async def test_everything_passes_both_ways() -> None:
    async with a_link() as (_, port), a_call(port) as ends:
        assert await said(ends, b"hello") == b"hello"
        ends[1].write_eof()
        assert await ends[0].read() == b""


async def test_cut_breaks_what_is_there_and_what_comes_until_it_is_mended() -> None:
    async with a_link() as (link, port):
        async with a_call(port) as ends:
            assert await said(ends, b"hello") == b"hello"
            link.cut()
            assert await is_broken(ends)
            assert link.broken == 1
        async with a_call(port) as ends:
            assert await is_broken(ends)
        link.mend()
        async with a_call(port) as ends:
            assert await said(ends, b"again") == b"again"


async def test_stall_holds_back_and_loses_nothing() -> None:
    async with a_link() as (link, port), a_call(port) as (reader, writer):
        link.stall()
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        link.mend()
        async with asyncio.timeout(SOON):
            assert await reader.readexactly(5) == b"hello"


async def test_cut_while_stalled_is_felt_at_once() -> None:
    async with a_link() as (link, port), a_call(port) as ends:
        await said(ends, b"hello")
        link.stall()
        ends[1].write(b"lost")
        link.cut()
        assert await is_broken(ends)
        link.mend()


async def test_delay_holds_each_word_for_its_time() -> None:
    async with a_link() as (link, port), a_call(port) as ends:
        await said(ends, b"hello")
        link.delay_seconds = 0.05
        began = asyncio.get_running_loop().time()
        assert await said(ends, b"hello") == b"hello"
        # There and back: never less, however slow the machine is.
        assert asyncio.get_running_loop().time() - began >= 0.1


async def test_caller_hears_of_an_upstream_that_is_gone() -> None:
    link = Link("here-there")
    async with an_echo() as upstream:
        pass
    async with Proxy(upstream, link) as proxy, a_call(proxy.port) as ends:
        assert await is_broken(ends)
    assert not link._connections


def a_startup(name: str) -> bytes:
    """PostgreSQL's first message."""
    body = struct.pack("!I", 196_608) + b"user\0somebody\0application_name\0" + name.encode() + b"\0\0"
    return struct.pack("!I", len(body) + 4) + body


async def test_clients_of_postgresql_are_told_apart_by_their_name() -> None:
    relay, others = Link("relay-postgres"), Link("worker-postgres")
    async with (
        an_echo() as upstream,
        Proxy(upstream, choose=by_application({"relay": relay}, others)) as proxy,
        a_call(proxy.port) as of_relay,
        a_call(proxy.port) as of_worker,
    ):
        assert await said(of_relay, a_startup("relay")) == a_startup("relay")
        assert await said(of_worker, a_startup("worker")) == a_startup("worker")
        relay.cut()
        assert await is_broken(of_relay)
        assert await said(of_worker, b"select") == b"select"


async def test_what_is_no_startup_is_led_on_as_it_is() -> None:
    others = Link("worker-postgres")
    async with (
        an_echo() as upstream,
        Proxy(upstream, choose=by_application({}, others)) as proxy,
        a_call(proxy.port) as ends,
    ):
        assert await said(ends, b"\xff\xff\xff\xff") == b"\xff\xff\xff\xff"
