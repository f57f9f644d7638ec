"""What the history of a run says of it: whether anything is under way there, and how many of its timers run."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType

from tests.town import Request


async def _names(request: Request) -> list[str]:
    history = await request.handle.fetch_history()
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events]


async def is_at_rest(request: Request) -> bool:
    """The last task of the run is done, and nothing that it has begun is on its way."""
    names = await _names(request)
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
    return begun == ended and said == arrived


async def running_timers(request: Request) -> int:
    names = await _names(request)
    return names.count("TIMER_STARTED") - names.count("TIMER_FIRED") - names.count("TIMER_CANCELED")
