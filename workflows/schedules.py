"""What Temporal does by the clock of the city and for no single request: the schedules, kept as the program has them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from activities.retention import Sweep
from workflows.contract import REQUESTS_QUEUE
from workflows.retention import RetentionWorkflow

logger = structlog.get_logger(__name__)

RETENTION = "retention"
ERASURE_DEMANDS = "erasure-demands"

EVERY = timedelta(hours=1)

_SCHEDULES = (
    (
        RETENTION,
        Sweep(),
        ScheduleCalendarSpec(hour=[ScheduleRange(3)], minute=[ScheduleRange(30)], comment="at night"),
        "Erases the personal data of requests that have been over for longer than the policy keeps them.",
    ),
    (
        ERASURE_DEMANDS,
        Sweep(demands_only=True),
        ScheduleCalendarSpec(hour=[ScheduleRange(0, 23)], minute=[ScheduleRange(10)], comment="every hour"),
        "Erases what somebody demanded to be erased, as soon as the request is over.",
    ),
)


async def keep_schedules(client: Client, zone: Callable[[], Awaitable[str]], *, every: timedelta = EVERY) -> None:
    """Makes the schedules and keeps them at the city's `zone`, until it is cancelled.

    Without a policy there is no zone yet, and Temporal may be away for a while: both are tried again.
    """
    while True:
        try:
            await put_schedules(client, await zone())
        except Exception as error:
            logger.warning("schedules_not_kept", error=type(error).__qualname__)
        await asyncio.sleep(every.total_seconds())


async def put_schedules(client: Client, zone: str) -> None:
    """Makes the schedules, or brings them to what they shall be. One that an admin has paused stays paused."""
    for name, sweep, when, note in _SCHEDULES:
        await _put(client, name, _schedule(name, sweep, when, zone, note))


def _schedule(name: str, sweep: Sweep, when: ScheduleCalendarSpec, zone: str, note: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RetentionWorkflow.run, sweep, id=name, task_queue=REQUESTS_QUEUE, static_summary=note
        ),
        spec=ScheduleSpec(calendars=[when], time_zone_name=zone),
        # What was missed while Temporal was down is made up for, once.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=1)),
        state=ScheduleState(note=note),
    )


async def _put(client: Client, name: str, schedule: Schedule) -> None:
    def brought_up(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule)

    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(brought_up)
