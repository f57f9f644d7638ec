"""The relay against a real inbox, with a scripted delivery: order, single delivery, leases, outages."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import textwrap
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from activities.relay import Delivery, InboxRow, Pace, Relay
from db import inbox
from db.inbox import PutOff, Settled
from db.pool import RELAY_SESSION, Database, Pool, open_pool
from db.sealing import KeyRing
from domain.errors import EngineUnavailable
from tests.rows import SUNDAY_NOON, a_submitted_request, an_urging

# Without a poll to fall back on, what is delivered in time was delivered because the relay was woken.
WOKEN_ONLY = Pace(poll=60.0)
IMPATIENT = Pace(poll=0.05, lease=30.0, delivery=20.0, first_delay=0.02, longest_delay=0.1, farewell=20.0)


class Script:
    """A delivery that writes down what it is given, and does before answering what `then` says."""

    def __init__(self, then: Callable[[InboxRow], Awaitable[Delivery]] | None = None) -> None:
        self.calls: list[InboxRow] = []
        self.delivered: list[int] = []
        self.together: dict[str, int] = defaultdict(int)
        self.most_together = 0
        self._then = then

    async def __call__(self, row: InboxRow) -> Delivery:
        self.calls.append(row)
        self.together[row.reference] += 1
        self.most_together = max(self.most_together, self.together[row.reference])
        try:
            outcome = await self._then(row) if self._then else Delivery.DELIVERED
        finally:
            self.together[row.reference] -= 1
        self.delivered.append(row.id)
        return outcome


@asynccontextmanager
async def a_relay(database_url: str, script: Script, pace: Pace = IMPATIENT) -> AsyncIterator[Relay]:
    async with open_pool(database_url, size=2, session=RELAY_SESSION) as pool, Relay(pool, script, pace=pace) as relay:
        yield relay


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a condition of any kind has no event
            await asyncio.sleep(0.005)


async def until_empty(pool: Pool, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while (await inbox.backlog(pool)).waiting:  # noqa: ASYNC110 - the database has none either
            await asyncio.sleep(0.01)


async def requests_with_messages(pool: Pool, keys: KeyRing, requests: int, messages: int) -> None:
    """Each request has its submission and as many messages more, sent in turns."""
    submitted = [await a_submitted_request(pool, keys) for _ in range(requests)]
    for _ in range(messages):
        for request in submitted:
            await an_urging(pool, keys, request.request_id)


async def test_relay_delivers_a_submission_with_what_the_workflow_starts_with(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    script = Script()
    async with a_relay(database_url, script, WOKEN_ONLY):
        await asyncio.sleep(0.2)  # it has looked, found nothing, and waits to be woken
        request = await a_submitted_request(pool, keys, confidential=True, lat=30.0, long=120.0)
        await until(lambda: bool(script.delivered), seconds=30)
    (row,) = script.calls
    assert (row.request_id, row.reference, row.kind, row.attempts) == (
        request.request_id,
        request.reference,
        "submitted",
        1,
    )
    assert row.received_at == SUNDAY_NOON
    assert row.payload == {
        "reference": request.reference, "submitted_at": "2026-11-22T04:00:00Z", "channel": "web",
        "confidential": True, "located": True, "submitted_by": None,
    }  # fmt: skip


async def test_relay_keeps_the_order_of_each_request_and_delivers_nothing_twice_with_three_relays(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    chance = random.Random(7)

    async def falter(row: InboxRow) -> Delivery:
        await asyncio.sleep(chance.random() * 0.01)
        if chance.random() < 0.1:
            raise RuntimeError("a temporary failure")
        return Delivery.DELIVERED

    script = Script(falter)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(a_relay(database_url, script))
        await requests_with_messages(pool, keys, requests=30, messages=5)
        await until_empty(pool)

    assert len(script.delivered) == len(set(script.delivered)) == 30 * 6
    assert script.most_together == 1
    request_of = {row.id: row.reference for row in script.calls}
    for reference in set(request_of.values()):
        order = [inbox_id for inbox_id in script.delivered if request_of[inbox_id] == reference]
        assert order == sorted(order)


async def test_relay_sends_the_next_message_of_a_request_at_once(pool: Pool, keys: KeyRing, database_url: str) -> None:
    await requests_with_messages(pool, keys, requests=1, messages=20)
    script = Script()
    async with a_relay(database_url, script, WOKEN_ONLY):
        await until(lambda: len(script.delivered) == 21)


async def test_relay_finds_a_message_whose_notification_was_lost(pool: Pool, keys: KeyRing, database_url: str) -> None:
    script = Script()
    async with a_relay(database_url, script):
        await asyncio.sleep(0.1)
        request = await a_submitted_request(pool, keys)
        # A second message without the notification that `add_message` sends.
        await pool.execute(
            "insert into inbox (request_id, kind, payload, received_at) values ($1, 'urged', '{}', now())",
            request.request_id,
        )
        await until(lambda: len(script.delivered) == 2)


async def test_relay_keeps_what_the_workflow_refused_as_refused(pool: Pool, keys: KeyRing, database_url: str) -> None:
    async def refuse(row: InboxRow) -> Delivery:
        return Delivery.REFUSED

    await requests_with_messages(pool, keys, requests=1, messages=1)
    async with a_relay(database_url, Script(refuse)):
        await until_empty(pool)
    outcomes = await pool.fetch("select outcome, delivered_at is not null as settled, leased_until from inbox")
    assert [tuple(row) for row in outcomes] == [("refused", True, None), ("refused", True, None)]


async def test_relay_holds_back_only_the_request_whose_message_fails(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    bad = await a_submitted_request(pool, keys)
    await an_urging(pool, keys, bad.request_id)
    good = [await a_submitted_request(pool, keys) for _ in range(5)]

    async def fail_one(row: InboxRow) -> Delivery:
        if row.reference == bad.reference:
            raise ValueError("+8613800000001 must not be written down anywhere")
        return Delivery.DELIVERED

    script = Script(fail_one)
    async with a_relay(database_url, script):
        await until(lambda: len(script.delivered) == len(good))
        await until(lambda: sum(row.reference == bad.reference for row in script.calls) >= 3)
    waiting = await pool.fetch("select kind, attempts, last_error from inbox where delivered_at is null order by id")
    assert [row["kind"] for row in waiting] == ["submitted", "urged"]
    assert waiting[0]["attempts"] >= 3
    assert [row["last_error"] for row in waiting] == ["ValueError", None]


async def test_relay_tries_again_at_a_slower_and_slower_pace_up_to_the_longest_delay() -> None:
    pace = Pace(first_delay=0.2, longest_delay=5.0)
    assert [round(pace.delay(failures, chance=0.0), 1) for failures in (1, 2, 3, 5, 6, 1000)] == [
        0.2,
        0.4,
        0.8,
        3.2,
        5.0,
        5.0,
    ]
    assert pace.delay(6, chance=1.0) == 2.5


async def test_relay_gives_up_a_delivery_that_hangs_and_tries_it_again(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    async def hang_once(row: InboxRow) -> Delivery:
        if row.attempts == 1:
            await asyncio.Event().wait()
        return Delivery.DELIVERED

    await a_submitted_request(pool, keys)
    script = Script(hang_once)
    async with a_relay(database_url, script, replace(IMPATIENT, delivery=0.3)):
        await until_empty(pool)
    assert [row.attempts for row in script.calls] == [1, 2]


async def test_relay_takes_over_what_a_killed_relay_had_leased(pool: Pool, keys: KeyRing, database_url: str) -> None:
    request = await a_submitted_request(pool, keys)
    second = await an_urging(pool, keys, request.request_id)
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RELAY_THAT_HANGS, database_url,
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert killed.stdout is not None
    assert (await killed.stdout.readline()).startswith(b"delivering")
    killed.send_signal(signal.SIGKILL)
    await killed.wait()

    script = Script()
    async with a_relay(database_url, script):
        await asyncio.sleep(0.2)
        assert script.calls == [], "the lease of the killed relay has not run out yet"
        await pool.execute("update inbox set leased_until = now() where leased_until is not null")
        await until_empty(pool)
    assert [(row.id, row.attempts) for row in script.calls] == [(script.calls[0].id, 2), (second, 1)]


RELAY_THAT_HANGS = textwrap.dedent("""
    import asyncio, sys
    from activities.relay import Pace, Relay
    from db.pool import Pool, open_pool

    async def hang(row):
        print("delivering", row.id, flush=True)
        await asyncio.sleep(60)

    async def main():
        async with open_pool(sys.argv[1], size=1) as pool:
            await Relay(pool, hang, pace=Pace(lease=3600.0)).run()

    asyncio.run(main())
