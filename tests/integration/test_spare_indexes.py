"""The embedded Temporal server keeps the indexes that somebody asks by, and finds runs by each registered attribute."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from supervision import spare_indexes
from supervision.spare_indexes import RUNS, drop_spare_indexes
from supervision.temporal import SEARCH_ATTRIBUTES, TemporalServer
from tests.servers import a_temporal_server
from tests.town import until
from workflows import visibility

STAY = {
    "sqlite_autoindex_executions_visibility_1", "default_idx", "by_workflow_id", "by_workflow_type", "by_status",
    "by_parent_workflow_id", "by_root_workflow_id", "by_temporal_scheduled_by_id", "by_temporal_namespace_division",
}  # fmt: skip
LATER = datetime(2026, 3, 3, tzinfo=UTC)
SOME = {"Int": 2, "Datetime": datetime(2026, 3, 2, tzinfo=UTC)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    with a_temporal_server(tmp_path_factory.mktemp("spare")) as started:
        yield started


def indexes(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("select name from sqlite_master where type = 'index' and tbl_name = ?", (RUNS,))
        return {name for (name,) in found}


def numbered(names: set[str]) -> set[str]:
    """Those of the columns that await an attribute."""
    return {name for name in names if name[-2:].isdigit()}


async def test_indexes_that_nobody_asks_by_go_and_each_attribute_finds_its_run(server: TemporalServer) -> None:
    before = indexes(server.database)
    server.settle()
    after = indexes(server.database)
    assert (len(before), len(numbered(before)), len(numbered(after))) == (59, 35, len(visibility.ATTRIBUTES))
    assert after - numbered(after) == STAY

    client = await Client.connect(server.address)
    pairs: list[Any] = [
        SearchAttributePair(key, SOME.get(SEARCH_ATTRIBUTES[key.name], "a_code")) for key in visibility.ATTRIBUTES
    ]
    attributes = TypedSearchAttributes(pairs)
    await client.start_workflow("Nothing", id="one", task_queue="nobody", search_attributes=attributes)
    queries = [f"{pair.key.name} {_is(pair.value)}" for pair in pairs]

    async def is_found() -> bool:
        return all([(await client.count_workflows(query)).count == 1 for query in queries])

    await until(is_found)


def _is(value: object) -> str:
    # Instants are kept with another number of digits than they are asked for with.
    return f"BETWEEN '{value.isoformat()}' AND '{LATER.isoformat()}'" if isinstance(value, datetime) else f"= {value!r}"


def test_dropping_again_changes_nothing(server: TemporalServer) -> None:
    server.settle()
    before = indexes(server.database)
    server.settle()
    assert indexes(server.database) == before


def test_nothing_is_dropped_while_somebody_else_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare_indexes, "_LONGEST_WAIT_SECONDS", 0.1)
    database = tmp_path / "temporal.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as somebody:
        somebody.executescript(
            f"create table {RUNS} (namespace_id text, Keyword01 text, Bool01 text);"
            f"create index by_keyword_01 on {RUNS} (namespace_id, Keyword01);"
            f"create index by_bool_01 on {RUNS} (namespace_id, Bool01);"
        )
        somebody.execute("begin immediate")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            drop_spare_indexes(database, {"Keyword01"})
        somebody.execute("rollback")
    assert indexes(database) == {"by_keyword_01", "by_bool_01"}
    assert drop_spare_indexes(database, {"Keyword01"}) == ["by_bool_01"]
