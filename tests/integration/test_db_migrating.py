"""How a migration is applied while people work: nobody waits for long, and what was cut off is mended by the next attempt."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from db import migrating
from db.migrating import Migration, MigrationFailed, apply, read
from db.migrations import migrate
from db.pool import Connection, Pool
from tests.e2e.system import until

ADDS_A_COLUMN = "alter table growing add column more text"
MAKES_AN_INDEX = "create index concurrently if not exists growing_by_id on growing (id)"
VERSION = "20990101000000"


def a_migration(sql: str) -> Migration:
    return Migration(VERSION, f"{VERSION}_for_a_test", sql, in_transaction="concurrently" not in sql)


@pytest.fixture
async def growing(pool: Pool) -> Pool:
    """A database with a table that people work on."""
    await pool.execute("create table growing (id int); insert into growing select generate_series(1, 100)")
    return pool


@asynccontextmanager
async def at_work(pool: Pool, statement: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Somebody has carried that out in a transaction which goes on; gives how to end it."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement)
        yield transaction.commit


@asynccontextmanager
async def applying(url: str, migration: Migration) -> AsyncIterator[tuple[asyncio.Task[None], Connection]]:
    """The migration under way, and its session."""
    connection = await asyncpg.connect(url)
    task = asyncio.create_task(apply(connection, migration))
    try:
        yield task, connection
    finally:
        task.cancel()
        connection.terminate()


async def waits(pool: Pool, connection: Connection) -> None:
    """Until the session waits for somebody else."""

    async def is_waiting() -> bool:
        query = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1"
        return bool(await pool.fetchval(query, connection.get_server_pid()))

    await until(is_waiting, what="that the migration waits")


async def is_noted(pool: Pool) -> bool:
    return bool(await pool.fetchval("select true from schema_migrations where version = $1", VERSION))


async def is_valid(pool: Pool) -> bool | None:
    """None where there is no such index."""
    found: bool | None = await pool.fetchval(
        "select indisvalid from pg_index where indexrelid = to_regclass('growing_by_id')"
    )
    return found


async def test_people_come_through_while_a_migration_waits_for_a_lock(growing: Pool, database_url: str) -> None:
    async with (
        at_work(growing, "lock table growing in access share mode") as end,
        applying(database_url, a_migration(ADDS_A_COLUMN)) as (task, connection),
    ):
        await waits(growing, connection)
        # Whoever comes now stands behind the migration, and must not have to wait until the long work is over.
        async with asyncio.timeout(60):
            assert await growing.fetchval("select count(*) from growing") == 100
        assert not task.done()
        await end()
        await task
    assert await is_noted(growing)
    assert await growing.fetchval("select count(more) from growing") == 0


async def test_lock_that_cannot_be_had_at_all_leaves_everything_as_it_was(growing: Pool) -> None:
    migration = a_migration(f"create table half_done (); {ADDS_A_COLUMN}")
    async with at_work(growing, "lock table growing in access share mode"), growing.acquire() as connection:
        with pytest.raises(MigrationFailed, match=r"did not get it in 1 attempts.*Wait for its end and try again"):
            await apply(connection, migration, attempts=1)
    assert await growing.fetchval("select to_regclass('half_done')") is None
    assert not await is_noted(growing)


async def test_statement_that_would_lock_for_long_is_given_up(growing: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "STATEMENT_TIMEOUT", timedelta(milliseconds=100))
    async with growing.acquire() as connection:
        with pytest.raises(MigrationFailed, match="statement timeout"):
            await apply(connection, a_migration(f"{ADDS_A_COLUMN}; select pg_sleep(30)"))
    assert not await is_noted(growing)


async def test_what_postgresql_says_of_a_row_is_not_told(growing: Pool) -> None:
    await growing.execute("insert into growing values (77077)")
    async with growing.acquire() as connection:
        with pytest.raises(MigrationFailed, match="check constraint") as failed:
            await apply(connection, a_migration("alter table growing add constraint small check (id < 1000)"))
        await growing.execute("insert into growing values (77077)")
        with pytest.raises(MigrationFailed, match="unique index") as doubled:
            await apply(connection, a_migration("create unique index growing_once on growing (id)"))
    assert "77077" not in failed.value.message + doubled.value.message


async def test_index_is_made_while_others_write(growing: Pool, database_url: str) -> None:
    async with (
        at_work(growing, "insert into growing values (101)") as end,
        applying(database_url, a_migration(MAKES_AN_INDEX)) as (task, connection),
    ):
        await waits(growing, connection)
        await growing.execute("insert into growing values (102)")
        assert await is_valid(growing) is False
        await end()
        await task
    assert await is_valid(growing)
    assert await is_noted(growing)


async def test_index_whose_making_was_cut_off_is_made_anew(growing: Pool, database_url: str) -> None:
    async with (
        at_work(growing, "insert into growing values (101)") as end,
        applying(database_url, a_migration(MAKES_AN_INDEX)) as (task, connection),
    ):
        await waits(growing, connection)
        await growing.execute("select pg_terminate_backend($1)", connection.get_server_pid())
        with pytest.raises(MigrationFailed, match="everything works as before"):
            await task
        await end()
    assert (await is_valid(growing), await is_noted(growing)) == (False, False)
    async with growing.acquire() as connection:
        await apply(connection, a_migration(MAKES_AN_INDEX))
    assert (await is_valid(growing), await is_noted(growing)) == (True, True)


async def test_index_that_was_finished_and_not_noted_is_noted(growing: Pool) -> None:
    await growing.execute(MAKES_AN_INDEX)
    async with growing.acquire() as connection:
        await apply(connection, a_migration(MAKES_AN_INDEX))
    assert (await is_valid(growing), await is_noted(growing)) == (True, True)


async def test_index_is_made_although_another_program_waits_to_migrate(
    growing: Pool, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait inside PostgreSQL for the lock on migrating would be waited for by the index: each for the other."""
    folder = shutil.copytree(migrating.FOLDER, tmp_path / "migrations")
    (folder / f"{VERSION}_index.sql").write_text(f"-- migrate:up transaction:false\n{MAKES_AN_INDEX};\n")
    monkeypatch.setattr(migrating, "FOLDER", folder)
    found = await asyncio.gather(*(asyncio.to_thread(migrate, database_url, attempts=1) for _ in range(3)))
    assert sorted(status.pending for status in found) == [(), (), (VERSION,)]
    assert await is_valid(growing)


def test_file_that_is_no_migration_is_named(tmp_path: Path) -> None:
    file = tmp_path / "1_empty.sql"
    file.write_text("create table x ();\n")
    with pytest.raises(MigrationFailed, match=r"1_empty\.sql is no migration"):
        read(file)
