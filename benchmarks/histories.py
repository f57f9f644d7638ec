"""What a lifecycle leaves in Temporal: events and workflow tasks, counted in the real histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from workflows.contract import workflow_id


@dataclass(frozen=True, slots=True)
class HistoryCost:
    """Means over `lifecycles` runs, from their start to the moment they were closed."""

    lifecycles: int
    events: float
    workflow_tasks: float
    bytes: float
    kinds: dict[str, float]


async def history_cost(temporal_address: str, references: Sequence[str]) -> HistoryCost:
    client = await Client.connect(temporal_address)
    kinds: Counter[str] = Counter()
    size = 0
    for reference in references:
        async for event in client.get_workflow_handle(workflow_id(reference)).fetch_history_events():
            kinds[EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()] += 1
            size += event.ByteSize()
    number = len(references) or 1  # of no lifecycle the means are nothing
    return HistoryCost(
        lifecycles=len(references),
        events=kinds.total() / number,
        workflow_tasks=kinds["workflow_task_completed"] / number,
        bytes=size / number,
        kinds={kind: count / number for kind, count in kinds.most_common()},
    )
