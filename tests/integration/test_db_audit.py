"""The record of looks in the database: appended by many at once, chained by one, never changed."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from activities.auditing import chain_looks
from db import audit
from db.audit import Seen
from db.pool import Pool
from domain.audit import BEGINNING, Head, Kind
from tests.rows import SUNDAY_NOON
from tests.town import until

REFERENCE = "2611-4829-13704"
DISARM = "alter table looks disable trigger all"


async def some_looks(pool: Pool, number: int, who: str = "staff:7") -> None:
    for _ in range(number):
        await audit.record(pool, who, "192.0.2.7", [Seen(Kind.CONTACT, REFERENCE)], SUNDAY_NOON)


async def a_chain(pool: Pool, number: int) -> Head:
    await some_looks(pool, number)
    await audit.chain(pool)
    return await audit.head(pool)


async def test_many_who_look_at_once_end_in_one_whole_chain(pool: Pool) -> None:
    async def chains() -> None:
        for _ in range(20):
            await audit.chain(pool, at_once=7)

    await asyncio.gather(*(some_looks(pool, 25, f"staff:{number}") for number in range(4)), chains(), chains())
    while await audit.chain(pool):
        pass

    verdict = await audit.verify(pool)
    assert (verdict.head.position, verdict.fault, verdict.waiting) == (100, None, 0)


async def test_whoever_looks_waits_for_no_lock(pool: Pool) -> None:
    async with pool.acquire() as other, other.transaction():
        await audit.chain(other)
        await asyncio.wait_for(some_looks(pool, 3), 60)
        assert await audit.chain(pool) == []


async def test_what_shows_nothing_leaves_no_row(pool: Pool) -> None:
    await audit.record(pool, "staff:7", "192.0.2.7", [], SUNDAY_NOON)

    assert await audit.shown(pool, most=9) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update looks set who = 'staff:8'",
        "update looks set position = position + 10",
        "update looks set hash = ''",
        "update looks set position = null, hash = null",
        "delete from looks",
        "truncate looks",
        "truncate looks, requests cascade",
    ],
)
async def test_rows_are_never_changed(pool: Pool, statement: str) -> None:
    await a_chain(pool, 3)

    with pytest.raises(asyncpg.RaiseError, match="recorded for good"):
        await pool.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update looks set who = 'staff:8'",
        "update looks set position = 1",
        "update looks set position = 1, hash = '', reference = null",
        "delete from looks",
    ],
)
async def test_a_row_that_waits_takes_its_place_and_nothing_else(pool: Pool, statement: str) -> None:
    await some_looks(pool, 1)

    with pytest.raises(asyncpg.RaiseError, match="recorded for good"):
        await pool.execute(statement)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        pytest.param("update looks set who = 'staff:8' where position = 3", "Row 3 (", id="a row changed"),
        pytest.param("update looks set reference = null where position = 1", "Row 1 (", id="the first row changed"),
        pytest.param("delete from looks where position = 4", "Row 4 is missing: row 5 follows row 3.", id="a row removed"),
        pytest.param("delete from looks where position < 3", "Row 1 is missing: row 3 follows row 0.", id="the beginning removed"),
        pytest.param(
            "update looks set position = case position when 2 then 30 when 3 then 2 else position end", "Row 2 (", id="rows moved"
        ),
    ],
)  # fmt: skip
async def test_verifying_names_the_first_broken_place(pool: Pool, statement: str, sentence: str) -> None:
    await a_chain(pool, 6)
    await pool.execute(DISARM)
    await pool.execute(statement)

    assert str((await audit.verify(pool)).fault).startswith(sentence)


async def test_a_chain_whose_end_was_cut_off_does_not_reach_what_was_known(pool: Pool) -> None:
    known = await a_chain(pool, 6)
    await a_chain(pool, 3)
    assert (await audit.verify(pool, known)).fault is None
    await pool.execute(DISARM)
    await pool.execute("delete from looks where position > 4")

    assert (await audit.verify(pool)).fault is None
    assert (
        await audit.verify(pool, known)
    ).fault == "The chain ends at row 4, and row 6 was known: its end was cut off."


async def test_a_chain_that_was_written_anew_is_not_the_one_that_was_known(pool: Pool) -> None:
    known = await a_chain(pool, 3)
    await pool.execute(DISARM)
    await pool.execute("delete from looks")
    await a_chain(pool, 3)

    assert (await audit.verify(pool)).fault is None
    assert "Row 3 is not the one that was known" in str((await audit.verify(pool, known)).fault)


async def test_a_worker_chains_what_waits(pool: Pool) -> None:
    async def all_are_chained() -> bool:
        return not (await audit.verify(pool)).waiting

    await some_looks(pool, 2)
    errand = asyncio.create_task(chain_looks(pool))
    try:
        await until(all_are_chained)
    finally:
        errand.cancel()

    assert (await audit.head(pool)).position == 2


async def test_an_empty_chain_is_whole(pool: Pool) -> None:
    verdict = await audit.verify(pool)

    assert (verdict.head, verdict.fault, verdict.waiting) == (BEGINNING, None, 0)
