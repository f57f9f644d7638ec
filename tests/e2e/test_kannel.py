"""Notices through a real Kannel to a fake SMS centre and back as receipts to the real API, with kills in between."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen
from uuid import UUID

import pytest

from activities.providers.kannel import KannelProvider
from activities.providers.port import Accepted, Message, Permanent, Temporary
from activities.sending import NoticeSender
from db.pool import Pool, open_pool
from db.sealing import KeyRing
from tests.conftest import FreshDatabase
from tests.e2e.kannel import PASSWORD, USER, Kannel, a_kannel, is_installed
from tests.notices import a_city_saying, a_sender, an_owed_notice, attempts_of, let_grace_pass, notice_row
from tests.rows import PHONE, a_submitted_request
from tests.servers import free_port

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not is_installed(),
        reason="Kannel is not installed: apt-get install --no-install-recommends kannel kannel-extras",
    ),
]

PROJECT = Path(__file__).parents[2]
SECRET = "a-secret-for-tests-only"
KEYS = "test:" + base64.b64encode(bytes(range(32))).decode()
CHINESE = "您的诉求{reference}已派往住建局，预计办结时间见链接：{link}。请留意后续短信，谢谢！" * 2


@dataclass
class City:
    """A database, a Kannel, and an API that can be started and stopped."""

    database_url: str
    pool: Pool
    keys: KeyRing
    kannel: Kannel
    api_port: int

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def a_provider(self, password: str = PASSWORD) -> KannelProvider:
        return KannelProvider(self.kannel.url, USER, password, "12345", SECRET, self.public_url)

    def a_sender(self, text: str = "{reference}", password: str = PASSWORD) -> NoticeSender:
        return a_sender(self.pool, self.keys, self.a_provider(password), a_city_saying(text))

    async def a_notice(self) -> tuple[UUID, UUID]:
        """The ids of a new request and of a notice that it owes."""
        request = await a_submitted_request(self.pool, self.keys)
        return request.request_id, await an_owed_notice(self.pool, request.request_id)

    async def state(self, notice_id: UUID) -> str:
        return str((await notice_row(self.pool, notice_id))["state"])

    async def becomes(self, notice_id: UUID, state: str, seconds: float = 120) -> None:
        await until(lambda: self._is(notice_id, state), seconds)

    async def _is(self, notice_id: UUID, state: str) -> bool:
        return await self.state(notice_id) == state

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "HUISHENG_KEYS": KEYS,
            "HUISHENG_PUBLIC_URL": self.public_url,
            "HUISHENG_SMS_PROVIDER": "kannel",
            "HUISHENG_KANNEL_URL": self.kannel.url,
            "HUISHENG_KANNEL_USER": USER,
            "HUISHENG_KANNEL_PASSWORD": PASSWORD,
            "HUISHENG_KANNEL_FROM": "12345",
            "HUISHENG_KANNEL_DLR_SECRET": SECRET,
        }

    @contextmanager
    def api(self) -> Iterator[None]:
        command = [sys.executable, "-m", "cli.main", "api", "--port", str(self.api_port)]
        process = subprocess.Popen(command, cwd=PROJECT, env=self.environment(), stdout=subprocess.DEVNULL)
        try:
            self.kannel.wait_for(self._api_answers)
            yield
        finally:
            process.terminate()
            process.wait(120)

    def _api_answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.public_url}/healthz", timeout=10).status == 200)
        except OSError:
            return False


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.05)


@pytest.fixture
async def city(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[City]:
    database_url = fresh_database()
    with a_kannel(tmp_path / "kannel") as kannel:
        async with open_pool(database_url, size=4) as pool:
            yield City(database_url, pool, KeyRing.from_text(KEYS), kannel, free_port())


async def test_notice_reaches_the_phone_in_parts_and_its_receipt_comes_back(city: City) -> None:
    city.kannel.start()
    with city.api():
        request_id, notice_id = await city.a_notice()
        assert (await city.a_sender(CHINESE).send_request(request_id)).unsettled is None
        await city.becomes(notice_id, "delivered")
    (attempt,) = await attempts_of(city.pool, notice_id)
    assert (attempt["outcome"], attempt["receipt"]) == ("accepted", "delivered")
    parts = city.kannel.delivered()
    assert len(parts) > 1
    assert all(part.startswith(f"12345 {PHONE} udh") for part in parts)


async def test_neither_numbers_nor_texts_stand_in_kannels_logs(city: City) -> None:
    city.kannel.start()
    with city.api():
        request_id, notice_id = await city.a_notice()
        await city.a_sender("a private matter").send_request(request_id)
        await city.becomes(notice_id, "delivered")
    logged = city.kannel.output("bearerbox") + city.kannel.output("smsbox")
    assert "private" not in logged
    assert PHONE not in logged


ANSWERS = [
    ("English", "Your request [has] been assigned. €", "text Your request [has] been assigned. €"),
    ("accents of the GSM alphabet", "Déjà à l'étude", "text Déjà à l'étude"),
    ("what looks like a receipt's code", "100 %d of %s", "text 100 %d of %s"),
]


@pytest.mark.parametrize(("text", "arrived"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
async def test_text_arrives_as_it_was_sent(city: City, text: str, arrived: str) -> None:
    city.kannel.start()
    assert await city.a_provider().send(Message(UUID(int=1), UUID(int=2), PHONE, text, "en")) == Accepted()
    city.kannel.wait_for(lambda: bool(city.kannel.delivered()))
    assert city.kannel.delivered() == [f"12345 {PHONE} {arrived}"]


async def test_refusals_of_a_real_smsbox(city: City) -> None:
    city.kannel.start_boxes()
    message = Message(UUID(int=1), UUID(int=2), PHONE, "Hello", "en")
    wrong_password = Temporary("gateway_refuses_us", technical=True)
    assert await city.a_provider("wrong").send(message) == wrong_password
    no_number = Message(UUID(int=1), UUID(int=2), "nobody", "Hello", "en")
    assert await city.a_provider().send(no_number) == Permanent("message_refused")


async def test_worker_killed_between_the_gateway_and_its_own_note_sends_nothing_twice(city: City) -> None:
    city.kannel.start()
    with city.api():
        request_id, notice_id = await city.a_notice()
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED_AFTER_SENDING, str(request_id), cwd=PROJECT, env=city.environment()
        )
        assert await worker.wait() == -signal.SIGKILL
        await city.becomes(notice_id, "delivered")
        assert (await city.a_sender().send_request(request_id)).unsettled is None
    assert len(city.kannel.delivered()) == 1
    assert [attempt["outcome"] for attempt in await attempts_of(city.pool, notice_id)] == ["accepted"]


KILLED_AFTER_SENDING = textwrap.dedent("""
    import asyncio, os, signal, sys
    from uuid import UUID
    from activities.providers import provider_from
    from activities.sending import NoticeSender
    from db.pool import open_pool
    from db.sealing import KeyRing
    from settings import Settings
    from tests.notices import OnePolicy, a_city_saying

    class Dying:
        name, prompt = "kannel", False

        def __init__(self, provider):
            self.provider = provider

        async def send(self, message):
            await self.provider.send(message)
            os.kill(os.getpid(), signal.SIGKILL)

    async def main():
        settings = Settings.from_environment()
        keys = KeyRing.from_text(settings.keys)
        async with open_pool(settings.database_url, size=2) as pool:
            provider = Dying(provider_from(settings, pool, keys))
            policies = OnePolicy(a_city_saying("{reference}"))
            await NoticeSender(pool, keys, policies, provider, settings.public_url).send_request(UUID(sys.argv[1]))

    asyncio.run(main())
