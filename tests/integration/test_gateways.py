"""What a gateway may call: its reports are recorded, and nobody learns anything from a forged one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI

from activities.providers.kannel import RECEIPTS_PATH, signature
from api import errors, gateways
from api.services import Services
from db.pool import Pool
from db.sealing import KeyRing
from tests.notices import Gateway, a_sender, an_owed_notice, attempts_of, notice_row
from tests.rows import a_submitted_request

SECRET = "a-secret-for-tests-only"


@pytest.fixture
async def client(pool: Pool) -> AsyncIterator[httpx2.AsyncClient]:
    async with a_client(pool, SECRET) as opened:
        yield opened


def a_client(pool: Pool, secret: str) -> httpx2.AsyncClient:
    """Of an application that has the gateways' addresses alone."""
    app = FastAPI()
    app.include_router(gateways.router)
    errors.install(app)
    unused: dict[str, Any] = dict.fromkeys(
        ("keys", "policies", "temporal", "sender", "passwords", "expectations", "now", "figures", "stored")
    )
    settings = cast(Any, SimpleNamespace(kannel_dlr_secret=secret))
    app.state.services = Services(settings=settings, pool=pool, **unused)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://city.example")


@pytest.fixture
async def attempt_id(pool: Pool, keys: KeyRing) -> UUID:
    """Of a notice that a gateway has accepted."""
    request = await a_submitted_request(pool, keys)
    await an_owed_notice(pool, request.request_id)
    gateway = Gateway()
    await a_sender(pool, keys, gateway).send_request(request.request_id)
    return gateway.sent[0].attempt_id


def an_address(attempt_id: object, kind: object, signed: str | None = None) -> str:
    right = signature(SECRET, attempt_id) if isinstance(attempt_id, UUID) else "0" * 32
    return f"{RECEIPTS_PATH}?" + urlencode({"attempt": attempt_id, "signature": signed or right, "type": kind})


async def the_notice(pool: Pool, attempt_id: UUID) -> dict[str, Any]:
    return await notice_row(pool, await pool.fetchval("select notice_id from attempts where id = $1", attempt_id))


REPORTS = [
    (1, "delivered", "delivered"),
    (2, "failed", "failed"),
    (4, "buffered", "sent"),
    (8, "accepted", "sent"),
    (16, "rejected", "failed"),
]


@pytest.mark.parametrize(("kind", "receipt", "state"), REPORTS)
async def test_report_is_recorded(
    client: httpx2.AsyncClient, pool: Pool, attempt_id: UUID, kind: int, receipt: str, state: str
) -> None:
    response = await client.get(an_address(attempt_id, kind))
    assert (response.status_code, response.json()) == (200, {"receipt": receipt})
    notice = await the_notice(pool, attempt_id)
    assert notice["state"] == state
    (attempt,) = await attempts_of(pool, notice["id"])
    assert attempt["receipt"] == receipt


async def test_same_report_again_is_answered_alike_and_changes_nothing(
    client: httpx2.AsyncClient, pool: Pool, attempt_id: UUID
) -> None:
    first = await client.get(an_address(attempt_id, 1))
    before = await pool.fetch("select * from attempts")
    again = await client.get(an_address(attempt_id, 1))
    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert await pool.fetch("select * from attempts") == before


async def test_whatever_is_wrong_with_a_report_gets_the_same_answer(
    client: httpx2.AsyncClient, pool: Pool, attempt_id: UUID
) -> None:
    stranger = UUID(int=7)
    answers = [
        await client.get(address)
        for address in (
            an_address(stranger, 1),
            an_address(attempt_id, 1, signed=signature("another secret entirely", attempt_id)),
            an_address(attempt_id, 1, signed=signature(SECRET, stranger)),
            an_address(attempt_id, 1, signed="签"),
            an_address(attempt_id, 3),
            an_address(attempt_id, "delivered"),
            an_address("no-uuid", 1),
            RECEIPTS_PATH,
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert (await the_notice(pool, attempt_id))["state"] == "sent"


async def test_without_a_secret_no_report_is_believed(pool: Pool, attempt_id: UUID) -> None:
    async with a_client(pool, "") as client:
        answer = await client.get(an_address(attempt_id, 1, signed=signature("", attempt_id)))
    assert answer.status_code == 404
