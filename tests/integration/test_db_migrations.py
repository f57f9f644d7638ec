"""Migrations: they make what db/schema.sql says, once, whoever asks at the same time; a foreign version is refused."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from db import migrations
from db.migrations import MigrationFailed, SchemaMismatch, known_versions, migrate, require_version
from supervision.binaries import postgres_binaries
from supervision.postgres import PostgresServer
from tests.conftest import FreshDatabase

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


@pytest.mark.parametrize(
    ("label", "change", "sentence"),
    [
        (
            "empty",
            "drop table schema_migrations",
            "is at version none, this program needs {0}: run `huisheng db migrate`",
        ),
        (
            "older",
            "delete from schema_migrations",
            "is at version none, this program needs {0}: run `huisheng db migrate`",
        ),
        (
            "newer",
            "insert into schema_migrations values ('20990101000000')",
            "is at version 20990101000000, which is newer than this program knows (it needs {0}): install the newer program",
        ),
    ],
)
async def test_version_that_does_not_fit_is_refused_with_what_to_do(
    database_url: str, label: str, change: str, sentence: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(change)
    with pytest.raises(SchemaMismatch, match=re.escape(sentence.format(known_versions()[-1]))):
        await require_version(connection)
    await connection.close()


async def test_migrating_a_newer_database_is_refused(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("insert into schema_migrations values ('20990101000000')")
    await connection.close()
    with pytest.raises(SchemaMismatch, match="install the newer program"):
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
    for file in migrations.FOLDER.glob("*.sql"):
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


def test_command_says_in_a_sentence_that_the_database_is_away() -> None:
    refused = huisheng_db("migrate", "postgresql://name:a-secret-password@127.0.0.1:1/huisheng")
    assert refused.returncode == 1
    assert "cannot be used (ConnectionRefusedError)" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "a-secret-password" not in refused.stderr


def test_address_for_dbmate_has_no_tls_on_this_machine_and_keeps_what_was_asked_for(
    fresh_database: FreshDatabase,
) -> None:
    addresses = {
        "postgresql://a:b@127.0.0.1:5432/c": "sslmode=disable",
        "postgresql://a:b@localhost/c?sslmode=require": "sslmode=require",
        "postgresql://a:b@db.example/c": "",
    }
    for given, query in addresses.items():
        parts = urlsplit(migrations._dbmate_url(given))
        assert (parts.scheme, parts.query) == ("postgres", query)
