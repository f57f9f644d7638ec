"""One part of the system with an orchestrator beside it: whatever ends it, it is started again, until it is not wanted any more."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from supervision import processes
from supervision.errors import SupervisionError
from supervision.parts import Environment, Part
from supervision.processes import Ending

READY_WITHIN_SECONDS = 90.0
_GLANCE_SECONDS = 0.05
_PAUSE_SECONDS = 0.5
"""Before a part that has ended by itself is started again."""
# Nothing of a system that is thrown away afterwards has to outlive its supervisor.
_TIED = Ending(signal.SIGKILL)


class NotReady(Exception):
    """A part did not become ready in time; the sentence names its log."""


@dataclass
class Kept:
    """`by_itself` counts the ends that no fault has asked for, by exit status; `lock` is held by the fault at work on it."""

    part: Part
    environment: Environment
    logs: Path
    starts: int = 0
    by_itself: Counter[int] = field(default_factory=Counter)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _process: subprocess.Popen[bytes] | None = None
    _may_run: asyncio.Event = field(default_factory=asyncio.Event)
    _keeper: asyncio.Task[None] | None = None
    _asked: bool = False

    @property
    def name(self) -> str:
        return self.part.name

    @property
    def log(self) -> Path:
        return self.logs / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def present(self) -> int:
        """The number of its process, as soon as there is one. Raises NotReady."""
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while (pid := self.pid) is None:
            if time.monotonic() > deadline:
                raise NotReady(
                    f"{self.part.title} did not come back within {READY_WITHIN_SECONDS:.0f} seconds: {self.log}"
                )
            await asyncio.sleep(_GLANCE_SECONDS)
        return pid

    async def start(self) -> None:
        """Until it is ready, and keeps it from then on. Raises NotReady."""
        self._may_run.set()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        await self.ready()
        await asyncio.to_thread(self.part.complete)

    async def ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not (self.pid and await asyncio.to_thread(self.part.is_ready)):
            if time.monotonic() > deadline:
                raise NotReady(f"{self.part.title} was not ready within {READY_WITHIN_SECONDS:.0f} seconds: {self.log}")
            await asyncio.sleep(_GLANCE_SECONDS)

    async def end(self) -> None:
        """Asked to end, and not started again before `let_run`."""
        self._may_run.clear()
        self._asked = True
        if self._process is not None:
            await asyncio.to_thread(processes.stop, self._process, self.part.ending)

    def kill(self) -> None:
        """SIGKILL, and gone; not started again before `let_run`."""
        self._may_run.clear()
        self._asked = True
        if self._process is not None:
            processes.kill(self._process)

    def let_run(self) -> None:
        self._may_run.set()

    def freeze(self) -> None:
        """It stays where it is, with all its connections and children, and does nothing more."""
        self._signal(signal.SIGSTOP)

    def is_frozen(self) -> bool:
        with suppress(psutil.NoSuchProcess):
            return self.pid is not None and psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        return False

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def give_up(self) -> None:
        """For good: killed, and the keeper goes."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self.thaw()
        self.kill()

    async def _keep(self) -> None:
        while True:
            await self._may_run.wait()
            if not await self._started():
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            status = await self._ended()
            if not self._asked:
                self.by_itself[status] += 1
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _started(self) -> bool:
        try:
            await asyncio.to_thread(self.part.prepare)
        except (SupervisionError, OSError) as error:
            with self.log.open("a") as log:
                log.write(f"It could not be prepared: {type(error).__name__} {error}\n")
            return False
        if not self._may_run.is_set():
            return False
        self.starts += 1
        self._asked = False
        # Appended to: a part that is started dozens of times has one story.
        with self.log.open("ab") as output:
            self._process = processes.start(
                self.part.command(),
                ending=_TIED,
                output=output,
                environment=self.environment,
                niceness=self.part.niceness,
            )
        return True

    async def _ended(self) -> int:
        assert self._process is not None
        while self._process.poll() is None:  # noqa: ASYNC110 - no event comes of the end of a process that we do not wait for
            await asyncio.sleep(_GLANCE_SECONDS)
        return self._process.returncode

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is None:
            return
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.pid)
            for process in (root, *root.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
