"""Recording: events, snapshot and owed notices together, the same however often it is repeated; and who gets the notices."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from temporalio.testing import ActivityEnvironment

from activities.read_model import KeepText, ReadModelActivities
from db import read_model, texts, timeline, views
from db.pool import Pool
from db.read_model import Unsent
from db.requests import Contact, Submitted
from db.sealing import KeyRing
from domain.notices import NoticeKind, Recipient
from domain.planning import FeedbackPlan
from domain.record import Entry, Record, Recorded
from domain.request import CoHandler, CoState, Event, Outcome, OwedNotice, Result, Snapshot, Solved, State, Urgency
from tests.rows import SUNDAY_NOON, a_member_of_staff, a_submitted_request

NIGHT_ENDS = SUNDAY_NOON + timedelta(hours=8)


def a_snapshot_of(request: Submitted, sequence: int = 1, **changes: Any) -> Snapshot:
    values: dict[str, Any] = {"state": State.ASSIGNED, "department": "housing", "sequence": sequence}
    return Snapshot(str(request.request_id), request.reference, request.submitted_at, **(values | changes))


def an_event(sequence: int = 1, **changes: Any) -> Event:
    event = Event(sequence, SUNDAY_NOON, "assign", "staff", "someone", State.TRIAGE, State.ASSIGNED, True)
    return replace(event, **changes)


def an_owed_notice(to: Recipient = Recipient.CITIZEN, department: str | None = "housing", **changes: Any) -> OwedNotice:
    return replace(OwedNotice(NoticeKind.ASSIGNED, to, department, facts={"level": "1"}), **changes)


def a_record(request: Submitted, *notices: OwedNotice, sequence: int = 1, **changes: Any) -> Record:
    return Record(a_snapshot_of(request, sequence, **changes), (Entry(an_event(sequence), notices),))


async def recipients(pool: Pool) -> set[tuple[str, str]]:
    """Who gets a notice, and whether it can be sent."""
    return {(row["recipient"], row["state"]) for row in await pool.fetch("select recipient, state from notices")}


async def everything(pool: Pool, request: Submitted) -> tuple[Any, ...]:
    """All that recording writes of a request."""
    notices = await pool.fetch("select * from notices where request_id = $1 order by id", request.request_id)
    events = await timeline.events(pool, request.request_id)
    return events, await views.snapshot(pool, request.request_id), notices


# --- what is written ------------------------------------------------------------------------------------------------


async def test_record_appends_events_moves_the_snapshot_and_owes_the_notices(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    first = an_event(1, state_before=None, state=State.RECEIVED, actor_kind="citizen", actor_id="")
    second = an_event(2, text=str(uuid4()), facts={"department": "housing"}, public=False)
    snapshot = a_snapshot_of(request, 2)
    record = Record(snapshot, (Entry(first, (an_owed_notice(),)), Entry(second, (an_owed_notice(),))))

    assert await read_model.record(pool, record, None, SUNDAY_NOON) == Unsent(2, None)
    assert await timeline.events(pool, request.request_id) == [first, second]
    assert await views.snapshot(pool, request.request_id) == snapshot
    notices = await pool.fetch(
        "select sequence, kind, recipient, channel, language, facts, urgent, not_before, state from notices order by sequence"
    )
    assert [tuple(notice) for notice in notices] == [
        (sequence, "assigned", "citizen", "sms", "en", {"level": "1"}, False, None, "owed") for sequence in (1, 2)
    ]


async def test_record_keeps_every_field_of_a_snapshot(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    instants = [field.name for field in fields(Snapshot) if field.name.endswith(("_at", "_until"))]
    full = a_snapshot_of(
        request, 7, confidential=True, state=State.CLOSED, category="street_light", district="west", urgency=Urgency.DANGER,
        policy_version="v1", triage_reason="why", assignee=str(uuid4()), binding=True, review_required=True,
        escalation_level=3, urge_count=2, return_count=1, rework_count=1, result=Result.EXPLAINED, reply=str(uuid4()),
        resolved_by="admin", solved=Solved.PARTLY, satisfied=4, outcome=Outcome.PARTLY_SOLVED, service_level="default",
        due_from=SUNDAY_NOON, urge_every_seconds=60, paused_seconds=7, question=str(uuid4()), question_count=2,
        hold_asked_by="lead", hold_reason=str(uuid4()), hold_review_on=date(2027, 3, 1), extension_asked_by="lead",
        extension_reason=str(uuid4()), extension_days=5, call_count=3, parent="2611-4829-13704", parent_state=State.RESOLVED,
        followers=4, co_departments=("health",),
        co_handlers=(CoHandler(1, "health", CoState.ASKED, str(uuid4()), SUNDAY_NOON, SUNDAY_NOON),),
        **{name: SUNDAY_NOON + timedelta(days=day) for day, name in enumerate(instants) if name != "submitted_at"},
    )  # fmt: skip
    await read_model.record(pool, Record(replace(full, confidential=False, sequence=6), ()), None, SUNDAY_NOON)
    await read_model.record(pool, Record(full, ()), None, SUNDAY_NOON)
    assert await views.snapshot(pool, request.request_id) == full
    unset = {field.name for field in fields(Snapshot) if getattr(full, field.name) is None}
    assert unset == set(), "give this test a value for the new field"


async def test_record_writes_the_columns_that_a_snapshot_has(pool: Pool) -> None:
    columns = await pool.fetch("select column_name from information_schema.columns where table_name = 'snapshots'")
    assert {row["column_name"] for row in columns} == {field.name for field in fields(Snapshot)}


async def test_record_repeated_changes_nothing_and_answers_the_same_with_what_stands(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    record = a_record(request, an_owed_notice(), an_owed_notice(kind=NoticeKind.RECEIPT, urgent=True))
    first = await read_model.record(pool, record, NIGHT_ENDS, SUNDAY_NOON)
    written = await everything(pool, request)
    assert first == Unsent(1, NIGHT_ENDS)
    for _ in range(3):
        again = replace(record, snapshot=replace(record.snapshot, district="planned a moment later"))
        assert await read_model.record(pool, again, NIGHT_ENDS, SUNDAY_NOON) == first._replace(stands=record.snapshot)
    assert await everything(pool, request) == written


async def test_record_repeated_while_the_first_is_under_way_answers_the_same(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    record = a_record(request, an_owed_notice())
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        first = await read_model.record(connection, record, None, SUNDAY_NOON)
        second = asyncio.create_task(read_model.record(pool, record, None, SUNDAY_NOON))
        await asyncio.sleep(0.1)
        assert not second.done()
        await transaction.commit()
    assert first == Unsent(1, None)
    assert await second == Unsent(1, None, stands=record.snapshot)
    assert await pool.fetchval("select count(*) from notices") == 1


async def test_record_that_is_older_than_what_stands_does_not_turn_back_the_snapshot(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    newer = a_record(request, sequence=2, state=State.IN_PROGRESS)
    await read_model.record(pool, newer, None, SUNDAY_NOON)
    await read_model.record(pool, a_record(request, an_owed_notice(), sequence=1), None, SUNDAY_NOON)
    events, snapshot, notices = await everything(pool, request)
    assert [event.sequence for event in events] == [1, 2]
    assert snapshot == newer.snapshot
    assert len(notices) == 1


async def test_record_that_fails_leaves_nothing_behind(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    before = await everything(pool, request)
    bad = replace(
        a_record(request, an_owed_notice()), entries=(Entry(an_event(text="not an id"), (an_owed_notice(),)),)
    )
    with pytest.raises(asyncpg.DataError):
        await read_model.record(pool, bad, None, SUNDAY_NOON)
    assert await everything(pool, request) == before


async def test_events_cannot_be_changed(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    await read_model.record(pool, a_record(request), None, SUNDAY_NOON)
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await pool.execute("update events set action = 'resolve'")


async def test_record_counts_what_earlier_records_still_owe(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    await read_model.record(pool, a_record(request, an_owed_notice()), None, SUNDAY_NOON)
    assert await read_model.record(pool, a_record(request, an_owed_notice(), sequence=2), None, SUNDAY_NOON) == Unsent(
        2, None
    )
    await pool.execute("update notices set state = 'sent' where sequence = 1")
    assert await read_model.record(pool, a_record(request, sequence=3), None, SUNDAY_NOON) == Unsent(1, None)


# --- quiet hours ----------------------------------------------------------------------------------------------------


async def test_quiet_hours_hold_back_only_what_the_citizen_need_not_know_at_once(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    handler = await a_member_of_staff(pool, "handler", ["handler"], departments=["housing"])
    record = a_record(
        request,
        an_owed_notice(),
        an_owed_notice(kind=NoticeKind.RECEIPT, urgent=True),
        an_owed_notice(Recipient.HANDLERS, kind=NoticeKind.NEW_TASK),
    )
    assert await read_model.record(pool, record, NIGHT_ENDS, SUNDAY_NOON) == Unsent(2, NIGHT_ENDS)
    held = {(row["kind"], row["recipient"]): row["not_before"] for row in await pool.fetch("select * from notices")}
    assert held == {
        ("assigned", "citizen"): NIGHT_ENDS,
        ("receipt", "citizen"): None,
        ("new_task", f"staff:{handler}"): None,
    }


async def test_notice_held_back_is_due_when_quiet_hours_are_over(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    record = a_record(request, an_owed_notice())
    assert await read_model.record(pool, record, NIGHT_ENDS, SUNDAY_NOON) == Unsent(0, NIGHT_ENDS)
    assert await read_model.unsent(pool, request.request_id, NIGHT_ENDS) == Unsent(1, None)


# --- recipients -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def staff(pool: Pool) -> dict[str, UUID]:
    """A small city: two handlers and a lead in housing, a lead alone in roads, nobody in parks."""
    return {
        "handler_1": await a_member_of_staff(pool, "handler_1", ["handler"], departments=["housing"]),
        "handler_2": await a_member_of_staff(pool, "handler_2", ["handler"], departments=["housing"], phone=False),
        "closed": await a_member_of_staff(pool, "closed", ["handler"], departments=["housing"], active=False),
        "caller": await a_member_of_staff(pool, "caller", ["caller"], departments=["housing"]),
        "lead": await a_member_of_staff(pool, "lead", ["handler"], led=["housing"]),
        "roads_lead": await a_member_of_staff(pool, "roads_lead", ["handler"], led=["roads"]),
        "gardener": await a_member_of_staff(pool, "gardener", ["handler"], departments=["gardens"]),
        "dispatcher": await a_member_of_staff(pool, "dispatcher", ["dispatcher"]),
        "supervisor": await a_member_of_staff(pool, "supervisor", ["supervisor", "dispatcher"]),
        "admin": await a_member_of_staff(pool, "admin", ["admin"]),
    }


@pytest.mark.parametrize(
    ("label", "to", "department", "expected"),
    [
        ("handlers of a department", "handlers", "housing", {"handler_1", "handler_2"}),
        ("handlers where there are only leads", "handlers", "roads", {"roads_lead"}),
        ("handlers where there is nobody", "handlers", "parks", {"supervisor"}),
        ("handlers of no department", "handlers", None, {"supervisor"}),
        ("leads of a department", "leads", "housing", {"lead"}),
        ("leads where there are only handlers", "leads", "gardens", {"gardener"}),
        ("leads where there is nobody", "leads", "parks", {"supervisor"}),
        ("dispatchers", "dispatchers", None, {"dispatcher", "supervisor"}),
        ("supervisors, whichever the department", "supervisors", "housing", {"supervisor"}),
        ("whoever accepted, as long as nobody has", "assignee", "housing", {"handler_1", "handler_2"}),
        ("whoever accepted, of no department", "assignee", None, {"supervisor"}),
    ],
)
async def test_notice_goes_to(
    pool: Pool, keys: KeyRing, staff: dict[str, UUID], label: str, to: str, department: str | None, expected: set[str]
) -> None:
    request = await a_submitted_request(pool, keys)
    await read_model.record(pool, a_record(request, an_owed_notice(Recipient(to), department)), None, SUNDAY_NOON)
    assert {name for name, _ in await recipients(pool)} == {f"staff:{staff[name]}" for name in expected}


@pytest.mark.parametrize(
    ("label", "assignee", "expected"),
    [
        ("the handler", "handler_1", {"handler_1"}),
        ("somebody of another department by now", "gardener", {"gardener"}),
        ("a closed account", "closed", {"handler_1", "handler_2"}),
        ("an admin by name", "an admin in the Temporal UI", {"handler_1", "handler_2"}),
    ],
)
async def test_notice_to_the_assignee_goes_to_the_handlers_when_that_person_cannot_be_told(
    pool: Pool, keys: KeyRing, staff: dict[str, UUID], label: str, assignee: str, expected: set[str]
) -> None:
    request = await a_submitted_request(pool, keys)
    accepted_by = str(staff.get(assignee, assignee))
    await read_model.record(
        pool, a_record(request, an_owed_notice(Recipient.ASSIGNEE), assignee=accepted_by), None, SUNDAY_NOON
    )
    assert {name for name, _ in await recipients(pool)} == {f"staff:{staff[name]}" for name in expected}


async def test_notice_to_the_assignee_goes_to_the_one_that_the_notice_names(
    pool: Pool, keys: KeyRing, staff: dict[str, UUID]
) -> None:
    request = await a_submitted_request(pool, keys)
    former = an_owed_notice(Recipient.ASSIGNEE, facts={"assignee": str(staff["gardener"])})
    await read_model.record(pool, a_record(request, former, assignee=str(staff["handler_1"])), None, SUNDAY_NOON)
    assert await recipients(pool) == {(f"staff:{staff['gardener']}", "owed")}


async def test_notice_to_somebody_without_a_phone_is_kept_and_counted(
    pool: Pool, keys: KeyRing, staff: dict[str, UUID]
) -> None:
    request = await a_submitted_request(pool, keys, contact=Contact(name="A Citizen"))
    record = a_record(request, an_owed_notice(), an_owed_notice(Recipient.HANDLERS))
    assert await read_model.record(pool, record, None, SUNDAY_NOON) == Unsent(1, None, unreachable=2)
    assert (await read_model.record(pool, record, None, SUNDAY_NOON)).unreachable == 0
    assert await recipients(pool) == {
        ("citizen", "no_address"),
        (f"staff:{staff['handler_1']}", "owed"),
        (f"staff:{staff['handler_2']}", "no_address"),
    }


async def test_notice_that_nobody_can_get_is_kept_and_counted(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    record = a_record(request, *(an_owed_notice(to) for to in Recipient))
    told: list[tuple[str, int]] = []
    recording = ReadModelActivities(
        pool, keys, Nights(None), now=lambda: SUNDAY_NOON, given_up=lambda *ended: told.append(ended)
    )
    assert (await ActivityEnvironment().run(recording.record, record)).owed == 1
    assert told == [("no_address", 6)]
    assert await recipients(pool) == {
        ("citizen", "owed"),
        *((part, "no_address") for part in ("handlers", "leads", "assignee", "dispatchers", "supervisors", "callers")),
    }


async def test_person_who_plays_two_parts_gets_one_notice_of_a_kind(
    pool: Pool, keys: KeyRing, staff: dict[str, UUID]
) -> None:
    request = await a_submitted_request(pool, keys)
    record = a_record(request, an_owed_notice(Recipient.SUPERVISORS), an_owed_notice(Recipient.LEADS, "parks"))
    await read_model.record(pool, record, None, SUNDAY_NOON)
    assert await recipients(pool) == {(f"staff:{staff['supervisor']}", "owed")}
    assert await pool.fetchval("select count(*) from notices") == 1


async def test_notice_is_in_the_language_of_its_reader(pool: Pool, keys: KeyRing) -> None:
    handler = await a_member_of_staff(pool, "handler", ["handler"], departments=["housing"], language="zh")
    request = await a_submitted_request(pool, keys, language="en")
    record = a_record(request, an_owed_notice(), an_owed_notice(Recipient.HANDLERS))
    await read_model.record(pool, record, None, SUNDAY_NOON)
    languages = {row["recipient"]: row["language"] for row in await pool.fetch("select * from notices")}
    assert languages == {"citizen": "en", f"staff:{handler}": "zh"}


# --- the activities -------------------------------------------------------------------------------------------------


class Nights:
    """A policy that is quiet until a moment of the test's choice."""

    def __init__(self, ends: datetime | None) -> None:
        self.asked: list[str | None] = []
        self._ends = ends

    async def quiet_until(self, version: str | None, at: datetime) -> datetime | None:
        self.asked.append(version)
        return self._ends

    async def feedback_after(self, resolved: Snapshot) -> FeedbackPlan:
        assert resolved.updated_at is not None
        return FeedbackPlan((), resolved.updated_at + timedelta(days=1))


