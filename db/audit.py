"""The record of who looked at personal data: written before the data is shown, chained by one worker at a time.

Whoever shows something only adds a row and waits for nobody; the order of the chain is the order in which the rows are
chained (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from db.ids import new_id
from db.pool import Connection, Database, Pool, transaction
from db.statements import load
from domain.audit import BEGINNING, Head, Kind, Link, Look, chained, fault_of

_QUERIES = load("audit")

# Any number will do that nothing else on this database locks.
_LOCK = 0x4875_6973_6C6F_6F6B
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Seen:
    """What was shown: the request where it was one, and how many where they were several."""

    kind: Kind
    reference: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """A look with the name of whoever it was; None for a command, and for an account that is gone."""

    look: Look
    name: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a check: where the chain ends, how many rows wait for their place since when, and what is wrong first."""

    head: Head
    waiting: int
    waiting_since: datetime | None
    fault: str | None


async def record(database: Database, who: str, address: str, seen: Sequence[Seen], now: datetime) -> None:
    """Must be done before anything is shown: where it fails, nothing is."""
    if seen:
        await _QUERIES["record"].run(
            database,
            ids=[new_id(now) for _ in seen],
            looked_at=now,
            who=who,
            kinds=[each.kind for each in seen],
            refs=[each.reference for each in seen],
            counts=[each.count for each in seen],
            address=address,
        )


async def chain(database: Pool | Connection, *, at_once: int = _AT_ONCE) -> list[Link]:
    """Gives the oldest looks that wait their places in the chain; nothing while somebody else is at it."""
    async with transaction(database) as connection:
        if not await _QUERIES["lock"].value(connection, key=_LOCK):
            return []
        looks = [_look(row) for row in await _QUERIES["not_chained"].rows(connection, most=at_once)]
        links = chained(await head(connection), looks)
        if links:
            await _QUERIES["chain"].run(
                connection,
                ids=[link.look.id for link in links],
                positions=[link.position for link in links],
                hashes=[link.hash for link in links],
            )
    return links


async def head(database: Database) -> Head:
    """Where the chain ends."""
    row = await _QUERIES["head"].row(database)
    return Head(row["position"], row["hash"]) if row else BEGINNING


async def verify(database: Database, known: Head | None = None) -> Verdict:
    """Walks along the whole chain. It must pass through a head that is `known` from elsewhere."""
    at, fault, passed = BEGINNING, None, known is None or known == BEGINNING
    async for link in _links(database):
        if fault := fault_of(at, link):
            break
        at = Head(link.position, link.hash)
        if known is not None and known.position == at.position:
            passed = known == at
            if not passed:
                fault = f"Row {at.position} is not the one that was known: the chain was written anew, up to there or further."
                break
    if not fault and not passed and known is not None:
        fault = f"The chain ends at row {at.position}, and row {known.position} was known: its end was cut off."
    waiting = await _QUERIES["waiting"].row(database)
    assert waiting is not None
    return Verdict(at, waiting["number"], waiting["since"], fault)


async def shown(database: Database, *, reference: str | None = None, who: str | None = None, most: int) -> list[Shown]:
    """The latest looks at a request or of a person, the latest last."""
    rows = await _QUERIES["shown"].rows(database, reference=reference, who=who, most=most)
    return [Shown(_look(row), row["name"], row["username"]) for row in reversed(rows)]


async def _links(database: Database) -> AsyncIterator[Link]:
    after = 0
    while rows := await _QUERIES["links"].rows(database, after=after, most=_AT_ONCE):
        for row in rows:
            yield Link(row["position"], _look(row), row["hash"])
        after = rows[-1]["position"]


def _look(row: asyncpg.Record) -> Look:
    return Look(
        id=row["id"],
        looked_at=row["looked_at"],
        who=row["who"],
        kind=row["kind"],
        reference=row["reference"],
        count=row["count"],
        address=row["address"],
    )
