"""How a run begins in the place of one that was lost. The interface does so, too: it never loads the procedure itself."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.request import CITIZEN, Snapshot
from workflows.contract import PROCEDURE, REQUESTS_QUEUE, Submitted, workflow_id
from workflows.visibility import at_start

PATIENCE = timedelta(seconds=5)


async def start_again(client: Client, submitted: Submitted) -> bool:
    """Start a run in the place of one that was lost; False where one is open."""
    try:
        await client.start_workflow(
            "RequestWorkflow",
            submitted,
            id=workflow_id(submitted.reference),
            task_queue=REQUESTS_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=at_start(submitted.reference),
            static_summary=f"Request {submitted.reference}",
            rpc_timeout=PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        return False
    return True


def rebuilt_run_of(snapshot: Snapshot) -> Submitted:
    """The input of a run that goes on where a lost one stood."""
    return Submitted(
        request_id=snapshot.request_id,
        reference=snapshot.reference,
        submitted_at=snapshot.submitted_at,
        by=CITIZEN,
        confidential=snapshot.confidential,
        procedure=PROCEDURE,
        rebuilt=True,
    )
