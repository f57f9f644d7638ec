"""Whoever acts with an Idempotency-Key and asks again gets the same answer, also where the action has taken the request away."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid5

import pytest

from db import read_model, texts, views
from domain.record import Entry, Record
from domain.request import Act, Event, Result, State
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


async def test_action_that_is_recorded_after_it_was_refused_finds_its_text(interface: Interface) -> None:
    """A worker that stood still while it recorded the action goes on when another has refused the same one."""
    request = await assigned(interface, language="en")
    await interface.move(request, "in_progress", sequence=2)  # the read model is ahead, so that the engine has the no
    body = {"outcome": "solved", "reply": "The lamp is new."}
    problem(await interface.act("handler", request, "resolve", body, key="late"), 409, "not_allowed")

    pool = interface.services.pool
    handler = await pool.fetchval("select id from staff where username = 'handler'")
    request_id = await pool.fetchval("select id from requests where reference = $1", request.reference)
    update_id = f"resolve-{hashlib.sha256(f'{handler}:late'.encode()).hexdigest()[:32]}"
    text = str(uuid5(request_id, f"{update_id}:reply"))
    before, now = await views.snapshot(pool, request_id), datetime.now(UTC)
    after = replace(before, sequence=3, state=State.RESOLVED, reply=text, result=Result.SOLVED, resolved_at=now)
    event = Event(3, now, "resolve", "staff", str(handler), before.state, after.state, True, text)
    late = Record(after, (Entry(event),), Act(update_id, "resolve", "{}", now))
    await read_model.record(pool, late, None, now)
    await texts.forget_refused(pool, now + timedelta(days=2))

    assert (await interface.look_up(request))["reply"] == "The lamp is new."
    again = await interface.act("handler", request, "resolve", body, key="late")
    assert (again.status_code, again.json()["sequence"]) == (200, 3), again.text
