"""A process that sends through the console is killed with SIGKILL at any moment: each notice is still kept exactly once."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import textwrap
from pathlib import Path

from activities.providers.console import ConsoleProvider
from db.pool import Pool
from db.sealing import KeyRing
from tests.notices import a_sender, owed_notices
from tests.rows import a_submitted_request

REQUESTS, NOTICES_EACH, KILLS = 150, 3, 5


async def test_killed_senders_lose_nothing_and_repeat_nothing(pool: Pool, keys: KeyRing, database_url: str) -> None:
    requests = [(await a_submitted_request(pool, keys)).request_id for _ in range(REQUESTS)]
    for request_id in requests:
        await owed_notices(pool, request_id, NOTICES_EACH)
    chance = random.Random(20261122)
    for _ in range(KILLS):
        await _send_until_killed(database_url, after=chance.randint(1, 20), milliseconds=chance.uniform(0, 3))
    left = await pool.fetchval("select count(*) from notices where state <> 'sent'")
    assert 0 < left < REQUESTS * NOTICES_EACH, "the kills fell while there was something to send"

    sender = a_sender(pool, keys, ConsoleProvider(pool, keys))
    for request_id in requests:
        await sender.send_request(request_id)
    for table in ("outbox", "attempts", "notices"):
        assert await pool.fetchval(f"select count(*) from {table}") == REQUESTS * NOTICES_EACH
    assert (
        await pool.fetchval("select count(*) from notices where state = 'sent' and attempts = 1")
        == REQUESTS * NOTICES_EACH
    )
    assert await pool.fetchval("select count(*) from attempts where outcome = 'accepted'") == REQUESTS * NOTICES_EACH


async def _send_until_killed(database_url: str, after: int, milliseconds: float) -> None:
    """The kill falls that long after so many requests, while others are under way."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDER, database_url, str(after), str(milliseconds), cwd=Path(__file__).parents[2]
    )
    assert await process.wait() == -signal.SIGKILL


SENDER = textwrap.dedent("""
    import asyncio, base64, os, signal, sys, threading
    from activities.providers.console import ConsoleProvider
    from db.pool import open_pool
    from db.sealing import KeyRing
    from tests.notices import a_sender

    done = 0

    async def main(url, after, milliseconds):
        keys = KeyRing.from_text("test:" + base64.b64encode(bytes(range(32))).decode())
        async with open_pool(url, size=4) as pool:
            sender = a_sender(pool, keys, ConsoleProvider(pool, keys))
            owed = await pool.fetch("select distinct request_id from notices where state = 'owed'")

            async def send_some(some):
                global done
                for row in some:
                    await sender.send_request(row["request_id"])
                    done += 1
                    if done == after:
                        threading.Timer(milliseconds / 1000, os.kill, (os.getpid(), signal.SIGKILL)).start()

            await asyncio.gather(*(send_some(owed[number::4]) for number in range(4)))
            await asyncio.sleep(5)

    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
""")
