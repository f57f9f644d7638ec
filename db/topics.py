"""Hot topics as the looks found them: what there is to look at, what is kept of it, and whom a spike is owed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from db.ids import new_id
from db.places import place_of
from db.pool import Connection, Database, Pool, transaction
from db.requests import opened
from db.sealing import KeyRing
from db.statements import load
from db.views import Listed, line_of
from domain.errors import Unknown
from domain.topics import is_to_warn, same_as
from domain.visibility import Sight

_QUERIES = load("topics")


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """One request in the clear. `author` is the keyed hash of the phone number, None without one."""

    request_id: UUID
    reference: str
    submitted_at: datetime
    title: str
    description: str
    place: str | None
    author: str | None
    category: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """What people told, as it stands in the database."""

    rows: list[asyncpg.Record]

    def opened(self, keys: KeyRing) -> list[Told]:
        """Work for a thread of its own. Raises SealBroken."""
        return [_told(keys, row) for row in self.rows]


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """A topic as one look finds it; `name` and `places` are masked. `requests` are the latest first; `facts` are what the
    notice of a spike is made of."""

    name: str
    places: tuple[str, ...]
    named_after: UUID
    requests: tuple[UUID, ...]
    authors: int
    lately: int
    before: int
    times: float | None
    probability: float
    is_spike: bool
    facts: dict[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Standing:
    """A topic as it stands. `name` is None once the words were erased, until the next look finds others."""

    id: UUID
    name: str | None
    places: tuple[str, ...]
    first_found_at: datetime
    found_at: datetime
    authors: int
    lately: int
    before: int
    times: float | None
    probability: float
    spike: bool
    warned_at: datetime | None


async def told(database: Database, since: datetime, until: datetime, most: int) -> Sealed:
    """The latest requests of a period, without those that are confidential, erased or to be erased."""
    return Sealed(await _QUERIES["told"].rows(database, since_at=since, until_at=until, most=most))


async def keep(
    database: Pool | Connection,
    keys: KeyRing,
    found: Sequence[Found],
    now: datetime,
    window: timedelta,
    lately: timedelta,
) -> list[UUID]:
    """Keeps what a look found, and owes the supervisors a notice for each new spike: the requests that carry them.

    A topic goes on under its id when it shares requests with an earlier one.
    """
    async with transaction(database) as connection:
        await _QUERIES["lock"].value(connection)
        rows = {row["id"]: row for row in await _QUERIES["known"].rows(connection)}
        known = {topic_id: set(row["requests"]) for topic_id, row in rows.items()}
        carriers = []
        for topic, same in zip(found, same_as([set(each.requests) for each in found], known), strict=True):
            earlier = rows[same] if same is not None else None
            if await _keep(connection, keys, topic, earlier, now, lately):
                carriers.append(topic.requests[0])
        await _QUERIES["forget"].run(connection, found_before=now - window)
    return carriers


async def _keep(
    connection: Database, keys: KeyRing, topic: Found, earlier: asyncpg.Record | None, now: datetime, lately: timedelta
) -> bool:
    """Whether it has to be warned of."""
    topic_id: UUID = earlier["id"] if earlier else new_id(now)
    warned_at = earlier["warned_at"] if earlier else None
    warns = is_to_warn(topic.is_spike, bool(earlier and earlier["spike"]), warned_at, now, lately)
    words = json.dumps({"name": topic.name, "places": topic.places}, ensure_ascii=False)
    await _QUERIES["keep"].run(
        connection,
        id=topic_id,
        words_sealed=keys.seal(_place(topic_id), words),
        named_after=topic.named_after,
        found_at=now,
        authors=topic.authors,
        lately=topic.lately,
        before=topic.before,
        times=topic.times,
        probability=topic.probability,
        spike=topic.is_spike,
        warned_at=now if warns else warned_at,
    )
    await _QUERIES["forget_requests"].run(connection, id=topic_id)
    await _QUERIES["keep_requests"].run(connection, id=topic_id, requests=list(topic.requests))
    if warns:
        await _QUERIES["warn"].run(
            connection, request_id=topic.requests[0], sequence=_sequence(topic_id, now), facts=topic.facts, now=now
        )
    return warns


async def standing(database: Database, keys: KeyRing) -> list[Standing]:
    """The topics of the latest look, spikes first and then those with the most authors. Raises SealBroken."""
    return [_standing(keys, row) for row in await _QUERIES["standing"].rows(database)]


async def standing_one(database: Database, keys: KeyRing, topic_id: UUID) -> Standing:
    """Raises Unknown, and SealBroken."""
    row = await _QUERIES["standing_one"].row(database, id=topic_id)
    if row is None:
        raise Unknown("There is no such topic, or it is over.")
    return _standing(keys, row)


async def behind(database: Database, keys: KeyRing, topic_id: UUID, sight: Sight, most: int) -> list[Listed]:
    """The requests behind it that the person may see, the latest first."""
    rows = await _QUERIES["behind"].rows(
        database,
        topic_id=topic_id,
        everything=sight.everything,
        confidential=sight.confidential,
        own=list(sight.departments),
        most=most,
    )
    return [line_of(keys, row) for row in rows]


def _told(keys: KeyRing, row: asyncpg.Record) -> Told:
    return Told(
        request_id=row["request_id"],
        reference=row["reference"],
        submitted_at=row["submitted_at"],
        title=opened(keys, "title", row["request_id"], row["title_sealed"]) or "",
        description=opened(keys, "description", row["request_id"], row["description_sealed"]) or "",
        place=place_of(keys, row),
        author=row["phone_index"].hex() if row["phone_index"] else None,
        category=row["category"],
    )


def _standing(keys: KeyRing, row: asyncpg.Record) -> Standing:
    values: dict[str, Any] = dict(row)
    sealed = values.pop("words_sealed")
    words = json.loads(keys.open(_place(row["id"]), sealed)) if sealed else {}
    return Standing(name=words.get("name"), places=tuple(words.get("places", ())), **values)


def _sequence(topic_id: UUID, now: datetime) -> int:
    """No event owes it. A negative number keeps it apart from the notices of events, and the hour from an earlier spike's."""
    return -1 - (int.from_bytes(topic_id.bytes[-4:], "big") + int(now.timestamp()) // 3600) % (2**31 - 1)


def _place(topic_id: UUID) -> str:
    return f"topics.words:{topic_id}"
