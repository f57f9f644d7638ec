"""How a named query becomes a call: db/queries/<subject>.sql is read once, each query keeps its line of purpose.

aiosql reads the files; the calls go straight to asyncpg, because aiosql's own adapter wraps every one of them in a
generator or a context manager and tells the type checker nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import asyncpg
from aiosql.adapters.asyncpg import AsyncPGAdapter
from aiosql.query_loader import QueryLoader

from db.pool import Database
from domain.request import Snapshot

FOLDER = Path(__file__).with_name("queries")


_SNAPSHOT = tuple(field.name for field in fields(Snapshot))


def _with_columns(sql: str) -> str:
    """`{snapshot}` stands for the columns of a snapshot, `{excluded.snapshot}` for those of `excluded`: named one by one, so
    that a statement outlives a new column, and in one place, so that a new attribute is added once."""
    return re.sub(r"\{((?:\w+\.)?)snapshot\}", lambda found: ", ".join(found[1] + column for column in _SNAPSHOT), sql)


@dataclass(frozen=True, slots=True)
class Statement:
    """One named query. Values are given by the names that stand in the SQL; a missing or unknown one is a KeyError."""

    name: str
    purpose: str
    sql: str
    parameters: tuple[str, ...]

    async def rows(self, database: Database, **values: Any) -> list[asyncpg.Record]:
        return await database.fetch(self.sql, *self._in_order(values))

    async def row(self, database: Database, **values: Any) -> asyncpg.Record | None:
        return await database.fetchrow(self.sql, *self._in_order(values))

    async def value(self, database: Database, **values: Any) -> Any:
        return await database.fetchval(self.sql, *self._in_order(values))

    async def run(self, database: Database, **values: Any) -> int:
        """The number of rows that were written."""
        status = await database.execute(self.sql, *self._in_order(values))
        return int(status.rpartition(" ")[2])

    def _in_order(self, values: dict[str, Any]) -> list[Any]:
        if len(values) != len(self.parameters):
            raise KeyError(f"{self.name} takes {', '.join(self.parameters)}")
        return [values[parameter] for parameter in self.parameters]


def load(subject: str) -> dict[str, Statement]:
    """The queries of one subject by name."""
    adapter = AsyncPGAdapter()  # type: ignore[no-untyped-call]
    file = FOLDER / f"{subject}.sql"
    loaded = QueryLoader(adapter, None).load_query_data_from_sql(_with_columns(file.read_text("utf-8")), [], file)
    return {
        query.query_name: Statement(
            query.query_name, query.doc_comments, query.sql, tuple(adapter.var_sorted[query.query_name])
        )
        for query in loaded
    }
