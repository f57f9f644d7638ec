"""The seam between two runs of a long life, torn at: at the worst moments, and under a worker that is killed again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from cli.read_model import Found
from domain import commands as c
from domain.acts import ACTION_OF
from domain.lifecycle import MAX_ESCALATION_LEVEL
from domain.policy import shortened
from domain.request import Event, Snapshot
from tests.city import a_city
from tests.conftest import FreshDatabase
from tests.invariants import broken, wrongly_moved, wrongly_told
from tests.mortal import QUICK, MortalWorker
from tests.skipping import a_real_server
from tests.town import Request, Town, a_text, until
from tests.town_hall import a_town
from tests.workflows.test_breakdowns import waits, without_events
from tests.workflows.test_long_lives import runs_of
from tests.workflows.test_random_lives import different, rebuilt, rows
from workflows.contract import CATCH_UP, GOES_ON, REQUESTS_QUEUE, STAFF_UPDATES, ActionTaken, Message, workflow_id
from workflows.request import RequestWorkflow

DEATHS = 5
SHORT_HISTORIES = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=80")
A_TASK_IS_LOST_AFTER = timedelta(seconds=2)


@pytest.fixture(scope="module")
async def seam_town(fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    """On Temporal itself, where a history of eighty events counts as long; and with days so long that no clock rings."""
    async with (
        a_real_server(*SHORT_HISTORIES) as environment,
        a_town(environment, fresh_database(), policy=shortened(a_city(), 600.0)) as town,
    ):
        yield town


async def says(request: Request, first: int, count: int) -> None:
    for number in range(first, first + count):
        await request.handle.signal("supplemented", Message(number, datetime.now(UTC), a_text()))


async def number_of(request: Request, action: str) -> int:
    return (await request.actions()).count(action)


async def insist(request: Request, command: c.Command, update_id: str) -> ActionTaken:
    """Asks until there is an answer, with the same id, as the interface and a patient person do it together."""
    name = STAFF_UPDATES[ACTION_OF[type(command)]]
    while True:
        try:
            taken: ActionTaken = await request.handle.execute_update(
                name, command, id=update_id, result_type=ActionTaken, rpc_timeout=timedelta(seconds=5)
            )
        except WorkflowUpdateFailedError as error:
            if not isinstance(error.cause, ApplicationError) or error.cause.type != GOES_ON:
                error.add_note(f"{name} ({update_id}): {error.cause}")
                raise
            with suppress(RPCError):
                await request.handle.signal(CATCH_UP)
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
            pass
        else:
            return taken
        await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_messages_that_come_while_a_long_life_ends_stay_in_the_timeline(seam_town: Town) -> None:
    request = await seam_town.submit()
    async with without_events(seam_town.pool):
        ending = asyncio.create_task(request.act(c.Transfer(seam_town.actor("dispatcher"), "next_city")))
        # It is in the middle of it, and whatever comes now comes after it.
        await until(lambda: waits(request, "transfer"), within=60)
        await says(request, 1, 30)
    await ending
    await until(request.is_over, within=120)
    assert (await request.actions())[2:] == ["transfer", *["not_applied"] * 30]
    assert await runs_of(request) > 1


@pytest.mark.slow
async def test_action_that_is_asked_for_again_in_a_later_run_gets_the_same_answer(seam_town: Town) -> None:
    request = await seam_town.submit()
    accept = c.Accept(seam_town.actor("handler"))

    first = await insist(request, accept, "once")
    await says(request, 1, 60)

    async def has_gone_on() -> bool:
        return await runs_of(request) > 1 and await number_of(request, "supplement") == 60

    await until(has_gone_on, within=120)
    await request.settled()
    assert await insist(request, accept, "once") == first
    assert await number_of(request, "accept") == 1


@pytest.mark.slow
async def test_read_model_of_long_lives_is_remade_from_all_their_runs(seam_town: Town) -> None:
    request, follower = await seam_town.submit(), await seam_town.submit()
    await follower.act(c.Merge(seam_town.actor("dispatcher"), request.reference))
    await request.accepted()
    await request.act(c.AddCoHandler(seam_town.actor("handler"), "health", a_text()))
    await says(request, 1, 40)
    await insist(request, c.Progress(seam_town.actor("handler"), a_text(), public=True), a_text())
    await insist(request, c.FinishCoHandling(seam_town.actor("clinic_handler"), a_text()), a_text())
    await says(request, 41, 40)

    async def all_done() -> bool:
        return await number_of(request, "supplement") == 80 and len(await _followed(follower, "progress")) == 1

    await until(all_done, within=120)
    assert await runs_of(request) > 2
    before = await rows(seam_town)
    await seam_town.pool.execute("truncate snapshots, events")
    assert await rebuilt(seam_town, write=True) == {Found.REBUILT: len(before["snapshots"])}
    assert [*different(before, await rows(seam_town))] == []


class Storm:
    """Citizens, staff and clocks at one long life, while its worker dies again and again."""

    def __init__(self, town: Town, request: Request) -> None:
        self.town, self.request = town, request
        self.said: list[str] = []
        self.noted: list[str] = []
        self.last_inbox_id = 0
        self.is_over = False

    async def citizen(self) -> None:
        """Sends in order, as the relay does, some of it twice."""
        while not self.is_over:
            text = a_text()
            self.said.append(text)
            self.last_inbox_id += 1
            for _ in range(2 if self.last_inbox_id % 7 == 0 else 1):
                await self._send("supplemented", text)
            await asyncio.sleep(0.05)

    async def _send(self, signal: str, text: str) -> None:
        await self.request.handle.signal(signal, Message(self.last_inbox_id, datetime.now(UTC), text))

    async def staff(self) -> None:
        """One note after the other, each asked for with the same id until there is an answer; a hold now and then."""
        while not self.is_over:
            note = a_text()
            await insist(self.request, c.Progress(self.town.actor("handler"), note, public=True), note)
            self.noted.append(note)
            if len(self.noted) % 4 == 0:
                await self._hold()

    async def _hold(self) -> None:
        lead, supervisor = self.town.actor("lead"), self.town.actor("supervisor")
        await insist(self.request, c.RequestHold(lead, await self.town.day_in(9), a_text()), a_text())
        await insist(self.request, c.ApproveHold(supervisor), a_text())
        await asyncio.sleep(0.3)
        await insist(self.request, c.Resume(supervisor, a_text()), a_text())


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_nothing_is_lost_doubled_or_reordered_when_the_worker_dies_at_the_seam(
    fresh_database: FreshDatabase,
) -> None:
    url = fresh_database()
    async with (
        a_real_server(*SHORT_HISTORIES) as environment,
        a_town(environment, url, policy=QUICK, with_workers=False) as town,
    ):
        worker = MortalWorker(environment.client.service_client.config.target_host, url)
        await worker.start()
        try:
            await _through_a_storm(town, worker)
        finally:
            await worker.kill()


async def _started(town: Town) -> Request:
    """A request whose tasks count as lost soon after their worker died."""
    request = await town.stored()
    await town.environment.client.start_workflow(
        RequestWorkflow.run, await town.submitted(request), id=workflow_id(request.reference),
        task_queue=REQUESTS_QUEUE, task_timeout=A_TASK_IS_LOST_AFTER,
    )  # fmt: skip
    await until(lambda: _has(request, "auto_assign"), within=120)
    return request


async def _has(request: Request, action: str) -> bool:
    return action in await request.actions()


async def _through_a_storm(town: Town, worker: MortalWorker) -> None:
    request, follower = await _started(town), await _started(town)
    storm = Storm(town, request)
    await insist(follower, c.Merge(town.actor("dispatcher"), request.reference), "merge")
    await insist(request, c.Accept(town.actor("handler")), "accept")
    await insist(request, c.AddCoHandler(town.actor("handler"), "health", a_text()), "help")
    before = await request.snapshot()
    tasks = [asyncio.create_task(each) for each in (storm.citizen(), storm.staff())]
    for number in range(DEATHS):
        await asyncio.sleep(1.5 + 0.37 * number)
        await worker.kill()
        await worker.start()

    async def is_through() -> bool:
        for task in tasks:
            if task.done():
                task.result()  # who has given up says why
        return await _has_been_through_it(request)

    # On a slow machine the worker hardly comes to life between its deaths: then what they missed comes after the last.
    await until(is_through, within=400)
    storm.is_over = True
    async with asyncio.timeout(120):
        await asyncio.gather(*tasks)
    await until(lambda: _has_heard_all(request, storm, follower), within=120)
    await asyncio.sleep(2)  # what should not come would come now
    await _nothing_lost(request, storm, before)
    await _nothing_lost_beside(follower, storm)
    assert await runs_of(request) > DEATHS
    # The moments of what an attempt wrote that died before the history heard of it are known to the database alone.
    assert await rebuilt(town, write=False) == {Found.SAME: 2}


async def _has_been_through_it(request: Request) -> bool:
    at_the_top = (await request.snapshot()).escalation_level == MAX_ESCALATION_LEVEL
    return at_the_top and await runs_of(request) > DEATHS


async def _has_heard_all(request: Request, storm: Storm, follower: Request) -> bool:
    followed = len(await _followed(follower, "progress"))
    return await number_of(request, "supplement") >= len(storm.said) and followed >= len(storm.noted)


async def _followed(follower: Request, action: str) -> list[Event]:
    return [event for event in await follower.events() if event.facts.get("parent_action") == action]


async def _nothing_lost(request: Request, storm: Storm, before: Snapshot) -> None:
    events, after = await request.events(), await request.snapshot()
    assert broken(after, events) == []
    assert wrongly_moved(before, after, events[before.sequence :]) == []
    assert [event.text for event in events if event.action == "supplement"] == storm.said
    assert [event.text for event in events if event.action == "progress"] == storm.noted
    rung = [(event.action, *event.facts.items()) for event in events if event.actor_kind == "system"]
    assert sorted(each for each in set(rung) if rung.count(each) > 1 and each[0] != "heartbeat") == []
    levels = [event.facts["level"] for event in events if event.action == "escalate"]
    assert levels == ["1", "2", "3"]
    assert await wrongly_told(request) == []


async def _nothing_lost_beside(follower: Request, storm: Storm) -> None:
    """Who follows has heard each word to the citizen once."""
    assert broken(await follower.snapshot(), await follower.events()) == []
    assert len(await _followed(follower, "progress")) == len(storm.noted)
    assert await wrongly_told(follower) == []
