"""Migrations: they make what db/schema.sql says, once, whoever asks at the same time; a database that does not fit is refused."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from db import migrations
from db.migrating import FOLDER, MigrationFailed
from db.migrations import SchemaMismatch, known_versions, migrate, require_version
from supervision.binaries import postgres_binaries
from supervision.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "db" / "schema.sql"


def an_empty_database(server: PostgresServer, name: str) -> str:
    server.make_database(name)
    return server.url(name)


def the_structure(url: str) -> str:
    """All that pg_dump finds, without its comments, its random words and dbmate's own table."""
    command = [
        str(postgres_binaries() / "pg_dump"),
        "--schema-only",
        "--no-owner",
        "--exclude-table=schema_migrations",
        url,
    ]
    dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = (line for line in dumped.splitlines() if not re.match(r"--|\\(un)?restrict ", line))
    return "\n".join(line for line in lines if line)


async def test_migrations_make_exactly_the_schema_that_one_reads(
    postgres_server: PostgresServer, database_url: str
) -> None:
    by_schema = an_empty_database(postgres_server, "made_by_schema_sql")
    connection = await asyncpg.connect(by_schema)
    await connection.execute(SCHEMA.read_text())
    await connection.close()
    assert the_structure(by_schema) == the_structure(database_url)
    assert "CREATE TABLE public.requests" in the_structure(by_schema)


def test_migrations_run_at_the_same_time_apply_once(postgres_server: PostgresServer) -> None:
    url = an_empty_database(postgres_server, "migrated_by_three")

    async def three() -> list[migrations.Status]:
        return await asyncio.gather(*(asyncio.to_thread(migrate, url) for _ in range(3)))

    found = asyncio.run(three())
    assert sorted(len(status.pending) for status in found) == [0, 0, len(known_versions())]


async def test_migrations_may_be_called_while_a_loop_runs(postgres_server: PostgresServer) -> None:
    url = an_empty_database(postgres_server, "migrated_in_a_loop")
    assert migrate(url).applied == ()
    assert migrate(url).applied == known_versions()


async def test_version_is_right_after_migrating(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await require_version(connection)
    await connection.close()


FUTURE = "20990101000000"
NEWER = f"insert into schema_migrations values ('{FUTURE}')"
TOO_NEW = f"{NEWER}; update compatible_from set version = '{FUTURE}'"
LEFT_BEHIND = (
    f"is at version {FUTURE}, with which programs older than {FUTURE} cannot work; this one is of {{0}}: "
    "install the newer program"
)
TO_MIGRATE = "is at version {0}, this program needs {1}: run `huisheng db migrate`"


async def changed(database_url: str, change: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(change)
    await connection.close()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param("drop table schema_migrations", TO_MIGRATE.format("none", "{0}"), id="empty"),
        pytest.param("delete from schema_migrations", TO_MIGRATE.format("none", "{0}"), id="older"),
        pytest.param(TOO_NEW, LEFT_BEHIND, id="newer, and no longer for us"),
        pytest.param(
            f"{TOO_NEW}; delete from schema_migrations where version = '20261122000020'",
            TO_MIGRATE.format(FUTURE, "{0}"),
            id="migrated by somebody else",
        ),
    ],
)
async def test_version_that_does_not_fit_is_refused_with_what_to_do(
    database_url: str, change: str, sentence: str
) -> None:
    await changed(database_url, change)
    connection = await asyncpg.connect(database_url)
    with pytest.raises(SchemaMismatch, match=re.escape(sentence.format(known_versions()[-1]))):
        await require_version(connection)
    await connection.close()


async def test_program_works_with_a_database_that_a_newer_one_has_migrated(database_url: str) -> None:
    await changed(database_url, NEWER)
    connection = await asyncpg.connect(database_url)
    found = await require_version(connection)
    await connection.close()
    assert (found.unknown, found.oldest_program) == ((FUTURE,), "20261122000021")
    assert migrate(database_url) == found


async def test_database_that_has_left_the_program_behind_is_not_migrated(database_url: str) -> None:
    await changed(database_url, TOO_NEW)
    with pytest.raises(SchemaMismatch, match="install the newer program"):
        migrate(database_url)


async def test_migration_between_those_that_are_applied_is_refused(database_url: str) -> None:
    await changed(database_url, "delete from schema_migrations where version = '20261122000010'")
    with pytest.raises(MigrationFailed, match="comes before"):
        migrate(database_url)


async def test_migration_that_fails_says_why_and_leaves_nothing_half_done(postgres_server: PostgresServer) -> None:
    url = an_empty_database(postgres_server, "with_a_stranger_in_it")
    connection = await asyncpg.connect(url)
    await connection.execute("create table outbox (made_by text)")
    with pytest.raises(MigrationFailed, match='relation "outbox" already exists'):
        migrate(url)
    assert await connection.fetchval("select to_regclass('requests')") is None
    await connection.close()


def test_migrations_fit_their_names_and_can_be_taken_back(postgres_server: PostgresServer) -> None:
    for file in FOLDER.glob("*.sql"):
        assert re.fullmatch(r"\d{14}_[a-z_]+\.sql", file.name)
        up, down = file.read_text().split("-- migrate:down")
        assert up.startswith("-- migrate:up")
        assert down.strip()


def huisheng_db(command: str, url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url, "HUISHENG_KEYS": "1:" + "A" * 43 + "="}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "db", command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )


def test_command_migrates_and_tells_the_version(postgres_server: PostgresServer) -> None:
    url = an_empty_database(postgres_server, "migrated_by_command")
    latest = known_versions()[-1]
    before = huisheng_db("status", url)
    assert (before.returncode, "Run `huisheng db migrate`" in before.stderr) == (1, True)
    assert huisheng_db("migrate", url).stdout.startswith("Applied ")
    assert huisheng_db("migrate", url).stdout == f"Nothing to do: the database is at version {latest}.\n"
    assert huisheng_db("status", url).returncode == 0


async def test_command_goes_on_with_a_newer_database_and_refuses_one_that_has_left_it_behind(database_url: str) -> None:
    await changed(database_url, NEWER)
    latest = known_versions()[-1]
    told = huisheng_db("status", database_url)
    assert (told.returncode, "newer than this program" in told.stdout) == (0, True)
    assert huisheng_db("migrate", database_url).stdout == (
        f"Nothing to do: the database is at version {FUTURE}, newer than this program's {latest}, which works with it.\n"
    )
    await changed(database_url, f"update compatible_from set version = '{FUTURE}'")
    refused = [huisheng_db(command, database_url) for command in ("status", "migrate")]
    assert [each.returncode for each in refused] == [1, 1]
    assert all("install the newer program" in each.stderr.lower() for each in refused)


def test_command_says_in_a_sentence_that_the_database_is_away() -> None:
    refused = huisheng_db("migrate", "postgresql://name:a-secret-password@127.0.0.1:1/huisheng")
    assert refused.returncode == 1
    assert "cannot be used (ConnectionRefusedError)" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "a-secret-password" not in refused.stderr