""")


async def test_relay_without_its_lease_any_more_does_not_put_the_message_off_for_another(
    pool: Pool, keys: KeyRing
) -> None:
    await a_submitted_request(pool, keys)
    (slow,) = await inbox.claim(pool, timedelta(), 1)
    (taken_over,) = await inbox.claim(pool, timedelta(seconds=30), 1)
    assert taken_over.id == slow.id
    await inbox.put_off(pool, [PutOff(slow, timedelta(hours=1), "TooLate")])
    assert await pool.fetchval("select leased_until > now() and not_before <= now() from inbox")


async def test_relay_leaves_a_message_alone_until_its_delay_is_over_and_those_behind_it_too(
    pool: Pool, keys: KeyRing
) -> None:
    request = await a_submitted_request(pool, keys)
    await an_urging(pool, keys, request.request_id)
    (row,) = await inbox.claim(pool, timedelta(seconds=30), 5)
    await inbox.put_off(pool, [PutOff(row, timedelta(hours=1), "TimeoutError")])
    assert await inbox.claim(pool, timedelta(seconds=30), 5) == []
    await pool.execute("update inbox set not_before = now() where id = $1", row.id)
    assert [(again.id, again.attempts) for again in await inbox.claim(pool, timedelta(seconds=30), 5)] == [(row.id, 2)]


async def test_relay_settles_a_message_once_whoever_delivered_it_first(pool: Pool, keys: KeyRing) -> None:
    await a_submitted_request(pool, keys)
    (row,) = await inbox.claim(pool, timedelta(), 1)
    await inbox.settle(pool, [Settled(row, Delivery.DELIVERED)])
    await inbox.settle(pool, [Settled(row, Delivery.REFUSED)])
    assert await pool.fetchval("select outcome from inbox") == "delivered"
    assert await inbox.claim(pool, timedelta(), 1) == []


async def test_relay_pauses_in_an_outage_and_delivers_everything_in_order_after_it(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    down = True

    async def engine(row: InboxRow) -> Delivery:
        await asyncio.sleep(0.001)
        if down:
            raise EngineUnavailable("Temporal cannot be reached.")
        return Delivery.DELIVERED

    script = Script(engine)
    pace = Pace(width=8, poll=60.0, first_delay=0.1, longest_delay=0.2)
    await requests_with_messages(pool, keys, requests=20, messages=1)
    async with a_relay(database_url, script, pace) as relay:
        await until(lambda: not relay.engine_available)
        await asyncio.sleep(1.0)
        assert len(script.calls) < 5 * pace.width, "a burst, and then one probe at a time"
        await a_submitted_request(pool, keys)
        down = False
        await until_empty(pool)
        assert relay.engine_available
    assert len(script.delivered) == len(set(script.delivered)) == 41
    for reference in {row.reference for row in script.calls}:
        ids = [row.id for row in script.calls if row.reference == reference and row.id in script.delivered]
        assert ids == sorted(ids)


async def test_relay_counts_deliveries_that_fail_together_as_one_outage(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    async def engine(row: InboxRow) -> Delivery:
        await asyncio.sleep(0.05)
        raise EngineUnavailable("Temporal cannot be reached.")

    script = Script(engine)
    await requests_with_messages(pool, keys, requests=8, messages=0)
    async with a_relay(database_url, script, Pace(width=8, poll=600.0, first_delay=0.5, longest_delay=600.0)):
        # After eight outages the ninth try would come half a minute later at the earliest.
        await until(lambda: len(script.calls) > 8, seconds=20.0)
    attempts = await pool.fetch("select last_error, leased_until from inbox")
    assert {tuple(row) for row in attempts} == {("engine_unavailable", None)}


async def test_relay_finishes_what_is_under_way_when_it_is_stopped(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    async def take_a_moment(row: InboxRow) -> Delivery:
        await asyncio.sleep(0.5)
        return Delivery.DELIVERED

    await requests_with_messages(pool, keys, requests=3, messages=2)
    script = Script(take_a_moment)
    async with a_relay(database_url, script):
        await until(lambda: len(script.calls) >= 3)
    assert len(script.delivered) == len(script.calls) < 9
    assert (await inbox.backlog(pool)).waiting == 9 - len(script.delivered)


async def test_relay_gives_back_what_does_not_end_in_time_when_it_is_stopped(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    async def hang(row: InboxRow) -> Delivery:
        await asyncio.sleep(60)
        return Delivery.DELIVERED

    await a_submitted_request(pool, keys)
    script = Script(hang)
    async with a_relay(database_url, script, Pace(farewell=0.05)):
        await until(lambda: len(script.calls) == 1)
    assert [row.attempts for row in await inbox.claim(pool, timedelta(seconds=30), 5)] == [2]


async def test_relay_goes_on_when_its_connection_is_cut(pool: Pool, keys: KeyRing, database_url: str) -> None:
    script = Script()
    # What was delivered and not noted when the connection broke is delivered again.
    async with a_relay(database_url, script, replace(IMPATIENT, lease=0.5)):
        await a_submitted_request(pool, keys)
        await until(lambda: len(script.delivered) == 1)
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        async with asyncio.timeout(60):
            while True:
                try:
                    await a_submitted_request(pool, keys)
                    break
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await asyncio.sleep(0.01)
        await until_empty(pool)
    assert len(set(script.delivered)) == 2


@pytest.mark.parametrize("relays", [1, 3])
async def test_relay_is_woken_by_every_message_however_many_come_at_once(
    pool: Pool, keys: KeyRing, database_url: str, relays: int
) -> None:
    script = Script()
    async with AsyncExitStack() as stack:
        for _ in range(relays):
            await stack.enter_async_context(a_relay(database_url, script, WOKEN_ONLY))
        await requests_with_messages(pool, keys, requests=100, messages=1)
        await until_empty(pool)
    assert len(set(script.delivered)) == 200


async def test_relay_claims_without_reading_the_whole_queue(pool: Pool, keys: KeyRing, database_url: str) -> None:
    """Prepared and used while the queue is empty, as at every start; then a storm fills it."""
    async with open_pool(database_url, size=1, session=RELAY_SESSION) as one, one.acquire() as connection:
        for _ in range(10):  # from the sixth time on PostgreSQL would keep a plan for all times
            assert await inbox.claim(connection, timedelta(seconds=30), 8) == []
        await _fill(pool, keys, 2_000)
        before = await _blocks_read(connection)
        assert len(await inbox.claim(connection, timedelta(seconds=30), 8)) == 8
        assert await _blocks_read(connection) - before < 500


async def _fill(pool: Pool, keys: KeyRing, messages: int) -> None:
    """So many requests whose first message waits: one that was submitted, and its likes."""
    request = await a_submitted_request(pool, keys)
    columns = await pool.fetchval(
        "select string_agg(column_name, ', ') from information_schema.columns"
        " where table_name = 'requests' and column_name not in ('id', 'reference')"
    )
    await pool.execute(
        f"insert into requests (id, reference, {columns}) select gen_random_uuid(), 'copy ' || n, {columns}"
        " from requests, generate_series(2, $2) as n where id = $1",
        request.request_id,
        messages,
    )
    await pool.execute(
        "insert into inbox (request_id, kind, payload, received_at)"
        " select id, 'submitted', '{}', submitted_at from requests where reference like 'copy %'"
    )


async def _blocks_read(connection: Database) -> int:
    """By whatever has been done to the inbox, from memory or from disk."""
    await connection.execute("select pg_stat_force_next_flush()")
    return await connection.fetchval(  # type: ignore[no-any-return]
        "select heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read from pg_statio_user_tables where relname = 'inbox'"
    )
