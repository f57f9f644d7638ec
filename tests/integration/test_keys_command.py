"""`huisheng keys rotate` as an admin runs it: afterwards the old key is of no use, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

import db.models
from cli.keys import MOST_PASSES
from cli.keys import keys as keys_command
from db import attachments, erasure, notices, one_time_codes, outbox, requests, rotation, staff, texts, views
from db.ids import new_id
from db.pool import Database, Pool
from db.questions import answer_token, is_answer_token
from db.requests import Contact, Submitted
from db.rotation import STORES, Store, rotate
from db.sealing import KeyRing, SealBroken
from db.staff import NewAccount
from domain.retention import Because
from domain.visibility import Sight
from tests.rows import PHONE, SUNDAY_NOON, a_submitted_request

PROJECT = Path(__file__).parents[2]
OLD_TEXT = "old:" + base64.b64encode(bytes(range(32))).decode()
NEW_TEXT = "new:" + base64.b64encode(bytes(range(32, 64))).decode()
OLD, NEW, BOTH = (KeyRing.from_text(text) for text in (OLD_TEXT, NEW_TEXT, f"{NEW_TEXT},{OLD_TEXT}"))
EVERYTHING = Sight(True, True, ())


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": f"{NEW_TEXT},{OLD_TEXT}"}


async def rotated(environment: dict[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "keys", "rotate", cwd=PROJECT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode()


async def a_request(pool: Pool, keys: KeyRing = OLD, phone: str = PHONE) -> Submitted:
    return await a_submitted_request(
        pool,
        keys,
        title="Lamp",
        address="Wener Road 7",
        place="Willow Square",
        contact=Contact("Wang", phone, "wang@example.org"),
    )


async def everything(pool: Pool, keys: KeyRing = OLD) -> tuple[Submitted, UUID, UUID]:
    """A value in every sealed column; the request, its text and its picture."""
    request = await a_request(pool, keys)
    text = await texts.keep(pool, keys, request.request_id, "It is still dark.", SUNDAY_NOON)
    kept = await attachments.keep(
        pool, keys, request.request_id, "citizen", [("image/jpeg", b"pixels")], SUNDAY_NOON, at_most=9
    )
    assert kept is not None
    await staff.save(pool, keys, NewAccount("li", "Li", "x", ("handler",), phone=PHONE), SUNDAY_NOON)
    await erasure.demand(pool, keys, request.request_id, Because.ADMIN, "A letter.", SUNDAY_NOON)
    notice_id = await notices.owe_code(pool, keys, request.request_id, "en", "123456", 10, SUNDAY_NOON)
    await outbox.keep(pool, keys, notice_id, PHONE, "Your code is 123456")
    await pool.execute(
        "insert into classifier_activations (activated_at, reason_sealed) values ($1, $2)",
        SUNDAY_NOON, keys.seal(db.models.reason_place(SUNDAY_NOON), "It was worse."),
    )  # fmt: skip
    topic = new_id(SUNDAY_NOON)
    await pool.execute(
        "insert into topics (id, words_sealed, named_after, first_found_at, found_at, authors, lately, before, probability, spike)"
        " values ($1, $2, $3, $4, $4, 5, 5, 0, 0.1, false)",
        topic, keys.seal(f"topics.words:{topic}", "{}"), request.request_id, SUNDAY_NOON,
    )  # fmt: skip
    return request, text, kept[0].id


async def sealed_values(pool: Pool) -> list[bytes]:
    return [
        row[0]
        for store in STORES
        for column in store.columns
        if column not in ("phone_index", "place_index")
        for row in await pool.fetch(f"select {column} from {store.table} where {column} is not null")
    ]


def test_every_sealed_column_of_the_schema_is_sealed_anew() -> None:
    schema = (PROJECT / "db" / "schema.sql").read_text()
    tables = dict(re.findall(r"^create table (\w+) \((.*?)^\);", schema, re.MULTILINE | re.DOTALL))
    sealed = {
        (table, column) for table, body in tables.items() for column in re.findall(r"^ +(\w+_sealed) ", body, re.M)
    }

    assert sealed == {(store.table, column) for store in STORES for column in store.columns} - {
        ("requests", "phone_index"), ("requests", "place_index"),
    }  # fmt: skip


async def test_afterwards_the_new_key_alone_opens_and_finds_everything(pool: Pool, environment: dict[str, str]) -> None:
    request, text, picture = await everything(pool)
    question = answer_token(OLD, str(text))
    code, output = await rotated(environment)

    assert code == 0, output
    assert output.splitlines()[-2:] == [
        "Everything in the database is sealed with key new.",
        "Temporal's histories stay as they are: keep the others (old) in HUISHENG_KEYS until `huisheng keys used` says that"
        " none needs them.",
    ]
    assert "attachments: 1 rows sealed anew." in output
    values = await sealed_values(pool)
    assert len(values) == 14
    assert all(NEW.is_current(value) for value in values)
    stored = await requests.find(pool, request.reference)
    assert stored is not None
    assert requests.told(NEW, stored) == requests.Told(
        "The street light before our door is out.",
        "Lamp",
        "Wener Road 7",
        Contact("Wang", PHONE, "wang@example.org"),
        "Willow Square",
    )
    assert stored.accepts(request.token)
    assert requests.token(NEW, stored) == request.token
    assert stored.came_from(NEW, PHONE)
    assert [line.snapshot.reference for line in await views.listed_by_phone(pool, NEW, EVERYTHING, PHONE)] == [request.reference]  # fmt: skip
    (words,) = await pool.fetch("select id, words_sealed from topics")
    assert NEW.open(f"topics.words:{words['id']}", words["words_sealed"]) == "{}"
    assert await texts.read_many(pool, NEW, [text]) == {text: "It is still dark."}
    shown = await attachments.read(pool, NEW, request.request_id, picture)
    assert shown is not None
    assert shown.data == b"pixels"
    assert await erasure.reason_of(pool, NEW, request.request_id) == "A letter."
    assert [line.to for line in await outbox.latest(pool, NEW, most=1)] == [PHONE]
    assert is_answer_token(BOTH, str(text), question)
    with pytest.raises(SealBroken):
        requests.told(OLD, stored)


async def test_while_keys_rotate_both_are_found(pool: Pool) -> None:
    before, after = await a_request(pool, OLD), await a_request(pool, BOTH)
    expires_at = SUNDAY_NOON.replace(year=2030)
    await one_time_codes.keep(pool, OLD, before.request_id, "123456", expires_at)

    found = await views.listed_by_phone(pool, BOTH, EVERYTHING, PHONE)
    assert {line.snapshot.reference for line in found} == {before.reference, after.reference}
    for request in (before, after):
        stored = await requests.find(pool, request.reference)
        assert stored is not None
        assert stored.came_from(BOTH, PHONE)
        assert not stored.came_from(BOTH, "+8613900000009")
    assert await one_time_codes.use(pool, BOTH, before.request_id, "123456", SUNDAY_NOON)


async def test_it_can_be_stopped_anywhere_and_started_again(
    pool: Pool, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        await a_request(pool, phone=f"+861380000{number:04}")
    small = Store(**{name: getattr(STORES[0], name) for name in Store.__slots__} | {"at_once": 3})
    step = await rotate(pool, BOTH, small, small.before_the_first)
    assert (step.rows, step.anew) == (3, 3)
    again = await rotate(pool, BOTH, small, small.before_the_first)
    assert (again.rows, again.anew, again.after) == (3, 0, step.after)

    assert "requests: 4 rows sealed anew." in (await rotated(environment))[1]
    assert (await rotated(environment))[1].startswith("Everything in the database is sealed with key new.")


async def test_what_changes_meanwhile_is_not_overwritten(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    request, erased = await a_request(pool), await a_request(pool)
    write = rotation._write

    async def after_others_have_written(database: Pool, store: Store, changes: list[object]) -> int:
        monkeypatch.setattr(rotation, "_write", write)
        token = await requests.replace_token(pool, BOTH, request.request_id)
        tokens.append(token)
        await pool.execute(
            "update requests set contact_sealed = null, phone_index = null where id = $1", erased.request_id
        )
        return await write(database, store, changes)  # type: ignore[arg-type]

    tokens: list[str] = []
    monkeypatch.setattr(rotation, "_write", after_others_have_written)
    lost = await rotate(pool, BOTH, STORES[0], STORES[0].before_the_first)
    assert (lost.stale, lost.anew) == (2, 0)
    won = await rotate(pool, BOTH, STORES[0], STORES[0].before_the_first)
    assert (won.stale, won.anew) == (2, 2)

    stored = await requests.find(pool, request.reference)
    assert stored is not None
    assert requests.token(NEW, stored) == tokens[0]
    gone = await requests.find(pool, erased.reference)
    assert gone is not None
    assert (gone.contact_sealed, gone.phone_index) == (None, None)


async def rotated_here(environment: dict[str, str]) -> Result:
    """In this process, whose writing can be outrun."""
    return await asyncio.to_thread(CliRunner().invoke, keys_command, ["rotate"], env=environment, standalone_mode=False)


def outrun(monkeypatch: pytest.MonkeyPatch, changes_first: Callable[[Database], Awaitable[object]], times: int) -> None:
    """So many times, somebody changes a row of requests between its being read and its being written."""
    write, left = rotation._write, [None] * times

    async def after_another_has_written(database: Database, store: Store, changes: list[Any]) -> int:
        if store.table == "requests" and left:
            left.pop()
            await changes_first(database)
        return await write(database, store, changes)

    monkeypatch.setattr(rotation, "_write", after_another_has_written)


async def test_command_goes_on_until_nothing_is_left_under_an_older_key(
    pool: Pool, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is the last one, and nothing was written in that pass: its other columns still need the older key."""
    await a_request(pool)
    outrun(monkeypatch, lambda database: database.execute("update requests set address_sealed = null"), times=1)
    result = await rotated_here(environment)

    assert (result.return_value, result.exception) == (0, None), result.output
    assert all(NEW.is_current(value) for value in await sealed_values(pool))


