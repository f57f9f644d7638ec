"""The read model: events appended, snapshots moved on and notices owed, in one statement however often it is repeated."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.pool import Database
from db.statements import load
from db.views import snapshot
from domain.record import Entry, Record
from domain.request import Act, Snapshot

_QUERIES = load("read_model")


class Unsent(NamedTuple):
    """How many notices of a request are due and not sent, and when the first of those held back becomes due.

    `stands` is what a repeated record finds written; None where it was written now. `ahead` is the act that stands in its
    place. `unreachable` are those that ended as they were written, because nobody can be sent them.
    """

    owed: int
    held_until: datetime | None
    stands: Snapshot | None = None
    ahead: Act | None = None
    unreachable: int = 0


async def record(database: Database, taken: Record, quiet_until: datetime | None, now: datetime) -> Unsent:
    """Writes the record down and says what is left to send; a repetition changes nothing and gets the same answer.

    `quiet_until` holds back what is owed to the citizen and not urgent. A snapshot older than the one that stands is
    left out; its events are still appended where they are missing. Where another act has taken its number, nothing is
    written.
    """
    request_id = UUID(taken.snapshot.request_id)
    row = await _QUERIES["record"].row(
        database,
        request_id=request_id,
        snapshot=taken.snapshot,
        events=[entry.event for entry in taken.entries],
        notices=list(_owed(taken.entries, taken.snapshot.assignee)),
        quiet_until=quiet_until,
        act=taken.act,
        now=now,
    )
    assert row is not None
    if row["appended"] == len(taken.entries):
        return Unsent(row["owed"], row["held_until"], unreachable=row["unreachable"])
    ahead = await _ahead(database, request_id, taken)
    if ahead is not None:
        return Unsent(0, None, ahead=ahead)
    # Something of it stood already. The attempt that wrote it may have ended while this one waited for it, and then
    # its notices are not in what the statement saw.
    left = await unsent(database, request_id, now)
    stands = await snapshot(database, request_id)
    return left._replace(stands=stands) if stands.sequence == taken.snapshot.sequence else left


async def _ahead(database: Database, request_id: UUID, taken: Record) -> Act | None:
    """The act that stands where the record should, if it is another one."""
    sequence = taken.entries[0].event.sequence if taken.entries else taken.snapshot.sequence
    stands = await act(database, request_id, sequence)
    return stands if stands is not None and (taken.act is None or taken.act.update_id != stands.update_id) else None


async def act(database: Database, request_id: UUID, sequence: int) -> Act | None:
    """The act that made that event; None where none did, or it was long ago."""
    row = await _QUERIES["act"].row(database, request_id=request_id, sequence=sequence)
    return Act(row["update_id"], row["action"], row["command"], row["at"]) if row is not None else None


async def forget_acts(database: Database, before: datetime) -> int:
    """Removes what every history has heard of long ago, and says how much."""
    return await _QUERIES["forget_acts"].run(database, before=before)


async def unsent(database: Database, request_id: UUID, now: datetime) -> Unsent:
    """What is left to send of a request."""
    row = await _QUERIES["unsent"].row(database, request_id=request_id, now=now)
    assert row is not None
    return Unsent(row["owed"], row["held_until"])


def _owed(entries: Iterable[Entry], assignee: str | None) -> Iterable[dict[str, Any]]:
    notices = ((entry.event.sequence, notice) for entry in entries for notice in entry.notices)
    for number, (sequence, notice) in enumerate(notices):
        yield {
            "number": number,
            "sequence": sequence,
            "kind": notice.kind,
            "part": notice.to,
            "department": notice.department,
            "assignee": _staff_id(notice.facts.get("assignee") or assignee),
            "urgent": notice.urgent,
            "facts": notice.facts,
        }


def _staff_id(text: str | None) -> UUID | None:
    """An admin who acted from the Temporal UI has a name instead of an id."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
