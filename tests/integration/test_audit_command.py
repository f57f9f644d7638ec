"""`huisheng audit` as an admin runs it, and the looks that other commands leave."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import audit, outbox, staff
from db.audit import Seen
from db.ids import new_id
from db.pool import Pool
from db.requests import Submitted
from db.sealing import KeyRing
from db.staff import NewAccount
from domain.audit import Kind
from tests.interface import KEYS
from tests.rows import PHONE, SUNDAY_NOON, a_submitted_request

PROJECT = Path(__file__).parents[2]
REFERENCE, OTHER = "2611-4829-13704", "2611-4829-13712"


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": KEYS}


async def said(environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, cwd=PROJECT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode(), errors.decode()


async def some_looks(pool: Pool, who: str = "staff:7", at: datetime = SUNDAY_NOON) -> None:
    await audit.record(pool, who, "192.0.2.7", [Seen(Kind.CONTACT, REFERENCE)], at)
    await audit.record(pool, who, "192.0.2.7", [Seen(Kind.LIST, count=25)], at + timedelta(seconds=1))


async def a_message(pool: Pool, keys: KeyRing, request: Submitted) -> None:
    notice_id = new_id(SUNDAY_NOON)
    await pool.execute(
        "insert into notices (id, request_id, sequence, kind, recipient, channel, language, facts, urgent, state, created_at)"
        " values ($1, $2, 1, 'receipt', 'citizen', 'sms', 'en', '{}', false, 'sent', now())",
        notice_id, request.request_id,
    )  # fmt: skip
    await outbox.keep(pool, keys, notice_id, PHONE, "It has arrived.")


async def test_a_whole_chain_is_told_with_its_end_which_can_be_given_again(
    pool: Pool, environment: dict[str, str]
) -> None:
    await some_looks(pool)
    await audit.chain(pool)
    code, output, errors = await said(environment, "audit", "verify")
    head = str(await audit.head(pool))

    assert (code, output, errors) == (0, f"The record of looks is whole: 2 rows. It ends at {head}\n", "")
    assert (await said(environment, "audit", "verify", "--known", head))[0] == 0


async def test_a_broken_chain_is_told_with_its_first_place(pool: Pool, environment: dict[str, str]) -> None:
    await some_looks(pool)
    await audit.chain(pool)
    await pool.execute("alter table looks disable trigger all")
    await pool.execute("update looks set address = '192.0.2.8'")
    code, output, errors = await said(environment, "audit", "verify")

    assert (code, output) == (1, "")
    assert errors == (
        "The record of looks is not whole. Row 1 (2026-11-22 04:00:00 UTC, contact, request 2611-4829-13704) does not"
        " fit its hash: it was changed or replaced after it was written.\n"
    )


async def test_rows_that_no_worker_chains_are_told(pool: Pool, environment: dict[str, str]) -> None:
    await some_looks(pool, at=datetime.now(UTC) - timedelta(hours=1))
    code, _, errors = await said(environment, "audit", "verify")

    assert (code, errors.startswith("2 more rows wait to be chained since ")) == (0, True)
    assert "Is a worker running?" in errors


async def test_looks_are_shown_by_request_and_by_whoever_looked(
    pool: Pool, keys: KeyRing, environment: dict[str, str]
) -> None:
    lamps = await staff.save(pool, keys, NewAccount("lamps", "Li Lamps", "x", ("handler",)), SUNDAY_NOON)
    await some_looks(pool, f"staff:{lamps}")
    await audit.record(pool, "machine:root", "town-hall", [Seen(Kind.ERASURE, OTHER)], SUNDAY_NOON)

    _, of_request, _ = await said(environment, "audit", "show", "--reference", REFERENCE.replace("-", ""))
    assert of_request.split("  ")[0] == "2026-11-22 04:00:00 UTC"
    assert "contact 2611-4829-13704" in of_request
    assert "Li Lamps (lamps)" in of_request
    assert len(of_request.splitlines()) == 1
    _, of_lamps, _ = await said(environment, "audit", "show", "--staff", "LAMPS", "--json")
    assert [json.loads(line)["kind"] for line in of_lamps.splitlines()] == ["contact", "list"]
    assert json.loads(of_lamps.splitlines()[1])["count"] == 25
    _, of_machine, _ = await said(environment, "audit", "show", "--machine", "root")
    assert f"erasure {OTHER}" in of_machine


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["show", "--reference", "2611"], 2, "is no reference"),
        (["show", "--staff", "nobody"], 1, "There is no account nobody."),
        (["show", "--staff", "a", "--machine", "b"], 2, "not both"),
        (["verify", "--known", "12"], 2, "as in 1200:"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_what_cannot_be_meant_is_told(
    environment: dict[str, str], arguments: list[str], code: int, sentence: str
) -> None:
    status, _, errors = await said(environment, "audit", *arguments)

    assert (status, sentence in errors) == (code, True), errors


async def test_commands_that_open_personal_data_leave_a_row(
    pool: Pool, keys: KeyRing, environment: dict[str, str]
) -> None:
    request = await a_submitted_request(pool, keys)
    await a_message(pool, keys, request)
    await said(environment, "outbox")
    await said(environment, "outbox", "--reference", request.reference)
    await said(environment, "outbox", "--reference", OTHER)
    await said(environment, "erase", request.reference, "--reason", "A letter.", "--yes")

    looks = [shown.look for shown in await audit.shown(pool, most=9)]
    assert [(look.kind, look.reference, look.count) for look in looks] == [
        ("messages", None, 1), ("messages", request.reference, 1), ("erasure", request.reference, 1)
    ]  # fmt: skip
    assert {look.who.partition(":")[0] for look in looks} == {"machine"}
    assert {look.address for look in looks} == {socket.gethostname()}
