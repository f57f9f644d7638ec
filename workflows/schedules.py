"""What Temporal does by the clock of the city and for no single request: the schedules, kept as the program has them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple

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

from activities.learning import Retraining
from activities.retention import Sweep
from activities.topics import Look
from workflows.contract import REQUESTS_QUEUE
from workflows.learning import LearningWorkflow
from workflows.retention import RetentionWorkflow
from workflows.topics import TopicsWorkflow

logger = structlog.get_logger(__name__)

RETENTION = "retention"
ERASURE_DEMANDS = "erasure-demands"
LEARNING = "learning"
TOPICS = "topics"

EVERY = timedelta(hours=1)


class Planned(NamedTuple):
    """A workflow that starts at those hours and minutes, with what it is given; `note` is what an admin reads of it."""

    name: str
    workflow: Callable[..., Awaitable[Any]]
    given: Any
    when: ScheduleCalendarSpec
    note: str


_SCHEDULES = (
    Planned(
        RETENTION,
        RetentionWorkflow.run,
        Sweep(),
        ScheduleCalendarSpec(hour=[ScheduleRange(3)], minute=[ScheduleRange(30)], comment="at night"),
        "Erases the personal data of requests that have been over for longer than the policy keeps them.",
    ),
    Planned(
        ERASURE_DEMANDS,
        RetentionWorkflow.run,
        Sweep(demands_only=True),
        ScheduleCalendarSpec(hour=[ScheduleRange(0, 23)], minute=[ScheduleRange(10)], comment="every hour"),
        "Erases what somebody demanded to be erased, as soon as the request is over.",
    ),
    Planned(
        LEARNING,
        LearningWorkflow.run,
        Retraining(),
        ScheduleCalendarSpec(
            day_of_week=[ScheduleRange(0)],
            hour=[ScheduleRange(2)],
            minute=[ScheduleRange(10)],
            comment="on Sunday night",
        ),
        "Trains the classifier on the city's own decisions; the new model takes over only if it is no worse.",
    ),
    Planned(
        TOPICS,
        TopicsWorkflow.run,
        Look(),
        ScheduleCalendarSpec(hour=[ScheduleRange(8, 20, 4)], minute=[ScheduleRange(20)], comment="four times by day"),
        "Finds what many people wrote about lately, and warns the supervisors of what grows.",
    ),
)

SCHEDULES = tuple(planned.name for planned in _SCHEDULES)


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
    for planned in _SCHEDULES:
        await _put(client, planned.name, _schedule(planned, zone))


def _schedule(planned: Planned, zone: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            planned.workflow,
            planned.given,
            id=planned.name,
            task_queue=REQUESTS_QUEUE,
            static_summary=planned.note,
        ),
        spec=ScheduleSpec(calendars=[planned.when], time_zone_name=zone),
        # What was missed while Temporal was down is made up for, once.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=1)),
        state=ScheduleState(note=planned.note),
    )


async def _put(client: Client, name: str, schedule: Schedule) -> None:
    def brought_up(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule)

    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(brought_up)
