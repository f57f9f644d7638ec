"""The whole system for a test, part by part: each can be killed, frozen and started again on its own ports and data.

`huisheng up` stops everything when one part dies; here the others go on, as they do on the several machines of a city.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import psutil

import db.policies
from api.errors import DATABASE_DOWN
from db.migrations import migrate
from db.pool import Pool, open_pool
from db.sealing import KeyRing
from domain.policy import Policy, to_plain
from policies.store import FRESH_SECONDS
from settings import DEFAULT_POLICY_DIRECTORY
from supervision import processes
from supervision.credentials import credentials
from supervision.ground import Ground
from supervision.parts import Environment, Part
from supervision.system import PROJECT, Ports, System
from tests.servers import free_port

READY_WITHIN_SECONDS = 180
GLANCE_SECONDS = 0.05


async def until(is_so: Callable[[], Awaitable[object]], seconds: float = 120, what: str = "it") -> None:
    """Waits for what must come true; looks again at once, then less and less often, at most every fifth of a second."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while not await is_so():
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds:.0f} seconds"
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.2)


@dataclass
class LivePart:
    """One program of the system; `log` of each start is a file of its own."""

    part: Part
    environment: Environment
    logs: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> Path:
        return self.logs / f"{self.part.name}.{self.starts}.log"

    async def start(self) -> None:
        """Until it is ready."""
        assert not self.is_running, self.part.title
        await asyncio.to_thread(self.part.prepare)
        self.spawn()
        await self.ready()
        await asyncio.to_thread(self.part.complete)

    def spawn(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with self.log.open("wb") as output:
            self.process = processes.start(
                self.part.command(), ending=self.part.ending, output=output, environment=self.environment
            )
        return self.process

    async def ready(self) -> None:
        async def is_ready() -> bool:
            assert self.is_running, f"{self.part.title} ended:\n{self.log.read_text()[-3000:]}"
            return await asyncio.to_thread(self.part.is_ready)

        await until(is_ready, READY_WITHIN_SECONDS, f"{self.part.title} is ready")

    def kill(self) -> None:
        """SIGKILL, and gone: it had no time for anything."""
        if self.process is not None:
            processes.kill(self.process)

    async def stop(self) -> int:
        """Asks it to end; its exit status."""
        assert self.process is not None
        await asyncio.to_thread(processes.stop, self.process, self.part.ending)
        return self.process.returncode

    def freeze(self) -> None:
        """It stays where it is, with all its connections, and does nothing more."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        root = psutil.Process(self.process.pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


@dataclass
class LiveSystem:
    """`pool` looks at the database from outside; it opens connections only when asked, so that it outlives the server."""

    system: System
    policy: Policy
    parts: dict[str, LivePart]
    pool: Pool = field(init=False)

    @property
    def postgres(self) -> LivePart:
        return self.parts["postgres"]

    @property
    def temporal(self) -> LivePart:
        return self.parts["temporal"]

    @property
    def worker(self) -> LivePart:
        return self.parts["worker"]

    @property
    def api(self) -> LivePart:
        return self.parts["api"]

    @property
    def keys(self) -> KeyRing:
        return KeyRing.from_text(self.system.credentials.keys)

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to reach this system."""
        return dict(self.system.environment())

    async def heal(self) -> None:
        """Everything that was frozen or killed works again."""
        for name in ("postgres", "temporal", "worker", "api"):
            part = self.parts[name]
            if part.is_running:
                part.thaw()
            else:
                await part.start()

    async def adopt(self, policy: Policy) -> None:
        """Makes it the policy for new decisions, and waits until every part must have seen it."""
        if policy != self.policy:
            await self.activate(policy)
            # How long a part may go on with the policy that it knows; nothing shows that the worker has looked.
            await asyncio.sleep(FRESH_SECONDS + 0.1)

    async def activate(self, policy: Policy) -> None:
        name = policy.city.name["en"]
        async with open_pool(self.system.database.url(), size=1) as pool:
            await db.policies.activate(pool, policy.version, name, to_plain(policy), datetime.now(UTC))
        self.policy = policy

    async def look(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows of the database, as soon as it answers."""
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while True:
            try:
                return await self.pool.fetch(query, *values)
            except DATABASE_DOWN:
                assert time.monotonic() < deadline, "the database does not come back"
                await asyncio.sleep(0.1)

    async def value(self, query: str, *values: object) -> Any:
        """The first column of the first row."""
        rows = await self.look(query, *values)
        return rows[0][0] if rows else None

    @asynccontextmanager
    async def held_up(self, lock: str) -> AsyncIterator[None]:
        """Whoever wants to write there waits until the block is left; `lock` is an SQL statement that takes a lock."""
        holder = await asyncpg.connect(self.system.database.url())
        try:
            await holder.execute(f"begin; {lock}")
            yield
        finally:
            holder.terminate()

    async def waiting(self, program: str, number: int = 1) -> list[int]:
        """The sessions of that program which wait for a lock, as soon as there are so many."""
        found: list[int] = []

        async def are_there() -> bool:
            rows = await self.look(
                "select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = $1", program
            )
            found[:] = [row["pid"] for row in rows]
            return len(found) >= number

        await until(are_there, what=f"that {number} sessions of {program} wait")
        return found

    async def cut(self, session: int) -> None:
        """Ends a session of the database: what it was about to do is not done."""
        await self.look("select pg_terminate_backend($1)", session)

    def another(self, name: str, **changes: str) -> LivePart:
        """A second worker or interface beside the first, with a ready file and a port of its own; the test stops it."""
        logs = self.system.ground.logs / f"second-{name}-{len(list(self.system.ground.logs.iterdir()))}"
        logs.mkdir()
        system = replace(self.system, ports=replace(self.system.ports, api=free_port()))
        ready_file = logs / "ready"
        part = _part(system, name)
        if name == "worker":
            part = replace(part, is_ready=ready_file.exists, prepare=lambda: ready_file.unlink(missing_ok=True))
        told = {**system.environment(), "HUISHENG_READY_FILE": str(ready_file), **changes}
        return LivePart(part, told, logs)

    async def run(self, *command: str, **changes: str) -> tuple[int, str, str]:
        """A command to its end, with the environment of this system: exit status, output, errors."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=PROJECT,
            env={**self.environment, **changes},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(READY_WITHIN_SECONDS):
                said, complained = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode or 0, said.decode(), complained.decode()


@asynccontextmanager
async def a_live_system(folder: Path, policy: Policy) -> AsyncIterator[LiveSystem]:
    """Everything runs while the body does, on ports and data of its own; nothing of it is left afterwards."""
    ground = Ground(folder)
    ground.prepare()
    system = System(ground, Ports(*(free_port() for _ in range(5))), credentials(ground), DEFAULT_POLICY_DIRECTORY)
    environment = system.environment()
    parts = {
        name: LivePart(_part(system, name), environment, ground.logs)
        for name in ("postgres", "temporal", "worker", "api")
    }
    live = LiveSystem(system, policy, parts)
    try:
        await asyncio.gather(live.postgres.start(), live.temporal.start())
        await asyncio.to_thread(migrate, system.database.url())
        async with asyncpg.create_pool(system.database.url(), min_size=0, max_size=4) as live.pool:
            await live.activate(policy)
            await asyncio.gather(live.worker.start(), live.api.start())
            yield live
            live.pool.terminate()
    finally:
        for part in reversed(parts.values()):
            part.kill()
        _end_sessions(system)


def _part(system: System, name: str) -> Part:
    (part,) = (item for item in system.sequence([name]) if isinstance(item, Part))
    return part


def _end_sessions(system: System) -> None:
    """The sessions of a killed PostgreSQL end by themselves; the folder may go when they have."""
    data = os.path.realpath(system.database.data)
    sessions = [each for each in psutil.process_iter(["cwd", "name"]) if each.info["cwd"] == data]
    for left in processes.wait_gone(sessions, 10):
        left.kill()
