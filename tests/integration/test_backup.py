"""A city in one file and back: all of it or nothing, with the keys elsewhere and nothing of anybody in the clear."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from backup import runs
from backup.archive import MANIFEST, reading
from backup.dump import LEFT_OUT
from backup.making import Source, make
from backup.manifest import DATABASE, BackupUnusable
from backup.restoring import Restored, RestoreRefused, Target, restore
from cli.backup import _references
from db import attachments, backups, erasure, requests, texts
from db.backups import ToBeErased
from db.pool import Pool, open_pool
from db.requests import Contact
from db.sealing import KeyRing
from domain.retention import Because
from supervision.binaries import postgres_binaries
from tests.conftest import FreshDatabase
from tests.rows import SUNDAY_NOON, a_member_of_staff, a_new_request

PROJECT = Path(__file__).parents[2]
KEYS = KeyRing.from_text("old:" + "A" * 43 + "=")
OTHERS = KeyRing.from_text("new:" + "B" * 43 + "=")
SAME_ID = KeyRing.from_text("old:" + "C" * 43 + "=")
PLANTED = ("Wanderbird", "+8613911112222", "forty geese on the roof", "Lane of Seven Geese", "never again geese")


@pytest.fixture(scope="module")
async def city_url(fresh_database: FreshDatabase) -> str:
    """A database with a little of everything that somebody wrote."""
    url = fresh_database()
    async with open_pool(url, size=3) as pool:
        contact = Contact(name=PLANTED[0], phone=PLANTED[1])
        sent = a_new_request(description=PLANTED[2], contact=contact, address=PLANTED[3])
        stored = await requests.submit(pool, KEYS, sent, SUNDAY_NOON)
        await texts.keep(pool, KEYS, stored.request_id, PLANTED[4], SUNDAY_NOON)
        await attachments.keep(
            pool, KEYS, stored.request_id, "citizen", [("image/png", b"forty geese")], SUNDAY_NOON, at_most=5
        )
        staff_id = await a_member_of_staff(pool, "wu", ["handler"], phone=False)
        await pool.execute(
            "insert into sessions (token_hash, staff_id, created_at, expires_at) values ('a', $1, now(), now())",
            staff_id,
        )
    return url


@pytest.fixture(scope="module")
async def backup(city_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the city, with a store of runs."""
    folder = tmp_path_factory.mktemp("backup")
    store = a_store(folder / "temporal")
    await make(Source(city_url, KEYS, store), folder / "city.backup")
    return folder / "city.backup"


def a_store(home: Path, word: str = "kept") -> Path:
    home.mkdir()
    (home / runs.VERSION).write_text("temporal 1")
    store = home / "temporal.db"
    connection = sqlite3.connect(store)
    connection.execute("pragma journal_mode = wal")
    connection.execute("create table runs (word text)")
    connection.execute("insert into runs values (?)", (word,))
    connection.commit()
    connection.close()
    return store


def words_in(store: Path) -> list[str]:
    connection = sqlite3.connect(store)
    try:
        return [word for (word,) in connection.execute("select word from runs")]
    finally:
        connection.close()


async def put_back(path: Path, database_url: str, keys: KeyRing = KEYS, **changes: Any) -> Restored:
    return await restore(path, Target(database_url, keys, **changes))


async def rows_of(database_url: str) -> dict[str, list[Any]]:
    """Every row of every table, but for what is left out on purpose and for the note of the restore."""
    connection = await asyncpg.connect(database_url)
    try:
        names = await connection.fetch(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
        )
        kept = sorted({row["relname"] for row in names} - {*LEFT_OUT, "restores"})
        return {name: sorted(map(repr, await connection.fetch(f'select * from "{name}"'))) for name in kept}
    finally:
        await connection.close()


async def test_everything_comes_back_and_nobody_is_signed_in(city_url: str, backup: Path, database_url: str) -> None:
    restored = await put_back(backup, database_url)
    assert await rows_of(database_url) == await rows_of(city_url)
    async with open_pool(database_url, size=1) as pool:
        assert await pool.fetchval("select count(*) from sessions") == 0
        waiting = await backups.waiting_restore(pool)
        assert waiting is not None
        assert (waiting.id, waiting.runs_copied_at) == (restored.manifest.id, None)
        with pytest.raises(asyncpg.RaiseError):
            await pool.execute("truncate looks")


