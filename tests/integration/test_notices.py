"""Sending through the console: what goes out, to whom, with which text, and once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from activities.providers.console import ConsoleProvider
from activities.sending import NoticeSender
from db import notices, outbox
from db.pool import Pool
from db.requests import Contact
from db.sealing import KeyRing
from domain.policy import Policy
from tests.notices import (
    a_city_saying,
    a_handler_with_phone,
    a_sender,
    an_owed_notice,
    attempts_of,
    notice_row,
    owed_notices,
)
from tests.rows import PHONE, a_submitted_request


def a_console_sender(pool: Pool, keys: KeyRing, policy: Policy | None = None) -> NoticeSender:
    return a_sender(pool, keys, ConsoleProvider(pool, keys), policy)


async def texts_sent(pool: Pool, keys: KeyRing) -> list[str]:
    return [line.text for line in await outbox.latest(pool, keys, most=100)]


async def test_owed_notices_go_out_with_an_attempt_each(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    owed = await owed_notices(pool, request.request_id, 3)
    await a_console_sender(pool, keys).send_request(request.request_id)
    for notice_id in owed:
        row = await notice_row(pool, notice_id)
        (attempt,) = await attempts_of(pool, notice_id)
        assert (row["state"], row["attempts"], attempt["outcome"]) == ("sent", 1, "accepted")
    lines = await outbox.latest(pool, keys, reference=request.reference, most=100)
    assert {line.notice_id for line in lines} == set(owed)
    assert {(line.to, line.parts, line.recipient) for line in lines} == {(PHONE, 1, "citizen")}


async def test_message_lies_in_the_outbox_encrypted(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    await an_owed_notice(pool, request.request_id)
    await a_console_sender(pool, keys).send_request(request.request_id)
    (row,) = await pool.fetch("select recipient_sealed, text_sealed from outbox")
    assert PHONE.encode() not in row["recipient_sealed"]
    assert request.reference.encode() not in row["text_sealed"]


async def test_sending_again_sends_nothing_again(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    notice_id = await an_owed_notice(pool, request.request_id)
    sender = a_console_sender(pool, keys)
    for _ in range(3):
        await sender.send_request(request.request_id)
    assert len(await attempts_of(pool, notice_id)) == 1
    assert len(await texts_sent(pool, keys)) == 1


async def test_senders_side_by_side_send_each_notice_once(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    owed = await owed_notices(pool, request.request_id, 20)
    senders = [a_console_sender(pool, keys) for _ in range(8)]
    await asyncio.gather(*(sender.send_request(request.request_id) for sender in senders))
    assert len(await texts_sent(pool, keys)) == len(owed)
    assert await pool.fetchval("select max(attempts) from notices") == 1


async def test_quiet_hours_hold_a_notice_back(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    until = datetime.now(UTC) + timedelta(hours=8)
    held = await an_owed_notice(pool, request.request_id, not_before=until)
    await an_owed_notice(pool, request.request_id, sequence=3, not_before=until + timedelta(hours=1))
    at_once = await an_owed_notice(pool, request.request_id, sequence=4)
    left = await a_console_sender(pool, keys).send_request(request.request_id)
    assert left.held_until == until
    assert (await notice_row(pool, held))["state"] == "owed"
    assert (await notice_row(pool, at_once))["state"] == "sent"


async def test_what_is_held_back_until_the_instant_given_is_due(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    until = datetime.now(UTC) + timedelta(hours=8)
    held = await an_owed_notice(pool, request.request_id, not_before=until)
    await a_console_sender(pool, keys).send_request(request.request_id, until)
    assert (await notice_row(pool, held))["state"] == "sent"


async def test_clock_that_is_seconds_ahead_does_not_make_a_due_notice_wait(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    held = await an_owed_notice(pool, request.request_id, not_before=datetime.now(UTC) + timedelta(seconds=20))
    left = await a_console_sender(pool, keys).send_request(request.request_id)
    assert left.held_until is None
    assert (await notice_row(pool, held))["state"] == "sent"


async def test_citizen_without_a_number_is_sent_nothing(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys, contact=Contact(email="citizen@city.example"))
    notice_id = await an_owed_notice(pool, request.request_id)
    await a_console_sender(pool, keys).send_request(request.request_id)
    assert (await notice_row(pool, notice_id))["state"] == "no_address"
    assert await texts_sent(pool, keys) == []


async def test_notice_whose_text_cannot_be_made_fails_and_the_others_go_out(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    wordless = await an_owed_notice(pool, request.request_id, kind="rated")
    fine = await an_owed_notice(pool, request.request_id, sequence=3)
    await a_console_sender(pool, keys, a_city_saying("{reference}")).send_request(request.request_id)
    row = await notice_row(pool, wordless)
    assert (row["state"], row["last_error"]) == ("failed", "text_fault")
    assert (await notice_row(pool, fine))["state"] == "sent"


async def test_each_notice_that_ends_unsent_is_told_with_its_reason(pool: Pool, keys: KeyRing) -> None:
    unreachable = await a_submitted_request(pool, keys, contact=Contact(email="citizen@city.example"))
    reachable = await a_submitted_request(pool, keys)
    await an_owed_notice(pool, unreachable.request_id)
    for number, kind in enumerate(("rated", "assigned"), start=2):
        await an_owed_notice(pool, reachable.request_id, sequence=number, kind=kind)
    told: list[str] = []
    provider = ConsoleProvider(pool, keys)
    sender = a_sender(pool, keys, provider, a_city_saying("{reference}"), given_up=told.append)
    for request in (unreachable, reachable):
        await sender.send_request(request.request_id)

    assert told == ["no_address", "text_fault"]


async def test_notice_whose_seal_does_not_open_stays_owed_and_the_others_go_out(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    handler = await a_handler_with_phone(pool, keys, "+8613900000002")
    await pool.execute("update staff set phone_sealed = 'broken'")
    sealed = await an_owed_notice(pool, request.request_id, recipient=f"staff:{handler}")
    fine = await an_owed_notice(pool, request.request_id, sequence=3)
    await a_console_sender(pool, keys).send_request(request.request_id)
    assert (await notice_row(pool, sealed))["state"] == "owed"
    assert (await notice_row(pool, fine))["state"] == "sent"


async def test_citizen_gets_the_link_with_the_token(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    await an_owed_notice(pool, request.request_id)
    await a_console_sender(pool, keys, a_city_saying("{reference}: {link}")).send_request(request.request_id)
    link = f"https://city.example/r/{request.reference}/{request.token}"
    assert await texts_sent(pool, keys) == [f"{request.reference}: {link}"]


async def test_staff_get_a_link_of_their_own(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    handler = await a_handler_with_phone(pool, keys, "+8613900000002")
    await an_owed_notice(pool, request.request_id, kind="new_task", recipient=f"staff:{handler}")
    policy = a_city_saying("{staff_link}", "new_task")
    await a_console_sender(pool, keys, policy).send_request(request.request_id)
    (line,) = await outbox.latest(pool, keys, most=1)
    link = f"https://city.example/staff/requests/{request.reference}"
    assert (line.to, line.recipient, line.text) == ("+8613900000002", "handler", link)


async def test_text_for_staff_that_names_the_citizens_link_is_not_sent(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    handler = await a_handler_with_phone(pool, keys, "+8613900000002")
    notice_id = await an_owed_notice(pool, request.request_id, kind="new_task", recipient=f"staff:{handler}")
    await a_console_sender(pool, keys, a_city_saying("{link}", "new_task")).send_request(request.request_id)
    assert (await notice_row(pool, notice_id))["state"] == "failed"


WORDS = [
    ("names of the policy stand for codes", False, "Housing street light assigned"),
    ("a confidential request tells its category in no text", True, "Housing confidential matter assigned"),
]


@pytest.mark.parametrize(("confidential", "text"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
async def test_text_of_a_notice(pool: Pool, keys: KeyRing, confidential: bool, text: str) -> None:
    request = await a_submitted_request(pool, keys, confidential=confidential)
    await an_owed_notice(pool, request.request_id)
    policy = a_city_saying("{department} {category} {state}")
    await a_console_sender(pool, keys, policy).send_request(request.request_id)
    assert await texts_sent(pool, keys) == [text]


DUE = [("zh", "11月27日18:00"), ("en", "27 Nov 18:00")]


@pytest.mark.parametrize(("language", "due"), DUE)
async def test_due_date_is_told_by_the_citys_clock(pool: Pool, keys: KeyRing, language: str, due: str) -> None:
    request = await a_submitted_request(pool, keys)
    facts = {"due": "2026-11-27T10:00:00+00:00"}
    await an_owed_notice(pool, request.request_id, language=language, facts=facts)
    await a_console_sender(pool, keys, a_city_saying("{due}")).send_request(request.request_id)
    assert await texts_sent(pool, keys) == [due]


async def test_code_that_a_version_of_the_policy_does_not_know_gets_its_word_for_that(
    pool: Pool, keys: KeyRing
) -> None:
    request = await a_submitted_request(pool, keys)
    await an_owed_notice(pool, request.request_id, facts={"department": "circus"})
    policy = a_city_saying("{department}", department="the city")
    await a_console_sender(pool, keys, policy).send_request(request.request_id)
    assert await texts_sent(pool, keys) == ["the city"]


# --- one-time codes -------------------------------------------------------------------------------------------------


async def test_one_time_code_goes_out_at_once_and_leaves_the_row(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    code = await notices.owe_code(pool, keys, request.request_id, "en", "204816", 10, datetime.now(UTC))
    assert "204816" not in str((await notice_row(pool, code))["facts"])
    other = await an_owed_notice(pool, request.request_id)
    await a_console_sender(pool, keys, a_city_saying("{code}", "one_time_code")).send_one(code)
    assert await texts_sent(pool, keys) == ["204816"]
    assert "code_sealed" not in (await notice_row(pool, code))["facts"]
    assert (await notice_row(pool, other))["state"] == "owed"


async def test_one_time_code_that_has_expired_is_not_sent(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    a_while_ago = datetime.now(UTC) - timedelta(minutes=11)
    code = await notices.owe_code(pool, keys, request.request_id, "en", "204816", 10, a_while_ago)
    await a_console_sender(pool, keys).send_one(code)
    row = await notice_row(pool, code)
    assert (row["state"], row["last_error"]) == ("failed", "expired")
    assert "code_sealed" not in row["facts"]


async def test_request_may_have_several_codes(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    for _ in range(5):
        await notices.owe_code(pool, keys, request.request_id, "en", "204816", 10, datetime.now(UTC))
    await a_console_sender(pool, keys).send_request(request.request_id)
    assert len(await texts_sent(pool, keys)) == 5


# --- what nobody sends any more -------------------------------------------------------------------------------------


async def test_overlooked_notices_are_sent(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    notice_id = await an_owed_notice(pool, request.request_id, created_at=datetime.now(UTC) - timedelta(minutes=3))
    assert await a_console_sender(pool, keys).send_overlooked(timedelta(minutes=2)) == 1
    assert (await notice_row(pool, notice_id))["state"] == "sent"


async def test_sweep_goes_on_behind_a_notice_that_it_cannot_write(pool: Pool, keys: KeyRing) -> None:
    stuck = await a_submitted_request(pool, keys)
    await pool.execute("update requests set contact_sealed = 'broken'")
    await an_owed_notice(pool, stuck.request_id, created_at=datetime.now(UTC) - timedelta(days=1))
    fine = await an_owed_notice(pool, (await a_submitted_request(pool, keys)).request_id)
    await a_console_sender(pool, keys).send_overlooked(timedelta(minutes=2))
    assert (await notice_row(pool, fine))["state"] == "sent"


LEFT_ALONE = [
    ("a notice of this moment is its activity's", {"created_at": timedelta(seconds=-30)}),
    ("quiet hours hold it back", {"created_at": timedelta(hours=-1), "not_before": timedelta(hours=1)}),
    ("it has just become due", {"created_at": timedelta(hours=-1), "not_before": timedelta(seconds=-30)}),
]


@pytest.mark.parametrize("moments", [row[1] for row in LEFT_ALONE], ids=[row[0] for row in LEFT_ALONE])
async def test_sweep_leaves_alone(pool: Pool, keys: KeyRing, moments: dict[str, timedelta]) -> None:
    request = await a_submitted_request(pool, keys)
    now = datetime.now(UTC)
    await an_owed_notice(pool, request.request_id, **{name: now + offset for name, offset in moments.items()})
    assert await a_console_sender(pool, keys).send_overlooked(timedelta(minutes=2)) == 0
