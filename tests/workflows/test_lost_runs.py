"""Runs that are lost: found, brought back where they stood, and nothing done twice or left out for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from temporalio.client import Client

from activities.relay import Pace, Relay
from activities.restores import Restores
from activities.wanted_runs import Lasting, WantedRuns
from db import backups, requests
from db.requests import MessageKind
from domain import commands as c
from domain.policy import shortened
from domain.request import CoState, Result, State
from tests.city import a_city
from tests.conftest import FreshDatabase
from tests.lost_runs import lose
from tests.skipping import a_real_server
from tests.town import KEYS, Request, Town, a_text, until
from tests.town_hall import a_store, a_town
from tests.workflows.test_co_handling import helped, part_is_over, part_is_watched
from tests.workflows.test_merging import follows, merged
from watching.runs import RunFigures
from workflows.after_restore import end_runs_of_before
from workflows.contract import ActionTaken, co_workflow_id
from workflows.delivery import deliver_with
from workflows.lost_runs import LostRuns, Swept, sweep
from workflows.starting_again import rebuilt_run_of, start_again

SECONDS_PER_WORKING_DAY = 20.0
"""So that no clock rings while a test looks at something else."""


@pytest.fixture(scope="module")
async def own_town(fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    """On Temporal itself, and with nobody else's requests: what has no run here is brought back."""
    policy = shortened(a_city(), SECONDS_PER_WORKING_DAY)
    async with a_real_server() as environment, a_town(environment, fresh_database(), policy=policy) as ready:
        yield ready


@pytest.fixture
async def quick_town(own_town: Town) -> AsyncIterator[Town]:
    """Requests of the tests before need no run any more."""
    yield own_town
    await own_town.put_away()
    await own_town.pool.execute("update requests set erased_at = now()")
    await own_town.pool.execute("update inbox set delivered_at = now() where delivered_at is null")


def lost_runs(town: Town) -> LostRuns:
    wanted = WantedRuns(town.pool, a_store(town.policy, town.pool), lambda: datetime.now(UTC))
    return LostRuns(town.environment.client, wanted)


async def terminate(request: Request) -> None:
    """Its run is ended by mistake, and the list of open runs knows it. The town has no relay that would note the start."""
    await request.settled()
    await request.handle.terminate("by mistake")
    await request.town.pool.execute(
        "update inbox set delivered_at = received_at, outcome = 'delivered' where request_id = $1", request.id
    )
    if not request.town.environment.supports_time_skipping:
        await until(lambda: is_missing(request))


async def is_missing(request: Request) -> bool:
    return request.reference in {each.reference for each in (await lost_runs(request.town).check()).missing}


async def a_message(request: Request, kind: MessageKind, text: str | None = None) -> int:
    """What the citizen sends, in the inbox."""
    return await requests.add_message(request.town.pool, KEYS, request.id, kind, {}, text, datetime.now(UTC))


# Clocks, by the clock that skips.


