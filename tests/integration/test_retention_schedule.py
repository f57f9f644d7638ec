"""Retention with the whole engine: the schedules that the worker keeps, and runs that erase what is due and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities.retention import RetentionActivities, Sweep, Swept
from db import erasure, inbox, policies, requests, timeline
from db.inbox import Settled
from db.pool import Pool
from db.requests import Submitted
from db.sealing import KeyRing
from domain.planning import plan_feedback
from domain.policy import to_plain
from domain.request import State
from domain.retention import Because
from policies.store import NoPolicy
from supervision.temporal import TemporalServer
from tests.city import a_city
from tests.histories import readable
from tests.integration.test_api_actions import a_worker, eventually
from tests.interface import KEYS
from tests.notices import OnePolicy
from tests.rows import a_submitted_request
from workflows.connection import connect
from workflows.retention import RetentionWorkflow
from workflows.schedules import ERASURE_DEMANDS, RETENTION, keep_schedules, put_schedules

CITY = a_city(limits=replace(a_city().limits, retention_days=365))
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
YEAR = 365 * DAY


@pytest.fixture
async def temporal(temporal_server: TemporalServer) -> Client:
    return await connect(temporal_server.address, KeyRing.from_text(KEYS))


async def a_request(pool: Pool, keys: KeyRing, state: State, over_since: datetime, **columns: Any) -> Submitted:
    """Submitted two days before it was over; its messages have been delivered."""
    request = await a_submitted_request(pool, keys, over_since - 2 * DAY)
    rows = await inbox.claim(pool, timedelta(seconds=30), 100)
    await inbox.settle(pool, [Settled(row, "delivered") for row in rows])
    values = {"state": state, "closed_at": over_since, **columns}
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=2))
    await pool.execute(
        f"update snapshots set {assignments} where request_id = $1", request.request_id, *values.values()
    )
    return request


async def erased(pool: Pool) -> set[str]:
    return {row["reference"] for row in await pool.fetch("select reference from requests where erased_at is not null")}


async def sweep(pool: Pool, wanted: Sweep = Sweep(), **changes: Any) -> Swept:  # noqa: B008 - a frozen value
    activities = RetentionActivities(pool, OnePolicy(CITY), now=lambda: NOW, **changes)
    return await ActivityEnvironment().run(activities.erase_due, wanted)


# One batch.


async def test_batch_erases_what_is_due_and_nothing_else(pool: Pool, keys: KeyRing) -> None:
    old = NOW - YEAR - DAY
    due = [await a_request(pool, keys, state, old) for state in (State.WITHDRAWN, State.DECLINED, State.TRANSFERRED)]
    due.append(await a_request(pool, keys, State.CLOSED, old, resolved_at=old - DAY))
    for state, since in ((State.WITHDRAWN, NOW - YEAR + DAY), (State.RESOLVED, old), (State.IN_PROGRESS, old)):
        await a_request(pool, keys, state, since)
    await a_request(pool, keys, State.MERGED, old)
    swept = await sweep(pool)
    assert await erased(pool) == {request.reference for request in due}
    assert (swept.erased, swept.next) == (4, None)
    for request in due:
        *_, last = await timeline.events(pool, request.request_id)
        assert (last.action, last.facts) == ("erase", {"because": Because.RETENTION})


async def test_closed_request_is_kept_as_long_as_it_may_be_reopened(pool: Pool, keys: KeyRing) -> None:
    long = replace(CITY, limits=replace(CITY.limits, retention_days=1))
    window = plan_feedback(long, NOW).reopen_until - NOW
    assert window > 2 * DAY
    kept = await a_request(pool, keys, State.CLOSED, NOW - 2 * DAY, resolved_at=NOW - 2 * DAY)
    due = await a_request(pool, keys, State.CLOSED, NOW - 2 * DAY, resolved_at=NOW - window - DAY)
    activities = RetentionActivities(pool, OnePolicy(long), now=lambda: NOW)
    swept = await ActivityEnvironment().run(activities.erase_due, Sweep())
    assert (await erased(pool), swept.waiting) == ({due.reference}, 1)
    assert kept.reference not in await erased(pool)


async def test_batches_go_on_behind_what_must_wait(pool: Pool, keys: KeyRing) -> None:
    old = NOW - 2 * YEAR
    for _ in range(3):
        await a_request(pool, keys, State.MERGED, old)
    due = await a_request(pool, keys, State.WITHDRAWN, old + DAY)
    first = await sweep(pool, batch=2)
    assert (first.erased, first.waiting) == (0, 2)
    assert first.next is not None
    second = await sweep(pool, first.next, batch=2)
    assert (second.erased, second.waiting) == (1, 1)
    assert await erased(pool) == {due.reference}


async def test_batch_done_again_erases_nothing_twice(pool: Pool, keys: KeyRing) -> None:
    request = await a_request(pool, keys, State.WITHDRAWN, NOW - 2 * YEAR)
    assert [(await sweep(pool)).erased for _ in range(2)] == [1, 0]
    assert len(await timeline.events(pool, request.request_id)) == 1


async def test_demands_are_met_whatever_their_age(pool: Pool, keys: KeyRing) -> None:
    demanded = await a_request(pool, keys, State.CLOSED, NOW - DAY, resolved_at=NOW - DAY)
    still_open = await a_request(pool, keys, State.IN_PROGRESS, NOW - DAY)
    await a_request(pool, keys, State.CLOSED, NOW - DAY, resolved_at=NOW - DAY)
    for request in (demanded, still_open):
        await erasure.demand(pool, keys, request.request_id, Because.CITIZEN, None, NOW)
    assert await sweep(pool, Sweep(demands_only=True)) == Swept(1, 0)
    assert await erased(pool) == {demanded.reference}
    (event,) = await timeline.events(pool, demanded.request_id)
    assert event.facts == {"because": "citizen"}


# The run.


async def test_run_goes_from_batch_to_batch_to_the_end(pool: Pool, keys: KeyRing, temporal: Client) -> None:
    due = [await a_request(pool, keys, State.WITHDRAWN, NOW - 2 * YEAR + day * DAY) for day in range(5)]
    activities = RetentionActivities(pool, OnePolicy(CITY), batch=2)
    queue = f"retention-{uuid4()}"
    async with Worker(temporal, task_queue=queue, workflows=[RetentionWorkflow], activities=[activities.erase_due]):
        number = await temporal.execute_workflow(RetentionWorkflow.run, Sweep(), id=queue, task_queue=queue)
    assert number == 5
    assert await erased(pool) == {request.reference for request in due}


async def test_run_carries_nothing_personal(pool: Pool, keys: KeyRing, temporal: Client) -> None:
    await a_request(pool, keys, State.WITHDRAWN, NOW - 2 * YEAR)
    activities = RetentionActivities(pool, OnePolicy(CITY), batch=1)
    queue = f"retention-{uuid4()}"
    async with Worker(temporal, task_queue=queue, workflows=[RetentionWorkflow], activities=[activities.erase_due]):
        handle = await temporal.start_workflow(RetentionWorkflow.run, Sweep(), id=queue, task_queue=queue)
        assert await handle.result() == 1
        told = readable(await handle.fetch_history(), KeyRing.from_text(KEYS))
    assert "A Citizen" not in told


# The schedules.


async def test_worker_keeps_the_schedules_and_what_they_start_erases(
    pool: Pool, keys: KeyRing, temporal: Client, database_url: str, temporal_server: TemporalServer
) -> None:
    await policies.activate(pool, CITY.version, "Small City", to_plain(CITY), NOW)
    old = await a_request(pool, keys, State.WITHDRAWN, NOW - 2 * YEAR)
    demanded = await a_request(pool, keys, State.WITHDRAWN, NOW - DAY)
    untouched = await a_request(pool, keys, State.WITHDRAWN, NOW - DAY)
    await erasure.demand(pool, keys, demanded.request_id, Because.CITIZEN, None, NOW)

    async def are_there() -> bool:
        return {RETENTION, ERASURE_DEMANDS} <= {each.id async for each in await temporal.list_schedules()}

    # Only now: its relay would have taken the requests for new ones.
    async with a_worker(database_url, temporal_server.address):
        await eventually(are_there)
        for name, reference in ((RETENTION, old.reference), (ERASURE_DEMANDS, demanded.reference)):
            await temporal.get_schedule_handle(name).trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)

            async def is_erased(reference: str = reference) -> bool:
                return reference in await erased(pool)

            await eventually(is_erased)
    assert await erased(pool) == {old.reference, demanded.reference}
    stored = await requests.find(pool, untouched.reference)
    assert stored is not None
    assert requests.told(keys, stored).description


async def test_schedules_run_by_the_clock_of_the_city(temporal: Client) -> None:
    await put_schedules(temporal, "Asia/Urumqi")
    described = await temporal.get_schedule_handle(RETENTION).describe()
    assert described.schedule.spec.time_zone_name == "Asia/Urumqi"
    (calendar,) = described.schedule.spec.calendars
    assert (calendar.hour[0].start, calendar.minute[0].start) == (3, 30)
    # 03:30 in Urumqi, two hours behind Beijing.
    assert [(at.astimezone(UTC).hour, at.minute) for at in described.info.next_action_times[:2]] == [(21, 30)] * 2
    hourly = (await temporal.get_schedule_handle(ERASURE_DEMANDS).describe()).info.next_action_times
    assert hourly[1] - hourly[0] == timedelta(hours=1)


async def test_schedules_are_put_any_number_of_times_and_stay_paused(temporal: Client) -> None:
    await put_schedules(temporal, "Asia/Shanghai")
    handle = temporal.get_schedule_handle(RETENTION)
    await handle.pause(note="while the lawyers look at it")
    try:
        await asyncio.gather(*(put_schedules(temporal, "Asia/Shanghai") for _ in range(3)))
        state = (await handle.describe()).schedule.state
        assert (state.paused, state.note) == (True, "while the lawyers look at it")
    finally:
        await handle.unpause()


async def test_schedules_are_made_as_soon_as_there_is_a_policy_and_moved_with_the_zone(temporal: Client) -> None:
    zones = iter(["Asia/Shanghai", "Asia/Urumqi"])
    asked = 0

    async def zone() -> str:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise NoPolicy("There is no policy yet.")
        return next(zones, "Asia/Urumqi")

    async def has_moved() -> bool:
        described = await temporal.get_schedule_handle(RETENTION).describe()
        return described.schedule.spec.time_zone_name == "Asia/Urumqi"

    keeping = asyncio.create_task(keep_schedules(temporal, zone, every=timedelta(milliseconds=1)))
    try:
        await eventually(has_moved)
        assert asked > 2
    finally:
        keeping.cancel()
