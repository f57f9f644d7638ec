"""The numbers a city is judged by, counted from the read model, and the requests behind each of them.

A person's numbers are those of the requests that the person may see, so that every list is as long as its number says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.pool import Database
from db.sealing import KeyRing
from db.statements import load
from db.views import BEFORE_THE_FIRST, Page, Position, line_of
from domain.rates import Counts, Figure
from domain.visibility import Sight

_QUERIES = load("rates")


class Grouping(StrEnum):
    """By what the requests are told apart. Days, weeks (from Monday) and months are those of the submission."""

    CITY = "city"  # not at all
    DEPARTMENT = "department"
    CATEGORY = "category"
    DISTRICT = "district"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which requests are looked at: submitted from `from_at` until before `to_at`, seen by that person, and with a code
    only those of that department, category or district. Days begin at midnight in `zone`.
    """

    from_at: datetime
    to_at: datetime
    zone: str
    sight: Sight
    department: str | None = None
    category: str | None = None
    district: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        return {
            "zone": self.zone,
            "from_at": self.from_at,
            "to_at": self.to_at,
            "department": self.department,
            "category": self.category,
            "district": self.district,
            "everything": self.sight.everything,
            "confidential": self.sight.confidential,
            "own": self.sight.departments,
        }


async def counts(database: Database, grouping: Grouping, scope: Scope, now: datetime) -> list[Counts]:
    """One line for each part that has requests, as they stand now. A part of time is named by its first day."""
    rows = await _QUERIES["counts"].rows(database, grouping=grouping, now=now, **scope.values)
    return [Counts(**row) for row in rows]


async def counted(
    database: Database,
    keys: KeyRing,
    figure: Figure,
    grouping: Grouping,
    part: str | None,
    scope: Scope,
    now: datetime,
    *,
    after: Position | None = None,
    limit: int = 50,
) -> Page:
    """A page of the requests that one figure of one part counts, the latest submitted first."""
    before_at, before_id = after or BEFORE_THE_FIRST
    rows = await _QUERIES["counted"].rows(
        database,
        figure=figure,
        grouping=grouping,
        part=part,
        now=now,
        before_at=before_at,
        before_id=before_id,
        # One more than asked for tells whether there is a next page.
        most=limit + 1,
        **scope.values,
    )
    lines = [line_of(keys, row) for row in rows[:limit]]
    return Page(lines, lines[-1].position if len(rows) > limit else None)
