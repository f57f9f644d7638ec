"""The load generator of an overload, a process of its own: `python -m benchmarks.flood`.

An open loop: requests come when they come, whether or not earlier ones have been answered, as a city's citizens do. A wait
counts from the moment in which the request should have been sent, so that a generator that falls behind hides nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import uvloop

from benchmarks.wire import Connection, NoAnswer
from demonstration.phones import fictitious_phone

MOST_CONNECTIONS = 1000
"""For each kind. Above what may be answered and wait in the interface, so that the interface refuses and not the generator."""
KEPT_RECEIPTS = 500
MOST_IDLE_SECONDS = 3.0
"""The server closes a connection after five seconds of silence; what is sent in that very moment is lost. So ours are closed first."""


@dataclass(frozen=True, slots=True, repr=False)
class Flood:
    """What comes how often, a second. With `at_once` the submissions are a closed loop of so many citizens instead.

    `working` are references of requests in progress with the session tokens of their handlers.
    """

    port: int
    seconds: float
    per_second: dict[str, float]
    descriptions: list[str]
    dispatcher: str
    supervisor: str
    working: list[tuple[str, str]]
    receipts: str  # a file: every reference that was confirmed, one a line
    at_once: int = 0
    seed: int = 1

    def written(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(slots=True)
class Met:
    """How those of one kind fared. Waits are in milliseconds; `unsent` found no connection of the generator's own."""

    came: int = 0
    served_ms: array[float] = field(default_factory=lambda: array("f"))
    refused_ms: array[float] = field(default_factory=lambda: array("f"))
    statuses: Counter[str] = field(default_factory=Counter)
    without_retry_after: int = 0
    unsent: int = 0

    def told(self) -> dict[str, Any]:
        return {
            "came": self.came,
            "served": _quantiles(self.served_ms),
            "refused": _quantiles(self.refused_ms),
            "statuses": dict(self.statuses),
            "without_retry_after": self.without_retry_after,
            "unsent": self.unsent,
        }


def _quantiles(waits: array[float]) -> dict[str, float]:
    ordered = sorted(waits)
    at = (
        {f"p{share}": ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))] for share in (50, 95, 99)}
        if ordered
        else {}
    )
    return {"number": len(ordered), **at, **({"most": ordered[-1]} if ordered else {})}


class Call(NamedTuple):
    method: str
    path: str
    token: str | None = None
    body: dict[str, Any] | None = None


class Door(Connection):
    """A connection that also hears when to come back."""

    retry_after: str | None = None
    answered_at = float("-inf")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.retry_after = None

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self.retry_after = value.decode()


