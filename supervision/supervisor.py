"""The supervisor: starts parts in order, waits until each is ready, watches them, and stops them in reverse."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from supervision.errors import DiskFull, PartFailed
from supervision.ground import Ground, full_disk_sentence
from supervision.leftovers import children_file, end_leftovers, remember
from supervision.logs import NO_ROOM_WORDS, rotated_log, tail
from supervision.parts import Environment, Part, Step
from supervision.processes import Ending, kill, start, stop

GLANCE_SECONDS = 0.05
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """Somebody asked the system to stop: Ctrl-C, SIGTERM, or the terminal went away."""


class Narrator(Protocol):
    """Tells the person at the terminal what is going on."""

    def begins(self, title: str) -> None: ...
    def ready(self, title: str, seconds: float) -> None: ...
    def stops(self, title: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Running:
    part: Part
    process: subprocess.Popen[bytes]


class Supervisor:
    """Parts are started from the thread that made the supervisor, which must be the main one (processes.start)."""

    def __init__(self, ground: Ground, environment: Environment, narrator: Narrator) -> None:
        self._ground = ground
        self._environment = environment
        self._narrator = narrator
        self._running: list[Running] = []
        self._stop_requests = 0

    def bring_up(self, sequence: Iterable[Part | Step]) -> None:
        """Starts everything in order; a SupervisionError says what did not come up, StopRequested that it need not."""
        end_leftovers(self._ground)
        for item in sequence:
            began = time.monotonic()
            self._narrator.begins(item.title)
            if isinstance(item, Part):
                self._start(item)
            else:
                self._take(item)
            self._narrator.ready(item.title, time.monotonic() - began)

    def watch(self) -> None:
        """Ends only with StopRequested, or with PartFailed when a part has died."""
        while True:
            self._glance()

    def stop_all(self) -> None:
        """Stops the parts in reverse order; from a second request on, without waiting for them."""
        while self._running:
            running = self._running[-1]
            self._narrator.stops(running.part.title)
            stop(running.process, running.part.ending)
            self._running.pop()
        children_file(self._ground).unlink(missing_ok=True)

    @contextmanager
    def listening_to_signals(self) -> Iterator[None]:
        """Turns the signals that ask a program to stop into StopRequested at the next glance."""
        before = {number: signal.signal(number, self._on_signal) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests += 1
        if self._stop_requests > 1:
            for running in self._running:
                running.process.kill()

    def _start(self, part: Part) -> None:
        part.prepare()
        for port in part.ports:
            port.require_free(part.title)
        log = rotated_log(self._ground.logs, part.name)
        with log.open("wb") as output:
            process = start(
                part.command(), ending=part.ending, output=output, environment=self._environment, niceness=part.niceness
            )
        self._running.append(Running(part, process))
        remember(self._ground, ((each.part.name, each.process.pid, each.part.ending.request) for each in self._running))
        self._wait(part.title, part.is_ready, part.ready_within_seconds, log)
        part.complete()

    def _take(self, step: Step) -> None:
        log = rotated_log(self._ground.logs, step.name)
        with log.open("wb") as errors:
            process = start(
                step.command(), ending=Ending(), output=subprocess.PIPE, errors=errors, environment=self._environment
            )
        try:
            self._wait(step.title, lambda: process.poll() is not None, step.within_seconds, log)
            printed = process.communicate()[0].decode()
        finally:
            kill(process)
        if process.returncode:
            raise self._failure(step.title, f"failed: {_reason(log)}", log)
        step.keep(printed)

    def _wait(self, title: str, is_over: Callable[[], bool], seconds: float, log: Path) -> None:
        deadline = time.monotonic() + seconds
        while not is_over():
            self._glance()
            if time.monotonic() > deadline:
                raise self._failure(title, f"was not ready within {seconds:.0f} seconds", log)

    def _glance(self) -> None:
        if self._stop_requests:
            raise StopRequested
        for running in self._running:
            status = running.process.poll()
            if status is not None:
                log = self._ground.logs / f"{running.part.name}.log"
                raise self._failure(running.part.title, f"has stopped by itself ({_in_words(status)})", log)
        time.sleep(GLANCE_SECONDS)

    def _failure(self, title: str, what: str, log: Path) -> PartFailed | DiskFull:
        if NO_ROOM_WORDS in tail(log) or shutil.disk_usage(self._ground.root).free < 2**20:
            return DiskFull(full_disk_sentence(self._ground.root))
        return PartFailed(title, what, log)


def _in_words(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _reason(log: Path) -> str:
    """What a command wrote before it failed, where that is a sentence for people."""
    said = tail(log)
    return said if said and "Traceback" not in said else "it did not say why"
