"""Accounts, sessions, the counters that slow down guessing, and one-time codes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from db import one_time_codes, sessions, staff, throttles
from db.pool import Pool, transaction
from db.sealing import KeyRing
from db.staff import Account, NewAccount, Place
from domain.errors import Unknown
from tests.rows import PHONE, SUNDAY_NOON, a_submitted_request

HOUR = timedelta(hours=1)
LAMPS = NewAccount(
    username="Lamps",
    name="灯光所",
    password_hash="a hash",
    roles=("handler",),
    departments=(Place("lighting", lead=True), Place("housing")),
    phone=PHONE,
)


async def test_account_is_found_in_whichever_case_with_roles_and_departments(pool: Pool, keys: KeyRing) -> None:
    staff_id = await staff.save(pool, keys, LAMPS, SUNDAY_NOON)
    account = await staff.by_username(pool, "lAmps")
    assert account is not None
    assert (account.id, account.username, account.name, account.roles) == (staff_id, "lamps", "灯光所", ("handler",))
    assert set(account.departments) == {Place("lighting", lead=True), Place("housing")}
    assert (account.active, account.demo, account.language) == (True, False, "zh")
    assert "a hash" not in repr(account)
    assert await staff.by_username(pool, "nobody") is None
    assert await staff.names(pool, [staff_id, uuid4()]) == {staff_id: "灯光所"}


async def test_account_saved_again_is_changed_and_keeps_its_id(pool: Pool, keys: KeyRing) -> None:
    staff_id = await staff.save(pool, keys, LAMPS, SUNDAY_NOON)
    changed = replace(LAMPS, name="Lamps", roles=("dispatcher",), departments=(Place("roads"),), demo=True)
    assert await staff.save(pool, keys, changed, SUNDAY_NOON) == staff_id
    (account,) = await staff.everybody(pool)
    assert (account.name, account.roles, account.departments, account.demo) == (
        "Lamps", ("dispatcher",), (Place("roads"),), True,
    )  # fmt: skip


async def test_phone_of_staff_is_sealed_where_the_notices_look_for_it(pool: Pool, keys: KeyRing) -> None:
    staff_id = await staff.save(pool, keys, LAMPS, SUNDAY_NOON)
    sealed = await pool.fetchval("select phone_sealed from staff")
    assert keys.open(f"staff.phone:{staff_id}", sealed) == PHONE


async def an_account(pool: Pool, keys: KeyRing) -> Account:
    await staff.save(pool, keys, LAMPS, SUNDAY_NOON)
    account = await staff.by_username(pool, LAMPS.username)
    assert account is not None
    return account


async def a_session(pool: Pool, account: Account, now: datetime = SUNDAY_NOON) -> str:
    token = await sessions.open_session(pool, account, now, HOUR)
    assert token is not None
    return token


async def test_session_opens_until_it_ends(pool: Pool, keys: KeyRing) -> None:
    token = await a_session(pool, await an_account(pool, keys))
    account = await sessions.find(pool, token, SUNDAY_NOON)
    assert account == await staff.by_username(pool, "lamps")
    assert await sessions.find(pool, token, SUNDAY_NOON + HOUR) is None
    assert await sessions.find(pool, "another token", SUNDAY_NOON) is None
    assert token not in str(await pool.fetch("select * from sessions"))


async def test_session_that_was_closed_opens_nothing(pool: Pool, keys: KeyRing) -> None:
    lamps = await an_account(pool, keys)
    closed, other = [await a_session(pool, lamps) for _ in range(2)]
    await sessions.close(pool, closed)
    assert await sessions.find(pool, closed, SUNDAY_NOON) is None
    assert await sessions.find(pool, other, SUNDAY_NOON) is not None


async def test_sessions_that_have_ended_are_forgotten_at_the_next_signing_in(pool: Pool, keys: KeyRing) -> None:
    lamps = await an_account(pool, keys)
    for day in range(3):
        await a_session(pool, lamps, SUNDAY_NOON + timedelta(days=day))
    assert await pool.fetchval("select count(*) from sessions") == 1


async def test_closing_an_account_or_changing_its_password_signs_out(pool: Pool, keys: KeyRing) -> None:
    token = await a_session(pool, await an_account(pool, keys))
    await staff.set_password(pool, "LAMPS", "another hash")
    assert await sessions.find(pool, token, SUNDAY_NOON) is None
    changed = await staff.by_username(pool, "lamps")
    assert changed is not None
    token = await a_session(pool, changed)
    await staff.set_active(pool, "lamps", False)
    assert await sessions.find(pool, token, SUNDAY_NOON) is None
    account = await staff.by_username(pool, "lamps")
    assert account is not None
    assert (account.active, account.password_hash) == (False, "another hash")


async def test_whoever_comes_in_while_the_password_changes_or_the_account_closes_stays_out(
    pool: Pool, keys: KeyRing
) -> None:
    read_before = await an_account(pool, keys)
    await staff.set_password(pool, "lamps", "another hash")
    assert await sessions.open_session(pool, read_before, SUNDAY_NOON, HOUR) is None
    await staff.set_active(pool, "lamps", False)
    closed = await staff.by_username(pool, "lamps")
    assert closed is not None
    assert await sessions.open_session(pool, closed, SUNDAY_NOON, HOUR) is None
    assert await pool.fetchval("select count(*) from sessions") == 0


async def test_coming_in_waits_for_a_change_of_password_that_is_under_way(pool: Pool, keys: KeyRing) -> None:
    read_before = await an_account(pool, keys)
    async with transaction(pool) as connection:
        await staff.set_password(connection, "lamps", "another hash")
        coming = asyncio.create_task(sessions.open_session(pool, read_before, SUNDAY_NOON, HOUR))
        while not await pool.fetchval("select exists (select from pg_locks where not granted)"):
            assert not coming.done()
    assert await coming is None


async def test_account_that_does_not_exist_cannot_be_changed(pool: Pool) -> None:
    with pytest.raises(Unknown):
        await staff.set_password(pool, "nobody", "a hash")
    with pytest.raises(Unknown):
        await staff.set_active(pool, "nobody", True)


# --- counters -------------------------------------------------------------------------------------------------------


async def test_counter_lets_as_many_through_as_its_limit(pool: Pool, keys: KeyRing) -> None:
    waits = [await throttles.count(pool, keys, "a", 3, HOUR, SUNDAY_NOON) for _ in range(5)]
    assert waits == [None, None, None, 3600, 3600]
    assert await throttles.count(pool, keys, "b", 3, HOUR, SUNDAY_NOON) is None


async def test_counter_begins_again_when_its_window_has_passed(pool: Pool, keys: KeyRing) -> None:
    for minutes in (0, 30):
        await throttles.count(pool, keys, "a", 1, HOUR, SUNDAY_NOON + timedelta(minutes=minutes))
    later = SUNDAY_NOON + timedelta(minutes=59, seconds=59.5)
    assert await throttles.wait_of(pool, keys, "a", 1, later) == 1
    assert await throttles.wait_of(pool, keys, "a", 1, SUNDAY_NOON + HOUR) is None
    assert await throttles.count(pool, keys, "a", 1, HOUR, SUNDAY_NOON + HOUR) is None


async def test_counter_is_asked_without_counting_and_can_be_cleared(pool: Pool, keys: KeyRing) -> None:
    assert await throttles.wait_of(pool, keys, "a", 1, SUNDAY_NOON) is None
    await throttles.count(pool, keys, "a", 1, HOUR, SUNDAY_NOON)
    assert [await throttles.wait_of(pool, keys, "a", 1, SUNDAY_NOON) for _ in range(2)] == [3600, 3600]
    await throttles.clear(pool, keys, "a")
    assert await throttles.wait_of(pool, keys, "a", 1, SUNDAY_NOON) is None


async def test_counter_counts_everyone_who_comes_at_once(pool: Pool, keys: KeyRing) -> None:
    waits = await asyncio.gather(*(throttles.count(pool, keys, "a", 10, HOUR, SUNDAY_NOON) for _ in range(40)))
    assert waits.count(None) == 10


async def test_counters_of_the_past_can_be_removed(pool: Pool, keys: KeyRing) -> None:
    await throttles.count(pool, keys, "a", 1, HOUR, SUNDAY_NOON)
    await throttles.count(pool, keys, "b", 1, 2 * HOUR, SUNDAY_NOON)
    assert await throttles.forget_past(pool, SUNDAY_NOON + HOUR) == 1


# --- one-time codes -------------------------------------------------------------------------------------------------


async def test_code_works_once(pool: Pool, keys: KeyRing) -> None:
    request = (await a_submitted_request(pool, keys)).request_id
    await one_time_codes.keep(pool, keys, request, "123456", SUNDAY_NOON + HOUR)
    assert await one_time_codes.use(pool, keys, request, "123456", SUNDAY_NOON)
    assert not await one_time_codes.use(pool, keys, request, "123456", SUNDAY_NOON)


async def test_code_sent_twice_at_once_works_for_one(pool: Pool, keys: KeyRing) -> None:
    request = (await a_submitted_request(pool, keys)).request_id
    await one_time_codes.keep(pool, keys, request, "123456", SUNDAY_NOON + HOUR)
    uses = await asyncio.gather(*(one_time_codes.use(pool, keys, request, "123456", SUNDAY_NOON) for _ in range(4)))
    assert uses.count(True) == 1


async def test_code_expires(pool: Pool, keys: KeyRing) -> None:
    request = (await a_submitted_request(pool, keys)).request_id
    await one_time_codes.keep(pool, keys, request, "123456", SUNDAY_NOON + HOUR)
    assert not await one_time_codes.use(pool, keys, request, "123456", SUNDAY_NOON + HOUR)


async def test_code_is_of_no_use_after_five_wrong_ones(pool: Pool, keys: KeyRing) -> None:
    request = (await a_submitted_request(pool, keys)).request_id
    await one_time_codes.keep(pool, keys, request, "123456", SUNDAY_NOON + HOUR)
    for _ in range(one_time_codes.TRIES):
        assert not await one_time_codes.use(pool, keys, request, "000000", SUNDAY_NOON)
    assert not await one_time_codes.use(pool, keys, request, "123456", SUNDAY_NOON)


@pytest.mark.parametrize("waits", [True, False], ids=["where a code waits", "where there is none"])
async def test_a_wrong_code_writes_one_row(pool: Pool, keys: KeyRing, waits: bool) -> None:
    """So that the time that it takes does not tell."""
    request = (await a_submitted_request(pool, keys)).request_id
    if waits:
        await one_time_codes.keep(pool, keys, request, "123456", SUNDAY_NOON + HOUR)
    for _ in range(2):
        async with transaction(pool) as connection:
            assert not await one_time_codes.use(connection, keys, request if waits else uuid4(), "000000", SUNDAY_NOON)
            written = await connection.fetch(
                "select 'code' as what from one_time_codes where xmin = pg_current_xact_id()::xid"
                " union all select 'nothing' from throttles where xmin = pg_current_xact_id()::xid"
            )
        assert [row["what"] for row in written] == ["code" if waits else "nothing"]
    assert await throttles.forget_past(pool, SUNDAY_NOON) == (0 if waits else 2)


async def test_code_of_one_request_is_none_of_another_and_a_new_one_replaces_the_old(pool: Pool, keys: KeyRing) -> None:
    mine, other = [(await a_submitted_request(pool, keys)).request_id for _ in range(2)]
    for code in ("111111", "222222"):
        await one_time_codes.keep(pool, keys, mine, code, SUNDAY_NOON + HOUR)
    assert not await one_time_codes.use(pool, keys, other, "222222", SUNDAY_NOON)
    assert not await one_time_codes.use(pool, keys, mine, "111111", SUNDAY_NOON)
    assert await one_time_codes.use(pool, keys, mine, "222222", SUNDAY_NOON)
