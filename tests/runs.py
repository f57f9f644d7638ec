"""What the history of a run says of it: whether anything is under way there, how many of its timers run, and when the next rings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from tests.town import Request

AT_ONCE = timedelta(seconds=2)
"""What is overdue when somebody acts rings right after the act."""


async def _events(request: Request) -> list[HistoryEvent]:
    return list((await request.handle.fetch_history()).events)


def _names(events: list[HistoryEvent]) -> list[str]:
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events]


async def is_at_rest(request: Request) -> bool:
    """The last task of the run is done, and nothing that it has begun is on its way, nor is a clock that rings at once."""
    events = await _events(request)
    names = _names(events)
    if names[-1] in ("WORKFLOW_EXECUTION_COMPLETED", "WORKFLOW_EXECUTION_TERMINATED"):
        return True
    tasks = [name for name in names if name.startswith("WORKFLOW_TASK")]
    if names[-1] == "WORKFLOW_EXECUTION_STARTED" or tasks[-1] != "WORKFLOW_TASK_COMPLETED":
        return False
    begun = sum(name == "ACTIVITY_TASK_SCHEDULED" for name in names)
    ended = sum(
        name.startswith("ACTIVITY_TASK") and name.endswith(("COMPLETED", "FAILED", "TIMED_OUT", "CANCELED"))
        for name in names
    )
    said = sum(name == "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED" for name in names)
    arrived = sum(
        name in ("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED", "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED") for name in names
    )
    return begun == ended and said == arrived and not any(lasts < AT_ONCE for _, lasts in _running(events))


def _running(events: list[HistoryEvent]) -> list[tuple[datetime, timedelta]]:
    """Of each timer that runs: when it began, and how long it lasts."""
    timers: dict[int, tuple[datetime, timedelta]] = {}
    for event in events:
        if event.HasField("timer_started_event_attributes"):
            lasts = timedelta(microseconds=event.timer_started_event_attributes.start_to_fire_timeout.ToMicroseconds())
            timers[event.event_id] = event.event_time.ToDatetime(tzinfo=UTC), lasts
        elif event.HasField("timer_fired_event_attributes"):
            del timers[event.timer_fired_event_attributes.started_event_id]
        elif event.HasField("timer_canceled_event_attributes"):
            del timers[event.timer_canceled_event_attributes.started_event_id]
    return list(timers.values())


async def running_timers(request: Request) -> int:
    return len(_running(await _events(request)))


async def next_ring_at(request: Request) -> datetime | None:
    """When the first of its running timers rings; None where none runs."""
    return min((began_at + lasts for began_at, lasts in _running(await _events(request))), default=None)