async def test_command_does_not_say_that_it_is_done_while_rows_escape_it(
    pool: Pool, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await a_request(pool)
    outrun(monkeypatch, lambda database: requests.replace_token(database, OLD, request.request_id), times=MOST_PASSES)
    result = await rotated_here(environment)

    assert result.return_value == 1, result.output
    assert "restart API and workers, then start this again" in result.output
    assert "Everything" not in result.output


async def test_what_cannot_be_opened_is_told_and_the_rest_is_done(pool: Pool, environment: dict[str, str]) -> None:
    lost = KeyRing.from_text("lost:" + base64.b64encode(bytes(32)).decode())
    unreadable, request = await a_request(pool, lost), await a_request(pool)
    code, output = await rotated(environment)

    assert code == 1
    assert "requests: 1 rows sealed anew." in output
    assert f"What stands at requests.title:{unreadable.request_id} was sealed with a key" in output
    stored = await requests.find(pool, request.reference)
    assert stored is not None
    assert requests.told(NEW, stored).title == "Lamp"


async def test_what_was_erased_stays_erased(pool: Pool, environment: dict[str, str]) -> None:
    request = await a_request(pool)
    await pool.execute(
        "update requests set title_sealed = null, description_sealed = null, contact_sealed = null, phone_index = null,"
        " address_sealed = null, place_sealed = null, place_index = null, token_sealed = '', erased_at = now()"
    )
    assert (await rotated(environment))[0] == 0

    row = await pool.fetchrow("select token_sealed, phone_index from requests where id = $1", request.request_id)
    assert row is not None
    assert (row["token_sealed"], row["phone_index"]) == (b"", None)
