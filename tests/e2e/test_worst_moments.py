"""One part is killed at the very moment at which it would hurt most."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.e2e.books import actions_of, balance, calm, events_of
from tests.e2e.people import PHONE, Caller, Receipt
from tests.e2e.system import LiveSystem, until

pytestmark = pytest.mark.e2e

BODY = {"description": "The street light before our door is out.", "contact": {"phone": PHONE}, "language": "en"}
WORKER, RELAY, INTERFACE = "worker", "relay", "huisheng-api"
NEW_REQUESTS = "lock table requests in exclusive mode"
EVENTS = "lock table events in exclusive mode"
MESSAGES_SENT = "lock table outbox in exclusive mode"


async def an_assigned_request(live: LiveSystem, caller: Caller) -> Receipt:
    receipt = await caller.submit()
    await calm(live, [receipt.reference])
    return receipt


async def test_worker_killed_with_its_hands_full(live: LiveSystem, caller: Caller) -> None:
    """Two requests are recorded and their notices not sent: the one's have reached the database, the other's have not.
    A message and a third request are on their way to Temporal."""
    there = await an_assigned_request(live, caller)
    async with live.held_up(MESSAGES_SENT):
        receipts = [await caller.submit() for _ in range(2)]
        sessions = await live.waiting(WORKER, 2)
        for receipt in receipts:
            assert await actions_of(live, receipt.reference) == ["submit", "auto_assign"]
        assert await notice_states(live, receipts) == {"owed"}
        live.temporal.freeze()
        assert (await caller.tell(there, "supplement", text="It is the third lamp.")).status_code == 202
        receipts.append(await caller.submit())
        for receipt in (there, receipts[-1]):
            await leased(live, receipt)
        live.worker.kill()
        await live.cut(sessions[0])
    live.temporal.thaw()
    await live.worker.start()
    references = [receipt.reference for receipt in receipts]
    await calm(live, [there.reference, *references])
    assert await actions_of(live, there.reference) == ["submit", "auto_assign", "supplement"]
    await balance(live, {there.reference: 1, **dict.fromkeys(references, 0)})


async def test_worker_killed_before_it_knows_that_a_message_is_delivered(live: LiveSystem, caller: Caller) -> None:
    receipt = await an_assigned_request(live, caller)
    live.temporal.freeze()
    assert (await caller.tell(receipt, "supplement", text="It is the second lamp.")).status_code == 202
    message = await leased(live, receipt)
    async with live.held_up(f"select from inbox where id = {message} for update"):
        live.temporal.thaw()
        (session,) = await live.waiting(RELAY)
        await until(lambda: has_event(live, receipt, "supplement"), what="that the workflow has heard the message")
        live.worker.kill()
        await live.cut(session)
    await live.worker.start()
    await calm(live, [receipt.reference])
    assert await live.value("select attempts from inbox where id = $1", message) == 2
    assert await actions_of(live, receipt.reference) == ["submit", "auto_assign", "supplement"]
    await balance(live, {receipt.reference: 1})


async def test_api_killed_while_it_stores_a_request(live: LiveSystem, caller: Caller) -> None:
    """Of two requests, the one had reached the database and nobody was told, the other had not."""
    # A statement that a session has met before comes to the database in one piece, and is carried out even when its sender is gone.
    async with live.held_up(NEW_REQUESTS):
        met = [asyncio.create_task(caller.submit()) for _ in range(3)]
        await live.waiting(INTERFACE, 3)
    await asyncio.gather(*met)
    keys = [uuid4().hex for _ in range(2)]
    before = await live.value("select count(*) from requests")
    async with live.held_up(NEW_REQUESTS):
        posts = [asyncio.create_task(caller.post("/requests", BODY, **{"Idempotency-Key": key})) for key in keys]
        sessions = await live.waiting(INTERFACE, 2)
        live.api.kill()
        await live.cut(sessions[0])
        for post in posts:
            with pytest.raises(httpx2.TransportError):
                await post
    await until(lambda: number_of_requests(live, before + 1), what="that the one request is stored")
    await live.api.start()
    answers = [await caller.post("/requests", BODY, **{"Idempotency-Key": key}) for key in keys * 2]
    assert [answer.status_code for answer in answers] == [201] * 4
    references = [answer.json()["reference"] for answer in answers]
    assert references[:2] == references[2:]
    assert await number_of_requests(live, before + 2)
    await calm(live, references)
    await balance(live, dict.fromkeys(references, 0))


async def test_temporal_killed_while_staff_act(live: LiveSystem, caller: Caller) -> None:
    """Of two actions, the one was being carried out, the other had only just been sent. Neither is done by halves."""
    begun, sent = [await an_assigned_request(live, caller) for _ in range(2)]
    keys = {receipt: uuid4().hex for receipt in (begun, sent)}
    async with live.held_up(EVENTS):
        accepting = [asyncio.create_task(accept(caller, begun, keys[begun]))]
        await live.waiting(WORKER)
        live.temporal.freeze()
        accepting.append(asyncio.create_task(accept(caller, sent, keys[sent])))
        await asyncio.sleep(0.2)
        live.temporal.kill()
        for answer in await asyncio.gather(*accepting):
            assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
            assert "retry-after" in answer.headers
    assert await actions_of(live, sent.reference) == ["submit", "auto_assign"]
    await live.temporal.start()
    for receipt in (begun, sent):
        path = f"/staff/requests/{receipt.reference}/actions/accept"
        headers = {**await caller.sign_in("housing"), "Idempotency-Key": keys[receipt]}
        answer = await caller.persistently("POST", path, {}, headers)
        assert (answer.status_code, answer.json()["state"]) == (200, "in_progress"), answer.text
        assert await actions_of(live, receipt.reference) == ["submit", "auto_assign", "accept"]
    references = [begun.reference, sent.reference]
    await calm(live, references)
    await balance(live, dict.fromkeys(references, 0))


async def test_postgres_killed_while_it_takes_in_a_request(live: LiveSystem, caller: Caller) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    before = await live.value("select count(*) from requests")
    async with live.held_up(NEW_REQUESTS):
        post = asyncio.create_task(caller.post("/requests", BODY, **key))
        await live.waiting(INTERFACE)
        live.postgres.kill()
        answer = await post
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
    await live.postgres.start()
    assert await live.value("select count(*) from requests") == before
    answer = await caller.persistently("POST", "/requests", BODY, key)
    assert answer.status_code == 201, answer.text
    reference = answer.json()["reference"]
    await calm(live, [reference])
    await balance(live, {reference: 0})


async def test_power_cut_while_everybody_is_busy(live: LiveSystem, caller: Caller) -> None:
    """Everything dies at once: submissions, messages and staff actions are under way."""
    assigned = [await caller.submit() for _ in range(6)]
    await calm(live, [receipt.reference for receipt in assigned])
    await caller.sign_in("housing")
    calls = [
        *(asyncio.create_task(caller.submit()) for _ in range(6)),
        *(asyncio.create_task(caller.get_done("housing", one.reference, "accept")) for one in assigned[:4]),
        *(asyncio.create_task(tell_persistently(caller, one, "supplement", text="More.")) for one in assigned[2:]),
    ]
    await asyncio.sleep(0.05)
    for part in live.parts.values():
        part.kill()
    await live.heal()
    answers: list[Any] = await asyncio.gather(*calls)
    submitted = [answer for answer in answers if isinstance(answer, Receipt)]
    references = {receipt.reference: 0 for receipt in (*assigned, *submitted)}
    references |= {receipt.reference: 1 for receipt in assigned[2:]}
    await calm(live, list(references))
    for receipt in assigned[:4]:
        assert (await actions_of(live, receipt.reference)).count("accept") == 1
    await balance(live, references)


async def accept(caller: Caller, receipt: Receipt, key: str) -> httpx2.Response:
    path = f"/staff/requests/{receipt.reference}/actions/accept"
    return await caller.post(path, {}, **await caller.sign_in("housing"), **{"Idempotency-Key": key})


async def tell_persistently(caller: Caller, receipt: Receipt, action: str, **body: Any) -> None:
    answer = await caller.persistently("POST", f"/requests/{receipt.reference}/{action}", body, receipt.headers)
    assert answer.status_code == 202, answer.text


async def notice_states(live: LiveSystem, receipts: list[Receipt]) -> set[str]:
    rows = await live.look(
        "select distinct notices.state from notices join snapshots using (request_id) where reference = any ($1::text[])",
        [receipt.reference for receipt in receipts],
    )
    return {row["state"] for row in rows}


async def leased(live: LiveSystem, receipt: Receipt) -> int:
    """The message of that request which a relay has in hand."""
    found: list[int] = []

    async def is_leased() -> bool:
        rows = await live.look(
            "select inbox.id from inbox join snapshots using (request_id)"
            " where reference = $1 and delivered_at is null and leased_until > now()",
            receipt.reference,
        )
        found[:] = [row["id"] for row in rows]
        return bool(found)

    await until(is_leased, what="that a relay has the message")
    return found[0]


async def has_event(live: LiveSystem, receipt: Receipt, action: str) -> bool:
    return action in [event["action"] for event in await events_of(live, receipt.reference)]


async def number_of_requests(live: LiveSystem, number: int) -> bool:
    return bool(await live.value("select count(*) from requests") == number)
