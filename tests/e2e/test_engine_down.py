"""Temporal or the worker is away: citizens notice nothing, staff are told at once, and nothing is done by halves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from temporalio.api.enums.v1 import EventType

from tests.e2e.books import actions_of, balance, calm, history_of
from tests.e2e.people import Caller, Receipt
from tests.e2e.system import LiveSystem

pytestmark = pytest.mark.e2e

TOLD_WITHIN_SECONDS = 9.0
"""What the interface gives itself is two and a half, where a worker could be waited for ten; the rest is for a busy machine."""

ACTIONS: dict[str, dict[str, Any]] = {
    "accept": {},
    "escalate": {"reason": "It needs the power company."},
    "return_request": {"reason": "Not ours.", "department": "health"},
}
"""What the lead of a department may do with a request that was assigned to it."""


async def a_resolved_request(live: LiveSystem, caller: Caller) -> Receipt:
    receipt = await caller.submit()
    await calm(live, [receipt.reference])
    for action, body in (("accept", {}), ("resolve", {"outcome": "solved", "reply": "It burns again."})):
        answer = await caller.act("housing", receipt.reference, action, **body)
        assert answer.status_code == 200, answer.text
    await calm(live, [receipt.reference])
    return receipt


async def test_citizens_notice_nothing_and_are_heard_in_order_when_temporal_is_back(
    live: LiveSystem, caller: Caller
) -> None:
    resolved = await a_resolved_request(live, caller)
    live.temporal.kill()
    new = await caller.submit()
    for action, body in (("supplement", {"text": "One."}), ("supplement", {"text": "Two."}), ("urge", {})):
        assert (await caller.tell(new, action, **body)).status_code == 202
    leaving = await caller.submit()
    assert (await caller.tell(leaving, "withdraw")).status_code == 202
    assert (await caller.tell(resolved, "rate", solved="yes", satisfied=5)).status_code == 202
    assert [(await caller.standing(receipt))["state"] for receipt in (new, leaving, resolved)] == [
        "received", "received", "resolved",
    ]  # fmt: skip

    await live.temporal.start()
    references = {new.reference: 3, leaving.reference: 1, resolved.reference: 1}
    await calm(live, list(references))
    assert await actions_of(live, new.reference) == ["submit", "auto_assign", "supplement", "supplement", "urge"]
    standing = await caller.standing(new)
    assert [line["said"] for line in standing["timeline"] if line["kind"] == "supplement"] == ["One.", "Two."]
    assert (await actions_of(live, leaving.reference))[-1] == "withdraw"
    assert (await caller.standing(resolved))["outcome"] == "solved"
    await balance(live, references)


async def test_staff_are_told_within_seconds_and_nothing_is_done(live: LiveSystem, caller: Caller) -> None:
    receipt = await caller.submit()
    await calm(live, [receipt.reference])
    session = await caller.sign_in("housing_lead")
    before = await everything_of(live, receipt)
    live.temporal.kill()
    for answer in await in_time(
        caller.act("housing_lead", receipt.reference, name, **ACTIONS[name]) for name in ACTIONS
    ):
        assert_engine_unavailable(answer)
    for path in ("/staff/requests", f"/staff/requests/{receipt.reference}", "/staff/rates"):
        assert (await caller.get(path, **session)).status_code == 200, path
    ready = await caller.http.get("/readyz")
    assert (ready.status_code, ready.json()["engine"], ready.json()["ready"]) == (200, "down", True)

    await live.temporal.start()
    assert await everything_of(live, receipt) == before
    assert "WORKFLOW_EXECUTION_UPDATE_ACCEPTED" not in await kinds_in_history(live, receipt)
    assert (await caller.get_done("housing_lead", receipt.reference, "accept")).status_code == 200
    await balance(live, {receipt.reference: 0})


async def test_staff_are_told_within_seconds_by_an_engine_that_hangs(live: LiveSystem, caller: Caller) -> None:
    receipt = await caller.submit()
    await calm(live, [receipt.reference])
    headers = {**await caller.sign_in("housing"), "Idempotency-Key": uuid4().hex}
    path = f"/staff/requests/{receipt.reference}/actions/accept"
    live.temporal.freeze()
    for answer in await in_time([caller.post(path, {}, **headers)]):
        assert_engine_unavailable(answer)
    live.temporal.thaw()
    assert (await caller.persistently("POST", path, {}, headers)).status_code == 200
    assert await actions_of(live, receipt.reference) == ["submit", "auto_assign", "accept"]
    await balance(live, {receipt.reference: 0})


async def test_action_without_a_worker_is_answered_in_time_and_done_once(live: LiveSystem, caller: Caller) -> None:
    receipt = await caller.submit()
    await calm(live, [receipt.reference])
    headers = {**await caller.sign_in("housing"), "Idempotency-Key": uuid4().hex}
    live.worker.kill()
    path = f"/staff/requests/{receipt.reference}/actions/accept"
    assert_engine_unavailable(await caller.post(path, {}, **headers))
    await live.worker.start()
    answer = await caller.persistently("POST", path, {}, headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "in_progress")
    assert await actions_of(live, receipt.reference) == ["submit", "auto_assign", "accept"]
    await balance(live, {receipt.reference: 0})


async def test_api_started_while_temporal_is_away_serves_citizens_and_then_staff(
    live: LiveSystem, caller: Caller
) -> None:
    live.temporal.kill()
    live.api.kill()
    await live.api.start()
    receipt = await caller.submit()
    assert (await caller.tell(receipt, "supplement", text="More.")).status_code == 202
    await live.temporal.start()
    await calm(live, [receipt.reference])
    assert (await caller.get_done("housing", receipt.reference, "accept")).status_code == 200


async def test_worker_started_while_temporal_is_away_says_so_in_one_sentence(live: LiveSystem) -> None:
    live.temporal.kill()
    status, said, complained = await live.run(*live.worker.part.command())
    assert (status, said) == (1, "")
    assert complained == (
        f"Temporal does not answer at {live.system.temporal_address}. Start it, or mend TEMPORAL_ADDRESS.\n"
    )


async def in_time(calls: Iterable[Coroutine[Any, Any, httpx2.Response]]) -> list[httpx2.Response]:
    began = time.monotonic()
    answers = await asyncio.gather(*calls)
    assert time.monotonic() - began < TOLD_WITHIN_SECONDS
    return answers


def assert_engine_unavailable(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable"), answer.text
    assert int(answer.headers["retry-after"]) > 0


async def everything_of(live: LiveSystem, receipt: Receipt) -> list[list[Any]]:
    """What the read model holds of the request."""
    of_request = "where request_id = (select request_id from snapshots where reference = $1)"
    return [
        await live.look(f"select * from {table} {of_request} order by 1, 2", receipt.reference)
        for table in ("snapshots", "events", "notices")
    ]


async def kinds_in_history(live: LiveSystem, receipt: Receipt) -> set[str]:
    history = await history_of(live, receipt.reference)
    return {EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events}
