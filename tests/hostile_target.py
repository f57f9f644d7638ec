"""What hostile input is aimed at: the interface and the worker as processes of their own, on a real database and a real engine,
with requests that wait for somebody to act on them.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice, repeat
from pathlib import Path

import httpx2
import psutil

from supervision.temporal import TemporalServer
from tests.integration.test_api_citizens import a_picture
from tests.interface import KEYS, Interface, Submitted, an_interface
from tests.servers import free_port

PROJECT = Path(__file__).parents[1]
ANSWERS_WITHIN_SECONDS = 15
STAFF = ("handler", "supervisor", "dispatcher", "admin")
ENDS_ITSELF = "leaver"
EVERY_ROLE = "everybody"
FOR_ALL = ""


@dataclass(frozen=True)
class Aim:
    """A request of the target, and the photo that its citizen sent along."""

    reference: str
    token: str
    photo: str

    def values(self) -> dict[str, str]:
        """What leads deep into the interface: without it nearly all that is made up ends at 404."""
        return {
            "reference": self.reference, "attachment_id": self.photo, "photo_id": self.photo, "code": "street_light",
            "token": self.token,
        }  # fmt: skip


Family = tuple[Aim, ...]
"""One that is worked on, one that is resolved, one whose citizen is asked something."""


@dataclass(frozen=True)
class Target:
    """`process` is the interface. Each operation that changes a request has a family of its own; the others share one."""

    http: httpx2.Client
    process: psutil.Process
    families: Mapping[str, Family]
    sessions: Mapping[str, str]

    def family(self, operation: str) -> Family:
        return self.families.get(operation) or self.families[FOR_ALL]

    @property
    def aim(self) -> Aim:
        """One that nobody changes."""
        return self.family(FOR_ALL)[0]

    def key_for(self, path: str, who: str, aim: Aim) -> dict[str, str]:
        return {"Authorization": f"Bearer {aim.token if path.startswith('/api/v1/requests/') else self.sessions[who]}"}


@contextmanager
def a_target(database: str, engine: TemporalServer, logs: Path, writing: Sequence[str]) -> Iterator[Target]:
    """`writing` names the operations that change requests."""
    port, ready = free_port(), logs / "ready"
    environment = {
        **os.environ, "DATABASE_URL": database, "HUISHENG_KEYS": KEYS, "TEMPORAL_ADDRESS": engine.address, "HUISHENG_DEMO": "1",
        "HUISHENG_PUBLIC_URL": "http://localhost", "HUISHENG_READY_FILE": str(ready), "PYTHONPATH": str(PROJECT),
    }  # fmt: skip
    commands = {
        "api": [sys.executable, "-m", "cli.main", "api", "--port", str(port)],
        "worker": [sys.executable, str(PROJECT / "worker.py")],
    }
    with ExitStack() as stack:
        processes = {}
        for name, command in commands.items():
            output = stack.enter_context((logs / f"{name}.log").open("wb"))
            process = processes[name] = subprocess.Popen(command, env=environment, stderr=output)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        address = f"http://127.0.0.1:{port}"
        http = stack.enter_context(httpx2.Client(base_url=address, timeout=ANSWERS_WITHIN_SECONDS))
        _wait_for(http, ready, logs)
        sessions, families = asyncio.run(_prepare(database, engine.address, [FOR_ALL, *writing]))
        yield Target(http, psutil.Process(processes["api"].pid), families, sessions)


def _wait_for(http: httpx2.Client, ready: Path, logs: Path) -> None:
    deadline = time.monotonic() + 120
    while not (ready.exists() and _answers(http)):
        assert time.monotonic() < deadline, "".join(log.read_text() for log in logs.glob("*.log"))
        time.sleep(0.05)


def _answers(http: httpx2.Client) -> bool:
    try:
        return http.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False


async def _prepare(database: str, engine: str, operations: Sequence[str]) -> tuple[dict[str, str], dict[str, Family]]:
    """Staff who are signed in, a family for each operation, and counters that never stop anybody."""
    async with an_interface(database, engine, real_time=True) as interface:
        sessions = {}
        roles = {**{name: (name,) for name in STAFF}, ENDS_ITSELF: (), EVERY_ROLE: (*STAFF, "caller")}
        for name, own in roles.items():
            await interface.employ(name, *own, departments=("housing",) if "handler" in own else ())
            sessions[name] = (await interface.sign_in(name))["Authorization"].removeprefix("Bearer ")
        submitted = [await interface.submit() for _ in operations for _ in _LIVES]
        aims = [await _brought(interface, each, life) for each, life in zip(submitted, cycle(_LIVES), strict=False)]
        await interface.services.pool.execute(
            "create function never_full() returns trigger language plpgsql as 'begin new.count := 0; return new; end';"
            "create trigger never_full before insert or update on throttles for each row execute function never_full()"
        )
    return sessions, {name: tuple(islice(each, 3)) for name, each in zip(operations, repeat(iter(aims)))}


_LIVES: tuple[dict[str, dict[str, str]], ...] = (
    {"accept": {}},
    {"accept": {}, "resolve": {"outcome": "solved", "reply": "Repaired this morning."}},
    {"accept": {}, "ask_citizen": {"question": "Which of the two lamps is out?"}},
)


async def _brought(interface: Interface, request: Submitted, life: Mapping[str, Mapping[str, str]]) -> Aim:
    """A request with a photo, after these actions."""
    async with asyncio.timeout(120):
        while (await interface.look_up(request))["state"] != "assigned":  # noqa: ASYNC110 (nobody could set an event)
            await asyncio.sleep(0.02)
    files = [("images", ("x.jpg", a_picture(), "image/jpeg"))]
    address = f"/api/v1/requests/{request.reference}/attachments"
    answer = await interface.http.post(address, files=files, headers=request.headers)
    for action, body in life.items():
        taken = await interface.act("handler", request, action, body)
        assert taken.status_code == 200, taken.text
    return Aim(request.reference, request.token, answer.json()["attachments"][0]["id"])
