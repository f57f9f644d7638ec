"""Reading the books: what is unfinished, what happened, and what must never be found; and a request read at one go."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from temporalio.testing import ActivityEnvironment

from activities.read_model import ReadModelActivities
from activities.sending import Sending
from db import attachments, histories, inbox, read_model, reconciliation, texts, timeline, views
from db.inbox import Settled
from db.pool import Pool
from db.reconciliation import Happened, NoticeBooks, Standing
from db.requests import Submitted
from db.sealing import KeyRing
from domain.errors import Unknown
from domain.notices import NoticeKind, Recipient
from domain.planning import FeedbackPlan
from domain.record import Entry, Record
from domain.request import Event, OwedNotice, Snapshot, State
from tests.rows import SUNDAY_NOON, a_submitted_request


def a_record(request: Submitted, sequence: int = 1, *, notices: int = 1, text: UUID | None = None) -> Record:
    """It was assigned; the citizen is owed a notice of it."""
    snapshot = Snapshot(
        str(request.request_id), request.reference, request.submitted_at, state=State.ASSIGNED, sequence=sequence
    )
    event = Event(
        sequence, SUNDAY_NOON, "auto_assign", "system", "", State.RECEIVED, State.ASSIGNED, True,
        str(text) if text else None, {"department": "housing"},
    )  # fmt: skip
    owed = (OwedNotice(NoticeKind.ASSIGNED, Recipient.CITIZEN, "housing", urgent=True),) * notices
    return Record(snapshot, (Entry(event, owed),))


@pytest.fixture
async def assigned(pool: Pool, keys: KeyRing) -> Submitted:
    """A request that was assigned; its notice has not been sent, and its first message is not delivered."""
    request = await a_submitted_request(pool, keys)
    await read_model.record(pool, a_record(request), None, SUNDAY_NOON)
    return request


async def deliver_all(pool: Pool) -> None:
    rows = await inbox.claim(pool, timedelta(seconds=30), 10)
    await inbox.settle(pool, [Settled(row, "delivered") for row in rows])


async def send(pool: Pool, times: int = 1) -> None:
    """As a provider that keeps each message would, and more often than it should."""
    await pool.execute("update notices set state = 'sent', attempts = $1", times)
    for number in range(1, times + 1):
        await pool.execute(
            "insert into attempts select gen_random_uuid(), id, $1, 'console', now(), now(), 'accepted' from notices",
            number,
        )
    await pool.execute("insert into outbox select id, 'sealed', 'sealed', 1, now() from notices")


async def test_unfinished_counts_messages_first_looks_and_notices_until_each_is_done(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    assert await reconciliation.unfinished(pool) == 2
    await deliver_all(pool)
    assert await reconciliation.unfinished(pool) == 1
    await read_model.record(pool, a_record(request), None, SUNDAY_NOON)
    assert await reconciliation.unfinished(pool) == 1, "the notice"
    await send(pool)
    assert await reconciliation.unfinished(pool) == 0


async def test_only_the_references_that_are_asked_for_are_read(pool: Pool, keys: KeyRing, assigned: Submitted) -> None:
    await a_submitted_request(pool, keys)
    references = [assigned.reference, "2611-0000-00010"]
    assert await reconciliation.stored(pool, references) == [Standing(assigned.reference, "assigned", None)]
    assert await reconciliation.happened(pool, references) == [Happened("auto_assign", "system", "housing", 1, 1)]
    assert await reconciliation.undelivered(pool, references) == 1
    await deliver_all(pool)
    assert await reconciliation.undelivered(pool, references) == 0


@pytest.mark.parametrize(
    ("sql", "broken"),
    [
        pytest.param("select", False, id="whole"),
        pytest.param("update snapshots set sequence = 2", True, id="an event is missing"),
        pytest.param("update snapshots set state = 'triage'", True, id="the last event tells another state"),
    ],
)
async def test_timeline_that_does_not_agree_with_the_snapshot_is_found(
    pool: Pool, assigned: Submitted, sql: str, broken: bool
) -> None:
    await pool.execute(sql)
    assert await reconciliation.broken_timelines(pool, [assigned.reference]) == [assigned.reference] * broken


async def test_notices_are_counted_by_what_became_of_them(pool: Pool, assigned: Submitted) -> None:
    assert await reconciliation.notice_books(pool, [assigned.reference]) == NoticeBooks({"owed": 1}, 0, 0)
    await send(pool)
    assert await reconciliation.notice_books(pool, [assigned.reference]) == NoticeBooks({"sent": 1}, 0, 1)


async def test_notice_that_went_out_twice_is_found(pool: Pool, assigned: Submitted) -> None:
    await send(pool, times=2)
    assert (await reconciliation.notice_books(pool, [assigned.reference])).sent_more_than_once == 1


# One request at one go.


async def test_history_holds_what_the_single_queries_give(pool: Pool, keys: KeyRing) -> None:
    request = await a_submitted_request(pool, keys)
    text = await texts.keep(pool, keys, request.request_id, "It is dark.", SUNDAY_NOON)
    await read_model.record(pool, a_record(request, text=text), None, SUNDAY_NOON)
    picture = [("image/png", b"picture")]
    await attachments.keep(pool, keys, request.request_id, "citizen", picture, SUNDAY_NOON, at_most=10)
    read = await histories.read(pool, request.request_id)
    assert read.snapshot == await views.snapshot(pool, request.request_id)
    assert read.events == await timeline.events(pool, request.request_id)
    assert read.pictures == await attachments.list_of(pool, request.request_id)
    assert read.words(keys, [text, request.request_id]) == {text: "It is dark."}


async def test_history_of_an_unknown_request_is_refused(pool: Pool) -> None:
    with pytest.raises(Unknown):
        await histories.read(pool, UUID(int=0))


# Recording and sending in one step.


class Sender:
    """Answers as told, and remembers what it was asked to send."""

    def __init__(self, answer: Sending | Exception) -> None:
        self.answer = answer
        self.asked: list[UUID] = []

    async def __call__(self, request_id: UUID, at: datetime, /) -> Sending:
        self.asked.append(request_id)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "owed"),
    [
        pytest.param(Sending(), 0, id="sent"),
        pytest.param(Sending(unsettled="in_hand"), 1, id="something has to wait"),
        pytest.param(ConnectionError("the provider's own words"), 1, id="failed"),
    ],
)
async def test_what_is_recorded_is_sent_in_the_same_step_or_left_to_the_next(
    pool: Pool, keys: KeyRing, answer: Sending | Exception, owed: int
) -> None:
    request, sender = await a_submitted_request(pool, keys), Sender(answer)
    recording = ReadModelActivities(pool, keys, Nights(), send_at_once=sender, now=lambda: SUNDAY_NOON)
    recorded = await ActivityEnvironment().run(recording.record, a_record(request))
    assert (recorded.owed, sender.asked) == (owed, [request.request_id])
    assert len(await timeline.events(pool, request.request_id)) == 1


async def test_sender_is_not_troubled_where_nothing_is_owed(pool: Pool, keys: KeyRing) -> None:
    request, sender = await a_submitted_request(pool, keys), Sender(Sending())
    recording = ReadModelActivities(pool, keys, Nights(), send_at_once=sender, now=lambda: SUNDAY_NOON)
    await ActivityEnvironment().run(recording.record, a_record(request, notices=0))
    assert sender.asked == []


class Nights:
    """A city without quiet hours."""

    async def quiet_until(self, version: str | None, at: datetime) -> datetime | None:
        return None

    async def feedback_after(self, resolved: Snapshot) -> FeedbackPlan:
        raise AssertionError("nothing is resolved here")
