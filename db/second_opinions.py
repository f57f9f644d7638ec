"""The budget for second opinions: tokens by day, counted before they are spent, for all workers together."""

from __future__ import annotations

from datetime import date

from db.pool import Database
from db.statements import load

_QUERIES = load("second_opinions")


async def reserve(database: Database, day: date, tokens: int, most: int) -> bool:
    """Takes the tokens from that day's budget of `most`; False, and nothing taken, where they do not fit into it."""
    return await _QUERIES["reserve"].row(database, day=day, tokens=tokens, most=most) is not None


async def settle(database: Database, day: date, reserved: int, spent: int) -> None:
    """What was reserved becomes what was spent, more or less."""
    await _QUERIES["settle"].run(database, day=day, change=spent - reserved)


async def spent(database: Database, day: date) -> int:
    return int(await _QUERIES["spent"].value(database, day=day) or 0)
