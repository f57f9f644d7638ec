"""Real servers for tests, on free ports, stopped by their process ids."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from supervision import postgres, temporal
from supervision.postgres import PostgresServer
from supervision.processes import Ending, start, stop
from supervision.temporal import TemporalServer

# Nobody cuts the power in a test; a crash of the server alone loses nothing without these.
WITHOUT_POWER_CUTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


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
            deadline = time.monotonic() + 30
            while not is_ready():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            stop(process, ending)
