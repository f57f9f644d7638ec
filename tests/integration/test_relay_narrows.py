"""The relay while the engine is slow: fewer messages at once, all of them in the end, and a start counts until its first turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import worker
from activities.first_turns import FirstTurns
from activities.relay import Delivery, InboxRow, Pace, Relay
from db import inbox
from db.pool import RELAY_SESSION, Pool, open_pool
from db.sealing import KeyRing
from supervision.temporal import TemporalServer
from tests.conftest import FreshDatabase
from tests.integration.test_api_actions import a_worker, assigned
from tests.interface import an_interface
from tests.rows import a_submitted_request

PACE = Pace(width=8, least_width=2, slow=0.05, poll=60.0)


class Engine:
    """Takes so many seconds for each message, and writes down how many it had at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.at_once = 0
        self.course: list[int] = []

    async def __call__(self, row: InboxRow) -> Delivery:
        self.at_once += 1
        self.course.append(self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        return Delivery.DELIVERED


async def until_empty(pool: Pool) -> None:
    async with asyncio.timeout(30):
        while (await inbox.backlog(pool)).waiting:  # noqa: ASYNC110 - the database has no event
            await asyncio.sleep(0.01)


async def test_relay_has_fewer_under_way_while_the_engine_is_slow_and_all_again_when_it_is_quick(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    engine = Engine(0.1)
    for _ in range(40):
        await a_submitted_request(pool, keys)
    async with (
        open_pool(database_url, size=2, session=RELAY_SESSION) as relay_pool,
        Relay(relay_pool, engine, pace=PACE) as relay,
    ):
        await until_empty(pool)
        assert relay.width == PACE.least_width
        assert max(engine.course) == PACE.width
        assert max(engine.course[-10:]) == PACE.least_width
        assert len(engine.course) == 40

        engine.seconds = 0.0
        for _ in range(60):
            await a_submitted_request(pool, keys)
        await until_empty(pool)
        assert relay.width == PACE.width


class Told(FirstTurns):
    """Writes down for which requests something was expected, and whether it had come when the wait was over."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: dict[str, bool] = {}

    @contextmanager
    def expected(self, reference: str) -> Iterator[asyncio.Future[None]]:
        with super().expected(reference) as turn:
            yield turn
            self.ended[reference] = turn.done() and not turn.cancelled()


async def test_submission_is_under_way_until_the_worker_has_recorded_its_first_turn(
    fresh_database: FreshDatabase, temporal_server: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, url, address = Told(), fresh_database(), temporal_server.address
    monkeypatch.setattr(worker, "FirstTurns", lambda: told)
    async with an_interface(url, address, real_time=True) as interface, a_worker(url, address):
        requests = [await assigned(interface) for _ in range(3)]
        await until_empty(interface.services.pool)
    assert told.ended == dict.fromkeys([request.reference for request in requests], True)
