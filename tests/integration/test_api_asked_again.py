"""Whoever acts with an Idempotency-Key and asks again gets the same answer, also where the action has taken the request away."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from supervision.temporal import TemporalServer
from tests.conftest import FreshDatabase
from tests.integration.test_api_actions import a_worker, assigned, done
from tests.interface import Interface, Submitted, an_interface, problem


@pytest.fixture(scope="module")
async def interface(fresh_database: FreshDatabase, temporal_server: TemporalServer) -> AsyncIterator[Interface]:
    """One system for all tests of this file; each test has a request of its own."""
    url, address = fresh_database(), temporal_server.address
    async with an_interface(url, address, real_time=True) as running, a_worker(url, address):
        await running.employ("handler", "handler", departments=["housing"])
        await running.employ("lead", "handler", leads=["housing"])
        await running.employ("other_lead", "handler", leads=["housing"])
        await running.employ("doctor", "handler", departments=["health"])
        yield running


async def accepted(interface: Interface) -> Submitted:
    request = await assigned(interface, language="en")
    await done(interface, "handler", request, "accept")
    return request


async def test_helper_who_is_done_and_asks_again_is_told_the_same(interface: Interface) -> None:
    request = await accepted(interface)
    await done(interface, "handler", request, "add_co_handler", department="health", task="Take a sample.")
    body = {"note": "The sample is taken."}
    answers = [await interface.act("doctor", request, "finish_co_handling", body, key="finished") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[1].text
    assert answers[0].json() == answers[1].json()


async def test_lead_who_has_returned_it_and_asks_again_is_told_the_same(interface: Interface) -> None:
    request = await accepted(interface)
    body = {"reason": "Not ours.", "department": "health"}
    answers = [await interface.act("lead", request, "return_request", body, key="returned") for _ in range(2)]
    assert [answer.json()["state"] for answer in answers] == ["triage", "triage"], answers[1].text
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("username", "key"),
    [
        pytest.param("lead", "another", id="another key"),
        pytest.param("lead", None, id="no key"),
        pytest.param("other_lead", "returned", id="another person"),
        pytest.param("doctor", "returned", id="a stranger"),
    ],
)
async def test_nobody_else_learns_anything_of_it(interface: Interface, username: str, key: str | None) -> None:
    request = await accepted(interface)
    body = {"reason": "Not ours.", "department": "health"}
    assert (await interface.act("lead", request, "return_request", body, key="returned")).status_code == 200
    problem(await interface.act(username, request, "return_request", body, key=key), 404, "not_found")


async def test_action_that_the_engine_carried_out_and_then_refuses_is_answered_as_done(interface: Interface) -> None:
    """As after a crash: the database shows what this very try has done, and the engine, asked once more, finds it too late."""
    request = await assigned(interface, language="en")
    first = await interface.act("handler", request, "accept", key="first")
    pool = interface.services.pool
    handler = await pool.fetchval("select id from staff where username = 'handler'")
    lost = f"accept-{hashlib.sha256(f'{handler}:lost'.encode()).hexdigest()[:32]}"
    of_request = "request_id = (select id from requests where reference = $1)"
    problem(await interface.act("handler", request, "accept", key="lost"), 409, "not_allowed")
    await pool.execute(f"update acts set update_id = $2 where {of_request}", request.reference, lost)
    again = await interface.act("handler", request, "accept", key="lost")
    assert (again.status_code, again.json()) == (200, first.json()), again.text
