"""Everything that exists, read whole, to be compared with what people were told: for systems that are tried, not for a city's."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.pool import Database
from db.statements import load
from db.views import snapshot_of
from domain.request import Snapshot

_QUERIES = load("proof")


class Happening(NamedTuple):
    """An event; `username` is that of the member of staff who acted, `department` the one that it names or that has the request.

    `previous_department` and `level` are what it says of them, if anything.
    """

    reference: str
    sequence: int
    at: datetime
    action: str
    actor_kind: str
    actor_id: str
    username: str | None
    state_before: str | None
    state: str
    public: bool
    department: str | None
    previous_department: str | None = None
    level: str | None = None


class Message(NamedTuple):
    """What a citizen sent, and what became of it."""

    reference: str
    kind: str
    received_at: datetime
    outcome: str | None
    attempts: int
    text_id: UUID | None = None


class Due(NamedTuple):
    """A notice, and how often it went out; `tries` are the ids of its attempts in their order."""

    reference: str
    sequence: int
    kind: str
    recipient: str
    state: str
    not_before: datetime | None
    accepted: int
    unclear: int
    kept: int
    tries: tuple[str, ...] = ()


async def standings(database: Database) -> list[Snapshot]:
    return [snapshot_of(row) for row in await _QUERIES["standings"].rows(database)]


async def happenings(database: Database) -> list[Happening]:
    """By request, and of each in order."""
    return [Happening(**row) for row in await _QUERIES["happenings"].rows(database)]


async def messages(database: Database) -> list[Message]:
    return [Message(**row) for row in await _QUERIES["messages"].rows(database)]


async def dues(database: Database) -> list[Due]:
    return [Due(**{**row, "tries": tuple(row["tries"])}) for row in await _QUERIES["dues"].rows(database)]


async def wordless(database: Database) -> list[tuple[str, int, str]]:
    """Reference, number and action of events that name a text which there is not."""
    return [(row["reference"], row["sequence"], row["action"]) for row in await _QUERIES["wordless"].rows(database)]


async def photos(database: Database) -> dict[str, str]:
    """The reference of the request by the id of the picture."""
    return {str(row["id"]): row["reference"] for row in await _QUERIES["photos"].rows(database)}


async def unheard(database: Database) -> int:
    """How many messages have reached Temporal of which no event tells yet."""
    return int(await _QUERIES["unheard"].value(database))
