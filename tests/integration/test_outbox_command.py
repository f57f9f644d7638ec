"""`huisheng outbox` as a person runs it."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from pathlib import Path

import pytest

from activities.providers.console import ConsoleProvider
from db.pool import Pool
from db.sealing import KeyRing
from tests.notices import a_city_saying, a_sender, an_owed_notice
from tests.rows import PHONE, a_submitted_request

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    keys = "test:" + base64.b64encode(bytes(range(32))).decode()
    return {**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": keys, "COLUMNS": "100"}


async def a_command(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "outbox", *arguments, cwd=PROJECT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def printed(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    process = await a_command(environment, *arguments)
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode()


async def a_message(pool: Pool, keys: KeyRing, text: str) -> str:
    """Sends a text about a new request and gives its reference."""
    request = await a_submitted_request(pool, keys)
    await an_owed_notice(pool, request.request_id)
    await a_sender(pool, keys, ConsoleProvider(pool, keys), a_city_saying(text)).send_request(request.request_id)
    return request.reference


async def test_outbox_shows_messages_newest_last(pool: Pool, keys: KeyRing, environment: dict[str, str]) -> None:
    first = await a_message(pool, keys, "The first. 第一条。")
    second = await a_message(pool, keys, "The second.")
    code, output = await printed(environment)
    assert code == 0
    assert (
        output.index(first) < output.index("The first. 第一条。") < output.index(second) < output.index("The second.")
    )
    assert PHONE in output


async def test_outbox_shows_the_newest_within_its_limit(pool: Pool, keys: KeyRing, environment: dict[str, str]) -> None:
    for word in ("oldest", "older", "newest"):
        await a_message(pool, keys, word)
    _, output = await printed(environment, "--limit", "2")
    assert "oldest" not in output
    assert output.index("older") < output.index("newest")


async def test_outbox_of_one_request(pool: Pool, keys: KeyRing, environment: dict[str, str]) -> None:
    reference = await a_message(pool, keys, "about this one")
    await a_message(pool, keys, "about another")
    _, output = await printed(environment, "--reference", reference.replace("-", ""))
    assert "about this one" in output
    assert "about another" not in output


async def test_outbox_prints_a_text_as_it_is(pool: Pool, keys: KeyRing, environment: dict[str, str]) -> None:
    await a_message(pool, keys, "[bold]not markup[/bold] :warning:")
    _, output = await printed(environment)
    assert "[bold]not markup[/bold] :warning:" in output


async def test_outbox_follows(pool: Pool, keys: KeyRing, environment: dict[str, str]) -> None:
    await a_message(pool, keys, "before")
    process = await a_command(environment, "--follow")
    assert process.stdout is not None
    try:
        await asyncio.wait_for(_until(process.stdout, "before"), 120)
        await a_message(pool, keys, "while it watches")
        await asyncio.wait_for(_until(process.stdout, "while it watches"), 120)
    finally:
        process.terminate()
        await process.wait()


async def _until(stream: asyncio.StreamReader, text: str) -> None:
    """Reads as far as that text, which must not have come before."""
    while text not in (await stream.readline()).decode():
        assert not stream.at_eof()


PLAIN = [
    ("an empty outbox", (), "No messages yet.", 0),
    ("no messages about a request", ("--reference", "2611-0000-00000"), "No messages about 2611-0000-00000 yet.", 0),
    ("a slip in a reference", ("--reference", "2611-0000-00001"), "digits do not add up", 2),
]


@pytest.mark.parametrize(("arguments", "sentence", "code"), [row[1:] for row in PLAIN], ids=[row[0] for row in PLAIN])
async def test_outbox_says_plainly(
    environment: dict[str, str], arguments: tuple[str, ...], sentence: str, code: int
) -> None:
    returned, output = await printed(environment, *arguments)
    assert sentence in " ".join(output.split())
    assert returned == code
    assert "Traceback" not in output


async def test_outbox_says_that_a_gateway_has_the_messages(environment: dict[str, str]) -> None:
    kannel = {
        "HUISHENG_SMS_PROVIDER": "kannel",
        "HUISHENG_KANNEL_URL": "http://127.0.0.1:13013/cgi-bin/sendsms",
        "HUISHENG_KANNEL_USER": "huisheng",
        "HUISHENG_KANNEL_PASSWORD": "a-password",
        "HUISHENG_KANNEL_FROM": "12345",
        "HUISHENG_KANNEL_DLR_SECRET": "a-secret-for-tests-only",
    }
    _, output = await printed(environment | kannel)
    assert "the provider is kannel" in output


async def test_outbox_without_a_database_says_so(environment: dict[str, str]) -> None:
    code, output = await printed(environment | {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"})
    assert code == 1
    assert "Is PostgreSQL running" in output
    assert "Traceback" not in output
