"""The system that is measured: a fresh one of its own, started as `make up` starts it, and stopped and deleted at the end."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import db.policies
from db.pool import open_pool
from domain.policy import Policy, to_plain
from policies.loader import load_folder
from policies.store import FRESH_SECONDS
from settings import DEFAULT_POLICY_DIRECTORY
from supervision.credentials import credentials
from supervision.ground import Ground
from supervision.leftovers import children_file
from supervision.supervisor import Narrator, Supervisor
from supervision.system import Ports, System


@dataclass(frozen=True, slots=True)
class Fresh:
    """A system that runs; `roots` are the processes of its parts by name."""

    system: System
    policy: Policy
    accounts: list[dict[str, Any]]
    roots: dict[str, int]

    @property
    def database_url(self) -> str:
        return self.system.database.url()


@contextmanager
def fresh_system(beside: Path, narrator: Narrator) -> Iterator[Fresh]:
    """Runs while the body does, on a new folder in `beside`: the disk whose speed is measured."""
    beside.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=beside)).resolve()
    ground = Ground(folder)
    ground.prepare()
    system = System(ground, _free_ports(), credentials(ground), DEFAULT_POLICY_DIRECTORY)
    supervisor = Supervisor(ground, system.environment(), narrator)
    try:
        with ground.held():
            try:
                supervisor.bring_up(system.sequence())
                roots = {child["name"]: child["pid"] for child in json.loads(children_file(ground).read_text())}
                accounts = json.loads(ground.demonstration.read_text())["accounts"]
                yield Fresh(system, asyncio.run(_lift_quiet_hours(system)), accounts, roots)
            finally:
                supervisor.stop_all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _lift_quiet_hours(system: System) -> Policy:
    """At night most notices would wait for the morning, and the same measurement would find less to do."""
    policy = replace(load_folder(system.policy), quiet_hours=())
    async with open_pool(system.database.url(), size=1, application_name="huisheng-bench") as pool:
        name = policy.city.name["en"]
        await db.policies.activate(pool, policy.version, name, to_plain(policy), datetime.now(UTC))
    # Worker and API look that often for a new policy.
    time.sleep(FRESH_SECONDS + 0.5)  # noqa: ASYNC251
    return policy


def _free_ports() -> Ports:
    listeners = [socket.socket() for _ in range(5)]
    try:
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return Ports(*(int(listener.getsockname()[1]) for listener in listeners))
    finally:
        for listener in listeners:
            listener.close()
