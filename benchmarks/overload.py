"""What `huisheng overload` does: finds out how much the interface can take in, sends twice as much, and says what came of it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks.accounting import PARTS, spent
from benchmarks.flood import Flood
from benchmarks.machine import this_machine
from benchmarks.measurement import MeasurementFailed
from benchmarks.overload_demands import Memory, broken
from benchmarks.system import Fresh, fresh_system
from benchmarks.texts import messages
from benchmarks.wire import Connection
from db import reconciliation
from db.pool import open_pool
from supervision.supervisor import Narrator

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "overload.md"

AT_ONCE = 16
CAPACITY_SECONDS = 6.0
BESIDE = {"looks": 40.0, "actions": 2.0, "lists": 20.0, "reports": 4.0}
"""What comes a second beside the submissions, whatever the machine."""
WORKING = 12
SAMPLES = 60
BATCH = 5000
_ASSIGNED_WITHIN_SECONDS = 10.0

Account = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """`capacity` is in submissions a second; `lost` are confirmed references that the database does not know. How many cores each
    part had, by its name and "generator": `cores_calm` while the capacity was found out, `cores` in the flood."""

    seconds: float
    capacity: float
    offered: float
    kinds: dict[str, dict[str, Any]]
    cores_calm: dict[str, float]
    cores: dict[str, float]
    memory: tuple[Memory, ...]
    confirmed: int
    lost: tuple[str, ...]
    waiting: int
    drained_per_second: float

    @property
    def goodput(self) -> float:
        """Receipts a second in the flood."""
        return float(self.kinds["submissions"]["served"]["number"]) / self.seconds

    @property
    def broken(self) -> tuple[str, ...]:
        """What did not hold, a sentence each."""
        return broken(self.seconds, self.kinds, self.memory, self.confirmed, self.lost)


def run(narrator: Narrator, *, seconds: float, times: float, output: Path | None, var: Path) -> int:
    """0, or 1 where something did not hold that has to. Raises MeasurementFailed or a SupervisionError."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from benchmarks.overload_page import page, summary

    with fresh_system(var, narrator) as fresh:
        machine = this_machine(fresh.system.ground.root)
        found = overload(fresh, seconds, times)
    print(summary(found))  # noqa: T201 - for the person who measures
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page(found, machine))
        print(f"Written: {output.relative_to(PROJECT) if output.is_relative_to(PROJECT) else output}")  # noqa: T201
    return 1 if found.broken else 0


def overload(fresh: Fresh, seconds: float, times: float) -> Found:
    """Sends `times` the capacity for so long. Raises MeasurementFailed."""
    receipts = fresh.system.ground.root / "receipts"
    calm = _flood(fresh, receipts)
    outcome, cores_calm = _measured(
        fresh, replace(calm, seconds=CAPACITY_SECONDS, at_once=AT_ONCE, per_second={"submissions": 0.0})
    )
    capacity = outcome["kinds"]["submissions"]["served"]["number"] / outcome["seconds"]
    flood = replace(calm, seconds=seconds, per_second={"submissions": times * capacity, **BESIDE})
    with _memory_watched(fresh.roots, seconds / SAMPLES) as watched:
        outcome, cores = _measured(fresh, flood)
    confirmed = receipts.read_text().split()
    lost, waiting, drained = asyncio.run(_looked_up(fresh.database_url, confirmed))
    return Found(
        seconds=outcome["seconds"],
        capacity=capacity,
        offered=times * capacity,
        kinds=outcome["kinds"],
        cores_calm=cores_calm,
        cores=cores,
        memory=tuple(Memory(part, tuple(found)) for part, found in watched.items()),
        confirmed=len(confirmed),
        lost=tuple(lost),
        waiting=waiting,
        drained_per_second=drained,
    )


def _flood(fresh: Fresh, receipts: Path) -> Flood:
    """What there is to send, with requests in progress for the staff to act on."""
    port = fresh.system.ports.api
    departments = {
        department: account
        for account in fresh.accounts
        if "handler" in account["roles"]
        for department in account["departments"]
    }
    descriptions = list(messages(fresh.policy, departments))
    if not descriptions:
        raise MeasurementFailed("No category of the policy leads to a department with a demonstration account.")
    roles = {role: account for account in fresh.accounts for role in account["roles"]}
    port = fresh.system.ports.api
    dispatcher, supervisor, working = asyncio.run(_prepared(port, roles, departments, descriptions))
    return Flood(
        port=port,
        seconds=0,
        per_second={},
        descriptions=descriptions,
        dispatcher=dispatcher,
        supervisor=supervisor,
        working=working,
        receipts=str(receipts),
    )


