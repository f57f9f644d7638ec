"""The relay: takes citizens' messages from the inbox to the workflows, in order per request and never losing one.

How a message reaches its workflow is given to it; when and how often it is tried is decided here. Any number of relays
work side by side. A message may be delivered twice when a relay is killed between delivering and settling: whoever
receives it tells by its inbox id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import structlog

from activities.narrowing import Width
from db import inbox
from db.inbox import InboxRow as InboxRow
from db.inbox import PutOff, Settled
from db.pool import Database, Pool
from domain.errors import EngineUnavailable

logger = structlog.get_logger(__name__)


class Delivery(StrEnum):
    """How a delivery ended, as the inbox keeps it."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # the run of the request had ended


Deliver = Callable[[InboxRow], Awaitable[Delivery]]
"""Brings one message to its workflow. Raises EngineUnavailable, which stops all others too, or anything else for this
message alone: both are tried again. It may be called twice with the same row."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many at a time, and how long the relay waits for what; all times in seconds."""

    width: int = 32  # deliveries under way at the same time, at most
    least_width: int = 4  # and when the engine is slow
    slow: float = 0.5  # a delivery that takes longer makes the relay give out fewer
    lease: float = 10.0  # a killed relay's messages are taken over after this
    delivery: float = 7.0  # one delivery; well within the lease
    poll: float = 1.0  # should a notification be lost
    first_delay: float = 0.2  # after a failure; doubled with each further one
    longest_delay: float = 5.0
    farewell: float = 10.0  # for deliveries under way when the relay is stopped

    def delay(self, failures: int, chance: float) -> float:
        """After that many failures in a row; `chance` (0 to 1) spreads relays and messages over half of it."""
        doubled = self.first_delay * 2.0 ** min(failures - 1, 16)
        return min(self.longest_delay, doubled) * (1 - chance / 2)


class Relay:
    """Delivers within `async with`, or from `run()` until `stop()`.

    Its pool may answer for commits before they are on disk (`db.pool.RELAY_SESSION`): every step can be repeated.
    """

    def __init__(
        self,
        pool: Pool,
        deliver: Deliver,
        *,
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._pool = pool
        self._deliver = deliver
        self._pace = pace or Pace()
        self._width = Width(self._pace.width, self._pace.least_width, self._pace.slow)
        self._chance = chance
        self._woken = asyncio.Event()
        self._stopping = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._settled: list[Settled] = []
        self._failed: list[PutOff] = []
        self._outage = 0  # failed attempts in a row to reach the engine
        self._probe_at = 0.0
        self._database_failures = 0
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Relay:
        self._running = asyncio.create_task(self.run(), name="relay")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        if self._running is not None:
            await self._running

    @property
    def engine_available(self) -> bool:
        """False from the first delivery that did not reach the engine to the next one that does."""
        return self._outage == 0

    @property
    def width(self) -> int:
        """How many deliveries are under way at the same time, at most, as things are."""
        return self._width.now

    def stop(self) -> None:
        """Takes nothing more; `run()` returns when what is under way is done."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Outlives outages of the database and of the engine."""
        try:
            while not self._stopping:
                try:
                    async with inbox.listening(self._pool, self._woken.set) as connection:
                        await self._deliver_until_stopped(connection)
                except Exception as error:
                    # Usually the database is away. Whatever it is, a relay that gives up would strand every citizen.
                    await self._wait_for_database(error)
        finally:
            for task in self._under_way:
                task.cancel()

    async def _deliver_until_stopped(self, connection: Database) -> None:
        while not self._stopping:
            self._woken.clear()
            await self._write_down(connection)
            if wanted := self._wanted():
                for row in await inbox.claim(connection, timedelta(seconds=self._pace.lease), wanted):
                    self._start(row)
            self._database_failures = 0
            await self._rest()
        await self._take_leave()
        await self._write_down(connection)

    def _wanted(self) -> int:
        """How many messages to claim: in an outage one, to see whether it is over."""
        if self.engine_available:
            return max(0, self._width.now - len(self._under_way))
        return 0 if self._under_way or self._now() < self._probe_at else 1

    async def _rest(self) -> None:
        """Until something happens: a message comes, a delivery ends, a delay or a pause is over."""
        pause = self._probe_at - self._now()
        try:
            async with asyncio.timeout(min(self._pace.poll, pause) if pause > 0 else self._pace.poll):
                await self._woken.wait()
        except TimeoutError:
            return

    def _start(self, row: InboxRow) -> None:
        task = asyncio.create_task(self._deliver_one(row), name=f"deliver message {row.id}")
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._woken.set()

    async def _deliver_one(self, row: InboxRow) -> None:
        began_at = self._now()
        try:
            async with asyncio.timeout(self._pace.delivery):
                outcome = await self._deliver(row)
        except EngineUnavailable as error:
            self._failed.append(PutOff(row, timedelta(), error.code))
            self._note_outage()
        except asyncio.CancelledError:
            self._failed.append(PutOff(row, timedelta(), None))
            raise
        except Exception as error:
            self._width.ended(began_at, self._now())
            self._put_off(row, type(error).__name__)
        else:
            self._width.ended(began_at, self._now())
            self._settled.append(Settled(row, outcome))
            self._note_recovery()

    def _put_off(self, row: InboxRow, error: str) -> None:
        # Only the class: the words of a stranger's exception may hold anything.
        logger.warning("relay: a message will be tried again", inbox_id=row.id, reference=row.reference, error=error)
        delay = self._pace.delay(row.attempts, self._chance())
        self._failed.append(PutOff(row, timedelta(seconds=delay), error))

    def _note_outage(self) -> None:
        # Deliveries that were under way together fail together; only a failure after the last pause counts as a new one.
        if self._now() < self._probe_at:
            return
        if self.engine_available:
            logger.warning("relay: Temporal cannot be reached, messages wait in the inbox")
        self._outage += 1
        self._probe_at = self._now() + self._pace.delay(self._outage, self._chance())

    def _note_recovery(self) -> None:
        if not self.engine_available:
            logger.warning("relay: Temporal is back, the messages that waited are delivered now")
        self._outage, self._probe_at = 0, 0.0

    async def _write_down(self, connection: Database) -> None:
        """Settles what has ended since; what the database does not take now is kept for the next time."""
        settled, failed = list(self._settled), list(self._failed)
        if settled:
            await inbox.settle(connection, settled)
            del self._settled[: len(settled)]
        if failed:
            await inbox.put_off(connection, failed)
            del self._failed[: len(failed)]
        for _, delay, _ in failed:
            # The delay began in the database a moment ago: a little later, so as not to come a moment early.
            asyncio.get_running_loop().call_later(delay.total_seconds() + 0.005, self._woken.set)

    async def _wait_for_database(self, error: BaseException) -> None:
        self._database_failures += 1
        logger.warning("relay: the inbox cannot be read now", error=type(error).__name__)
        await asyncio.sleep(self._pace.delay(self._database_failures, self._chance()))

    async def _take_leave(self) -> None:
        if self._under_way:
            _, unfinished = await asyncio.wait(self._under_way, timeout=self._pace.farewell)
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.wait(unfinished)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
