"""What became of the notices of a request: whom they were for, each attempt, and what the gateway reported of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Database
from db.statements import load

_QUERIES = load("notice_history")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `outcome` is None while it is not known; `receipt` is what the gateway said last."""

    number: int
    provider: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    receipt: str | None
    receipt_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice without its text. `recipient` is citizen, or the name of a member of staff."""

    sequence: int
    kind: str
    recipient: str
    channel: str
    state: str
    not_before: datetime | None
    created_at: datetime
    sent_at: datetime | None
    attempts: tuple[Attempt, ...]


async def of_request(database: Database, request_id: UUID) -> list[Notice]:
    """The oldest first."""
    notices = await _QUERIES["notices"].rows(database, request_id=request_id)
    tried: dict[UUID, list[Attempt]] = {}
    for row in await _QUERIES["attempts"].rows(database, request_id=request_id):
        values = dict(row)
        tried.setdefault(values.pop("notice_id"), []).append(Attempt(**values))
    return [
        Notice(
            row["sequence"],
            row["kind"],
            row["staff_name"] or row["recipient"],
            row["channel"],
            row["state"],
            row["not_before"],
            row["created_at"],
            row["sent_at"],
            tuple(tried.get(row["id"], ())),
        )
        for row in notices
    ]
