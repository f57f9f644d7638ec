"""Intake: durable at once, once per idempotency key, sealed, and in order."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from uuid import uuid4

import asyncpg
import pytest

from activities.housekeeping import keep_house
from db import requests, sent_bodies, texts, views
from db.pool import RELAY_SESSION, Database, Pool, open_pool
from db.requests import Contact, Idempotency, IdempotencyConflict, MessageKind, Submitted
from db.sealing import KeyRing, SealBroken
from domain.errors import Unknown
from domain.references import make_reference, parse_reference
from domain.request import Snapshot, State
from tests.rows import PHONE, SUNDAY_NOON, a_new_request, a_submitted_request

EVERYTHING = a_new_request(
    description="楼下路灯坏了，晚上很黑 🙏",
    title="路灯",
    language="zh",
    category="street_light",
    contact=Contact("张三", PHONE, "zhang@example.org"),
    address="人民路1号",
    place="western park",
    lat=30.5,
    long=120.25,
    confidential=True,
)


async def test_submission_is_kept_as_it_was_sent(pool: Pool, keys: KeyRing) -> None:
    submitted = await requests.submit(pool, keys, EVERYTHING, SUNDAY_NOON)
    stored = await requests.find(pool, submitted.reference)
    assert stored is not None
    told = requests.told(keys, stored)
    assert (told.description, told.title, told.address) == (EVERYTHING.description, "路灯", "人民路1号")
    assert told.contact == EVERYTHING.contact
    assert (stored.channel, stored.language, stored.given_category) == ("web", "zh", "street_light")
    assert (told.place, stored.lat, stored.long, stored.confidential) == ("western park", 30.5, 120.25, True)
    assert stored.submitted_at == submitted.submitted_at == SUNDAY_NOON
    assert parse_reference(submitted.reference) == submitted.reference
    assert await requests.by_id(pool, submitted.request_id) == stored


async def test_submission_without_anything_but_a_description_is_kept(pool: Pool, keys: KeyRing) -> None:
    submitted = await requests.submit(pool, keys, a_new_request(contact=Contact()), SUNDAY_NOON)
    stored = await requests.find(pool, submitted.reference)
    assert stored is not None
    assert (stored.contact_sealed, stored.phone_index, stored.title_sealed) == (None, None, None)
    assert requests.told(keys, stored).contact == Contact()


async def test_submission_starts_the_snapshot_and_one_message(pool: Pool, keys: KeyRing) -> None:
    submitted = await requests.submit(pool, keys, EVERYTHING, SUNDAY_NOON)
    assert await views.snapshot(pool, submitted.request_id) == Snapshot(
        str(submitted.request_id), submitted.reference, SUNDAY_NOON, confidential=True, state=State.RECEIVED,
        sequence=0, updated_at=SUNDAY_NOON,
    )  # fmt: skip
    rows = await pool.fetch("select kind, request_id, delivered_at from inbox")
    assert [tuple(row) for row in rows] == [("submitted", submitted.request_id, None)]


async def test_submission_leaves_nothing_personal_in_the_clear(pool: Pool, keys: KeyRing) -> None:
    submitted = await requests.submit(pool, keys, EVERYTHING, SUNDAY_NOON)
    await requests.add_message(pool, keys, submitted.request_id, MessageKind.SUPPLEMENTED, {}, "还是很黑", SUNDAY_NOON)
    for table in ("requests", "snapshots", "inbox", "texts"):
        shown = str([dict(row) for row in await pool.fetch(f"select * from {table}")])
        for secret in ("张三", PHONE, "zhang@", "人民路", "路灯", "还是", submitted.token):
            assert secret not in shown
            assert str(secret.encode())[2:-1] not in shown
    assert submitted.token not in repr(submitted)
    assert "张三" not in repr(EVERYTHING)


async def test_token_opens_its_own_request_only(pool: Pool, keys: KeyRing) -> None:
    mine, other = [await a_submitted_request(pool, keys) for _ in range(2)]
    stored = await requests.find(pool, mine.reference)
    assert stored is not None
    assert stored.accepts(mine.token)
    assert not stored.accepts(other.token)
    assert not stored.accepts("")
    assert requests.token(keys, stored) == mine.token


async def test_token_that_was_replaced_stops_working(pool: Pool, keys: KeyRing) -> None:
    submitted = await a_submitted_request(pool, keys)
    token = await requests.replace_token(pool, keys, submitted.request_id)
    stored = await requests.find(pool, submitted.reference)
    assert stored is not None
    assert stored.accepts(token)
    assert not stored.accepts(submitted.token)
    assert requests.token(keys, stored) == token


async def test_phone_is_recognised_without_being_stored(pool: Pool, keys: KeyRing) -> None:
    submitted = await a_submitted_request(pool, keys)
    stored = await requests.find(pool, submitted.reference)
    assert stored is not None
    assert stored.came_from(keys, PHONE)
    assert not stored.came_from(keys, "+8613800000002")


async def test_sealed_columns_do_not_open_in_another_row(pool: Pool, keys: KeyRing) -> None:
    first, second = [await a_submitted_request(pool, keys) for _ in range(2)]
    await pool.execute(
        "update requests set description_sealed = (select description_sealed from requests where id = $1) where id = $2",
        first.request_id, second.request_id,
    )  # fmt: skip
    stored = await requests.find(pool, second.reference)
    assert stored is not None
    with pytest.raises(SealBroken):
        requests.told(keys, stored)


async def test_unknown_reference_finds_nothing(pool: Pool) -> None:
    assert await requests.find(pool, make_reference(SUNDAY_NOON.date(), 7)) is None
    assert await requests.by_id(pool, uuid4()) is None


# --- idempotency ----------------------------------------------------------------------------------------------------

KEYED = a_new_request(idempotency=Idempotency("a key of the sender", b'{"description": "..."}'))


async def test_same_key_and_body_get_the_first_answer_again(pool: Pool, keys: KeyRing) -> None:
    first = await requests.submit(pool, keys, KEYED, SUNDAY_NOON)
    again = await requests.submit(pool, keys, KEYED, SUNDAY_NOON + timedelta(days=3))
    assert again == replace(first, repeated=True)
    assert await pool.fetchval("select count(*) from inbox") == 1


async def test_same_key_with_another_body_is_a_conflict(pool: Pool, keys: KeyRing) -> None:
    await requests.submit(pool, keys, KEYED, SUNDAY_NOON)
    other = replace(KEYED, idempotency=Idempotency("a key of the sender", b"{}"))
    with pytest.raises(IdempotencyConflict) as conflict:
        await requests.submit(pool, keys, other, SUNDAY_NOON)
    assert conflict.value.code == "idempotency_conflict"
    assert await pool.fetchval("select count(*) from requests") == 1


async def as_before(pool: Pool, keys: KeyRing, new: requests.NewRequest, days: float) -> requests.Submitted:
    """As a release before kept what it was sent so long ago."""
    assert new.idempotency is not None
    first = await requests.submit(pool, keys, new, SUNDAY_NOON - timedelta(days=days))
    plain = hashlib.sha256(new.idempotency.body).digest()
    await pool.execute("update requests set idempotency_body = $1 where id = $2", plain, first.request_id)
    return first


async def test_what_a_release_before_was_sent_is_known_again_and_keyed_when_it_is_a_day_old(
    pool: Pool, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_bodies, "AT_ONCE", 2)
    sent = [replace(KEYED, idempotency=Idempotency(f"key {number}", b"the same")) for number in range(6)]
    kept = [await as_before(pool, keys, new, days) for new, days in zip(sent, (9, 8, 7, 6, 5, 0.9), strict=True)]
    other = replace(sent[0], idempotency=Idempotency("key 0", b"another"))

    for keyed in (5, 0):
        assert [await requests.submit(pool, keys, new, SUNDAY_NOON) for new in sent] == [
            replace(each, repeated=True) for each in kept
        ]
        with pytest.raises(IdempotencyConflict):
            await requests.submit(pool, keys, other, SUNDAY_NOON)
        assert await sent_bodies.key_plain_hashes(pool, keys, SUNDAY_NOON - timedelta(days=1)) == keyed
    plain = hashlib.sha256(b"the same").digest()
    assert await pool.fetchval("select count(*) from requests where idempotency_body = $1", plain) == 1


async def test_housekeeping_leaves_no_plain_hash(pool: Pool, keys: KeyRing) -> None:
    await as_before(pool, keys, KEYED, days=9)
    keeping = asyncio.create_task(keep_house(pool, keys))
    plain = "select count(*) from requests where octet_length(idempotency_body) = 32"
    async with asyncio.timeout(20):
        while await pool.fetchval(plain):  # noqa: ASYNC110 - the database has no event
            await asyncio.sleep(0.02)
    keeping.cancel()


async def test_what_was_sent_before_keys_rotated_is_known_again(pool: Pool) -> None:
    old, new = (
        f"{name}:" + base64.b64encode(bytes([number]) * 32).decode() for number, name in enumerate(("old", "new"))
    )
    first = await requests.submit(pool, KeyRing.from_text(old), KEYED, SUNDAY_NOON)
    again = await requests.submit(pool, KeyRing.from_text(f"{new},{old}"), KEYED, SUNDAY_NOON)
    assert again == replace(first, repeated=True)


async def test_same_key_sent_many_times_at_once_makes_one_request(pool: Pool, keys: KeyRing) -> None:
    answers = await asyncio.gather(*(requests.submit(pool, keys, KEYED, SUNDAY_NOON) for _ in range(16)))
    assert len({(answer.reference, answer.token) for answer in answers}) == 1
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 15
    assert await pool.fetchval("select count(*) from inbox") == 1


async def test_submissions_without_a_key_are_never_the_same(pool: Pool, keys: KeyRing) -> None:
    first, second = [await a_submitted_request(pool, keys) for _ in range(2)]
    assert first.reference != second.reference


# --- references -----------------------------------------------------------------------------------------------------


async def test_reference_that_is_taken_is_drawn_again(pool: Pool, keys: KeyRing) -> None:
    numbers = chain([5, 5, 5, 6], repeat(7))
    first, second = [
        await requests.submit(pool, keys, a_new_request(), SUNDAY_NOON, draw=lambda below: next(numbers))
        for _ in range(2)
    ]
    assert first.reference == make_reference(SUNDAY_NOON.date(), 5)
    assert second.reference == make_reference(SUNDAY_NOON.date(), 6)


async def test_reference_that_is_taken_is_drawn_again_for_a_new_key_too(pool: Pool, keys: KeyRing) -> None:
    numbers = iter([5, 5, 6])
    await requests.submit(pool, keys, a_new_request(), SUNDAY_NOON, draw=lambda below: next(numbers))
    second = await requests.submit(pool, keys, KEYED, SUNDAY_NOON, draw=lambda below: next(numbers))
    assert second.reference == make_reference(SUNDAY_NOON.date(), 6)


async def test_reference_source_that_is_stuck_is_an_error_and_not_an_endless_loop(pool: Pool, keys: KeyRing) -> None:
    await requests.submit(pool, keys, a_new_request(), SUNDAY_NOON, draw=lambda below: 5)
    with pytest.raises(RuntimeError, match="no free reference"):
        await requests.submit(pool, keys, a_new_request(), SUNDAY_NOON, draw=lambda below: 5)


# --- messages -------------------------------------------------------------------------------------------------------


async def test_message_is_queued_behind_the_submission_with_its_text_sealed(pool: Pool, keys: KeyRing) -> None:
    submitted = await a_submitted_request(pool, keys)
    inbox_id = await requests.add_message(
        pool, keys, submitted.request_id, MessageKind.RATED, {"solved": "yes", "satisfied": 5}, "thank you", SUNDAY_NOON
    )
    rows = await pool.fetch("select id, kind, payload from inbox order by id")
    assert [row["kind"] for row in rows] == ["submitted", "rated"]
    assert rows[1]["id"] == inbox_id
    payload = rows[1]["payload"]
    text_id = payload.pop("text")
    assert payload == {"solved": "yes", "satisfied": 5}
    kept = await pool.fetchrow("select * from texts")
    assert kept is not None
    assert str(kept["id"]) == text_id
    assert await texts.read_many(pool, keys, [kept["id"]]) == {kept["id"]: "thank you"}


async def test_message_without_a_text_names_none(pool: Pool, keys: KeyRing) -> None:
    submitted = await a_submitted_request(pool, keys)
    await requests.add_message(pool, keys, submitted.request_id, MessageKind.URGED, {}, None, SUNDAY_NOON)
    assert await pool.fetchval("select payload from inbox where kind = 'urged'") == {}
    assert await pool.fetchval("select count(*) from texts") == 0


async def test_message_to_an_unknown_request_is_refused_and_leaves_nothing(pool: Pool, keys: KeyRing) -> None:
    with pytest.raises(Unknown):
        await requests.add_message(pool, keys, uuid4(), MessageKind.URGED, {}, "hello", SUNDAY_NOON)
    assert await pool.fetchval("select count(*) from texts") == 0


async def test_message_waits_for_the_one_before_it_to_be_visible(pool: Pool, keys: KeyRing) -> None:
    """Or a relay could see the second, find no earlier one, and deliver it first."""
    submitted, other = [await a_submitted_request(pool, keys) for _ in range(2)]

    async def urge(request: Submitted, database: Database = pool) -> int:
        return await requests.add_message(
            database, keys, request.request_id, MessageKind.URGED, {}, "again", SUNDAY_NOON
        )

    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        first = await urge(submitted, connection)
        second = asyncio.create_task(urge(submitted))
        await asyncio.wait_for(urge(other), timeout=60)
        await asyncio.sleep(0.1)
        assert not second.done()
        await transaction.commit()
    assert await second > first


async def test_messages_sent_at_once_are_all_kept(pool: Pool, keys: KeyRing) -> None:
    request = (await a_submitted_request(pool, keys)).request_id
    kinds = [MessageKind.URGED, MessageKind.SUPPLEMENTED] * 50
    ids = await asyncio.gather(
        *(requests.add_message(pool, keys, request, kind, {}, "again", SUNDAY_NOON) for kind in kinds)
    )
    assert len(set(ids)) == await pool.fetchval("select count(*) from texts") == 100


# --- the pool -------------------------------------------------------------------------------------------------------


async def test_pool_carries_json_and_instants_both_ways(pool: Pool) -> None:
    at = datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)
    value = {"text": "汉字 \u2028 \"'", "numbers": [1, 2.5, None, True], "at": "x"}
    row = await pool.fetchrow(
        "select $1::jsonb as value, $2::timestamptz as at, current_setting('timezone') as zone", value, at
    )
    assert row is not None
    assert (row["value"], row["at"], row["zone"]) == (value, at, "UTC")


async def test_pool_gives_a_connection_back_clean_after_a_failure(database_url: str) -> None:
    async with open_pool(database_url, size=1) as one:
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with one.acquire() as connection, connection.transaction():
                await connection.execute("select 1/0")
        assert await one.fetchval("select 1") == 1


async def test_sessions_of_the_relay_and_no_others_commit_quickly_and_plan_anew(database_url: str, pool: Pool) -> None:
    settings = "select array[current_setting('synchronous_commit'), current_setting('plan_cache_mode')]"
    async with open_pool(database_url, size=1, session=RELAY_SESSION) as relay:
        assert await relay.fetchval(settings) == ["off", "force_custom_plan"]
    assert (await pool.fetchval(settings))[1] == "auto"
    of_the_client = "select setting from pg_settings where name = 'synchronous_commit' and source = 'client'"
    assert await pool.fetchval(of_the_client) is None
