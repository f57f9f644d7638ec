"""Lives the lives of lives.py and longer_lives.py and keeps their histories: `python -m tests.replay.record`.

On the time-skipping server, but for what it cannot do. Of a life that was longer than one run, the first run stands beside
the others and the later ones under `later`; the runs that watch the parts of co-handlers stand under `parts`.

They are kept in clear: that sealed ones replay as well is a test's matter (tests/replay/test_sealed.py).

Run it by hand when a life is added. A history that is already kept stays as it is, because requests out there have
just such a one behind them; delete the file to record it anew.
"""

from __future__ import annotations

import asyncio
import base64
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

from temporalio.client import WorkflowHistory

from activities.providers.kannel import KannelProvider
from db.migrations import migrate
from db.pool import Pool
from domain.policy import shortened
from supervision.postgres import PostgresServer
from tests.city import a_city, an_hour_around
from tests.histories import opened
from tests.replay.lives import IN_A_QUIET_TOWN, IN_A_TOWN_WITH_A_GATEWAY, LIVES, Life
from tests.replay.longer_lives import IN_A_QUICK_TOWN, LONGER_LIVES
from tests.servers import a_postgres_server
from tests.skipping import a_real_server, a_skipping_server
from tests.smsbox import a_smsbox
from tests.town import KEYS, Request, Town
from tests.town_hall import a_town
from workflows.contract import PROCEDURE, co_workflow_id
from workflows.recapture import fetch

HISTORIES = Path(__file__).parent / "histories"
NOW = HISTORIES / f"procedure_{PROCEDURE}"
ACTS_BY_ACTIVITY = "procedure_1"
"""Lives as they begin now, and beside them those that began when staff's actions were activities."""
LATER, PARTS = NOW / "later", NOW / "parts"
SHORT_HISTORIES = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=60")
SECONDS_PER_WORKING_DAY = 2.0
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
    if told := value.get("encodedAttributes"):
        value = value | {"encodedAttributes": told | {"data": _without_stack(told["data"])}}
    return {key: scrubbed(each) for key, each in value.items() if key not in _OF_THE_MACHINE}


def _without_stack(data: str) -> str:
    """What a sealed failure has beside its type: the message stays."""
    told = json.loads(base64.b64decode(data))
    return base64.b64encode(json.dumps(told | {"stack_trace": ""}).encode()).decode()


async def keep(town: Town, lives: Iterable[Life]) -> None:
    for life in lives:
        if not (NOW / f"{life.__name__}.json").exists():
            request = await life(town)
            await keep_runs(life.__name__, request)
            await town.put_away()


async def keep_runs(name: str, request: Request) -> None:
    """The runs of the request, the oldest first, and those that watch a part of it."""
    await request.settled()
    client = request.town.environment.client
    told = await fetch(client, request.reference)
    assert told is not None
    first, *later = told.histories
    write(NOW / f"{name}.json", first)
    for number, history in enumerate(later, 2):
        write(LATER / f"{name}.{number}.json", history)
    for part in (await request.snapshot()).co_handlers:
        handle = client.get_workflow_handle(co_workflow_id(request.reference, part.number))
        write(PARTS / f"{name}.{part.number}.json", await handle.fetch_history())


def write(path: Path, history: WorkflowHistory) -> None:
    content = json.loads(opened(history, KEYS).to_json())
    path.write_text(json.dumps(scrubbed(content), separators=(",", ":")) + "\n")
    print(f"{path.relative_to(HISTORIES)}: {len(content['events'])} events")  # noqa: T201


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
        await keep(town, (*LIVES, *LONGER_LIVES))
    async with a_kannel_town(a_database(server, "kannel_town")) as town:
        await keep(town, IN_A_TOWN_WITH_A_GATEWAY)
    quiet = a_city(quiet_hours=an_hour_around(datetime.now(UTC)))
    async with a_skipping_server() as environment, a_town(environment, a_database(server, "q"), policy=quiet) as town:
        await keep(town, IN_A_QUIET_TOWN)
    quick = shortened(a_city(), SECONDS_PER_WORKING_DAY)
    async with (
        a_real_server(*SHORT_HISTORIES) as environment,
        a_town(environment, a_database(server, "quick"), policy=quick) as town,
    ):
        await keep(town, IN_A_QUICK_TOWN)


def main() -> None:
    for directory in (LATER, PARTS):
        directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, a_postgres_server(Path(home)) as server:
        asyncio.run(record(server))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    gc.collect()
    time.sleep(0.2)  # Temporal's client can abort the interpreter while it takes itself apart (sdk-python#300)
