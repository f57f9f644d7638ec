"""The numbers a city is judged by, counted from the read model."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from db.pool import Database
from db.statements import load
from domain.rates import Counts

_QUERIES = load("rates")


class Grouping(StrEnum):
    """By what the requests are told apart."""

    CITY = "city"  # not at all
    DEPARTMENT = "department"
    CATEGORY = "category"
    DISTRICT = "district"


async def counts(
    database: Database, grouping: Grouping, from_at: datetime, to_at: datetime, now: datetime
) -> list[Counts]:
    """One line for each part that has requests submitted from `from_at` until before `to_at`, as they stand now."""
    rows = await _QUERIES["counts"].rows(database, grouping=grouping, from_at=from_at, to_at=to_at, now=now)
    return [Counts(**row) for row in rows]
