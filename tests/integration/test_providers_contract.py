"""What every provider keeps to, whoever stands behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from activities.providers.console import ConsoleProvider
from activities.providers.kannel import KannelProvider
from activities.providers.port import Accepted, Message, Provider
from db.pool import Pool
from db.sealing import KeyRing
from tests.notices import PUBLIC_URL, an_owed_notice
from tests.rows import PHONE, a_submitted_request
from tests.smsbox import a_smsbox

PROVIDERS = ["console", "kannel"]


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest, pool: Pool, keys: KeyRing) -> AsyncIterator[Provider]:
    if request.param == "console":
        yield ConsoleProvider(pool, keys)
        return
    async with a_smsbox() as smsbox:
        kannel = KannelProvider(smsbox.url, "huisheng", "a-password", "12345", "a-secret-for-tests", PUBLIC_URL)
        yield kannel
        await kannel.close()


@pytest.fixture
async def message(pool: Pool, keys: KeyRing) -> Message:
    notice_id = await an_owed_notice(pool, (await a_submitted_request(pool, keys)).request_id)
    return Message(notice_id, uuid4(), PHONE, "Your request has been assigned.", "en")


TEXTS = [
    ("plain English", "Your request has been assigned."),
    ("Chinese", "您的诉求已派往城管局，请留意。"),
    ("an emoji", "谢谢 😀"),
    ("several parts", "您的诉求已派往城管局。" * 40),
    ("line breaks", "One line\nand another"),
    ("what looks like a template", "100% of {reference} %d %s"),
]


@pytest.mark.parametrize("text", [row[1] for row in TEXTS], ids=[row[0] for row in TEXTS])
async def test_provider_takes(provider: Provider, message: Message, text: str) -> None:
    assert await provider.send(replace(message, text=text)) == Accepted()


async def test_provider_takes_many_at_once(provider: Provider, pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    owed = [await an_owed_notice(pool, request.request_id, sequence=number) for number in range(30)]
    messages = [Message(notice_id, uuid4(), PHONE, "Hello", "en") for notice_id in owed]
    assert await asyncio.gather(*(provider.send(message) for message in messages)) == [Accepted()] * 30


def test_provider_has_a_name_and_says_whether_it_is_prompt(provider: Provider) -> None:
    assert provider.name in PROVIDERS
    assert provider.prompt == (provider.name == "console")


async def test_console_keeps_the_same_notice_once(pool: Pool, keys: KeyRing, message: Message) -> None:
    console = ConsoleProvider(pool, keys)
    for attempt in range(3):
        assert await console.send(replace(message, attempt_id=UUID(int=attempt))) == Accepted()
    assert await pool.fetchval("select count(*) from outbox") == 1
