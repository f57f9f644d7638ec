"""The books, read to see whether they balance: what is still to be done, and what became of a number of requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from db.pool import Database
from db.statements import load

_QUERIES = load("reconciliation")


class Standing(NamedTuple):
    """Where one request stands."""

    reference: str
    state: str
    outcome: str | None


class Happened(NamedTuple):
    """How often an action was taken by a kind of actor. `detail` is to whom, why, to which level or what, by the action."""

    action: str
    actor_kind: str
    detail: str | None
    times: int
    requests: int


class NoticeBooks(NamedTuple):
    """The notices by state, how many went out more than once, and how many messages the console provider kept."""

    by_state: dict[str, int]
    sent_more_than_once: int
    kept: int


async def unfinished(database: Database) -> int:
    """How many messages, first looks and notices the system has still to do by itself."""
    return int(await _QUERIES["unfinished"].value(database))


async def unfinished_messages(database: Database) -> int:
    """How many messages of citizens wait to be delivered."""
    return int(await _QUERIES["unfinished_messages"].value(database))


async def missing(database: Database, references: Sequence[str]) -> list[str]:
    """Those of the references of which there is no request, or none whose submission was kept for its run."""
    return [row["reference"] for row in await _QUERIES["missing"].rows(database, references=references)]


async def stored(database: Database, references: Sequence[str]) -> list[Standing]:
    return [Standing(**row) for row in await _QUERIES["stored"].rows(database, references=references)]


async def happened(database: Database, references: Sequence[str]) -> list[Happened]:
    return [Happened(**row) for row in await _QUERIES["happened"].rows(database, references=references)]


async def undelivered(database: Database, references: Sequence[str]) -> int:
    """How many messages of these requests wait to be delivered."""
    return int(await _QUERIES["undelivered"].value(database, references=references))


async def broken_timelines(database: Database, references: Sequence[str]) -> list[str]:
    """The requests whose events have a gap or do not agree with the snapshot."""
    return [row["reference"] for row in await _QUERIES["broken_timelines"].rows(database, references=references)]


async def notice_books(database: Database, references: Sequence[str]) -> NoticeBooks:
    by_state = {row["state"]: row["number"] for row in await _QUERIES["notices"].rows(database, references=references)}
    twice = await _QUERIES["sent_more_than_once"].value(database, references=references)
    kept = await _QUERIES["kept_messages"].value(database, references=references)
    return NoticeBooks(by_state, int(twice), int(kept))
