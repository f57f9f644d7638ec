"""What the embedded Temporal server's list of runs costs: it keeps sixty indexes, one for whatever anybody may ask by.

With every change of a run's search attributes SQLite writes the entries of nearly all of them anew. Those stay that somebody asks by;
without its index a column can still be asked for, more slowly (docs/decisions/0032).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

RUNS = "executions_visibility"

ASKED = frozenset({
    "workflow_id", "workflow_type_name", "status",  # our own queries, and every list of the Web UI
    "parent_workflow_id", "root_workflow_id",  # the relations that the Web UI shows of a run
    "TemporalScheduledById",  # the runs of a schedule
    "TemporalNamespaceDivision",  # what the server puts into each query: schedules are no runs of ours
})  # fmt: skip
"""The columns beside those of search attributes."""

_LONGEST_WAIT_SECONDS = 10.0

_INDEXES = """
    select indexes.name, columns.name
    from sqlite_master as indexes, pragma_index_info(indexes.name) as columns
    where indexes.type = 'index' and indexes.tbl_name = ? and indexes.sql is not null and columns.seqno = 1
"""
"""Each with the column that comes after the namespace; the index of the list as it is shown begins with an expression."""


def drop_spare_indexes(database: Path, named: Collection[str]) -> list[str]:
    """Drops the indexes of columns that nobody asks by, and says which; the server may be at work meanwhile.

    `named` are the columns that stand for a search attribute, as the namespace tells them. Raises sqlite3.Error; then nothing
    was dropped.
    """
    with closing(sqlite3.connect(database, timeout=_LONGEST_WAIT_SECONDS, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        found = connection.execute(_INDEXES, (RUNS,)).fetchall()
        spare = sorted(index for index, column in found if column and column not in ASKED and column not in named)
        for index in spare:
            connection.execute(f'drop index "{index}"')
        connection.execute("commit")
    return spare
