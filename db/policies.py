"""The city's policies, each under the hash of its content, of which one is active."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from db.pool import Connection, Database, Pool, transaction
from db.statements import load
from domain.request import OPEN

_QUERIES = load("policies")


class Version(NamedTuple):
    """One policy that was loaded."""

    version: str
    city: str
    loaded_at: datetime
    active: bool


async def activate(
    database: Pool | Connection, version: str, city: str, content: Mapping[str, Any], now: datetime
) -> None:
    """Keeps the policy and makes it the one that new decisions follow; requests in flight keep theirs."""
    async with transaction(database) as connection:
        await _QUERIES["store"].run(connection, version=version, city=city, content=content, loaded_at=now)
        await _QUERIES["deactivate"].run(connection, version=version)
        await _QUERIES["activate"].run(connection, version=version)


async def active_version(database: Database) -> str | None:
    """The version that new decisions follow; None before the first was loaded."""
    version: str | None = await _QUERIES["active_version"].value(database)
    return version


async def content_of(database: Database, version: str) -> dict[str, Any] | None:
    content: dict[str, Any] | None = await _QUERIES["content"].value(database, version=version)
    return content


async def keep(database: Pool | Connection, version: str, city: str, content: Mapping[str, Any], now: datetime) -> None:
    """Keeps the policy without making it the one in force."""
    async with transaction(database) as connection:
        await _QUERIES["store"].run(connection, version=version, city=city, content=content, loaded_at=now)


async def in_flight(database: Database) -> list[tuple[str, int]]:
    """How many open requests stand under which version, the most first."""
    rows = await _QUERIES["in_flight"].rows(database, states=list(OPEN))
    return [(row["version"], row["requests"]) for row in rows]


async def references_under(database: Database, version: str) -> list[str]:
    """The open requests under that version, the oldest first."""
    rows = await _QUERIES["references_under"].rows(database, version=version, states=list(OPEN))
    return [row["reference"] for row in rows]


async def versions(database: Database) -> list[Version]:
    """All versions, the latest loaded first."""
    return [Version(**row) for row in await _QUERIES["versions"].rows(database)]
