"""The measurement itself: which loops with how many citizens for how long, and what each of them cost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.accounting import PARTS, Spent, spent
from benchmarks.histories import HistoryCost, history_cost
from benchmarks.jobs import Job, Loop, Outcome
from benchmarks.system import Fresh
from benchmarks.texts import messages
from db import reconciliation
from db.pool import open_pool

PROJECT = Path(__file__).resolve().parent.parent
DRAINED_WITHIN_SECONDS = 240.0
_AT_REST_SECONDS = 1.0


class MeasurementFailed(Exception):
    """A sentence for the person who measures."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Each loop once for each number of citizens, until it has run that long or so often."""

    citizens: tuple[int, ...]
    seconds: float
    warm_up_seconds: float
    at_most: int


FULL = Plan((1, 16, 64), seconds=20, warm_up_seconds=3, at_most=2500)
QUICK = Plan((1, 16, 64), seconds=5, warm_up_seconds=1, at_most=800)


@dataclass(frozen=True, slots=True)
class Run:
    """One loop with one number of citizens. `spent` reaches until everything that it began was done, `lasted` seconds."""

    loop: Loop
    citizens: int
    outcome: Outcome
    spent: Spent
    lasted: float
    drain_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.outcome.waits_ms) / self.outcome.seconds

    def waited_ms(self, share: float) -> float:
        """So long or shorter that share (0 to 1) of the measured rounds took."""
        ordered = sorted(self.outcome.waits_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def cpu_ms(self, part: str) -> float:
        """Of that part, for each round."""
        return self.spent.parts[part] * 1000 / self.outcome.rounds

    @property
    def client_cpu_ms(self) -> float:
        return self.outcome.cpu_seconds * 1000 / self.outcome.rounds

    @property
    def others_cpu_seconds(self) -> float:
        """What the machine did for nobody of ours meanwhile, the kernel's own work included."""
        return max(0.0, self.spent.machine - sum(self.spent.parts.values()) - self.outcome.cpu_seconds)


@dataclass(frozen=True, slots=True)
class Findings:
    runs: tuple[Run, ...]
    history: HistoryCost

    def of(self, loop: Loop) -> list[Run]:
        return [run for run in self.runs if run.loop is loop]

    @property
    def failures(self) -> int:
        return sum(run.outcome.failures for run in self.runs)


def measure(fresh: Fresh, plan: Plan, tell: Callable[[Run], None], loops: tuple[Loop, ...] = tuple(Loop)) -> Findings:
    """Raises MeasurementFailed."""
    jobs = list(_jobs(fresh, plan, loops))
    runs = []
    for job in jobs:
        runs.append(_run(fresh, job))
        tell(runs[-1])
    lived = [reference for run in runs if run.loop is Loop.LIFECYCLES for reference in run.outcome.references]
    return Findings(tuple(runs), asyncio.run(history_cost(fresh.system.temporal_address, lived)))


def _jobs(fresh: Fresh, plan: Plan, loops: tuple[Loop, ...]) -> Iterator[Job]:
    handlers = {
        department: _signed_in(fresh, account)
        for account in fresh.accounts
        if "handler" in account["roles"]
        for department in account["departments"]
    }
    dispatcher = next(_signed_in(fresh, account) for account in fresh.accounts if "dispatcher" in account["roles"])
    descriptions = messages(fresh.policy, handlers)
    if not descriptions:
        raise MeasurementFailed("No category of the policy leads to a department with a demonstration account.")
    for loop in loops:
        for citizens in plan.citizens:
            yield Job(
                port=fresh.system.ports.api,
                loop=loop,
                citizens=citizens,
                seconds=plan.seconds,
                at_most=plan.at_most,
                warm_up_seconds=plan.warm_up_seconds,
                descriptions=descriptions,
                handlers=handlers,
                dispatcher=dispatcher,
            )


def _signed_in(fresh: Fresh, account: dict[str, str]) -> str:
    connection = HTTPConnection("127.0.0.1", fresh.system.ports.api, timeout=30)
    body = json.dumps({"username": account["username"], "password": account["password"]})
    connection.request("POST", "/api/v1/sessions", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 201:
        raise MeasurementFailed(f"The account {account['username']} could not sign in: status {answer.status}.")
    return str(json.load(answer)["token"])


def _run(fresh: Fresh, job: Job) -> Run:
    roots = {part: fresh.roots[part] for part in PARTS}
    before, began = spent(roots), time.monotonic()
    outcome = _generated(job)
    ended = time.monotonic()
    asyncio.run(_drained(fresh.database_url))
    drained = time.monotonic()
    # What a transaction sets in motion, such as the index of Temporal's runs, ends a moment later.
    time.sleep(_AT_REST_SECONDS)
    return Run(
        job.loop, job.citizens, outcome, spent(roots).since(before), time.monotonic() - began, drained - ended
    )  # fmt: skip


def _generated(job: Job) -> Outcome:
    """Runs the load generator to its end."""
    command = [sys.executable, "-m", "benchmarks.citizens"]
    process = subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
    )
    try:
        written, _ = process.communicate(job.written(), timeout=job.warm_up_seconds + job.seconds + 180)
    except subprocess.TimeoutExpired:
        raise MeasurementFailed(f"{job.loop} with {job.citizens} citizens did not come to an end.") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise MeasurementFailed(f"The load generator failed at {job.loop} with {job.citizens} citizens.")
    outcome = Outcome.read(written)
    if not outcome.rounds:
        raise MeasurementFailed(f"Nothing succeeded at {job.loop} with {job.citizens} citizens.")
    return outcome


async def _drained(database_url: str) -> None:
    """Waits until the system has done all that was asked of it."""
    async with open_pool(database_url, size=1, application_name="huisheng-bench") as pool:
        deadline = time.monotonic() + DRAINED_WITHIN_SECONDS
        while await reconciliation.unfinished(pool):
            if time.monotonic() > deadline:
                raise MeasurementFailed(
                    f"{DRAINED_WITHIN_SECONDS:.0f} seconds after the last request the system was still not done."
                )
            await asyncio.sleep(0.1)
