"""Two workers that are upgraded one after the other, with the database before them and the interface after."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg

from db.migrating import Migration, apply
from tests.e2e.next_releases import BEGINS_WITH_IT, KNOWS_IT, Release
from tests.e2e.system import LivePart, LiveSystem

MIGRATIONS = (
    Migration("20990101000000", "for_the_rehearsal", "alter table snapshots add column rehearsed_at timestamptz", True),
    Migration(
        "20990101000001",
        "for_the_rehearsal_too",
        "create index concurrently if not exists rehearsed on snapshots (rehearsed_at)",
        False,
    ),
)


@dataclass
class Fleet:
    """Two workers, each replaced while the other goes on."""

    live: LiveSystem
    workers: list[LivePart] = field(default_factory=list)
    gone: list[LivePart] = field(default_factory=list)

    async def become(self, release: Release) -> None:
        for number, worker in enumerate(self.workers):
            assert await worker.stop() == 0, worker.log.read_text()[-3000:]
            self.gone.append(worker)
            self.workers[number] = self.of(release)
            await self.workers[number].start()

    def of(self, release: Release) -> LivePart:
        worker = self.live.another("worker")
        worker.part = replace(worker.part, command=release.command)
        return worker

    def complaints(self) -> list[str]:
        """What the logs say of tasks that failed, and of anything that nobody expected."""
        wrong = re.compile(r".*(?:Traceback|NondeterminismError|UnknownProcedure|Failing workflow task).*")
        logs = [worker.log.read_text() for worker in (*self.gone, *self.workers)]
        return [line for log in logs for line in wrong.findall(log)]


@asynccontextmanager
async def a_fleet(live: LiveSystem) -> AsyncIterator[Fleet]:
    """Two workers of this release."""
    fleet = Fleet(live, [live.worker, live.another("worker")])
    try:
        await fleet.workers[1].start()
        yield fleet
    finally:
        for worker in fleet.workers:
            worker.kill()


async def upgrade(fleet: Fleet) -> None:
    """In the order of docs/upgrades.md. The migrations are those of a release that no program here knows."""
    connection = await asyncpg.connect(fleet.live.system.database.url())
    for migration in MIGRATIONS:
        await apply(connection, migration)
    await connection.close()
    await fleet.become(BEGINS_WITH_IT)
    await replaced(fleet.live.api)


async def go_back(fleet: Fleet) -> None:
    """The other way round; the database stays."""
    await replaced(fleet.live.api)
    await fleet.become(KNOWS_IT)


async def replaced(part: LivePart) -> None:
    assert await part.stop() == 0
    await part.start()