def test_keys_are_looked_for_in_every_sealed_column() -> None:
    schema = (PROJECT / "db" / "schema.sql").read_text()
    tables = re.findall(r"create table (\w+) \((.*?)\n\);", schema, re.DOTALL)
    columns = {table: re.findall(r"^ +(\w+_sealed) bytea", body, re.MULTILINE) for table, body in tables}
    query = (PROJECT / "db" / "queries" / "backups.sql").read_text()
    looked_at = {(table, column) for column, table in re.findall(r"select (\w+_sealed) from (\w+)", query)}
    assert looked_at == {(table, column) for table, names in columns.items() for column in names}


def test_file_is_for_its_owner_and_holds_nothing_in_the_clear(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with reading(backup) as reader, reader.part(DATABASE) as dump:
        script = subprocess.run(
            [postgres_binaries() / "pg_restore", "--file=-"], input=dump.read(), capture_output=True, check=True
        ).stdout
        everything = script + reader.manifest.written()
    assert b"COPY public.requests" in everything
    hidden = [word for word in PLANTED if word.encode() in everything or word.encode().hex().encode() in everything]
    assert hidden == []
    assert b"AAAAAAAAAAAA" not in everything  # the key
    assert sorted(each.name for each in backup.parent.iterdir()) == ["city.backup", "temporal"]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        pytest.param(OTHERS, "sealed with key old, and HUISHENG_KEYS holds new only", id="another key"),
        pytest.param(SAME_ID, "they bear the same ids, and are others", id="another key of that name"),
    ],
)
async def test_restore_says_plainly_that_the_keys_do_not_fit(
    backup: Path, database_url: str, keys: KeyRing, sentence: str
) -> None:
    before = await rows_of(database_url)
    with pytest.raises(BackupUnusable, match=sentence):
        await put_back(backup, database_url, keys, replace=True)
    assert await rows_of(database_url) == before


async def test_keys_that_were_rotated_since_open_it_as_long_as_the_old_one_is_held(
    backup: Path, database_url: str
) -> None:
    ring = KeyRing.from_text("new:" + "B" * 43 + "=,old:" + "A" * 43 + "=")
    assert (await put_back(backup, database_url, ring)).manifest.keys == ("old",)