async def test_clock_that_ran_out_while_there_was_no_run_rings_at_once_and_once(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    await terminate(request)
    assert before.due_at is not None
    now = await town.environment.get_current_time()
    await town.environment.sleep(before.due_at - now + timedelta(minutes=1))
    assert (await request.actions())[2:] == ["accept"]
    await start_again(town.environment.client, rebuilt_run_of(before))
    await request.wait(timedelta(seconds=5))
    rung = ["contact_overdue", "remind_half", "remind_eighty", "escalate", "heartbeat"]
    assert sorted((await request.actions())[3:]) == sorted(rung)
    assert (await request.snapshot()).due_at == before.due_at
    await lose(request)
    await request.wait(timedelta(seconds=5))
    assert sorted((await request.actions())[3:]) == sorted(rung)
    assert await request.unsent() == []


async def test_staff_and_citizen_go_on_with_a_run_that_was_lost_in_a_pause(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    due_at = (await request.snapshot()).due_at
    await lose(request)
    await request.wait(timedelta(hours=1))
    await request.hear("answered", inbox_id=5, text=a_text())
    snapshot = await request.snapshot()
    assert snapshot.state is State.IN_PROGRESS
    assert due_at is not None
    assert snapshot.due_at is not None
    assert timedelta(minutes=59) < snapshot.due_at - due_at < timedelta(minutes=61)
    await lose(request)
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    await lose(request)
    await request.rated()
    assert await request.state() is State.CLOSED


async def test_update_that_was_answered_gets_the_same_answer_of_a_rebuilt_run(town: Town) -> None:
    request = await town.submit()
    accept, update_id = c.Accept(town.actor("handler")), str(uuid4())
    taken = await request.handle.execute_update("accept", accept, id=update_id, result_type=ActionTaken)
    await lose(request)
    again = await request.handle.execute_update("accept", accept, id=update_id, result_type=ActionTaken)
    assert again == taken
    assert (await request.actions())[2:] == ["accept"]


# On Temporal itself, by the real clock.


async def test_parts_of_a_lost_run_are_watched_and_settled(quick_town: Town) -> None:
    request = await helped(quick_town)
    await lose(request)  # its part was watched all the time
    assert await part_is_watched(request)
    part = quick_town.environment.client.get_workflow_handle(co_workflow_id(request.reference, 1))
    await part.terminate("lost as well")
    await lose(request)
    await until(lambda: part_is_watched(request))
    await request.act(c.FinishCoHandling(quick_town.actor("clinic_handler"), a_text()))
    await until(lambda: part_is_over(request))
    assert (await request.snapshot()).co_handlers[0].state is CoState.DONE


async def test_merged_request_hears_what_its_parent_did_while_it_had_no_run(quick_town: Town) -> None:
    parent, child = await merged(quick_town)
    await child.settled()
    await child.handle.terminate("by mistake")
    await parent.resolved()
    assert not await follows(child, "resolve")()
    await start_again(quick_town.environment.client, rebuilt_run_of(await child.snapshot()))
    await until(follows(child, "resolve"))
    assert await child.notices("follow") == [("resolved", "citizen")]
    await lose(child)
    await lose(parent)
    await child.settled()
    kinds = [kind for kind, _ in await child.notices()]
    assert kinds.count("resolved") == 1
    assert (await parent.snapshot()).followers == 1


async def test_parent_that_was_lost_counts_who_has_joined_it_meanwhile(quick_town: Town) -> None:
    parent, child = await merged(quick_town)
    await quick_town.pool.execute(
        "delete from events where request_id = $1 and action = 'joined'", parent.id
    )  # as if it had been lost with the run
    await quick_town.pool.execute(
        "update snapshots set followers = 0, sequence = sequence - 1 where request_id = $1", parent.id
    )
    await lose(parent)

    async def is_counted() -> bool:
        return (await parent.snapshot()).followers == 1

    await until(is_counted)
    assert (await child.snapshot()).parent == parent.reference


async def test_message_whose_run_was_lost_brings_it_back_and_is_heard_once(quick_town: Town) -> None:
    request = await quick_town.submit()
    await terminate(request)
    await a_message(request, MessageKind.URGED)
    await a_message(request, MessageKind.SUPPLEMENTED, "It is dark.")
    deliver = deliver_with(quick_town.environment.client, lost_runs(quick_town).bring_back_for)
    async with Relay(quick_town.pool, deliver, pace=Pace(poll=0.1, first_delay=0.05)):
        await until(lambda: is_heard(request))
    await lose(request)
    assert (await request.actions())[2:] == ["urge", "supplement"]


async def is_heard(request: Request) -> bool:
    return {"urge", "supplement"} <= {*await request.actions()}


async def test_look_says_in_figures_what_it_has_found_and_brought_back(quick_town: Town) -> None:
    request = await quick_town.submit()
    await terminate(request)
    registry = CollectorRegistry()
    lost = lost_runs(quick_town)
    lost.noted = RunFigures(registry)

    def told() -> dict[str, float | None]:
        names = ("needed", "open", "found_missing", "missing", "lost_total")
        labels = {"because": "look"}
        brought_back = registry.get_sample_value("huisheng_runs_brought_back_total", labels)
        return {name: registry.get_sample_value(f"huisheng_runs_{name}") for name in names} | {"back": brought_back}

    assert told() == {"needed": 0, "open": 0, "found_missing": 0, "missing": 0, "lost_total": 0, "back": 0}
    assert await sweep(lost, a_second=1000) == Swept(brought_back=1, left=0)
    assert told() == {"needed": 1, "open": 0, "found_missing": 1, "missing": 0, "lost_total": 1, "back": 1}
    await request.settled()
    await until(lambda: is_listed(request))
    assert await sweep(lost, a_second=1000) == Swept(brought_back=0, left=0)
    assert told() == {"needed": 1, "open": 1, "found_missing": 0, "missing": 0, "lost_total": 1, "back": 1}


async def is_listed(request: Request) -> bool:
    return (await lost_runs(request.town).check()).runs == 1


class Away(WantedRuns):
    """The database is not there."""

    def all(self) -> AsyncIterator[Lasting]:
        raise ConnectionRefusedError


async def test_look_that_did_not_come_to_its_end_does_not_count_as_one(quick_town: Town) -> None:
    registry = CollectorRegistry()
    wanted = Away(quick_town.pool, a_store(quick_town.policy, quick_town.pool), lambda: datetime.now(UTC))
    lost = LostRuns(quick_town.environment.client, wanted, RunFigures(registry))
    with pytest.raises(ConnectionRefusedError):
        await sweep(lost, a_second=1000)
    looked_at = "huisheng_runs_looked_at_timestamp_seconds"
    assert registry.get_sample_value(looked_at) == 0
    lost = LostRuns(quick_town.environment.client, lost_runs(quick_town)._wanted, lost.noted)
    await sweep(lost, a_second=1000)
    assert (registry.get_sample_value(looked_at) or 0) > 1e9


async def test_message_that_was_handed_to_a_lost_run_is_delivered_once_more(quick_town: Town) -> None:
    request = await quick_town.submit()
    await terminate(request)
    refused = await a_message(request, MessageKind.URGED)
    await quick_town.pool.execute("update inbox set delivered_at = now(), outcome = 'refused' where id = $1", refused)
    assert (await sweep(lost_runs(quick_town), a_second=1000)).brought_back >= 1
    async with Relay(quick_town.pool, deliver_with(quick_town.environment.client), pace=Pace(poll=0.1)):
        await until(lambda: was_urged(request))
    await lose(request)
    assert (await request.actions())[2:] == ["urge"]


async def was_urged(request: Request) -> bool:
    return "urge" in await request.actions()


async def test_message_to_a_request_that_is_over_is_refused(quick_town: Town) -> None:
    request = await quick_town.submit()
    await request.hear("withdrawn")
    assert await request.is_over()
    await a_message(request, MessageKind.URGED)
    deliver = deliver_with(quick_town.environment.client, lost_runs(quick_town).bring_back_for)
    async with Relay(quick_town.pool, deliver, pace=Pace(poll=0.1)):
        await until(lambda: is_settled(request))
    assert await request.is_over()
    outcome = await quick_town.pool.fetchval(
        "select outcome from inbox where request_id = $1 and kind = 'urged'", request.id
    )
    assert outcome == "refused"


async def is_settled(request: Request) -> bool:
    query = "select delivered_at is not null from inbox where request_id = $1 and kind = 'urged'"
    return bool(await request.town.pool.fetchval(query, request.id))


async def test_request_of_which_nothing_was_recorded_begins_anew(quick_town: Town) -> None:
    request = await quick_town.stored()
    quick_town.started.append(request)
    await quick_town.pool.execute(
        "update inbox set delivered_at = now(), outcome = 'delivered' where request_id = $1", request.id
    )
    (lost,) = [each for each in (await lost_runs(quick_town).check()).missing if each.reference == request.reference]
    assert await lost_runs(quick_town).bring_back(lost)
    await until(lambda: is_assigned(request))
    assert await request.actions() == ["submit", "auto_assign"]


async def is_assigned(request: Request) -> bool:
    return await request.state() is State.ASSIGNED


async def test_check_names_what_is_missing_and_nothing_else(quick_town: Town) -> None:
    lost, kept, over = [await quick_town.submit() for _ in range(3)]
    await over.hear("withdrawn")
    await terminate(lost)
    missing = {each.reference: each for each in (await lost_runs(quick_town).check()).missing}
    assert missing.keys().isdisjoint({kept.reference, over.reference})
    assert await lost_runs(quick_town).bring_back(missing[lost.reference])
    assert not await lost_runs(quick_town).bring_back(missing[lost.reference])


@pytest.mark.parametrize("with_runs", [True, False], ids=["store copied", "database alone"])
async def test_after_a_restore_runs_that_may_differ_are_ended_and_no_others(quick_town: Town, with_runs: bool) -> None:
    old, new = await quick_town.submit(), await quick_town.submit()
    execute = quick_town.pool.execute
    # As far from now as the clocks may be apart.
    copied_at = await quick_town.pool.fetchval("select clock_timestamp() + interval '61 seconds'")
    delivered = "update inbox set delivered_at = $2, outcome = 'delivered' where request_id = $1"
    await execute(delivered, old.id, copied_at - timedelta(minutes=2))
    await execute(delivered, new.id, copied_at + timedelta(seconds=1))
    await execute(
        "insert into restores (id, restored_at, taken_at, runs_copied_at) values ($1, clock_timestamp(), now(), $2)",
        uuid4(), copied_at if with_runs else None,
    )  # fmt: skip
    restores = Restores(quick_town.pool)
    await end_runs_of_before(quick_town.environment.client, restores, datetime.now(UTC))
    assert (await old.is_running(), await new.is_running()) == (with_runs, False)
    assert await restores.waiting() is None
    assert (await sweep(lost_runs(quick_town), a_second=1000)).brought_back >= 1
    await new.settled()
    await new.accepted()
    assert (await new.actions())[-1] == "accept"


async def recovered(request: Request, standing: dict[str, Any]) -> None:
    """The database of the moment when the request stood so, as from PostgreSQL's own archive; its run is of now."""
    pool, sequence = request.town.pool, standing["sequence"]
    of_notices = (
        "delete from {} using notices where notice_id = notices.id and request_id = $1 and notices.sequence > $2"
    )
    for table in ("attempts", "outbox"):
        await pool.execute(of_notices.format(table), request.id, sequence)
    for table in ("acts", "notices", "events"):
        await pool.execute(f"delete from {table} where request_id = $1 and sequence > $2", request.id, sequence)
    await pool.execute("delete from snapshots where request_id = $1", request.id)
    await pool.execute("insert into snapshots select * from jsonb_populate_record(null::snapshots, $1)", standing)


async def test_run_that_is_ahead_of_a_recovered_database_begins_again_where_that_stands(quick_town: Town) -> None:
    request = await quick_town.submit()
    await request.accepted()
    standing = await quick_town.pool.fetchval(
        "select to_jsonb(snapshots) from snapshots where request_id = $1", request.id
    )
    await request.act(c.AskCitizen(quick_town.actor("handler"), a_text()))
    await request.settled()
    await recovered(request, standing)
    restores = Restores(quick_town.pool)
    await end_runs_of_before(quick_town.environment.client, restores, datetime.now(UTC))
    assert await request.is_running(), "nobody had said that it may not go on"
    await backups.note_recovery(quick_town.pool, datetime.now(UTC))
    await end_runs_of_before(quick_town.environment.client, restores, datetime.now(UTC))
    assert not await request.is_running()
    (lost,) = await lost_runs(quick_town).needing([request.reference])
    assert await lost_runs(quick_town).bring_back(lost)
    await request.settled()
    await request.act(c.Resolve(quick_town.actor("handler"), Result.SOLVED, a_text()))
    events = await quick_town.pool.fetch(
        "select sequence, action from events where request_id = $1 order by sequence", request.id
    )
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["action"] == "resolve"
    assert "ask_citizen" not in {event["action"] for event in events}


class Stale:
    """Temporal with a list that shows what is long over as open, for ever (temporalio/temporal#5643)."""

    def __init__(self, client: Client, over: Request) -> None:
        self._client = client
        self._over = over

    def get_workflow_handle(self, *which: Any, **more: Any) -> Any:
        return self._client.get_workflow_handle(*which, **more)

    async def list_workflows(self, query: str, **more: Any) -> AsyncIterator[Any]:
        async for run in self._client.list_workflows(query, **more):
            yield run
        yield await self._over.handle.describe()


async def test_list_that_stays_behind_stops_no_worker_after_a_restore(quick_town: Town) -> None:
    over, open_one = await quick_town.submit(), await quick_town.submit()
    await over.hear("withdrawn")
    assert await over.is_over()
    await backups.note_recovery(quick_town.pool, datetime.now(UTC))
    stale = cast("Client", Stale(quick_town.environment.client, over))
    async with asyncio.timeout(60):
        await end_runs_of_before(stale, Restores(quick_town.pool), datetime.now(UTC), patience=2)
    assert not await open_one.is_running()
    assert await Restores(quick_town.pool).waiting() is None
