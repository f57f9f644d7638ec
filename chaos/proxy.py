"""Connections between the parts, led through ports of ours, where they can be cut, stalled and delayed."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

_CHUNK_BYTES = 65_536
_LONGEST_STARTUP_BYTES = 10_000
_NAME = b"application_name\0"


@dataclass
class Link:
    """Who calls whom, over any number of connections.

    `broken` counts those that were cut or turned away, `held` how often something that was to pass had to wait.
    """

    name: str
    is_cut: bool = False
    delay_seconds: float = 0.0
    broken: int = 0
    held: int = 0
    _passing: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: set[asyncio.WriteTransport] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._passing.set()

    def cut(self) -> None:
        """What is under way is broken off at once, on both sides, and nothing new is let through."""
        self.is_cut = True
        self.broken += len(self._connections) // 2
        for transport in list(self._connections):
            transport.abort()

    def stall(self) -> None:
        """Nothing passes; nobody is told."""
        self._passing.clear()

    def mend(self) -> None:
        self.is_cut, self.delay_seconds = False, 0.0
        self._passing.set()

    async def let_pass(self) -> None:
        """Waits as long as whoever sends something now has to wait."""
        self.held += bool(self.delay_seconds) or not self._passing.is_set()
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        await self._passing.wait()

    def holds(self, *writers: asyncio.StreamWriter) -> set[asyncio.WriteTransport]:
        held = {writer.transport for writer in writers}
        self._connections |= held
        return held

    def lets_go(self, held: set[asyncio.WriteTransport]) -> None:
        self._connections -= held


Choice = Callable[[bytes], Link]
"""Which link a connection belongs to, by the first bytes of whoever calls."""


class Proxy:
    """Listens on a port of 127.0.0.1 while `async with` lasts, and leads on to another."""

    def __init__(self, upstream: int, link: Link | None = None, choose: Choice | None = None, port: int = 0) -> None:
        assert (link is None) != (choose is None)
        self._upstream = upstream
        self._link = link
        self._choose = choose
        self.port = port
        self._server: asyncio.Server | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._lead_on(reader, writer)
        finally:
            writer.transport.abort()
            self._under_way.discard(task)

    async def _lead_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = b"" if self._choose is None else await _startup(reader)
        link = self._link or (self._choose(first) if self._choose else None)
        assert link is not None
        if link.is_cut:
            link.broken += 1
            return
        # Held from now on: it may be cut while we connect.
        held = link.holds(writer)
        try:
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
            held |= link.holds(upstream)
            upstream.write(first)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(link, reader, upstream))
                both.create_task(_pump(link, upstream_reader, writer))
        except* OSError:
            pass  # one side is gone, and the other hears of it now
        finally:
            link.lets_go(held)
            for transport in held:
                transport.abort()


async def _pump(link: Link, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until the source has ended; then the sink hears that, and may still answer."""
    while data := await source.read(_CHUNK_BYTES):
        await link.let_pass()
        sink.write(data)
        await sink.drain()
    await link.let_pass()
    if sink.can_write_eof():
        sink.write_eof()


async def _startup(reader: asyncio.StreamReader) -> bytes:
    """PostgreSQL's first message: four bytes that say how long it is, and the rest."""
    length = await reader.readexactly(4)
    (size,) = struct.unpack("!I", length)
    if not 8 <= size <= _LONGEST_STARTUP_BYTES:
        return length
    return length + await reader.readexactly(size - 4)


def by_application(named: dict[str, Link], others: Link) -> Choice:
    """Tells PostgreSQL's clients apart by the name that they give themselves."""

    def choose(startup: bytes) -> Link:
        _, found, rest = startup.partition(_NAME)
        name = rest.partition(b"\0")[0].decode(errors="replace") if found else ""
        return named.get(name, others)

    return choose
