"""The gateway of the trial, called by the product's own provider: it counts, and repeats its reports until they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx2
import pytest

from activities.providers.kannel import KannelProvider
from activities.providers.port import Accepted, Message, Temporary
from chaos import gateway
from chaos.gateway import Gateway
from tests.servers import free_port

PHONE, TEXT = "+12025550100", "A private matter."


@dataclass
class Interface:
    """Answers reports with these statuses, one after the other, and with 200 from then on."""

    statuses: list[int]
    url: str = ""
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.decode().split()[1])
        status = self.statuses.pop(0) if self.statuses else 200
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def an_interface(*statuses: int) -> AsyncIterator[Interface]:
    interface = Interface(list(statuses))
    async with await asyncio.start_server(interface.serve, "127.0.0.1") as server:
        interface.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield interface


@asynccontextmanager
async def a_provider(gateway: Gateway, interface: Interface, **changes: str) -> AsyncIterator[KannelProvider]:
    told = gateway.settings(gateway.port) | changes
    url, user, password, sender, secret = (
        told[f"HUISHENG_KANNEL_{name}"] for name in ("URL", "USER", "PASSWORD", "FROM", "DLR_SECRET")
    )
    provider = KannelProvider(url, user, password, sender, secret, interface.url)
    yield provider
    await provider.close()


def a_message(number: int = 1) -> Message:
    return Message(UUID(int=100 + number), UUID(int=number), PHONE, TEXT, "en")


async def all_reported(gateway: Gateway) -> None:
    async with asyncio.timeout(60):
        while gateway.unreported:  # noqa: ASYNC110 - the reports are the gateway's own tasks
            await asyncio.sleep(0.01)


async def test_each_attempt_is_counted_and_reported_as_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_AGAIN_SECONDS", 0.01)
    async with (
        an_interface(503, 404) as interface,
        Gateway(free_port()) as ours,
        a_provider(ours, interface) as provider,
    ):
        assert await provider.send(a_message(1)) == Accepted()
        assert await provider.send(a_message(2)) == Accepted()
        assert await provider.send(a_message(2)) == Accepted()
        await all_reported(ours)
    attempts = [str(a_message(number).attempt_id) for number in (1, 2)]
    assert {attempt: taken.times for attempt, taken in ours.taken.items()} == dict(zip(attempts, (1, 2), strict=True))
    assert len(interface.asked) == 4, "one report for each attempt, and once more for each refusal"
    assert all(asked.startswith("/gateways/kannel/receipts?attempt=") for asked in interface.asked)
    assert all(asked.endswith("&type=1") for asked in interface.asked)


async def test_who_does_not_know_the_password_is_refused() -> None:
    async with (
        an_interface() as interface,
        Gateway(free_port()) as ours,
        a_provider(ours, interface, HUISHENG_KANNEL_PASSWORD="wrong") as provider,
    ):
        assert await provider.send(a_message()) == Temporary("gateway_refuses_us", technical=True)
    assert not ours.taken


async def test_message_that_breaks_off_is_not_taken() -> None:
    async with Gateway(free_port()) as ours:
        _, writer = await asyncio.open_connection("127.0.0.1", ours.port)
        writer.write(b"POST /cgi-bin/sendsms HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        writer.close()
        async with httpx2.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"http://127.0.0.1:{ours.port}{gateway.PATH}", content=b"abc")
    assert answer.status_code == httpx2.codes.FORBIDDEN
    assert not ours.taken


async def test_nothing_of_a_message_is_kept() -> None:
    async with an_interface() as interface, Gateway(free_port()) as ours, a_provider(ours, interface) as provider:
        await provider.send(a_message())
        await all_reported(ours)
    assert PHONE not in repr(ours)
    assert TEXT not in repr(ours)
