"""The figures of the interface: who may read them, what they say of the database, and what they do when it is away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest

from tests.builders import MONDAY_NINE
from tests.interface import Interface, an_interface, problem
from watching import stored

TOKEN = "a-token-for-figures"


@pytest.fixture
async def interface(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Interface]:
    monkeypatch.setattr(stored, "FRESH_SECONDS", 0.0)
    async with an_interface(database_url) as running:
        yield running


async def page_of(interface: Interface) -> str:
    answer = await interface.http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return answer.text


def figure(page: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert found, name
    return float(found[1])


async def test_without_a_token_they_are_for_this_machine_alone(interface: Interface) -> None:
    assert (await interface.http.get("/metrics")).status_code == 200
    async with interface.from_address("203.0.113.9") as stranger:
        problem(await stranger.get("/metrics"), 403, "forbidden")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_without_a_token_whatever_came_through_a_proxy_is_not_of_this_machine(
    interface: Interface, header: str
) -> None:
    problem(await interface.http.get("/metrics", headers={header: "127.0.0.1"}), 403, "forbidden")


async def test_without_a_token_a_house_with_a_public_address_shows_them_to_nobody(database_url: str) -> None:
    async with an_interface(database_url, HUISHENG_PUBLIC_URL="https://city.example") as public:
        problem(await public.http.get("/metrics"), 403, "forbidden")


async def test_with_a_token_they_are_for_whoever_brings_it(database_url: str) -> None:
    async with an_interface(
        database_url, HUISHENG_PUBLIC_URL="https://city.example", HUISHENG_METRICS_TOKEN=TOKEN
    ) as public:
        async with public.from_address("203.0.113.9") as prometheus:
            welcome = await prometheus.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
            assert welcome.status_code == 200
            assert welcome.headers["content-type"].startswith("text/plain; version=")
        refused = await public.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"})
        problem(refused, 401, "unauthorized")


async def test_they_count_what_is_open_and_what_is_overdue(interface: Interface) -> None:
    late, in_time, paused, over = [await interface.submit() for _ in range(4)]
    due = {"department": "lamps", "escalation_level": 2, "due_at": MONDAY_NINE - timedelta(hours=1)}
    await interface.move(late, "in_progress", **due)
    await interface.move(in_time, "in_progress", department="lamps", due_at=MONDAY_NINE + timedelta(hours=1))
    await interface.move(paused, "on_hold", **due)
    await interface.move(over, "closed", **due)
    page = await page_of(interface)

    assert figure(page, 'huisheng_open_requests{state="in_progress"}') == 2
    assert figure(page, 'huisheng_open_requests{state="on_hold"}') == 1
    assert 'state="closed"' not in page
    assert figure(page, 'huisheng_overdue_requests{department="lamps",level="2"}') == 1
    assert figure(page, 'huisheng_overdue_requests{department="lamps",level="0"}') == 0


async def test_they_tell_how_long_the_oldest_message_has_waited(interface: Interface) -> None:
    await interface.submit()
    interface.clock.pass_(timedelta(minutes=2))
    await interface.submit()
    page = await page_of(interface)

    assert figure(page, "huisheng_inbox_waiting") == 2
    assert figure(page, "huisheng_inbox_oldest_seconds") == 120


async def test_they_tell_of_notices_that_wait_but_not_of_those_that_quiet_hours_hold_back(interface: Interface) -> None:
    request = await interface.submit()
    found = await interface.row("select request_id from snapshots where reference = $1", request.reference)
    for kind, state, held in (("a", "owed", -300.0), ("b", "owed", 3600.0), ("c", "failed", 0.0), ("d", "sent", 0.0)):
        await interface.services.pool.execute(
            "insert into notices (id, request_id, sequence, kind, recipient, channel, language, facts, urgent, state,"
            " created_at, not_before) values (gen_random_uuid(), $1, 1, $2, 'citizen', 'sms', 'en', '{}', false, $3, $4, $5)",
            found["request_id"], kind, state, MONDAY_NINE - timedelta(hours=1), MONDAY_NINE + timedelta(seconds=held),
        )  # fmt: skip
    page = await page_of(interface)

    assert figure(page, 'huisheng_unsent_notices{state="owed"}') == 2
    assert figure(page, "huisheng_unsent_notices_oldest_seconds") == 300
    assert figure(page, "huisheng_failed_notices") == 1


async def test_they_name_what_is_in_force(interface: Interface) -> None:
    active = await interface.services.policies.active()
    page = await page_of(interface)

    assert figure(page, f'huisheng_policy_info{{version="{active.version}"}}') == 1
    assert figure(page, 'huisheng_model_info{version="none"}') == 1
    assert re.search(r'huisheng_schema_info\{version="2\d{13}"\} 1\.0', page)


async def test_without_the_database_they_say_so_and_keep_the_last_with_their_age(interface: Interface) -> None:
    await interface.submit()
    assert figure(await page_of(interface), "huisheng_database_up") == 1
    interface.clock.pass_(timedelta(minutes=3))
    await interface.services.pool.execute("alter table inbox rename to away")
    page = await page_of(interface)

    assert figure(page, "huisheng_database_up") == 0
    assert figure(page, "huisheng_figures_age_seconds") == 180
    assert figure(page, 'huisheng_open_requests{state="received"}') == 1
    assert figure(page, "huisheng_engine_up") == 0


async def test_they_count_submissions_by_how_they_ended(interface: Interface) -> None:
    body = {"description": "The lamp is out."}
    for key in ("one", "one", "two"):
        await interface.http.post("/api/v1/requests", json=body, headers={"Idempotency-Key": key})
    await interface.http.post("/api/v1/requests", json=body | {"category": "no_such"})
    page = await page_of(interface)

    for outcome, number in (("taken", 2), ("repeated", 1), ("refused", 1)):
        assert figure(page, f'huisheng_submissions_total{{channel="api",outcome="{outcome}"}}') == number
    assert figure(page, 'huisheng_http_requests_total{method="POST",route="/api/v1/requests",status="201"}') == 3
    assert figure(page, 'huisheng_http_request_seconds_count{method="POST",route="/api/v1/requests"}') == 4


async def test_they_are_looked_up_once_for_many_who_ask(interface: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "FRESH_SECONDS", 60.0)
    await page_of(interface)
    await interface.submit()

    assert figure(await page_of(interface), "huisheng_inbox_waiting") == 0
    assert figure(await page_of(interface), "huisheng_unexpected_errors_total") == 0


async def test_an_unexpected_error_is_counted(interface: Interface) -> None:
    request = await interface.submit()
    await interface.services.pool.execute("update requests set title_sealed = 'broken'::bytea")
    answer: httpx2.Response = await interface.http.get(f"/api/v1/requests/{request.reference}", headers=request.headers)

    assert answer.status_code == 500
    assert figure(await page_of(interface), "huisheng_unexpected_errors_total") == 1
