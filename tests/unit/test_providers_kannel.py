"""Kannel as a provider against a loopback server that answers as smsbox 1.4.5 does; tests/e2e/test_kannel.py has the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from activities.providers import kannel
from activities.providers.kannel import KannelProvider, meaning, signature
from activities.providers.port import Accepted, Answer, Message, Permanent, Temporary, Uncertain
from tests.servers import free_port
from tests.smsbox import a_smsbox

SECRET = "a-secret-for-tests-only"
ATTEMPT = UUID("01937e3f-5f6a-7c31-8d2e-0a1b2c3d4e5f")


def a_message(text: str = "Your request has been assigned.") -> Message:
    return Message(UUID(int=1), ATTEMPT, "+8613800000001", text, "en")


@asynccontextmanager
async def a_provider(url: str) -> AsyncIterator[KannelProvider]:
    provider = KannelProvider(url, "huisheng", "a-password", "12345", SECRET, "https://city.example")
    try:
        yield provider
    finally:
        await provider.close()


async def test_message_goes_out_with_number_coding_and_signed_receipt_address() -> None:
    async with a_smsbox() as smsbox, a_provider(smsbox.url) as provider:
        assert await provider.send(a_message()) == Accepted()
    ((line, headers, body),) = smsbox.requests
    assert line == "POST /cgi-bin/sendsms HTTP/1.1"
    assert body == b"Your request has been assigned."
    assert headers["x-kannel-to"] == "+8613800000001"
    assert headers["x-kannel-from"] == "12345"
    assert headers["x-kannel-coding"] == kannel.GSM
    assert headers["x-kannel-dlr-mask"] == "31"
    address = headers["x-kannel-dlr-url"]
    assert address.startswith("https://city.example/gateways/kannel/receipts?")
    assert address.endswith("&type=%d")
    assert parse_qs(urlsplit(address).query)["signature"] == [signature(SECRET, ATTEMPT)]


async def test_chinese_text_goes_out_as_ucs2() -> None:
    async with a_smsbox() as smsbox, a_provider(smsbox.url) as provider:
        await provider.send(a_message("您的诉求已派往城管局 😀"))
    ((_, headers, body),) = smsbox.requests
    assert headers["x-kannel-coding"] == kannel.UCS2
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    assert body.decode() == "您的诉求已派往城管局 😀"


async def test_closed_port_is_certainly_no_message_sent() -> None:
    async with a_provider(f"http://127.0.0.1:{free_port()}/cgi-bin/sendsms") as provider:
        assert await provider.send(a_message()) == Temporary("gateway_unreachable")


async def test_connection_cut_after_the_request_leaves_doubt() -> None:
    async with a_smsbox(status=0) as smsbox, a_provider(smsbox.url) as provider:
        assert await provider.send(a_message()) == Uncertain("no_answer")


async def test_silence_leaves_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr(kannel, "TIMEOUT", 0.2)
    server = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    async with server, a_provider(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/") as provider:
        assert await provider.send(a_message()) == Uncertain("no_answer")


ANSWERS: list[tuple[str, int, str, Answer]] = [
    ("accepted", 202, "0: Accepted for delivery", Accepted()),
    ("queued while no SMS centre is connected", 202, "3: Queued for later delivery", Accepted()),
    (
        "number on a black list",
        400,
        "Number(s) has/have been denied by white- and/or black-lists.",
        Permanent("message_refused"),
    ),
    ("no route for the number", 403, "Not routable. Do not try again.", Permanent("not_routable")),
    ("wrong password", 403, "Authorization failed for sendsms", Temporary("gateway_refuses_us", technical=True)),
    ("bearerbox full or suspended", 503, "Temporal failure, try again later.", Temporary("gateway_busy")),
    ("wrong path", 404, "Unknown request.", Temporary("gateway_misconfigured", technical=True)),
    ("some web server's redirect", 302, "", Temporary("gateway_misconfigured", technical=True)),
    ("a proxy that lost its upstream", 502, "Bad Gateway", Uncertain("no_clear_answer")),
]


@pytest.mark.parametrize(("status", "body", "answer"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_answer_of_smsbox_means(status: int, body: str, answer: Answer) -> None:
    assert meaning(status, body) == answer


async def test_technical_failure_is_logged_without_number_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    async with a_smsbox(403, b"Authorization failed for sendsms") as smsbox, a_provider(smsbox.url) as provider:
        await provider.send(a_message("a private matter"))
    logged = capsys.readouterr().out
    assert "sms_gateway_misconfigured" in logged
    assert "13800000001" not in logged
    assert "private" not in logged


def test_signature_depends_on_attempt_and_secret() -> None:
    signatures = {signature(secret, attempt) for secret in (SECRET, "another") for attempt in (ATTEMPT, UUID(int=2))}
    assert len(signatures) == 4


def test_message_has_no_repr_that_could_end_in_a_log() -> None:
    assert "13800000001" not in repr(a_message())
