"""One trial from its beginning to its end: the system is started, loaded and broken by plan, and then compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx2

import db.policies
from chaos.comparison import compare
from chaos.faults import Striker, Struck
from chaos.found import Check
from chaos.keeping import Kept
from chaos.ledger import Ledger
from chaos.lives import ACTIONS
from chaos.load import Load, Played
from chaos.people import People
from chaos.plan import Fault, Kind, make_plan
from chaos.reading import read_all
from chaos.system import Shaken, shaken_system
from db.pool import open_pool
from domain.policy import shortened, to_plain
from policies.loader import load_folder
from policies.store import FRESH_SECONDS

_CONNECTIONS = 64
_TIMEOUT_SECONDS = 20.0
_PLAYING_SECONDS = 600.0
"""So much longer than three times what was planned may it take until every life is over; then the trial has failed."""


_ENOUGH_FOR_ALL = 500
"""Requests with which every action of the lives has to come to pass."""
_WITH_A_SENTENCE = frozenset({0, 1})


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be tried. A working day lasts `day_seconds`; the `messages` are those that were drawn from `file`."""

    seed: int
    requests: int
    faults: int
    within_seconds: float
    day_seconds: float
    policy: Path
    messages: Sequence[str] = field(default=(), repr=False)
    kinds: tuple[Kind, ...] = tuple(Kind)
    file: Path | None = None

    @property
    def plan(self) -> tuple[Fault, ...]:
        return make_plan(self.seed, self.faults, self.within_seconds, self.kinds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; `restarts` are the starts of each part, `by_itself` its ends that no fault had asked for."""

    checks: Sequence[Check]
    ledger: Ledger
    played: Played
    struck: Struck
    seconds: float
    restarts: dict[str, int]
    by_itself: dict[str, str]

    @property
    def differences(self) -> list[str]:
        return [f"{check.rule}: {difference}" for check in self.checks for difference in check.differences]


async def tried(order: Order, folder: Path, *, with_disks: bool, tell: Callable[[str], None]) -> Outcome:
    """Raises NotReady, CommandFailed, NotPossible or a SupervisionError where the system could not be used at all."""
    began = time.monotonic()
    async with shaken_system(folder, order.policy, with_disks=with_disks) as shaken:
        ledger = Ledger()
        async with _people(shaken, ledger) as people:
            load = Load(
                people,
                order.seed,
                order.requests,
                order.within_seconds,
                lambda: _shorten(shaken, order),
                order.messages,
            )
            striker = Striker(shaken, tell)
            tell(
                f"The system runs; {order.requests} requests and {order.faults} faults in {order.within_seconds:.0f} s."
            )
            await _play(load, striker, order, tell)
        await shaken.ready()
        tell("Everything has been played; waiting for the last clocks, then comparing.")
        async with open_pool(shaken.system.database.url(), size=3, application_name="huisheng-chaos") as pool:
            found = await read_all(shaken, pool)
        return Outcome(
            checks=[*compare(ledger, load.played, found), endings(shaken.parts), actions(ledger, order.requests)],
            ledger=ledger,
            played=load.played,
            struck=striker.struck,
            seconds=time.monotonic() - began,
            restarts={name: part.starts for name, part in shaken.parts.items()},
            by_itself={
                name: ", ".join(f"{times} x status {status}" for status, times in part.by_itself.items())
                for name, part in shaken.parts.items()
                if part.by_itself
            },
        )


def endings(parts: Mapping[str, Kept]) -> Check:
    """A part of ours may find that it cannot go on, and say so; it may not be torn apart by a signal."""
    check = Check("no worker and no interface crashed")
    for name in ("worker", "worker2", "api"):
        for status, times in parts[name].by_itself.items():
            check.expect(status in _WITH_A_SENTENCE, f"{name} ended {times} times with status {status}")
        check.compared += parts[name].starts
    return check


def actions(ledger: Ledger, requests: int) -> Check:
    """A trial in which something is always refused tries nothing of it."""
    check = Check("everything that people wanted to do was accepted at least once")
    done = {each.action for answers in (ledger.acted, ledger.heard) for told in answers.values() for each in told}
    for action in sorted(ACTIONS) if requests >= _ENOUGH_FOR_ALL else ():
        check.expect(action in done, f"{action} was never accepted")
    return check


async def _play(load: Load, striker: Striker, order: Order, tell: Callable[[str], None]) -> None:
    """Load and faults at the same time, until both are over."""
    playing = asyncio.create_task(load.run())
    striking = asyncio.create_task(striker.run(order.plan, order.within_seconds, lambda: load.share))
    telling = asyncio.create_task(_tell(load, order, tell))
    try:
        async with asyncio.timeout(order.within_seconds * 3 + _PLAYING_SECONDS):
            await asyncio.gather(playing, striking)
    except TimeoutError:
        load.played.given_up.append(f"{order.requests - load.played.done} lives were not over in time")
    finally:
        telling.cancel()
        playing.cancel()
        striking.cancel()
        await asyncio.gather(playing, striking, telling, return_exceptions=True)


async def _tell(load: Load, order: Order, tell: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(15)
        tell(f"{len(load.played.ends)} of {order.requests} requests have been played.")


@asynccontextmanager
async def _people(shaken: Shaken, ledger: Ledger) -> AsyncIterator[People]:
    limits = httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    timeout = httpx2.Timeout(_TIMEOUT_SECONDS, pool=None)
    # Not by a proxy that the environment names: the system is on this machine.
    async with httpx2.AsyncClient(base_url=shaken.address, limits=limits, timeout=timeout, trust_env=False) as http:
        yield People(http, shaken.accounts, ledger)


async def _shorten(shaken: Shaken, order: Order) -> None:
    """From now on the days of the city are short; the database may be away at the moment."""
    policy = shortened(load_folder(order.policy), order.day_seconds)
    name = policy.city.name["zh"]
    while True:
        try:
            async with open_pool(shaken.system.database.url(), size=1) as pool:
                await db.policies.activate(pool, policy.version, name, to_plain(policy), datetime.now(UTC))
            break
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await asyncio.sleep(0.5)
    # Worker and API look that often for a new policy.
    await asyncio.sleep(FRESH_SECONDS + 0.5)
