"""Lives the lives of lives.py on the time-skipping server and keeps their histories: `python -m tests.replay.record`.

Run it by hand when a life is added. A history that is already kept stays as it is, because requests out there have
just such a one behind them; delete the file to record it anew.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from activities.providers.kannel import KannelProvider
from db.migrations import migrate
from db.pool import Pool
from supervision.postgres import PostgresServer
from tests.city import a_city, an_hour_around
from tests.replay.lives import IN_A_QUIET_TOWN, IN_A_TOWN_WITH_A_GATEWAY, LIVES, Life
from tests.servers import a_postgres_server
from tests.skipping import a_skipping_server
from tests.smsbox import a_smsbox
from tests.town import Town
from tests.town_hall import a_town

HISTORIES = Path(__file__).parent / "histories"
_OF_THE_MACHINE = frozenset({"identity", "stackTrace", "binaryChecksum", "stickyAttributes"})
"""Fields that tell of the machine where the life was lived, and that no replay reads."""


def scrubbed(value: Any) -> Any:
    """The same history without a trace of the machine; the names of sticky queues hold its host name too."""
    if isinstance(value, list):
        return [scrubbed(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "TASK_QUEUE_KIND_STICKY":
        value = value | {"name": "sticky"}
    return {key: scrubbed(each) for key, each in value.items() if key not in _OF_THE_MACHINE}


async def keep(town: Town, lives: Iterable[Life]) -> None:
    for life in lives:
        path = HISTORIES / f"{life.__name__}.json"
        if not path.exists():
            request = await life(town)
            history = json.loads((await request.handle.fetch_history()).to_json())
            path.write_text(json.dumps(scrubbed(history), separators=(",", ":")) + "\n")
            print(f"{path.name}: {len(history['events'])} events")  # noqa: T201
            await town.put_away()


@asynccontextmanager
async def a_kannel_town(database_url: str) -> AsyncIterator[Town]:
    async with a_smsbox() as smsbox:

        def kannel(pool: Pool) -> KannelProvider:
            return KannelProvider(smsbox.url, "town", "password", "12345", "secret", "http://127.0.0.1:8000")

        async with a_skipping_server() as environment, a_town(environment, database_url, kannel) as town:
            yield town


def a_database(server: PostgresServer, name: str) -> str:
    server.make_database(name)
    migrate(server.url(name))
    return server.url(name)


async def record(server: PostgresServer) -> None:
    async with a_skipping_server() as environment, a_town(environment, a_database(server, "town")) as town:
        await keep(town, LIVES)
    async with a_kannel_town(a_database(server, "kannel_town")) as town:
        await keep(town, IN_A_TOWN_WITH_A_GATEWAY)
    quiet = a_city(quiet_hours=an_hour_around(datetime.now(UTC)))
    async with a_skipping_server() as environment, a_town(environment, a_database(server, "q"), policy=quiet) as town:
        await keep(town, IN_A_QUIET_TOWN)


def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, a_postgres_server(Path(home)) as server:
        asyncio.run(record(server))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    gc.collect()
    time.sleep(0.2)  # Temporal's client can abort the interpreter while it takes itself apart (sdk-python#300)