def damaged(backup: Path, bad: Path, damage: str) -> Path:
    content = bytearray(backup.read_bytes())
    if damage == "a byte of the dump":
        content[content.index(b"PGDMP") + 400] ^= 1
    elif damage == "cut short":
        del content[len(content) // 2 :]
    elif damage == "no backup at all":
        content = bytearray(b"hello")
    bad.write_bytes(content)
    if damage == "the list changed":
        with zipfile.ZipFile(backup) as old, zipfile.ZipFile(bad, "w") as new:
            for name in old.namelist():
                said = old.read(name)
                new.writestr(name, said.replace(b'"requests": 1', b'"requests": 2') if name == MANIFEST else said)
    return bad


@pytest.mark.parametrize("damage", ["a byte of the dump", "cut short", "the list changed", "no backup at all"])
async def test_damaged_file_is_refused_before_anything_is_touched(
    backup: Path, database_url: str, tmp_path: Path, damage: str
) -> None:
    bad = damaged(backup, tmp_path / "bad.backup", damage)
    before = await rows_of(database_url)
    with pytest.raises(BackupUnusable):
        await put_back(bad, database_url, replace=True)
    assert await rows_of(database_url) == before


async def test_city_that_is_there_is_kept_unless_told_otherwise(backup: Path, database_url: str, pool: Pool) -> None:
    await requests.submit(pool, KEYS, a_new_request(), SUNDAY_NOON)
    before = await rows_of(database_url)
    with pytest.raises(RestoreRefused, match="--replace"):
        await put_back(backup, database_url)
    assert await rows_of(database_url) == before
    await put_back(backup, database_url, replace=True)
    assert await pool.fetchval("select count(*) from requests") == 1


async def test_nobody_may_work_on_the_database_meanwhile(backup: Path, database_url: str) -> None:
    async with open_pool(database_url, size=1, application_name="worker"):
        with pytest.raises(RestoreRefused, match="At work on this database just now: a worker"):
            await put_back(backup, database_url)


async def test_restore_that_is_killed_leaves_the_city_of_before(
    backup: Path, database_url: str, pool: Pool, tmp_path: Path
) -> None:
    await requests.submit(pool, KEYS, a_new_request(), SUNDAY_NOON)
    before = await rows_of(database_url)
    environment = {**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": "old:" + "A" * 43 + "="}
    holder = await asyncpg.connect(database_url)
    # It waits for this lock in the middle of its transaction.
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("select 1 from texts limit 1")
    process = subprocess.Popen(  # noqa: ASYNC220 - it is killed before it has said anything
        [sys.executable, "-m", "cli.main", "restore", str(backup), "--replace", "--yes"],
        cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    query = (
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'huisheng-backup'"
    )
    while not await pool.fetchval(query):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    await transaction.rollback()
    await holder.close()
    while await pool.fetchval("select count(*) from pg_stat_activity where application_name = 'huisheng-backup'"):
        pass
    assert await rows_of(database_url) == before


async def test_store_of_runs_comes_back_with_the_instant_of_its_copy(
    backup: Path, database_url: str, tmp_path: Path
) -> None:
    home = tmp_path / "temporal"
    a_store(home, "of another city")
    restored = await put_back(backup, database_url, runs_home=home, runs_version="temporal 1")
    assert restored.with_runs
    assert words_in(home / "temporal.db") == ["kept"]
    assert os.listdir(tmp_path) == ["temporal"]
    async with open_pool(database_url, size=1) as pool:
        waiting = await backups.waiting_restore(pool)
    assert waiting is not None
    assert waiting.runs_copied_at == restored.manifest.runs_copied_at
    assert restored.manifest.runs_copied_at is not None
    assert restored.manifest.runs_copied_at <= restored.manifest.taken_at


async def test_store_of_another_server_is_left_and_all_runs_come_from_the_database(
    backup: Path, database_url: str, tmp_path: Path
) -> None:
    restored = await put_back(backup, database_url, runs_home=tmp_path / "temporal", runs_version="temporal 2")
    assert not restored.with_runs
    assert not (tmp_path / "temporal").exists()


def test_copy_of_the_store_is_whole_while_somebody_writes(tmp_path: Path) -> None:
    store = a_store(tmp_path / "temporal")
    writer = sqlite3.connect(store)
    writer.execute("insert into runs values ('not committed')")
    runs.copy(store, tmp_path / "copy.db")
    writer.rollback()
    writer.close()
    assert words_in(tmp_path / "copy.db") == ["kept"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


async def test_erasures_since_the_backup_are_demanded_again(city_url: str, database_url: str, tmp_path: Path) -> None:
    async with open_pool(database_url, size=2) as pool:
        stored = [await requests.submit(pool, KEYS, a_new_request(), SUNDAY_NOON) for _ in range(3)]
        await make(Source(database_url, KEYS), tmp_path / "city.backup")
        kept, logged, by_admin = stored
        # By the clock of the API, before it was committed: while the backup was read already.
        at = datetime.now(UTC) - timedelta(seconds=20)
        await erasure.demand(pool, KEYS, by_admin.request_id, Because.ADMIN, "a letter", at)
    restored = await put_back(tmp_path / "city.backup", database_url, replace=True, erased=[logged.reference])
    assert (restored.to_be_erased, restored.asked_before) == (ToBeErased(due=0, waiting=2, unknown=0), True)
    async with open_pool(database_url, size=1) as pool:
        found = await pool.fetch("select request_id, demanded_by, carried_out_at from erasure_demands")
        assert {tuple(row) for row in found} == {
            (by_admin.request_id, "admin", None), (logged.request_id, "citizen", None),
        }  # fmt: skip
        assert await erasure.reason_of(pool, KEYS, UUID(str(by_admin.request_id))) == "a letter"
    assert kept.reference


def test_references_are_read_from_a_list_and_from_a_log(tmp_path: Path) -> None:
    file = tmp_path / "api.log"
    file.write_text(
        "2611-4829-13704\nnot 2611-4829-13705\n"
        '{"event": "erasure_demanded", "reference": "2611-0000-00013"}\n'
        '{"event": "request", "reference": "2611-4829-13704"}\n'
    )
    assert [*_references(file)] == ["2611-4829-13704", "2611-0000-00013"]
