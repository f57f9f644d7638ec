"""Real servers for tests, on free ports, stopped by their process ids."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path

from supervision import postgres, temporal
from supervision.postgres import PostgresServer
from supervision.processes import Ending, start, stop
from supervision.temporal import TemporalServer

# Nobody cuts the power in a test; a crash of the server alone loses nothing without these.
WITHOUT_POWER_CUTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# Below what kernels hand out for outgoing connections: one of those might be given the very port that was found free for a
# server, before the server takes it. Tests that run side by side have ports of their own, and each is found once.
_SIDE, _SIDES = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")), 8
_STEADY_PORTS = range(15000 + _SIDE % _SIDES, 32000, _SIDES)
_in_turn = cycle(random.SystemRandom().sample(_STEADY_PORTS, len(_STEADY_PORTS)))


def free_port() -> int:
    """A port where nobody listens, and that nobody gets by chance."""
    for port in islice(_in_turn, len(_STEADY_PORTS)):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is no free port")


@contextmanager
def a_postgres_server(home: Path, user: str = "huisheng") -> Iterator[PostgresServer]:
    server = PostgresServer(home / "postgres", free_port(), "a-password-for-tests", user, WITHOUT_POWER_CUTS)
    server.prepare()
    with _running(server.command(), postgres.ENDING, home / "postgres.log", server.is_ready):
        yield server


@contextmanager
def a_temporal_server(home: Path) -> Iterator[TemporalServer]:
    server = TemporalServer(home / "temporal", free_port(), pragmas={"journal_mode": "WAL", "synchronous": "OFF"})
    server.prepare()
    with _running(server.command(), temporal.ENDING, home / "temporal.log", server.is_ready):
        yield server


@contextmanager
def _running(command: list[str], ending: Ending, log: Path, is_ready: Callable[[], bool]) -> Iterator[None]:
    with log.open("wb") as output:
        process = start(command, ending=ending, output=output)
        try:
            deadline = time.monotonic() + 120
            while not is_ready():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            stop(process, ending)
