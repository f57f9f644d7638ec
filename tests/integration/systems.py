"""A `huisheng up` of its own for each test: its own folder and ports, watched from outside as a person would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from supervision.processes import is_alive
from tests.servers import free_port

PROJECT = Path(__file__).parents[2]
UP = "Ctrl-C stops everything"


@dataclass
class System:
    """`only` names the parts that are started; `prefix` goes before the command of `huisheng up`."""

    var: Path
    only: str = "postgres"
    prefix: tuple[str, ...] = ()
    ports: dict[str, int] = field(
        default_factory=lambda: {name: free_port() for name in ("api", "temporal", "ui", "postgres", "metrics")}
    )

    def command(self, command: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cli.main", command, "--var", str(self.var), *arguments]

    def up_command(self) -> list[str]:
        ports = [word for name, port in self.ports.items() for word in (f"--{name}-port", str(port))]
        return [*self.prefix, *self.command("up", "--only", self.only, *ports)]

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end; its output is what a person would have read."""
        return subprocess.run(
            command, cwd=PROJECT, env=an_environment(), capture_output=True, text=True, timeout=180, check=False
        )

    @contextmanager
    def up(self) -> Iterator[Up]:
        """A system that runs when the body starts, and is gone when it has ended, whatever happened in between."""
        process = subprocess.Popen(
            self.up_command(),
            cwd=PROJECT,
            env=an_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        up = Up(self, process)
        try:
            up.wait_until_said(UP)
            yield up
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(180)
            assert process.stdout is not None
            process.stdout.close()


@dataclass
class Up:
    system: System
    process: subprocess.Popen[str]
    said: str = ""

    def wait_until_said(self, words: str) -> None:
        assert self.process.stdout is not None
        while words not in self.said:
            line = self.process.stdout.readline()
            assert line, f"It ended before it said {words!r}:\n{self.said}"
            self.said += line

    def children(self) -> dict[str, psutil.Process]:
        children = json.loads((self.system.var / "run" / "children.json").read_text())
        return {child["name"]: psutil.Process(child["pid"]) for child in children}

    def family(self) -> list[psutil.Process]:
        """The supervisor's children and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def ends(self) -> tuple[int, str]:
        """Waits until it has ended: its exit status, and all that it said."""
        assert self.process.stdout is not None
        self.said += self.process.stdout.read()
        return self.process.wait(180), self.said

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


def an_environment() -> dict[str, str]:
    mine = ("HUISHENG_", "TEMPORAL_", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}


def wait_until(is_so: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "It did not come true in time."
        time.sleep(0.05)


def are_gone(processes: list[psutil.Process]) -> bool:
    return not any(is_alive(process) for process in processes)