def activities(pool: Pool, keys: KeyRing, nights: Nights, by_gateway: bool = False) -> ReadModelActivities:
    return ReadModelActivities(pool, keys, nights, by_gateway=by_gateway, now=lambda: SUNDAY_NOON)


async def test_record_activity_holds_back_by_the_policy_that_the_request_was_assigned_under(
    pool: Pool, keys: KeyRing
) -> None:
    request = await a_submitted_request(pool, keys)
    nights = Nights(NIGHT_ENDS)
    record = a_record(request, an_owed_notice(), policy_version="v1")
    recorded = await ActivityEnvironment().run(activities(pool, keys, nights, by_gateway=True).record, record)
    assert recorded == Recorded(owed=0, held_until=NIGHT_ENDS, by_gateway=True)
    assert nights.asked == ["v1"]


async def test_record_activity_asks_no_policy_when_nothing_could_be_held_back(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    nights = Nights(NIGHT_ENDS)
    record = a_record(request, an_owed_notice(urgent=True), an_owed_notice(Recipient.SUPERVISORS))
    recorded = await ActivityEnvironment().run(activities(pool, keys, nights).record, record)
    assert recorded == Recorded(owed=1)
    assert nights.asked == []


async def test_record_activity_plans_the_feedback_from_the_moment_that_stands_in_the_database(
    pool: Pool, keys: KeyRing
) -> None:
    request, recording = await a_submitted_request(pool, keys), activities(pool, keys, Nights(None))
    first = a_record(request, updated_at=SUNDAY_NOON)
    later = replace(first, snapshot=replace(first.snapshot, updated_at=SUNDAY_NOON + timedelta(hours=3)))
    found = [
        (await ActivityEnvironment().run(recording.record, taken)).feedback
        for taken in (first, replace(first, feedback=True), replace(later, feedback=True))
    ]
    planned = FeedbackPlan((), SUNDAY_NOON + timedelta(days=1))
    assert found == [None, planned, planned]


async def test_keep_text_activity_tried_again_keeps_one_text(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    environment, wanted = ActivityEnvironment(), KeepText(str(request.request_id), "done by the admin")
    environment.info = replace(environment.info, workflow_run_id=str(uuid4()), activity_id="17")
    ids = [await environment.run(activities(pool, keys, Nights(None)).keep_text, wanted) for _ in range(2)]
    assert ids[0] == ids[1]
    assert await texts.read_many(pool, keys, [UUID(ids[0])]) == {UUID(ids[0]): "done by the admin"}
    assert await pool.fetchval("select count(*) from texts") == 1
