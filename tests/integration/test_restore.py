"""What a restore refuses to destroy or to bring back, and what it says of demands that came after the backup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backup.making import Source, make
from backup.manifest import BackupUnusable
from backup.restoring import RestoreRefused
from cli.backup import _of_erasures
from db import backups, erasure, migrations, requests
from db.backups import ToBeErased
from db.migrations import known_versions, require_version
from db.pool import Pool, open_pool
from domain.retention import Because
from supervision.postgres import PostgresServer
from tests.conftest import FreshDatabase
from tests.integration.test_backup import KEYS, put_back, rows_of
from tests.rows import SUNDAY_NOON, a_member_of_staff, a_new_request

LATER = "20990101000000"


@pytest.fixture(scope="module")
async def backup(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a city with one member of staff."""
    url, path = fresh_database(), tmp_path_factory.mktemp("backup") / "city.backup"
    async with open_pool(url, size=1) as pool:
        await a_member_of_staff(pool, "wu", ["handler"], phone=False)
    await make(Source(url, KEYS), path)
    return path


async def test_furnished_city_is_kept_unless_told_otherwise(backup: Path, database_url: str, pool: Pool) -> None:
    await a_member_of_staff(pool, "li", ["handler"], phone=False)
    with pytest.raises(RestoreRefused, match="There are accounts of staff or policies in this database"):
        await put_back(backup, database_url)
    assert await pool.fetchval("select username from staff") == "li"
    restored = await put_back(backup, database_url, replace=True)
    assert not restored.asked_before, "there was no city that could know of demands"
    assert await pool.fetchval("select username from staff") == "wu"


@pytest.mark.parametrize(
    "making",
    [
        pytest.param("create table orders (id int)", id="a table"),
        pytest.param("create view orders as select 1 as id", id="a view"),
        pytest.param("create function orders() returns int language sql return 1", id="a function"),
    ],
)
async def test_what_is_not_ours_is_never_deleted(backup: Path, database_url: str, pool: Pool, making: str) -> None:
    await pool.execute(making)
    with pytest.raises(RestoreRefused, match=r"stand tables, views or functions that are not ours \(orders\)"):
        await put_back(backup, database_url, replace=True)
    assert await backups.strangers(pool) == ["orders"]


async def test_database_of_somebody_else_is_refused(backup: Path, postgres_server: PostgresServer) -> None:
    postgres_server.make_database("somebody_elses")
    url = postgres_server.url("somebody_elses")
    async with open_pool(url, size=1) as pool:
        await pool.execute(
            "create table schema_migrations (version varchar); insert into schema_migrations values ('1')"
        )
        for number in range(5):
            await pool.execute(f"create table of_others_{number} (id int)")
        with pytest.raises(RestoreRefused, match=r"\(of_others_0, of_others_1, of_others_2 and 2 more\)"):
            await put_back(backup, url, replace=True)


async def migrated_by_a_newer_program(pool: Pool, compatible_from: str) -> None:
    await pool.execute("create table of_later (id int)")
    await pool.execute("insert into schema_migrations values ($1)", LATER)
    await pool.execute("update compatible_from set version = $1", compatible_from)


async def test_backup_made_after_going_back_can_be_put_back(database_url: str, pool: Pool, tmp_path: Path) -> None:
    await migrated_by_a_newer_program(pool, known_versions()[-1])
    await requests.submit(pool, KEYS, a_new_request(), SUNDAY_NOON)
    made = await make(Source(database_url, KEYS), tmp_path / "city.backup")
    assert (made.schema[-1], made.compatible_from) == (LATER, known_versions()[-1])
    before = await rows_of(database_url)
    await pool.execute("truncate requests cascade")
    await put_back(tmp_path / "city.backup", database_url, replace=True)
    assert await rows_of(database_url) == before
    await require_version(pool)


async def test_backup_of_a_database_that_has_left_us_behind_is_refused(
    database_url: str, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrated_by_a_newer_program(pool, LATER)
    with monkeypatch.context() as newer:
        newer.setattr(migrations, "known_versions", lambda: (*known_versions(), LATER))
        await make(Source(database_url, KEYS), tmp_path / "city.backup")
    before = await rows_of(database_url)
    with pytest.raises(BackupUnusable, match=f"The database in the backup is at version {LATER}"):
        await put_back(tmp_path / "city.backup", database_url, replace=True)
    assert await rows_of(database_url) == before


async def test_what_becomes_of_a_demand_is_told_as_it_is(database_url: str, pool: Pool, tmp_path: Path) -> None:
    over, merged, erased = [await requests.submit(pool, KEYS, a_new_request(), SUNDAY_NOON) for _ in range(3)]
    for each, *standing in ((over, "closed", None), (merged, "merged", "in_progress"), (erased, "closed", None)):
        await pool.execute(
            "update snapshots set state = $2, parent_state = $3 where request_id = $1", each.request_id, *standing
        )
    await pool.execute("update requests set erased_at = now() where id = $1", erased.request_id)
    await make(Source(database_url, KEYS), tmp_path / "city.backup")
    later = await requests.submit(pool, KEYS, a_new_request(), SUNDAY_NOON)
    for each in (over, later):
        await erasure.demand(pool, KEYS, each.request_id, Because.CITIZEN, None, datetime.now(UTC))
    references = [each.reference for each in (over, merged, erased)]
    restored = await put_back(tmp_path / "city.backup", database_url, replace=True, erased=references)
    assert restored.to_be_erased == ToBeErased(due=1, waiting=1, unknown=1)
    assert _of_erasures(restored, references).endswith(
        "UTC: 1 carried out within an hour after the start; 1 carried out when the request is over; "
        "1 for a request that the backup does not hold."
    )
