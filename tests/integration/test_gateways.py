"""What a gateway may call: its reports are recorded, and nobody learns anything from a forged one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
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
from watching.figures import InterfaceFigures

SECRET = "a-secret-for-tests-only"


@pytest.fixture
def figures() -> InterfaceFigures:
    return InterfaceFigures()


@pytest.fixture
async def client(pool: Pool, figures: InterfaceFigures) -> AsyncIterator[httpx2.AsyncClient]:
    async with a_client(pool, SECRET, figures) as opened:
        yield opened


def a_client(pool: Pool, secret: str, figures: InterfaceFigures | None = None) -> httpx2.AsyncClient:
    """Of an application that has the gateways' addresses alone."""
    app = FastAPI()
    app.include_router(gateways.router)
    errors.install(app)
    unused: dict[str, Any] = dict.fromkeys(
        ("keys", "policies", "temporal", "sender", "passwords", "expectations", "now", "stored")
    )
    settings = cast(Any, SimpleNamespace(kannel_dlr_secret=secret))
    app.state.services = Services(settings=settings, pool=pool, figures=figures or InterfaceFigures(), **unused)
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


async def test_each_report_is_counted_once_and_a_forged_one_not_at_all(
    client: httpx2.AsyncClient, figures: InterfaceFigures, attempt_id: UUID
) -> None:
    for address in (
        *(an_address(attempt_id, kind) for kind in (8, 8, 2, 2, 8)),
        an_address(UUID(int=7), 1),
        an_address(attempt_id, 1, signed="forged"),
    ):
        await client.get(address)

    counted = {
        receipt: figures.registry.get_sample_value("huisheng_notice_receipts_total", {"receipt": receipt})
        for _, receipt, _ in REPORTS
    }
    assert counted == {"accepted": 1, "failed": 1, "delivered": 0, "buffered": 0, "rejected": 0}


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


@pytest.mark.parametrize(("days", "status", "state"), [(6.9, 200, "delivered"), (7.1, 404, "sent")])
async def test_report_is_believed_for_a_week_after_its_attempt(
    client: httpx2.AsyncClient, pool: Pool, attempt_id: UUID, days: float, status: int, state: str
) -> None:
    """The address of one that is not final could be read somewhere, and called with another outcome."""
    await client.get(an_address(attempt_id, 8))
    await pool.execute("update attempts set started_at = now() - $1::interval", timedelta(days=days))
    late = await client.get(an_address(attempt_id, 1))
    assert (late.status_code, (await the_notice(pool, attempt_id))["state"]) == (status, state)
    if status == 404:
        assert late.text == (await client.get(an_address(UUID(int=7), 1))).text


async def test_final_report_stays_whatever_its_address_is_called_with(
    client: httpx2.AsyncClient, pool: Pool, attempt_id: UUID
) -> None:
    await client.get(an_address(attempt_id, 1))
    before = await pool.fetch("select * from attempts"), await the_notice(pool, attempt_id)
    for kind, *_ in REPORTS:
        assert (await client.get(an_address(attempt_id, kind))).status_code == 200
    assert (await pool.fetch("select * from attempts"), await the_notice(pool, attempt_id)) == before


async def test_without_a_secret_no_report_is_believed(pool: Pool, attempt_id: UUID) -> None:
    async with a_client(pool, "") as client:
        answer = await client.get(an_address(attempt_id, 1, signed=signature("", attempt_id)))
    assert answer.status_code == 404
