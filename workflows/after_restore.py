"""After the database was brought back to an earlier instant, before a worker takes anything: the runs that may know other things
than it does are ended.

They begin again where the database says that they stood (lost_runs.py). It may be stopped and done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import NamedTuple

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.restores import Restore, Restores
from domain.errors import EngineUnavailable
from workflows.contract import reference_of, workflow_id
from workflows.starting_again import PATIENCE

logger = structlog.get_logger(__name__)

_OPEN_RUNS = 'WorkflowType IN ("RequestWorkflow", "CoHandlingWorkflow") AND ExecutionStatus = "Running"'
_BECAUSE = (
    "the database was brought back to an earlier instant; the run begins again where it says that the request stood"
)
PATIENT_LOOKS = 30
_AT_ONCE = 20
_LOOK_AGAIN_SECONDS = 1.0


class _Run(NamedTuple):
    id: str
    run_id: str
    began_at: datetime


async def end_runs_of_before(
    client: Client, restores: Restores, now: datetime, *, patience: int = PATIENT_LOOKS
) -> None:
    """Nothing happens where nothing was restored, or it has been done. Raises EngineUnavailable.

    So many looks, a second apart, at a list of open runs that shows nothing but what was ended.
    """
    restore = await restores.waiting()
    if restore is None:
        return
    try:
        await _end_all_of_before(client, restores, restore, patience)
    except RPCError as error:
        raise EngineUnavailable(
            f"Temporal does not answer ({error.status.name}), and after a restore its runs of before must be ended first."
        ) from error
    await restores.note_done(now)


async def _end_all_of_before(client: Client, restores: Restores, restore: Restore, patience: int) -> None:
    copied_at = restore.runs_copied_at
    touched = await restores.touched_since(copied_at) if copied_at is not None else None
    ended: set[str] = set()
    if touched is not None:
        # The list of open runs may lag behind, most of all what began just before the copy.
        ended |= await _end(
            client, [run async for run in _latest(client, touched) if run.began_at < restore.restored_at]
        )
    looks = 0
    # What was ended stays in that list for a moment, in which the sweep would take it for open. A list that is wrong for good
    # (temporalio/temporal#5643) must not hold the workers up.
    while (found := [run async for run in _to_end(client, restore, touched)]) and looks < patience:
        left = [run for run in found if run.run_id not in ended]
        ended |= await _end(client, left)
        looks = 0 if left else looks + 1
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    logger.warning("runs_of_before_ended", ended=len(ended), all=touched is None)


async def _to_end(client: Client, restore: Restore, touched: set[str] | None) -> AsyncIterator[_Run]:
    async for run in client.list_workflows(_OPEN_RUNS, page_size=1_000):
        is_of_before = run.start_time < restore.restored_at
        if is_of_before and (touched is None or reference_of(run.id) in touched):
            yield _Run(run.id, run.run_id, run.start_time)


async def _latest(client: Client, references: Iterable[str]) -> AsyncIterator[_Run]:
    for reference in sorted(references):
        try:
            run = await client.get_workflow_handle(workflow_id(reference)).describe(rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        else:
            yield _Run(run.id, run.run_id, run.start_time)


async def _end(client: Client, found: list[_Run]) -> set[str]:
    for start in range(0, len(found), _AT_ONCE):
        await asyncio.gather(*(_end_one(client, run) for run in found[start : start + _AT_ONCE]))
    return {run.run_id for run in found}


async def _end_one(client: Client, run: _Run) -> None:
    try:
        await client.get_workflow_handle(run.id, run_id=run.run_id).terminate(_BECAUSE, rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