""")


async def test_receipt_waits_for_an_api_that_is_down(city: City) -> None:
    city.kannel.start()
    request_id, notice_id = await city.a_notice()
    await city.a_sender().send_request(request_id)
    city.kannel.wait_for(lambda: bool(city.kannel.delivered()))
    assert await city.state(notice_id) == "sent"
    with city.api():
        await city.becomes(notice_id, "delivered")


async def test_message_that_no_centre_has_taken_survives_a_kill_of_kannel(city: City) -> None:
    city.kannel.start_boxes()
    with city.api():
        request_id, notice_id = await city.a_notice()
        assert (await city.a_sender().send_request(request_id)).unsettled is None
        city.kannel.kill("smsbox")
        city.kannel.kill("bearerbox")
        city.kannel.start()
        await city.becomes(notice_id, "delivered")
    assert len(city.kannel.delivered()) == 1


@pytest.mark.slow
async def test_notice_waits_for_a_gateway_that_is_down(city: City) -> None:
    city.kannel.start()
    with city.api():
        request_id, notice_id = await city.a_notice()
        city.kannel.kill("bearerbox")
        sender = city.a_sender()
        # smsbox notices within a moment, closes its port, and starts itself anew ten seconds later.
        left = await sender.send_request(request_id)
        assert left.unsettled in ("gateway_unreachable", "gateway_busy", "no_answer")
        city.kannel.start_bearerbox()
        city.kannel.kill("centre")  # it does not call again
        city.kannel.start_centre()

        async def goes_out() -> bool:
            await let_grace_pass(city.pool, notice_id, timedelta(minutes=2))
            return (await sender.send_request(request_id)).unsettled is None

        await until(goes_out)
        await city.becomes(notice_id, "delivered")
    assert len(city.kannel.delivered()) == 1
