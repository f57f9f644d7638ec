"""What an outage does: of our database, it delays; of an SMS gateway, nobody waits for it. Each notice goes out once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.providers.kannel import KannelProvider
from db.pool import Pool
from domain import commands as c
from domain.request import State
from tests.conftest import FreshDatabase
from tests.skipping import a_skipping_server
from tests.smsbox import Smsbox, a_smsbox
from tests.town import Request, Town, a_text, until
from tests.town_hall import a_town
from workflows.contract import DECIDED, SEQUENCE

BUSY = 503


@asynccontextmanager
async def without_events(pool: Pool) -> AsyncIterator[None]:
    """Nothing can be recorded until the block is left: what the database says then is an error like any other."""
    await pool.execute("alter table events rename to events_away")
    try:
        yield
    finally:
        await pool.execute("alter table events_away rename to events")


async def test_action_waits_for_the_database_and_is_done_once(town: Town) -> None:
    request = await town.submit()
    async with without_events(town.pool):
        accepting = asyncio.create_task(request.accepted())
        await asyncio.sleep(0.5)
        assert not accepting.done()
    await accepting
    assert await request.actions() == ["submit", "auto_assign", "accept"]
    assert await request.state() is State.IN_PROGRESS


@pytest.mark.slow
async def test_action_that_another_one_has_made_impossible_meanwhile_is_refused_for_good(town: Town) -> None:
    """Temporal keeps that answer: asked again, it is the same, whatever has happened to the request since."""
    request = await town.submit()
    handler = town.actor("handler")
    async with without_events(town.pool):
        first = asyncio.create_task(request.accepted())
        await until(lambda: waits(request, "accept"))
        late = c.Accept(handler)
        second = asyncio.create_task(request.handle.execute_update("accept", late, id="late"))
        await until(lambda: waits(request, "accept", 2))
    await first
    with pytest.raises(WorkflowUpdateFailedError) as before:
        await second
    await request.act(c.Progress(handler, a_text()))
    with pytest.raises(WorkflowUpdateFailedError) as after:
        await request.handle.execute_update("accept", late, id="late")
    said = [failed.value.cause for failed in (before, after)]
    assert [each.type for each in said if isinstance(each, ApplicationError)] == ["not_allowed"] * 2
    facts = [each.details[0] for each in said if isinstance(each, ApplicationError)]
    assert facts[0] == facts[1]
    assert (facts[0][DECIDED], facts[0][SEQUENCE]) == ("yes", "3")


@pytest.mark.slow
async def test_long_outage_delays_and_loses_nothing_and_costs_little_history(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    async with without_events(town.pool):
        noting = asyncio.create_task(request.act(c.Progress(town.actor("handler"), a_text(), public=True)))
        await until(lambda: waits(request, "progress"))
        await request.hear("supplemented", text=a_text())
        before = len(await request.history())
        for _ in range(10):
            await request.wait(timedelta(minutes=1))
        assert len(await request.history()) - before < 60
        assert not noting.done()
    for _ in range(2):
        await request.wait(timedelta(minutes=1))
    await noting
    await until(lambda: _has(request, "supplement"))
    assert await request.actions() == ["submit", "auto_assign", "accept", "progress", "supplement"]
    await request.settled()
    assert await request.unsent() == []


@pytest.mark.slow
async def test_message_outlasts_a_long_outage_and_is_applied_once(town: Town) -> None:
    request = await town.submit()
    async with without_events(town.pool):
        await request.hear("urged")
        before = len(await request.history())
        for _ in range(10):
            await request.wait(timedelta(minutes=1))
        # The pauses between the tries are timers: a marker and two more events for each, beside the server's own.
        assert len(await request.history()) - before < 50
    for _ in range(2):
        await request.wait(timedelta(minutes=1))
    assert await request.actions() == ["submit", "auto_assign", "urge"]
    assert await request.unsent() == []


@pytest.mark.slow
async def test_clock_that_runs_out_while_others_wait_is_stopped_by_what_they_do(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    contact_due_at = (await request.snapshot()).contact_due_at
    assert contact_due_at is not None
    handler = town.actor("handler")
    await request.wait_until(contact_due_at - timedelta(minutes=10))
    async with without_events(town.pool):
        noting = asyncio.create_task(request.act(c.Progress(handler, a_text())))
        await until(lambda: waits(request, "progress"))
        calling = asyncio.create_task(request.act(c.Contact(handler, c.ContactKind.PHONE)))
        await until(lambda: waits(request, "contact"))
        await request.wait_until(contact_due_at)
    for _ in range(2):
        await request.wait(timedelta(minutes=1))
    await noting
    await calling
    await request.settled()
    assert (await request.actions())[2:] == ["accept", "progress", "contact"]


async def waits(request: Request, update: str, times: int = 1) -> bool:
    """That update is in the history, so many times, and not done."""
    history = await request.handle.fetch_history()
    names = [event.workflow_execution_update_accepted_event_attributes for event in history.events]
    return [accepted.accepted_request.input.name for accepted in names].count(update) == times


async def _has(request: Request, action: str) -> bool:
    return action in await request.actions()


@pytest.fixture(scope="module")
async def smsbox() -> AsyncIterator[Smsbox]:
    async with a_smsbox() as ready:
        yield ready


@pytest.fixture(scope="module")
async def kannel_town(smsbox: Smsbox, fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    """A town of its own, whose notices go out through Kannel."""

    def kannel(pool: Pool) -> KannelProvider:
        return KannelProvider(smsbox.url, "town", "password", "12345", "secret", "http://127.0.0.1:8000")

    async with a_skipping_server() as environment, a_town(environment, fresh_database(), kannel) as ready:
        yield ready


async def sent_states(request: Request) -> set[str]:
    rows = await request.town.pool.fetch("select distinct state from notices where request_id = $1", request.id)
    return {row["state"] for row in rows}


async def accepted_attempts(request: Request) -> list[int]:
    """How many attempts of each notice the gateway has accepted."""
    rows = await request.town.pool.fetch(
        "select count(a.id) filter (where a.outcome = 'accepted') as accepted from notices n"
        " left join attempts a on a.notice_id = n.id where n.request_id = $1 group by n.id",
        request.id,
    )
    return [row["accepted"] for row in rows]


async def _all_are(request: Request, state: str) -> bool:
    return await sent_states(request) == {state}


async def test_gateway_gets_each_notice_once(kannel_town: Town, smsbox: Smsbox) -> None:
    smsbox.requests.clear()
    request = await kannel_town.submit()
    await request.resolved()
    await request.rated()
    await until(lambda: _all_are(request, "sent"))
    assert await accepted_attempts(request) == [1] * 5
    assert len(smsbox.requests) == 5


async def test_gateway_that_is_busy_holds_up_nobody_and_gets_each_notice_once(
    kannel_town: Town, smsbox: Smsbox
) -> None:
    smsbox.status = BUSY
    smsbox.requests.clear()
    request = await kannel_town.submit()
    async with asyncio.timeout(60):  # and not until the gateway has time again
        await request.resolved()
    assert await request.state() is State.RESOLVED
    await until(lambda: _was_refused(smsbox))
    await until(lambda: _all_are(request, "owed"))

    smsbox.status = 202
    smsbox.requests.clear()
    for _ in range(6):
        await request.wait(timedelta(minutes=10))
    await until(lambda: _all_are(request, "sent"))
    assert await accepted_attempts(request) == [1] * 4
    assert len(smsbox.requests) == 4


async def _was_refused(smsbox: Smsbox) -> bool:
    return bool(smsbox.requests)


async def test_run_ends_only_when_the_last_notice_is_out_and_hears_messages_until_then(
    kannel_town: Town, smsbox: Smsbox
) -> None:
    request = await kannel_town.submit()
    await until(lambda: _all_are(request, "sent"))
    smsbox.status = BUSY
    await request.act(c.Transfer(kannel_town.actor("dispatcher"), "next_city"))
    await request.settled()
    assert await request.is_running()
    await request.hear("urged")
    assert (await request.actions())[-1] == "not_applied"

    smsbox.status = 202
    for _ in range(6):
        await request.wait(timedelta(minutes=10))
    await until(request.is_over)
    assert set(await accepted_attempts(request)) == {1}
