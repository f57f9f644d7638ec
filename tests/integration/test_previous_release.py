"""The release before this one goes on working on a database that this one has migrated: side by side, and when one goes back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from db.migrations import known_versions, status
from db.pool import Connection
from tests.previous.record import Column, Structure, recorded, structure_of
from workflows.contract import KNOWN_PROCEDURES, PROCEDURE

PREVIOUS = recorded()
TIGHTENED: dict[tuple[str, str], str] = {}
"""New rules on old tables that stand, by table and rule, each with the reason why the previous release never breaks it."""

NOT_PLANNED = ("create ", "notify ", "lock ")
"""How statements begin that are carried out without a plan: it is enough that PostgreSQL takes them."""


def missed(before: Structure, now: Structure) -> list[str]:
    """What a program of before would miss, or not know that it has to keep to."""
    columns = [
        f"column {name} was {column.kind}"
        for name, column in before.columns.items()
        if name not in now.columns or now.columns[name].kind != column.kind
    ]
    stricter = [
        f"column {name} must be given"
        for name, column in now.columns.items()
        if name.partition(".")[0] in before.tables and _is_stricter(before.columns.get(name), column)
    ]
    rules = [
        f"new rule on {table}: {rule}"
        for table in before.tables & now.rules.keys()
        for rule in now.rules[table]
        if rule not in before.rules.get(table, ()) and (table, rule) not in TIGHTENED
    ]
    functions = [
        f"function {name} gave {result}"
        for name, result in before.functions.items()
        if now.functions.get(name) != result
    ]
    return [*columns, *stricter, *rules, *functions]


def _is_stricter(before: Column | None, now: Column) -> bool:
    if before is None:
        return now.is_to_be_given
    return (now.not_null and not before.not_null) or (now.is_to_be_given and not before.is_to_be_given)


@pytest.fixture
async def connection(shared_database_url: str) -> AsyncIterator[Connection]:
    """To a migrated database; what a test changes there is undone."""
    connection = await asyncpg.connect(shared_database_url)
    await connection.transaction().start()
    yield connection
    await connection.close()


async def what_fails(connection: Connection, statements: dict[str, str]) -> list[str]:
    """The statements that PostgreSQL does not take, or cannot plan, such as an `on conflict` without its index."""
    failed = []
    for name, sql in statements.items():
        try:
            async with connection.transaction():
                await connection.prepare(sql)
                if not sql.lstrip().lower().startswith(NOT_PLANNED):
                    await connection.execute(f"explain (generic_plan) {sql}")
        except asyncpg.PostgresError as error:
            failed.append(f"{name}: {error.args[0]}")
    return failed


async def test_every_statement_of_the_previous_release_still_runs(connection: Connection) -> None:
    assert await what_fails(connection, PREVIOUS.statements) == []
    assert len(PREVIOUS.statements) > 100


async def test_nothing_that_the_previous_release_relies_on_has_gone_or_become_stricter(connection: Connection) -> None:
    assert missed(PREVIOUS.structure, await structure_of(connection)) == []
    assert {"requests", "snapshots", "events"} <= PREVIOUS.structure.tables


async def test_database_lets_the_previous_release_work(connection: Connection) -> None:
    await connection.execute("insert into schema_migrations values ('20990101000000')")
    oldest_program = (await status(connection)).oldest_program
    assert "" < oldest_program <= PREVIOUS.newest_migration <= known_versions()[-1]


def test_runs_begin_with_a_procedure_that_the_previous_release_knows() -> None:
    """Its workers get such runs while the upgrade is under way, and after going back."""
    assert PROCEDURE in PREVIOUS.knows


def test_runs_that_the_previous_release_began_go_on() -> None:
    assert PREVIOUS.begins_with in KNOWN_PROCEDURES


CHANGES = {
    "a column gone": ("alter table requests drop column place", "column requests.place was text"),
    "a column of another type": ("alter table events alter column sequence type bigint", "column events.sequence was integer"),
    "a column that old programs do not fill": (
        "alter table requests add column x text not null", "column requests.x must be given",
    ),
    "a column that may not be empty any more": (
        "alter table requests alter column place set not null", "column requests.place must be given",
    ),
    "a default gone": (
        "alter table requests alter column confidential drop default", "column requests.confidential must be given",
    ),
    "a table gone": ("drop table topic_requests", "column topic_requests.topic_id was uuid"),
    "a check": ("alter table requests add check (lat > 0)", "new rule on requests: CHECK"),
    "a unique index": ("create unique index u on requests (place)", "new rule on requests: unique index"),
    "a key": ("alter table acts add foreign key (action) references policies (version)", "new rule on acts: FOREIGN KEY"),
    "a trigger": (
        "create trigger t before update on staff for each row execute function refuse_change_of_looks()",
        "new rule on staff: CREATE TRIGGER",
    ),
    "a function gone": ("drop function judged_requests", "function judged_requests"),
}  # fmt: skip


@pytest.mark.parametrize("label", CHANGES)
async def test_change_that_breaks_the_previous_release_is_found(connection: Connection, label: str) -> None:
    change, told = CHANGES[label]
    before = await structure_of(connection)
    await connection.execute(change)
    assert any(each.startswith(told) for each in missed(before, await structure_of(connection)))


async def test_change_that_breaks_nobody_is_let_pass(connection: Connection) -> None:
    before = await structure_of(connection)
    await connection.execute(
        "alter table requests add column x text not null default '', add column y int;"
        "create table matters (id uuid primary key, reference text unique references requests (reference));"
        "create index matters_by_reference on matters (reference);"
        "alter table requests alter column channel drop not null;"
        "create function f() returns int language sql as $$ select 1 $$"
    )
    assert missed(before, await structure_of(connection)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param("alter table inbox drop column attempts", "inbox.", id="a column"),
        pytest.param("alter table policies drop constraint policies_pkey cascade", "on conflict", id="an index"),
    ],
)
async def test_statement_that_does_not_run_any_more_is_found(connection: Connection, change: str, told: str) -> None:
    await connection.execute(change)
    assert any(told in each.lower() for each in await what_fails(connection, PREVIOUS.statements))