class Flooding:
    """One run. `receipts` holds what was confirmed lately, to be looked at."""

    def __init__(self, flood: Flood, confirmed: TextIO) -> None:
        self._flood = flood
        self._confirmed = confirmed
        self._receipts: deque[tuple[str, str]] = deque(maxlen=KEPT_RECEIPTS)
        self._chance = random.Random(flood.seed)  # nosec B311 - spreads a load
        self._numbers = itertools.count()
        self._under_way: set[asyncio.Task[None]] = set()
        self.met = {kind: Met() for kind in flood.per_second}
        self._calls: dict[str, Callable[[], Call | None]] = {
            "submissions": self._submission,
            "looks": self._look,
            "actions": self._action,
            "lists": lambda: Call("GET", "/api/v1/staff/requests?limit=50", flood.dispatcher),
            "reports": lambda: Call("GET", "/api/v1/staff/rates?by=department", flood.supervisor),
        }

    async def run(self) -> None:
        if self._flood.at_once:
            await asyncio.gather(*(self._again_and_again() for _ in range(self._flood.at_once)))
        else:
            await asyncio.gather(*(self._come(kind) for kind in self._flood.per_second))
            if self._under_way:
                await asyncio.wait(self._under_way)

    async def _again_and_again(self) -> None:
        """A closed loop: how much the interface can do when nobody hurries it."""
        door, ends_at = Door("127.0.0.1", self._flood.port), time.perf_counter() + self._flood.seconds
        while time.perf_counter() < ends_at:
            await self._ask("submissions", self._submission(), door, time.perf_counter())
        door.close()

    async def _come(self, kind: str) -> None:
        idle: list[Door] = []
        opened = 0
        met = self.met[kind]
        async for due_at in self._arrivals(self._flood.per_second[kind]):
            call = self._calls[kind]()
            if call is None:
                continue
            met.came += 1
            if not idle and opened >= MOST_CONNECTIONS:
                met.unsent += 1
                continue
            if not idle:
                opened += 1
                idle.append(Door("127.0.0.1", self._flood.port))
            task = asyncio.create_task(self._ask(kind, call, self._fresh(idle.pop()), due_at, idle))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def _fresh(self, door: Door) -> Door:
        """The same, or another in its place where the server may be about to close it."""
        if time.perf_counter() - door.answered_at < MOST_IDLE_SECONDS:
            return door
        door.close()
        return Door("127.0.0.1", self._flood.port)

    async def _arrivals(self, per_second: float) -> AsyncIterator[float]:
        due_at = time.perf_counter()
        ends_at = due_at + self._flood.seconds
        while (due_at := due_at + self._chance.expovariate(per_second)) < ends_at:
            if (pause := due_at - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            yield due_at

    async def _ask(self, kind: str, call: Call, door: Door, due_at: float, idle: list[Door] | None = None) -> None:
        met = self.met[kind]
        try:
            answer = await door.ask(call.method, call.path, token=call.token, body=call.body)
        except NoAnswer as error:
            met.statuses[str(error)] += 1
        else:
            wait = (time.perf_counter() - due_at) * 1000
            met.statuses[str(answer.status)] += 1
            if answer.status in (429, 503):
                met.refused_ms.append(wait)
                met.without_retry_after += door.retry_after is None
            elif answer.status < 300:
                met.served_ms.append(wait)
                if kind == "submissions":
                    self._keep(answer.json())
        if idle is not None:
            door.answered_at = time.perf_counter()
            idle.append(door)

    def _keep(self, receipt: dict[str, str]) -> None:
        self._confirmed.write(receipt["reference"] + "\n")
        self._receipts.append((receipt["reference"], receipt["token"]))

    def _submission(self) -> Call:
        number = next(self._numbers)
        text = self._flood.descriptions[number % len(self._flood.descriptions)]
        contact = {"phone": fictitious_phone(number)}
        body = {"description": f"{text}（第{number}件）", "title": text[:12], "contact": contact, "language": "zh"}
        return Call("POST", "/api/v1/requests", body=body)

    def _look(self) -> Call | None:
        if not self._receipts:
            return None
        reference, token = self._chance.choice(self._receipts)
        return Call("GET", f"/api/v1/requests/{reference}", token)

    def _action(self) -> Call | None:
        if not self._flood.working:
            return None
        reference, token = self._chance.choice(self._flood.working)
        return Call(
            "POST",
            f"/api/v1/staff/requests/{reference}/actions/progress",
            token,
            {"note": "Somebody is on the way.", "public": False},
        )


def _read(text: str) -> Flood:
    told = json.loads(text)
    return Flood(**(told | {"working": [tuple(each) for each in told["working"]]}))


async def run(flood: Flood, confirmed: TextIO) -> dict[str, Any]:
    """What came of it, by kind."""
    flooding = Flooding(flood, confirmed)
    began, worked = time.perf_counter(), time.process_time()
    await flooding.run()
    kinds = {kind: met.told() for kind, met in flooding.met.items()}
    return {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - worked, "kinds": kinds}


def main() -> None:
    flood = _read(sys.stdin.read())
    with Path(flood.receipts).open("w") as confirmed:
        outcome = uvloop.run(run(flood, confirmed))
    sys.stdout.write(json.dumps(outcome))


if __name__ == "__main__":
    main()
