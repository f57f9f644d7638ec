"""Erasing: nothing personal is left in any table, what is left stays readable, and nothing new can be added."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from activities.providers.console import ConsoleProvider
from db import attachments, erasure, inbox, one_time_codes, read_model, requests, texts, timeline, views
from db.erasure import Candidate
from db.inbox import Settled
from db.pool import Pool
from db.requests import Contact, MessageKind, Submitted
from db.sealing import KeyRing
from domain.errors import NotAllowed, Unknown
from domain.record import Entry, Record
from domain.request import Event, Snapshot, State
from domain.retention import Because, Wait
from tests.notices import a_city_saying, a_sender, an_owed_notice
from tests.rows import PHONE, SUNDAY_NOON, a_submitted_request

LATER = SUNDAY_NOON + timedelta(days=9)
PERSONAL: dict[str, Any] = {
    "description": "The lamp before my house is out.",
    "title": "Lamp",
    "contact": Contact("A Citizen", PHONE, "citizen@example.org"),
    "address": "18 Planted Lane",
    "place": "Planted Square",
    "lat": 30.5,
    "long": 120.25,
}
LEFT = {
    "id",
    "reference",
    "submitted_at",
    "channel",
    "language",
    "confidential",
    "token_hash",
    "token_sealed",
    "erased_at",
}


async def deliver_all(pool: Pool) -> None:
    rows = await inbox.claim(pool, timedelta(seconds=30), 10)
    await inbox.settle(pool, [Settled(row, "delivered") for row in rows])


async def put(pool: Pool, request: Submitted, state: State, sequence: int = 1, **changes: Any) -> Snapshot:
    """As its run would have recorded it."""
    snapshot = Snapshot(
        str(request.request_id), request.reference, request.submitted_at, state=state, sequence=sequence,
        closed_at=SUNDAY_NOON, updated_at=SUNDAY_NOON, **changes,
    )  # fmt: skip
    event = Event(sequence, SUNDAY_NOON, "withdraw", "citizen", "", State.TRIAGE, state, public=True)
    await read_model.record(pool, Record(snapshot, (Entry(event),)), None, SUNDAY_NOON)
    return snapshot


async def an_ended_request(
    pool: Pool, keys: KeyRing, state: State = State.WITHDRAWN, **changes: Any
) -> tuple[Submitted, Snapshot]:
    request = await a_submitted_request(pool, keys, **{**PERSONAL, **changes})
    await deliver_all(pool)
    return request, await put(pool, request, state)


async def rows_of(pool: Pool, table: str, request_id: UUID) -> list[dict[str, Any]]:
    rows = await pool.fetch(f"select * from {table} where request_id = $1", request_id)
    return [dict(row) for row in rows]


async def test_nothing_personal_is_left_in_any_table(pool: Pool, keys: KeyRing) -> None:
    request, _ = await an_ended_request(pool, keys)
    request_id = request.request_id
    await an_owed_notice(pool, request_id)
    await a_sender(pool, keys, ConsoleProvider(pool, keys), a_city_saying("Hello.")).send_request(request_id)
    text = await texts.keep(pool, keys, request_id, "More of it.", SUNDAY_NOON)
    await requests.add_message(pool, keys, request_id, MessageKind.RATED, {"solved": "no"}, "Never.", SUNDAY_NOON)
    await deliver_all(pool)
    await attachments.keep(pool, keys, request_id, "citizen", [("image/png", b"me")], SUNDAY_NOON, at_most=10)
    await one_time_codes.keep(pool, keys, request_id, "123456", LATER)
    snapshot = await put(pool, request, State.WITHDRAWN, 2, reply=str(text))
    assert len(await pool.fetch("select * from outbox")) == 1

    assert await erasure.erase(pool, snapshot, Because.RETENTION, LATER) is None

    left = {
        name for name, value in dict(await pool.fetchrow("select * from requests") or {}).items() if value is not None
    }
    assert left == LEFT
    assert await pool.fetchval("select token_sealed from requests") == b""
    assert [row["payload"] for row in await rows_of(pool, "inbox", request_id)] == [{}, {}]
    for table in ("texts", "attachments", "one_time_codes"):
        assert await rows_of(pool, table, request_id) == [], table
    assert await pool.fetch("select * from outbox") == []
    assert [row["state"] for row in await rows_of(pool, "notices", request_id)] == ["sent"]


async def test_every_table_with_personal_data_is_on_the_list(pool: Pool) -> None:
    """A new column for something sealed, or a new table of a request, must be thought of here and in docs/privacy.md."""
    sealed = await pool.fetch(
        "select table_name || '.' || column_name as name from information_schema.columns"
        " where table_schema = 'public' and column_name like '%\\_sealed' order by 1"
    )
    assert {row["name"] for row in sealed} == {
        "attachments.image_sealed", "classifier_activations.reason_sealed", "erasure_demands.reason_sealed", "outbox.recipient_sealed", "outbox.text_sealed",
        "requests.address_sealed", "requests.contact_sealed", "requests.description_sealed", "requests.place_sealed", "requests.title_sealed",
        "requests.token_sealed", "staff.phone_sealed", "texts.body_sealed", "topics.words_sealed",
    }  # fmt: skip
    of_requests = await pool.fetch(
        "select distinct conrelid::regclass::text as name from pg_constraint where confrelid = 'requests'::regclass"
    )
    assert {row["name"] for row in of_requests} >= {
        "attachments", "erasure_demands", "events", "inbox", "notices", "one_time_codes", "snapshots", "texts",
    }  # fmt: skip


async def test_tombstone_keeps_timeline_and_snapshot_with_one_event_more(pool: Pool, keys: KeyRing) -> None:
    request, before = await an_ended_request(pool, keys)
    earlier = await timeline.events(pool, request.request_id)
    assert await erasure.erase(pool, before, Because.CITIZEN, LATER) is None
    *kept, last = await timeline.events(pool, request.request_id)
    assert kept == earlier
    assert (last.sequence, last.action, last.at, last.facts) == (2, "erase", LATER, {"because": "citizen"})
    after = await views.snapshot(pool, request.request_id)
    assert (after.state, after.closed_at, after.sequence) == (before.state, before.closed_at, 2)
    stored = await requests.find(pool, request.reference)
    assert stored is not None
    assert (stored.erased_at, stored.accepts(request.token)) == (LATER, True)
    assert requests.told(keys, stored).description == ""


async def test_erasing_again_changes_nothing(pool: Pool, keys: KeyRing) -> None:
    request, before = await an_ended_request(pool, keys)
    for now in (LATER, LATER + timedelta(days=1)):
        assert await erasure.erase(pool, before, Because.RETENTION, now) is None
    assert len(await timeline.events(pool, request.request_id)) == 2
    assert await pool.fetchval("select erased_at from requests") == LATER


async def test_erasing_at_the_same_moment_is_done_once(pool: Pool, keys: KeyRing) -> None:
    request, before = await an_ended_request(pool, keys)
    waits = await asyncio.gather(*(erasure.erase(pool, before, Because.RETENTION, LATER) for _ in range(5)))
    assert waits == [None] * 5
    assert [event.action for event in await timeline.events(pool, request.request_id)] == ["withdraw", "erase"]


async def a_message_under_way(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    await requests.add_message(pool, keys, request_id, MessageKind.REOPENED, {}, None, SUNDAY_NOON)


async def a_notice_in_hand(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    await an_owed_notice(pool, request_id)
    await pool.execute("update notices set state = 'sending', created_at = $1", LATER)


async def a_notice_owed_to_staff(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    await an_owed_notice(pool, request_id)
    await pool.execute("update notices set recipient = $1, created_at = $2", f"staff:{uuid4()}", LATER)


async def a_turn_meanwhile(pool: Pool, keys: KeyRing, request_id: UUID) -> None:
    await pool.execute("update snapshots set sequence = 7")


@pytest.mark.parametrize("happens", [a_message_under_way, a_notice_in_hand, a_notice_owed_to_staff, a_turn_meanwhile])
async def test_nothing_is_erased_while_something_is_under_way(pool: Pool, keys: KeyRing, happens: Any) -> None:
    request, before = await an_ended_request(pool, keys)
    await happens(pool, keys, request.request_id)
    assert await erasure.erase(pool, before, Because.CITIZEN, LATER) is Wait.UNDER_WAY
    stored = await requests.find(pool, request.reference)
    assert stored is not None
    assert (stored.erased_at, requests.told(keys, stored).description) == (None, PERSONAL["description"])
    assert len(await timeline.events(pool, request.request_id)) == 1


async def test_notice_that_nobody_sends_any_more_holds_nothing_up_and_is_ended(pool: Pool, keys: KeyRing) -> None:
    request, before = await an_ended_request(pool, keys)
    await an_owed_notice(pool, request.request_id)
    await pool.execute("update notices set recipient = $1, created_at = $2", f"staff:{uuid4()}", SUNDAY_NOON)
    assert await erasure.erase(pool, before, Because.RETENTION, LATER) is None
    (notice,) = await rows_of(pool, "notices", request.request_id)
    assert (notice["state"], notice["last_error"]) == ("no_address", "erased")


async def test_nothing_can_be_added_to_what_was_erased(pool: Pool, keys: KeyRing) -> None:
    request, before = await an_ended_request(pool, keys)
    await erasure.erase(pool, before, Because.RETENTION, LATER)
    request_id = request.request_id
    with pytest.raises(Unknown):
        await requests.add_message(pool, keys, request_id, MessageKind.REOPENED, {}, "Again!", LATER)
    with pytest.raises(NotAllowed):
        await attachments.keep(pool, keys, request_id, "citizen", [("image/png", b"me")], LATER, at_most=10)
    await texts.keep(pool, keys, request_id, "Typed by an admin.", LATER)
    for table in ("texts", "attachments"):
        assert await rows_of(pool, table, request_id) == [], table
    assert len(await rows_of(pool, "inbox", request_id)) == 1


async def test_erasing_one_request_leaves_the_others_alone(pool: Pool, keys: KeyRing) -> None:
    _, before = await an_ended_request(pool, keys)
    other, _ = await an_ended_request(pool, keys)
    text = await texts.keep(pool, keys, other.request_id, "Mine.", SUNDAY_NOON)
    await erasure.erase(pool, before, Because.RETENTION, LATER)
    stored = await requests.find(pool, other.reference)
    assert stored is not None
    assert requests.told(keys, stored).contact == PERSONAL["contact"]
    assert await texts.read_many(pool, keys, [text]) == {text: "Mine."}


# Demands.


async def test_demand_is_kept_once_with_its_reason_sealed(pool: Pool, keys: KeyRing) -> None:
    request, _ = await an_ended_request(pool, keys)
    first = await erasure.demand(pool, keys, request.request_id, Because.ADMIN, "Letter of the citizen.", SUNDAY_NOON)
    again = await erasure.demand(pool, keys, request.request_id, Because.CITIZEN, None, LATER)
    assert first == again == await erasure.demand_of(pool, request.request_id)
    assert (first.demanded_by, first.demanded_at, first.carried_out_at) == (Because.ADMIN, SUNDAY_NOON, None)
    assert await erasure.reason_of(pool, keys, request.request_id) == "Letter of the citizen."
    kept = json.dumps([str(dict(row)) for row in await pool.fetch("select * from erasure_demands")])
    assert "Letter" not in kept


async def test_demand_is_met_when_the_request_is_over_and_that_is_written_down(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    await deliver_all(pool)
    await put(pool, request, State.IN_PROGRESS)
    await erasure.demand(pool, keys, request.request_id, Because.CITIZEN, None, SUNDAY_NOON)
    assert await erasure.meet_demand(pool, request.request_id, Because.CITIZEN, LATER) is Wait.OPEN
    assert await erasure.demanded(pool, None, 10) == []
    await put(pool, request, State.CLOSED, 2)
    assert await erasure.demanded(pool, None, 10) == [Candidate(SUNDAY_NOON, request.request_id)]
    assert await erasure.meet_demand(pool, request.request_id, Because.CITIZEN, LATER) is None
    demand = await erasure.demand_of(pool, request.request_id)
    assert demand is not None
    assert demand.carried_out_at == LATER
    assert await erasure.demanded(pool, None, 10) == []


async def test_merged_request_waits_until_the_one_at_the_end_of_its_line_is_over(pool: Pool, keys: KeyRing) -> None:
    child, _ = await an_ended_request(pool, keys, State.MERGED)
    parent, _ = await an_ended_request(pool, keys, State.MERGED)
    top, _ = await an_ended_request(pool, keys, State.IN_PROGRESS)
    for one, other in ((child, parent), (parent, top)):
        await pool.execute("update snapshots set parent = $1 where request_id = $2", other.reference, one.request_id)
    assert await erasure.parent_over_since(pool, child.request_id) is None
    assert await erasure.meet_demand(pool, child.request_id, Because.CITIZEN, LATER) is Wait.WITH_PARENT
    await put(pool, top, State.CLOSED, 2)
    assert await erasure.parent_over_since(pool, child.request_id) == SUNDAY_NOON
    assert await erasure.meet_demand(pool, child.request_id, Because.CITIZEN, LATER) is None


# The walk of retention.


async def test_walk_goes_from_the_oldest_on_in_batches_and_past_what_is_erased(pool: Pool, keys: KeyRing) -> None:
    days = [SUNDAY_NOON + timedelta(days=day) for day in range(5)]
    submitted = [await a_submitted_request(pool, keys, day) for day in days]
    await deliver_all(pool)
    for request in submitted:
        await put(pool, request, State.CLOSED)
    await erasure.erase(pool, await views.snapshot(pool, submitted[1].request_id), Because.RETENTION, LATER)
    found, after = [], None
    while batch := await erasure.outdated(pool, days[4], after, 2):
        found += [candidate.request_id for candidate in batch]
        after = batch[-1]
    assert found == [submitted[number].request_id for number in (0, 2, 3)]


async def test_walk_leaves_out_what_is_not_over(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    await put(pool, request, State.RESOLVED)
    assert await erasure.outdated(pool, LATER, None, 10) == []
