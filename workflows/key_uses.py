"""Which keys have sealed what Temporal still keeps: those must stay in the ring (docs/decisions/0026).

Read out of the histories themselves: a run that was reset, or that a schedule started, may hold payloads that are older than it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from google.protobuf.message import Message
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from workflows.sealed_payloads import is_sealed, payloads_in

AT_ONCE = 8
"""So many histories are read at the same time: the server has other things to do."""


@dataclass
class KeyUses:
    """How many runs hold payloads of each key, and how many of these are not over; in how many schedules each key stands."""

    runs: Counter[str] = field(default_factory=Counter)
    open_runs: Counter[str] = field(default_factory=Counter)
    schedules: Counter[str] = field(default_factory=Counter)
    read: int = 0

    @property
    def keys(self) -> set[str]:
        return {*self.runs, *self.schedules}


async def key_uses(
    client: Client, key_of: Callable[[bytes], str], went_on: Callable[[int], None] = lambda _: None
) -> KeyUses:
    """Reads all that the namespace keeps; `went_on` hears after each run how many were read. Raises RPCError."""
    uses, gate = KeyUses(), asyncio.Semaphore(AT_ONCE)

    async def look_at(run: WorkflowExecution) -> None:
        try:
            found = await _of_run(client, run, key_of)
        finally:
            gate.release()
        uses.runs.update(found)
        if run.status is WorkflowExecutionStatus.RUNNING:
            uses.open_runs.update(found)
        uses.read += 1
        went_on(uses.read)

    async with asyncio.TaskGroup() as group:
        async for run in client.list_workflows():
            await gate.acquire()
            group.create_task(look_at(run))
    async for schedule in await client.list_schedules():
        described = await client.get_schedule_handle(schedule.id).describe()
        uses.schedules.update(_keys_in([described.raw_description], key_of))
    return uses


async def _of_run(client: Client, run: WorkflowExecution, key_of: Callable[[bytes], str]) -> set[str]:
    try:
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return set()  # forgotten meanwhile
        raise
    return _keys_in(history.events, key_of)


def _keys_in(messages: Iterable[Message], key_of: Callable[[bytes], str]) -> set[str]:
    return {key_of(payload.data) for message in messages for payload in filter(is_sealed, payloads_in(message))}
