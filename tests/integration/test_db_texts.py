"""Free texts: kept once under their ids; one whose action was refused goes after a day, unless an event names it after all."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from activities.housekeeping import keep_house
from db import read_model, texts, views
from db.ids import new_id
from db.pool import Pool
from db.sealing import KeyRing
from domain.record import Entry, Record
from domain.request import Act
from tests.requests_at import an_event
from tests.rows import SUNDAY_NOON, a_submitted_request

DAY = timedelta(days=1)


async def test_text_kept_twice_under_one_id_stays_the_first(pool: Pool, keys: KeyRing) -> None:
    submitted = await a_submitted_request(pool, keys)
    text_id = new_id(SUNDAY_NOON)
    for body in ("first", "second"):
        assert await texts.keep(pool, keys, submitted.request_id, body, SUNDAY_NOON, text_id=text_id) == text_id
    assert await texts.read_many(pool, keys, [text_id]) == {text_id: "first"}


async def test_text_that_was_refused_is_there_for_an_event_that_comes_late_and_gone_a_day_later_where_none_does(
    pool: Pool, keys: KeyRing
) -> None:
    submitted = await a_submitted_request(pool, keys)
    written = ("named", "in the facts", "in an act", "in the snapshot", "by nobody", "not refused", "refused just now")
    ids = {body: await texts.keep(pool, keys, submitted.request_id, body, SUNDAY_NOON) for body in written}
    await texts.refuse(pool, [ids[body] for body in written[:5]], SUNDAY_NOON)
    await texts.refuse(pool, [ids["refused just now"]], SUNDAY_NOON + DAY)
    late = an_event(1, "resolve", text=str(ids["named"]), facts={"task": str(ids["in the facts"])})
    act = Act("resolve-1", "resolve", json.dumps({"reply": str(ids["in an act"])}), SUNDAY_NOON)
    stands = replace(await views.snapshot(pool, submitted.request_id), sequence=1, reply=str(ids["in the snapshot"]))
    await read_model.record(pool, Record(stands, (Entry(late),), act), None, SUNDAY_NOON)

    assert await texts.read_many(pool, keys, ids.values()) == {text_id: body for body, text_id in ids.items()}
    for before, left in ((SUNDAY_NOON, set(written)), (SUNDAY_NOON + DAY, set(written) - {"by nobody"})):
        await texts.forget_refused(pool, before)
        assert set((await texts.read_many(pool, keys, ids.values())).values()) == left
    marked = [row["id"] for row in await pool.fetch("select id from texts where refused_at is not null")]
    assert marked == [ids["refused just now"]]


async def test_housekeeping_removes_texts_that_were_refused_more_than_a_day_ago(pool: Pool, keys: KeyRing) -> None:
    submitted, now = await a_submitted_request(pool, keys), datetime.now(UTC)
    old, young = [await texts.keep(pool, keys, submitted.request_id, body, now) for body in ("old", "young")]
    await texts.refuse(pool, [old], now - DAY - timedelta(minutes=1))
    await texts.refuse(pool, [young], now - DAY + timedelta(minutes=10))
    keeping = asyncio.create_task(keep_house(pool, keys))
    async with asyncio.timeout(20):
        while old in await texts.read_many(pool, keys, [old]):  # noqa: ASYNC110 - the database has no event
            await asyncio.sleep(0.02)
    keeping.cancel()
    assert await texts.read_many(pool, keys, [old, young]) == {young: "young"}


async def test_text_that_was_refused_and_is_written_again_is_what_was_written_last(pool: Pool, keys: KeyRing) -> None:
    """The same Idempotency-Key, with better words: whoever looks later must find these."""
    submitted = await a_submitted_request(pool, keys)
    text_id = new_id(SUNDAY_NOON)
    for body in ("first", "second", "third"):
        await texts.keep(pool, keys, submitted.request_id, body, SUNDAY_NOON, text_id=text_id)
        assert (await texts.read_many(pool, keys, [text_id]))[text_id] == body
        await texts.refuse(pool, [text_id], SUNDAY_NOON)
    await texts.keep(pool, keys, submitted.request_id, "last", SUNDAY_NOON, text_id=text_id)
    await texts.forget_refused(pool, SUNDAY_NOON + DAY)
    assert await texts.read_many(pool, keys, [text_id]) == {text_id: "last"}


async def test_text_that_an_event_names_stays_as_it_is_though_it_was_refused(pool: Pool, keys: KeyRing) -> None:
    submitted = await a_submitted_request(pool, keys)
    text_id = await texts.keep(pool, keys, submitted.request_id, "first", SUNDAY_NOON)
    await texts.refuse(pool, [text_id], SUNDAY_NOON)
    stands = replace(await views.snapshot(pool, submitted.request_id), sequence=1)
    late = Record(stands, (Entry(an_event(1, "resolve", text=str(text_id))),))
    await read_model.record(pool, late, None, SUNDAY_NOON)
    await texts.keep(pool, keys, submitted.request_id, "second", SUNDAY_NOON, text_id=text_id)
    assert await texts.read_many(pool, keys, [text_id]) == {text_id: "first"}


async def test_no_texts_at_all_are_no_question(pool: Pool, keys: KeyRing) -> None:
    await texts.refuse(pool, [], SUNDAY_NOON)
    assert await texts.read_many(pool, keys, []) == {}
