"""A history that has grown long goes on in a new run, and nothing is lost or doubled at the seam."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from domain import commands as c
from domain.request import CoState, Result, Solved, State
from tests.town import Request, Town, a_text, until
from workflows.contract import Message

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SUPPLEMENTS = 2_000


async def runs_of(request: Request) -> int:
    """How many runs the request has had so far: each names the one before it."""
    runs, run_id = 1, (await request.handle.describe()).run_id
    client = request.town.environment.client
    while True:
        handle = client.get_workflow_handle(request.handle.id, run_id=run_id)
        first = (await handle.fetch_history()).events[0]
        before = first.workflow_execution_started_event_attributes.continued_execution_run_id
        if not before:
            return runs
        runs, run_id = runs + 1, before


async def supplemented(request: Request, first: int, count: int) -> None:
    """So many messages, delivered in order as the relay does, some of them twice."""
    for number in range(first, first + count):
        for _ in range(2 if number % 97 == 0 else 1):
            await request.handle.signal("supplemented", Message(number, datetime.now(UTC), a_text()))


async def has_heard(request: Request, count: int) -> bool:
    query = "select count(*) from events where request_id = $1 and action = 'supplement'"
    return int(await request.town.pool.fetchval(query, request.id)) >= count


async def test_request_with_thousands_of_events_goes_on_while_people_act_on_it(quick_town: Town) -> None:
    town = quick_town
    request = await town.submit()
    await request.accepted()
    await request.act(c.AddCoHandler(town.actor("handler"), "health", a_text()))
    sending = asyncio.create_task(supplemented(request, 1, SUPPLEMENTS))
    acted = 0
    while not sending.done():
        await request.act(c.Progress(town.actor("handler"), a_text()))
        acted += 1
        await asyncio.sleep(0.2)
    await sending
    await until(lambda: has_heard(request, SUPPLEMENTS), within=400)

    events = await request.events()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    actions = [event.action for event in events]
    assert actions.count("supplement") == SUPPLEMENTS
    assert len({event.text for event in events if event.action == "supplement"}) == SUPPLEMENTS
    assert actions.count("progress") == acted > 0
    assert await runs_of(request) > 1

    async def levels() -> list[str]:
        return [event.facts["level"] for event in await request.events() if event.action == "escalate"]

    async def at_the_top() -> bool:
        return "3" in await levels()

    # Its clocks have gone on ringing over the seams, each once.
    await until(at_the_top, within=240)
    assert await levels() == ["1", "2", "3"]

    await request.act(c.FinishCoHandling(town.actor("clinic_handler"), a_text()))
    assert (await request.snapshot()).co_handlers[0].state is CoState.DONE
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    await request.act(c.Approve(town.actor("dispatcher")))
    await request.hear("rated", inbox_id=SUPPLEMENTS + 1, solved=Solved.YES, satisfied=5)
    assert await request.state() is State.CLOSED


async def test_pause_and_followers_are_carried_over_the_seam(quick_town: Town) -> None:
    town = quick_town
    request, follower = await town.submit(), await town.submit()
    await follower.act(c.Merge(town.actor("dispatcher"), request.reference))
    await request.accepted()
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    before = await request.snapshot()
    await supplemented(request, 1, 300)

    async def has_gone_on() -> bool:
        return await runs_of(request) > 1

    await until(has_gone_on, within=240)
    await until(lambda: has_heard(request, 300), within=240)
    if await request.state() is State.AWAITING_CITIZEN:
        await request.hear("answered", inbox_id=301, text=a_text())
    after = await request.snapshot()
    assert after.state is State.IN_PROGRESS
    assert before.due_at is not None
    assert after.due_at is not None
    assert after.due_at > before.due_at
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))

    async def follower_knows() -> bool:
        return any(event.facts.get("parent_action") == "resolve" for event in await follower.events())

    if (await request.snapshot()).state is State.IN_REVIEW:
        await request.act(c.Approve(town.actor("dispatcher")))
    else:
        await until(follower_knows, within=120)
