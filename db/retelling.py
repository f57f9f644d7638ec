"""The rows of the read model as they are, and their replacement by what the histories say, one request at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import read_model, timeline, views
from db.pool import Connection, Database, Pool, transaction
from db.statements import load
from domain.errors import Unknown
from domain.record import Entry, Record
from domain.request import Snapshot
from domain.retelling import Erased, Standing, differing_numbers
from domain.retention import Because, not_started

_QUERIES = load("retelling")

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A request as the intake wrote it down. `is_waiting`: no run has taken it up yet."""

    id: UUID
    reference: str
    submitted_at: datetime
    confidential: bool
    erased_at: datetime | None
    demanded_by: str | None
    is_waiting: bool

    @property
    def first(self) -> Snapshot:
        """Where it stands as long as nothing is recorded of it."""
        return not_started(str(self.id), self.reference, self.submitted_at, self.confidential)

    @property
    def erased(self) -> Erased | None:
        because = Because(self.demanded_by) if self.demanded_by else Because.RETENTION
        return Erased(self.erased_at, because) if self.erased_at else None


async def number(database: Database) -> int:
    """How many requests there are."""
    return int(await _QUERIES["number"].value(database))


async def requests(database: Database) -> AsyncIterator[Kept]:
    """All of them, the oldest first."""
    after: UUID | None = None
    while rows := await _QUERIES["page"].rows(database, after_id=after, most=_PAGE):
        for row in rows:
            yield Kept(**row)
        after = rows[-1]["id"]


async def by_references(database: Database, references: Sequence[str]) -> list[Kept]:
    """Those of these references that there are."""
    return [Kept(**row) for row in await _QUERIES["by_references"].rows(database, references=references)]


async def standing(database: Database, request_id: UUID) -> Standing:
    """How the request stands in the read model."""
    try:
        snapshot = await views.snapshot(database, request_id)
    except Unknown:
        snapshot = None
    events = await timeline.events(database, request_id)
    return Standing(snapshot, {event.sequence: event for event in events})


async def still_stands(database: Database, kept: Kept, found: Standing) -> bool:
    """Whether nothing has happened to the request since it was read."""
    (now,) = await by_references(database, [kept.reference])
    return now.erased_at == kept.erased_at and await standing(database, kept.id) == found


async def replace(database: Pool | Connection, kept: Kept, found: Standing, ought: Standing, now: datetime) -> bool:
    """Writes what ought to stand, and owes nobody a notice; False where something has happened to the request meanwhile."""
    assert ought.snapshot is not None
    async with transaction(database) as connection:
        await _QUERIES["lock"].value(connection, request_id=kept.id)
        await _QUERIES["lock_snapshot"].value(connection, request_id=kept.id)
        if not await still_stands(connection, kept, found):
            return False
        if found.snapshot is not None:
            await _QUERIES["forget_snapshot"].run(connection, request_id=kept.id, sequence=found.snapshot.sequence)
        await _QUERIES["forget_events"].run(connection, request_id=kept.id, sequences=differing_numbers(found, ought))
        entries = tuple(Entry(event) for event in ought.events.values())
        await read_model.record(connection, Record(ought.snapshot, entries), None, now)
    return True