async def _prepared(
    port: int, roles: dict[str, Account], departments: dict[str, Account], descriptions: Sequence[str]
) -> tuple[str, str, list[tuple[str, str]]]:
    """The sessions of a dispatcher and a supervisor, and requests that somebody has accepted with the session of whoever did.

    Nobody signs in who has nothing to do: each password takes a tenth of a second of processor time.
    """
    door, sessions = Connection("127.0.0.1", port), dict[str, str]()

    async def session(account: Account) -> str:
        if account["username"] not in sessions:
            sessions[account["username"]] = await _session(door, account)
        return sessions[account["username"]]

    working = []
    for number in range(WORKING):
        body = {"description": f"{descriptions[number % len(descriptions)]}（事先第{number}件）", "language": "zh"}
        receipt = (await door.ask("POST", "/api/v1/requests", body=body)).json()
        department = await _department(door, receipt)
        if department in departments:
            handler = await session(departments[department])
            path = f"/api/v1/staff/requests/{receipt['reference']}/actions/accept"
            if (await door.ask("POST", path, token=handler, body={})).status == 200:
                working.append((receipt["reference"], handler))
    found = await session(roles["dispatcher"]), await session(roles["supervisor"]), working
    door.close()
    return found


async def _session(door: Connection, account: Account) -> str:
    body = {"username": account["username"], "password": account["password"]}
    answer = await door.ask("POST", "/api/v1/sessions", body=body)
    if answer.status != 201:
        raise MeasurementFailed(f"The account {account['username']} could not sign in: status {answer.status}.")
    return str(answer.json()["token"])


async def _department(door: Connection, receipt: dict[str, str]) -> str:
    """Which has it, as soon as one has; none if that takes too long."""
    deadline = time.monotonic() + _ASSIGNED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        path = f"/api/v1/requests/{receipt['reference']}"
        seen = (await door.ask("GET", path, token=receipt["token"])).json()
        if seen["state"] == "assigned":
            return str(seen["department"])
    return ""


def _measured(fresh: Fresh, flood: Flood) -> tuple[dict[str, Any], dict[str, float]]:
    """What came of it, and how many cores each part had meanwhile."""
    before = spent(fresh.roots)
    outcome = _generated(flood)
    used = {**spent(fresh.roots).since(before).parts, "generator": outcome["cpu_seconds"]}
    return outcome, {part: seconds / outcome["seconds"] for part, seconds in used.items()}


def _generated(flood: Flood) -> dict[str, Any]:
    """Runs the load generator to its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.flood"],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip
    try:
        written, _ = process.communicate(flood.written(), timeout=flood.seconds + 120)
    except subprocess.TimeoutExpired:
        raise MeasurementFailed("The load generator did not come to an end.") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise MeasurementFailed("The load generator failed.")
    outcome: dict[str, Any] = json.loads(written)
    return outcome


@contextmanager
def _memory_watched(roots: dict[str, int], every: float) -> Iterator[dict[str, list[float]]]:
    """Looks now and then, from a thread of its own, while the body runs."""
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(every):
            for part, megabytes in found.items():
                megabytes.append(_megabytes(roots[part]))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _megabytes(root: int) -> float:
    """Of a tree of processes. What PostgreSQL's processes share counts once."""
    total = 0
    for process in (psutil.Process(root), *psutil.Process(root).children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return total / 2**20


async def _looked_up(database_url: str, confirmed: Sequence[str]) -> tuple[list[str], int, float]:
    """Which of the confirmed are not there, how many messages wait, and how many of those are delivered a second now."""
    async with open_pool(database_url, size=1, application_name="huisheng-overload") as pool:
        lost: list[str] = []
        for start in range(0, len(confirmed), BATCH):
            lost += await reconciliation.missing(pool, confirmed[start : start + BATCH])
        before, at = await reconciliation.unfinished_messages(pool), time.monotonic()
        await asyncio.sleep(5)
        after = await reconciliation.unfinished_messages(pool)
        return lost, after, (before - after) / (time.monotonic() - at)
