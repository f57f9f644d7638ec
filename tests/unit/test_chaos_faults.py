"""The faults themselves: each is seen to be done where there is something to strike, and every one of them ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil
import pytest

from chaos import clock
from chaos.clock import NotPossible
from chaos.faults import Striker
from chaos.gateway import Gateway
from chaos.keeping import Kept
from chaos.plan import Fault, Kind
from chaos.proxy import Link, Proxy
from chaos.system import Shaken
from supervision.parts import Part
from supervision.system import System

SLEEPS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"
PAIR = "here-there"


@dataclass
class Struck:
    """What is struck here: a part that does nothing, and a link that nobody uses unless somebody is asked to."""

    part: Kept
    link: Link
    told: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        assert self.part.pid is not None
        return self.part.pid

    async def by(self, kind: Kind, target: str, lasts: float = 0.05, amount: float = 0.0) -> Striker:
        nothing = cast("System", None), "", cast("Gateway", None)
        shaken = Shaken(nothing[0], nothing[1], {"sleeper": self.part}, {PAIR: self.link}, {}, nothing[2])
        striker = Striker(shaken, self.told.append)
        await striker.run([Fault(1, 0.0, kind, target, lasts, amount)], 1.0, lambda: 1.0)
        return striker


@pytest.fixture
async def struck(tmp_path: Path) -> AsyncIterator[Struck]:
    part = Part("sleeper", "Sleeper", lambda: [sys.executable, "-c", SLEEPS], lambda: True)
    kept = Kept(part, {}, tmp_path)
    await kept.start()
    await until_it_sleeps(kept)
    yield Struck(kept, Link(PAIR))
    await kept.give_up()


async def until_it_sleeps(kept: Kept) -> None:
    """It is started by a launcher, and has to have become the program itself."""
    async with asyncio.timeout(60):
        while not (kept.pid and psutil.Process(kept.pid).cmdline()[1:] == ["-c", SLEEPS]):  # noqa: ASYNC110 - another program's doing
            await asyncio.sleep(0.01)


@asynccontextmanager
async def a_caller(link: Link) -> AsyncIterator[None]:
    """Says something over the link again and again, whatever becomes of it."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(100):
                pass
        finally:
            writer.transport.abort()

    async def call(port: int) -> None:
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    for _ in range(5):
                        writer.write(b"hello")
                        await writer.drain()
                        await asyncio.sleep(0.01)
                finally:
                    writer.transport.abort()
            await asyncio.sleep(0.01)

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(await asyncio.start_server(swallow, "127.0.0.1"))
        proxy = await stack.enter_async_context(Proxy(server.sockets[0].getsockname()[1], link))
        calling = asyncio.create_task(call(proxy.port))
        try:
            yield
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)


@pytest.mark.parametrize("kind", [Kind.KILL, Kind.RESTART])
async def test_part_that_was_ended_is_seen_to_be_gone_and_comes_back_as_another_process(
    struck: Struck, kind: Kind
) -> None:
    before = struck.pid
    striker = await struck.by(kind, "sleeper")
    assert striker.struck.marks == {1: f"process {before} is gone"}
    assert await struck.part.present() != before
    assert struck.part.starts == 2
    assert not struck.part.by_itself


async def test_part_that_is_frozen_is_seen_to_stand_still_and_goes_on(struck: Struck) -> None:
    striker = await struck.by(Kind.FREEZE, "sleeper")
    assert striker.struck.marks == {1: f"process {struck.pid} stands still"}
    assert psutil.Process(struck.pid).status() != psutil.STATUS_STOPPED


async def test_part_that_is_away_is_waited_for_and_then_struck(struck: Struck) -> None:
    struck.part.kill()
    striking = asyncio.create_task(struck.by(Kind.KILL, "sleeper"))
    await asyncio.sleep(0.1)
    struck.part.let_run()
    assert (await striking).struck.done == {Kind.KILL: 1}
    await struck.part.present()
    assert struck.part.starts == 3


async def test_part_that_ends_by_itself_is_started_again_and_counted(struck: Struck) -> None:
    before = psutil.Process(struck.pid)
    before.kill()
    async with asyncio.timeout(60):
        while struck.part.starts < 2:  # noqa: ASYNC110 - the keeper tells nobody
            await asyncio.sleep(0.01)
    assert struck.part.by_itself == {-9: 1}


@pytest.mark.skipif(not clock.is_possible(), reason="clocks of single programs: Linux on x86-64 only")
async def test_clock_is_seen_to_be_behind_and_is_right_afterwards(struck: Struck) -> None:
    striker = await struck.by(Kind.CLOCK_BACK, "sleeper", amount=60.0)
    assert striker.struck.marks == {1: f"process {struck.pid} is 60 s behind"}
    assert not clock.is_behind(struck.pid, 60)


@pytest.mark.skipif(not clock.is_possible(), reason="clocks of single programs: Linux on x86-64 only")
async def test_clock_is_right_afterwards_where_it_could_not_be_set_back_everywhere(
    struck: Struck, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = clock.set_back

    def in_part(pid: int, seconds: float) -> None:
        whole(pid, seconds)
        assert clock.is_behind(pid, seconds)
        raise NotPossible("a child asks for the time without a pause")

    monkeypatch.setattr(clock, "set_back", in_part)
    striker = await struck.by(Kind.CLOCK_BACK, "sleeper", amount=60.0)
    assert not clock.is_behind(struck.pid, 60)
    assert [reason for _, reason in striker.struck.not_done] == ["a child asks for the time without a pause"]
    assert not striker.struck.done


@pytest.mark.parametrize(
    ("kind", "amount", "seen"),
    [(Kind.CUT, 0.0, "were broken"), (Kind.STALL, 0.0, "had to wait"), (Kind.DELAY, 0.01, "had to wait")],
)
async def test_link_is_struck_where_somebody_calls(struck: Struck, kind: Kind, amount: float, seen: str) -> None:
    async with a_caller(struck.link):
        striker = await struck.by(kind, PAIR, lasts=0.0, amount=amount)
    assert seen in striker.struck.marks[1]
    assert (struck.link.is_cut, struck.link.delay_seconds) == (False, 0.0)


async def test_fault_that_meets_nobody_is_not_done(struck: Struck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.faults._MARK_WITHIN_SECONDS", 0.1)
    striker = await struck.by(Kind.CUT, PAIR)
    assert [reason for _, reason in striker.struck.not_done] == ["nothing was seen of it"]
    assert not striker.struck.done
    assert not struck.link.is_cut


async def test_disk_that_there_is_not_is_not_filled(struck: Struck) -> None:
    striker = await struck.by(Kind.FILL_DISK, "postgres")
    assert [reason for _, reason in striker.struck.not_done] == ["this account may not mount disks of its own"]
