"""Sending through a stranger: what is written before and after each try, and what an unclear one leads to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.notices import TEMPORARY_FAILURE, NoticeActivities, SendNotices
from activities.providers.console import ConsoleProvider
from activities.providers.port import Accepted, Answer, Message, Permanent, Temporary, Uncertain
from db import notices
from db.notices import Receipt
from db.pool import Pool, open_pool
from db.sealing import KeyRing
from tests.city import a_city
from tests.notices import (
    PUBLIC_URL,
    Gateway,
    OnePolicy,
    a_handler_with_phone,
    a_sender,
    an_owed_notice,
    attempts_of,
    let_grace_pass,
    notice_row,
    owed_notices,
)
from tests.rows import a_submitted_request

BUSY = Temporary("gateway_busy")


@pytest.fixture
async def request_id(pool: Pool, keys: KeyRing) -> UUID:
    return (await a_submitted_request(pool, keys)).request_id


@pytest.fixture
async def single(database_url: str) -> AsyncIterator[Pool]:
    """A pool of one connection."""
    async with open_pool(database_url, size=1) as opened:
        yield opened


async def state_of(pool: Pool, notice_id: UUID) -> str:
    return str((await notice_row(pool, notice_id))["state"])


async def outcomes(pool: Pool, notice_id: UUID) -> list[str | None]:
    return [attempt["outcome"] for attempt in await attempts_of(pool, notice_id)]


async def test_attempt_is_committed_and_no_connection_held_when_the_gateway_is_called(
    single: Pool, pool: Pool, keys: KeyRing, request_id: UUID
) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    seen: list[tuple[str, list[str | None]]] = []

    async def look(message: Message) -> Answer:
        # The only connection of the sender's pool is free.
        seen.append((await state_of(single, notice_id), await outcomes(pool, notice_id)))
        return Accepted()

    await asyncio.wait_for(a_sender(single, keys, Gateway(look)).send_request(request_id), 60)
    assert seen == [("sending", [None])]
    assert await state_of(pool, notice_id) == "sent"
    assert await outcomes(pool, notice_id) == ["accepted"]


async def test_temporary_failure_leaves_the_rest_owed_and_sends_nothing_twice(
    pool: Pool, keys: KeyRing, request_id: UUID
) -> None:
    first, second, third = await owed_notices(pool, request_id, 3)
    gateway = Gateway()
    gateway.answer(Accepted(), BUSY)
    sender = a_sender(pool, keys, gateway)
    left = await sender.send_request(request_id)
    assert (left.unsettled, left.provider_fails) == ("gateway_busy", True)
    assert [await state_of(pool, notice_id) for notice_id in (first, second, third)] == ["sent", "owed", "owed"]
    gateway.answer(Accepted())
    assert (await sender.send_request(request_id)).unsettled is None
    assert gateway.notices == [first, second, second, third]
    assert await outcomes(pool, second) == ["temporary", "accepted"]


async def test_activity_asks_temporal_to_try_again(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    await an_owed_notice(pool, request_id)
    gateway = Gateway()
    gateway.answer(BUSY, Accepted())
    activities = NoticeActivities(pool, keys, OnePolicy(a_city()), gateway, PUBLIC_URL)
    with pytest.raises(ApplicationError, match="gateway_busy") as raised:
        await ActivityEnvironment().run(activities.send_notices, SendNotices(str(request_id)))
    assert raised.value.type == TEMPORARY_FAILURE
    assert not raised.value.non_retryable
    answer = await ActivityEnvironment().run(activities.send_notices, SendNotices(str(request_id)))
    assert answer.held_until is None


async def test_permanent_failure_ends_one_notice_and_the_others_go_on(
    pool: Pool, keys: KeyRing, request_id: UUID
) -> None:
    first, second = await owed_notices(pool, request_id, 2)
    gateway = Gateway()
    gateway.answer(Permanent("message_refused"), Accepted())
    assert (await a_sender(pool, keys, gateway).send_request(request_id)).unsettled is None
    row = await notice_row(pool, first)
    assert (row["state"], row["last_error"]) == ("failed", "message_refused")
    assert await state_of(pool, second) == "sent"
    await a_sender(pool, keys, gateway).send_request(request_id)
    assert gateway.notices == [first, second]


async def test_unclear_attempt_is_not_tried_again_within_its_grace(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    gateway = Gateway()
    gateway.answer(Uncertain("no_answer"), Accepted())
    sender = a_sender(pool, keys, gateway)
    for _ in range(3):
        assert (await sender.send_request(request_id)).unsettled is not None
    assert gateway.notices == [notice_id]
    row = await notice_row(pool, notice_id)
    assert (row["state"], row["last_error"]) == ("sending", "no_answer")


async def test_unclear_attempt_is_tried_again_after_its_grace(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    gateway = Gateway()
    gateway.answer(Uncertain("no_answer"), Accepted())
    sender = a_sender(pool, keys, gateway)
    await sender.send_request(request_id)
    await let_grace_pass(pool, notice_id)
    assert (await sender.send_request(request_id)).unsettled is None
    assert await outcomes(pool, notice_id) == [None, "accepted"]
    assert await state_of(pool, notice_id) == "sent"


@pytest.mark.parametrize("receipt", [Receipt.BUFFERED, Receipt.ACCEPTED, Receipt.DELIVERED])
async def test_receipt_of_an_unclear_attempt_proves_that_it_arrived(
    pool: Pool, keys: KeyRing, request_id: UUID, receipt: Receipt
) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    gateway = Gateway()
    gateway.answer(Uncertain("no_answer"))
    sender = a_sender(pool, keys, gateway)
    await sender.send_request(request_id)
    assert await notices.record_receipt(pool, gateway.sent[0].attempt_id, receipt)
    await let_grace_pass(pool, notice_id)
    assert (await sender.send_request(request_id)).unsettled is None
    assert gateway.notices == [notice_id]
    assert await state_of(pool, notice_id) == ("delivered" if receipt is Receipt.DELIVERED else "sent")


async def test_sender_that_dies_while_the_gateway_is_asked_leaves_an_unclear_attempt(
    pool: Pool, keys: KeyRing, request_id: UUID
) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    gateway = Gateway()
    gateway.fall_silent()
    dying = asyncio.create_task(a_sender(pool, keys, gateway).send_request(request_id))
    await gateway.asked.wait()
    dying.cancel()
    await asyncio.wait([dying])
    successor = Gateway()
    assert (await a_sender(pool, keys, successor).send_request(request_id)).unsettled == "in_hand"
    assert successor.sent == []
    await let_grace_pass(pool, notice_id)
    await a_sender(pool, keys, successor).send_request(request_id)
    assert successor.notices == [notice_id]


async def test_senders_side_by_side_ask_the_gateway_once_for_each_notice(
    pool: Pool, keys: KeyRing, request_id: UUID
) -> None:
    owed = await owed_notices(pool, request_id, 5)

    async def take_a_while(message: Message) -> Answer:
        await asyncio.sleep(0.01)
        return Accepted()

    gateway = Gateway(take_a_while)
    senders = [a_sender(pool, keys, gateway) for _ in range(6)]
    for _ in range(5):
        await asyncio.gather(*(sender.send_request(request_id) for sender in senders))
    assert sorted(gateway.notices) == sorted(owed)
    assert gateway.notices == owed, "one recipient gets them in the order they were owed"


async def test_unclear_notice_makes_its_own_recipient_wait_and_nobody_else(
    pool: Pool, keys: KeyRing, request_id: UUID
) -> None:
    unclear, behind = await owed_notices(pool, request_id, 2)
    staff = await a_handler_with_phone(pool, keys, "+8613900000002")
    elsewhere = await an_owed_notice(pool, request_id, sequence=3, recipient=f"staff:{staff}")
    gateway = Gateway()
    gateway.answer(Uncertain("no_answer"), Accepted())
    await a_sender(pool, keys, gateway).send_request(request_id)
    assert gateway.notices == [unclear, elsewhere]
    assert await state_of(pool, behind) == "owed"


async def test_claim_that_took_too_long_is_given_back_unsent(
    pool: Pool, keys: KeyRing, request_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    claim = notices.claim

    async def stopped_after_claiming(*given: object) -> bool:
        claimed = await claim(*given)  # type: ignore[arg-type]
        await asyncio.sleep(0.3)
        return claimed

    monkeypatch.setattr(notices, "claim", stopped_after_claiming)
    gateway = Gateway()
    left = await a_sender(pool, keys, gateway, grace=timedelta(seconds=0.5)).send_request(request_id)
    assert (left.unsettled, gateway.sent) == ("too_late", [])
    assert await state_of(pool, notice_id) == "owed"


async def test_console_leaves_what_a_gateway_may_have_to_its_grace(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    gateway = Gateway()
    gateway.answer(Uncertain("no_answer"))
    await a_sender(pool, keys, gateway).send_request(request_id)
    console = a_sender(pool, keys, ConsoleProvider(pool, keys))
    assert (await console.send_request(request_id)).unsettled is None
    assert await state_of(pool, notice_id) == "sending"
    await let_grace_pass(pool, notice_id)
    assert await console.send_overlooked(timedelta(minutes=2)) == 1
    assert await state_of(pool, notice_id) == "sent"


async def test_sweep_stops_at_the_first_failure_of_the_gateway(pool: Pool, keys: KeyRing) -> None:
    for _ in range(3):
        await an_owed_notice(pool, (await a_submitted_request(pool, keys)).request_id)
    gateway = Gateway()
    gateway.answer(BUSY)
    assert await a_sender(pool, keys, gateway).send_overlooked(timedelta(minutes=2)) == 1
    assert len(gateway.sent) == 1


async def test_sweep_waits_the_longer_the_more_often_it_failed(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    gateway = Gateway()
    gateway.answer(BUSY)
    sender = a_sender(pool, keys, gateway)
    for _ in range(3):
        await sender.send_request(request_id)
    await let_grace_pass(pool, notice_id, timedelta(minutes=15))
    assert await sender.send_overlooked(timedelta(minutes=2)) == 0
    await let_grace_pass(pool, notice_id, timedelta(minutes=2))
    assert await sender.send_overlooked(timedelta(minutes=2)) == 1


async def test_sweep_and_activity_side_by_side_send_once(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    owed = await owed_notices(pool, request_id, 5)
    gateway = Gateway()
    sender = a_sender(pool, keys, gateway)
    for _ in range(5):
        await asyncio.gather(
            *(sender.send_overlooked(timedelta(0)) for _ in range(3)),
            *(sender.send_request(request_id) for _ in range(3)),
        )
    assert sorted(gateway.notices) == sorted(owed)


# --- receipts -------------------------------------------------------------------------------------------------------

B, A, D, F, R = Receipt.BUFFERED, Receipt.ACCEPTED, Receipt.DELIVERED, Receipt.FAILED, Receipt.REJECTED
REPORTS: list[tuple[str, list[Receipt], str, str]] = [
    ("taken by the SMS centre", [A], "sent", "accepted"),
    ("delivered", [A, D], "delivered", "delivered"),
    ("delivered, and the older report comes late", [D, A], "delivered", "delivered"),
    ("the same report again", [A, A, D, D], "delivered", "delivered"),
    ("buffered, then delivered", [B, A, D], "delivered", "delivered"),
    ("buffered after accepted says nothing new", [A, B], "sent", "accepted"),
    ("not delivered in the end", [A, F], "failed", "failed"),
    ("rejected by the SMS centre", [R], "failed", "rejected"),
    ("the first final report stays", [D, F], "delivered", "delivered"),
]


@pytest.mark.parametrize(("receipts", "state", "kept"), [row[1:] for row in REPORTS], ids=[row[0] for row in REPORTS])
async def test_reports_of_an_accepted_attempt(
    pool: Pool, keys: KeyRing, request_id: UUID, receipts: list[Receipt], state: str, kept: str
) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    gateway = Gateway()
    await a_sender(pool, keys, gateway).send_request(request_id)
    attempt_id = gateway.sent[0].attempt_id
    new = [await notices.record_receipt(pool, attempt_id, receipt) for receipt in receipts]
    assert new[0]
    assert None not in new
    assert await state_of(pool, notice_id) == state
    assert (await attempts_of(pool, notice_id))[0]["receipt"] == kept


async def test_report_that_overtakes_the_gateways_own_answer_stands(
    pool: Pool, keys: KeyRing, request_id: UUID
) -> None:
    notice_id = await an_owed_notice(pool, request_id)

    async def report_first(message: Message) -> Answer:
        await notices.record_receipt(pool, message.attempt_id, Receipt.DELIVERED)
        return Temporary("gateway_busy")

    await a_sender(pool, keys, Gateway(report_first)).send_request(request_id)
    assert await state_of(pool, notice_id) == "delivered"
    assert await outcomes(pool, notice_id) == ["accepted"]


async def test_failure_of_an_earlier_attempt_says_nothing_of_the_present_one(
    pool: Pool, keys: KeyRing, request_id: UUID
) -> None:
    notice_id = await an_owed_notice(pool, request_id)
    gateway = Gateway()
    gateway.answer(Uncertain("no_answer"), Accepted())
    sender = a_sender(pool, keys, gateway)
    await sender.send_request(request_id)
    await let_grace_pass(pool, notice_id)
    await sender.send_request(request_id)
    await notices.record_receipt(pool, gateway.sent[0].attempt_id, Receipt.FAILED)
    assert await state_of(pool, notice_id) == "sent"
    await notices.record_receipt(pool, gateway.sent[0].attempt_id, Receipt.DELIVERED)
    assert (await attempts_of(pool, notice_id))[0]["receipt"] == "failed"


async def test_unknown_attempt_has_no_receipt(pool: Pool) -> None:
    assert await notices.record_receipt(pool, UUID(int=7), Receipt.DELIVERED) is None
