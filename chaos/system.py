"""The system that is broken: embedded servers, two workers and an interface, every connection between them through a proxy of ours."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import psutil

from chaos.disk import Disk
from chaos.gateway import Gateway
from chaos.keeping import Kept
from chaos.plan import DISKS, LINKS, PARTS
from chaos.proxy import Link, Proxy, by_application
from db.migrations import migrate
from demonstration.interface import Account
from supervision import processes
from supervision.credentials import credentials
from supervision.ground import Ground
from supervision.parts import Part
from supervision.system import PROJECT, Ports, System, huisheng

# Below what kernels hand out for outgoing connections: a caller that tries a dead part's port over and over would one day be
# given that very port as its own, and the part could not come back to it.
_STEADY_PORTS = range(15000, 32000)
_OWN_PORTS = 4
_RELAY = "relay"
"""As what the relay calls the database; the rest of the worker calls itself `worker`."""
_DISK_BYTES = {"postgres": 3 * 2**30, "temporal": 2 * 2**30}


class Doors(NamedTuple):
    """The ports of the proxies: who calls there."""

    people: int
    api_postgres: int
    api_temporal: int
    worker_postgres: int
    worker_temporal: int
    worker2_postgres: int
    worker2_temporal: int
    worker_gateway: int
    gateway_api: int


class CommandFailed(Exception):
    """A command of the product did not do what it should; with the end of what it said."""


@dataclass
class Shaken:
    """`system` has the servers' own ports, past the proxies; `address` is where people call."""

    system: System
    address: str
    parts: Mapping[str, Kept]
    links: Mapping[str, Link]
    disks: Mapping[str, Disk]
    gateway: Gateway
    accounts: tuple[Account, ...] = ()

    async def command(self, *arguments: str) -> tuple[int, str]:
        """A command of the product to its end: exit status and what it said."""
        process = await asyncio.create_subprocess_exec(
            *huisheng(*arguments), cwd=PROJECT, env=dict(self.system.environment()),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            said, complained = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode or 0, said.decode() or complained.decode()

    async def ready(self) -> None:
        """Every part is up and does its work."""
        for part in self.parts.values():
            await part.ready()


@asynccontextmanager
async def shaken_system(folder: Path, policy: Path, *, with_disks: bool) -> AsyncIterator[Shaken]:
    """Everything runs while the body does, on data and ports of its own; nothing of it runs afterwards."""
    ground = Ground(folder)
    disks = {name: Disk(folder / name, _DISK_BYTES[name]) for name in DISKS} if with_disks else {}
    ground.prepare()
    for disk in disks.values():
        disk.mount()
    ports = steady_ports(_OWN_PORTS + 1 + len(Doors._fields))
    own, port_of_gateway, doors = ports[:_OWN_PORTS], ports[_OWN_PORTS], Doors(*ports[_OWN_PORTS + 1 :])
    system = System(ground, Ports(*own), credentials(ground), policy)
    links = {name: Link(name) for name in LINKS}
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(Gateway(port_of_gateway))
        for proxy in _proxies(system, gateway, links, doors):
            await stack.enter_async_context(proxy)
        parts = _parts(system, gateway, doors)
        shaken = Shaken(system, f"http://127.0.0.1:{doors.people}", parts, links, disks, gateway)
        try:
            await _bring_up(shaken)
            yield shaken
        finally:
            for part in reversed(parts.values()):
                await part.give_up()
            await asyncio.to_thread(_end_sessions, system)


async def _bring_up(shaken: Shaken) -> None:
    parts, system = shaken.parts, shaken.system
    await asyncio.gather(parts["postgres"].start(), parts["temporal"].start())
    await asyncio.to_thread(migrate, system.database.url())
    await _done(shaken, "policy", "load", str(system.policy))
    told = json.loads(await _done(shaken, "staff", "demo", "--json"))
    shaken.accounts = tuple(Account.read(account) for account in told)
    await asyncio.gather(*(parts[name].start() for name in ("worker", "worker2", "api")))


async def _done(shaken: Shaken, *arguments: str) -> str:
    status, said = await shaken.command(*arguments)
    if status:
        raise CommandFailed(f"huisheng {' '.join(arguments[:2])} ended with {status}: {said[-2000:]}")
    return said


def _proxies(system: System, gateway: Gateway, links: Mapping[str, Link], doors: Doors) -> Iterator[Proxy]:
    """The interface for people and the gateway; PostgreSQL and Temporal for the interface and each worker; the gateway."""
    yield Proxy(system.ports.api, links["people-api"], port=doors.people)
    yield Proxy(system.ports.postgres, links["api-postgres"], port=doors.api_postgres)
    yield Proxy(system.ports.temporal, links["api-temporal"], port=doors.api_temporal)
    relay_apart = by_application({_RELAY: links["relay-postgres"]}, links["worker-postgres"])
    yield Proxy(system.ports.postgres, choose=relay_apart, port=doors.worker_postgres)
    yield Proxy(system.ports.temporal, links["worker-temporal"], port=doors.worker_temporal)
    relay2_apart = by_application({_RELAY: links["relay2-postgres"]}, links["worker2-postgres"])
    yield Proxy(system.ports.postgres, choose=relay2_apart, port=doors.worker2_postgres)
    yield Proxy(system.ports.temporal, links["worker2-temporal"], port=doors.worker2_temporal)
    yield Proxy(gateway.port, links["worker-gateway"], port=doors.worker_gateway)
    yield Proxy(system.ports.api, links["gateway-api"], port=doors.gateway_api)


def _parts(system: System, gateway: Gateway, doors: Doors) -> dict[str, Kept]:
    called = {
        "api": (doors.api_postgres, doors.api_temporal),
        "worker": (doors.worker_postgres, doors.worker_temporal),
        "worker2": (doors.worker2_postgres, doors.worker2_temporal),
    }
    parts = {}
    for name in PARTS:
        part = _part(system, name.rstrip("2"))
        environment = dict(system.environment())
        if name in called:
            database, engine = called[name]
            seen = replace(system, ports=replace(system.ports, postgres=database, temporal=engine))
            # The address that a worker gives out is where the gateway reports to.
            public = doors.people if name == "api" else doors.gateway_api
            by_gateway = gateway.settings(doors.worker_gateway)
            environment = {**seen.environment(), **by_gateway, "HUISHENG_PUBLIC_URL": f"http://127.0.0.1:{public}"}
        if name.startswith("worker"):
            part, environment = _worker(part, name, system.ground.run / f"{name}.ready", environment)
        parts[name] = Kept(part, environment, system.ground.logs)
    return parts


def _worker(part: Part, name: str, ready: Path, environment: dict[str, str]) -> tuple[Part, dict[str, str]]:
    """With a file of its own by which it says that it takes work."""
    known = replace(
        part, name=name, is_ready=ready.exists, prepare=lambda: ready.unlink(missing_ok=True), title=name.capitalize()
    )
    return known, {**environment, "HUISHENG_READY_FILE": str(ready)}


def _part(system: System, name: str) -> Part:
    (part,) = (item for item in system.sequence([name]) if isinstance(item, Part))
    return part


def steady_ports(number: int) -> list[int]:
    """Free ports that nobody gets by chance."""
    found: list[int] = []
    for port in random.sample(_STEADY_PORTS, len(_STEADY_PORTS)):  # nosec B311 - any will do
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == number:
            return found
    raise CommandFailed("There are not enough free ports between 15000 and 32000.")


def _end_sessions(system: System) -> None:
    """The sessions of a killed PostgreSQL end by themselves; the folder may go when they have."""
    data = os.path.realpath(system.database.data)
    sessions = [each for each in psutil.process_iter(["cwd", "name"]) if each.info["cwd"] == data]
    for left in processes.wait_gone(sessions, 10):
        left.kill()
