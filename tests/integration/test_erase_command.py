"""`huisheng erase` as an admin runs it."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from db import erasure, inbox, requests
from db.inbox import Settled
from db.pool import Pool
from db.requests import Submitted
from db.sealing import KeyRing
from tests.interface import KEYS
from tests.rows import a_submitted_request

PROJECT = Path(__file__).parents[2]
REASON = ("--reason", "Letter of 3 November, file 17.")


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": KEYS}


async def said(environment: dict[str, str], *arguments: str, answer: str = "") -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "erase", *arguments, cwd=PROJECT, env=environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(answer.encode()), 240)
    return process.returncode or 0, " ".join(output.decode().split())


async def a_request(pool: Pool, keys: KeyRing, state: str) -> Submitted:
    request = await a_submitted_request(pool, keys)
    rows = await inbox.claim(pool, timedelta(seconds=30), 10)
    await inbox.settle(pool, [Settled(row, "delivered") for row in rows])
    await pool.execute("update snapshots set state = $1, closed_at = updated_at", state)
    return request


async def is_erased(pool: Pool, request: Submitted) -> bool:
    stored = await requests.find(pool, request.reference)
    assert stored is not None
    return stored.erased_at is not None


async def test_request_that_is_over_is_erased_and_the_reason_kept(
    pool: Pool, keys: KeyRing, environment: dict[str, str]
) -> None:
    request = await a_request(pool, keys, "closed")
    code, output = await said(environment, request.reference.replace("-", ""), *REASON, "--yes")
    assert (code, output) == (0, f"The personal data of {request.reference} is erased.")
    assert await is_erased(pool, request)
    assert await erasure.reason_of(pool, keys, request.request_id) == REASON[1]
    _, again = await said(environment, request.reference, *REASON, "--yes")
    assert again.startswith(f"Nothing to do: the personal data of {request.reference} was erased on ")


async def test_demand_for_an_open_request_is_kept(pool: Pool, keys: KeyRing, environment: dict[str, str]) -> None:
    request = await a_request(pool, keys, "in_progress")
    code, output = await said(environment, request.reference, *REASON, "--yes")
    assert (code, output.startswith("It is not over yet. The demand is kept")) == (0, True)
    assert not await is_erased(pool, request)
    _, again = await said(environment, request.reference, *REASON, "--yes")
    assert again.startswith("Demanded before, by an admin, on ")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 130)])
async def test_command_asks_whether_one_is_sure(
    pool: Pool, keys: KeyRing, environment: dict[str, str], answer: str, code: int
) -> None:
    request = await a_request(pool, keys, "closed")
    assert (await said(environment, request.reference, *REASON, answer=answer))[0] == code
    assert await is_erased(pool, request) is (code == 0)


PLAIN = [
    ("a slip in a reference", ("2611-0000-00001", *REASON, "--yes"), "digits do not add up", 2),
    ("an unknown reference", ("2611-0000-00000", *REASON, "--yes"), "There is no request 2611-0000-00000.", 1),
    ("no reason", ("2611-0000-00000", "--yes"), "--reason", 2),
    ("an empty reason", ("2611-0000-00000", "--reason", " ", "--yes"), "please say why", 2),
]


@pytest.mark.parametrize(("arguments", "sentence", "code"), [row[1:] for row in PLAIN], ids=[row[0] for row in PLAIN])
async def test_command_says_plainly(
    environment: dict[str, str], arguments: tuple[str, ...], sentence: str, code: int
) -> None:
    returned, output = await said(environment, *arguments)
    assert sentence in output
    assert returned == code
    assert "Traceback" not in output


async def test_command_without_a_database_says_so(environment: dict[str, str]) -> None:
    away = environment | {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
    code, output = await said(away, "2611-0000-00000", *REASON, "--yes")
    assert (code, "Is PostgreSQL running" in output, "Traceback" in output) == (1, True, False)
