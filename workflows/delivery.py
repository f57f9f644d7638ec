"""How a message from the inbox reaches its workflow: the first one starts the run, the others signal it.

Both may be repeated without harm: a run is started once per reference, and the workflow knows which messages it has had.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.request import Actor, Role, Solved
from workflows.contract import REQUESTS_QUEUE, SIGNAL_OF_INBOX, Message, Submitted, workflow_id
from workflows.request import RequestWorkflow
from workflows.visibility import at_start

_PATIENCE = timedelta(seconds=5)


async def start_run(client: Client, submitted: Submitted) -> None:
    """Start the run of a request; nothing happens where it has been started before, even if it is over."""
    try:
        await client.start_workflow(
            RequestWorkflow.run,
            submitted,
            id=workflow_id(submitted.reference),
            task_queue=REQUESTS_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=at_start(submitted.reference),
            static_summary=f"Request {submitted.reference}",
            rpc_timeout=_PATIENCE,
            # The relay lives in the worker: the first task comes back with the answer and saves a round of polling.
            request_eager_start=True,
        )
    except WorkflowAlreadyStartedError:
        return


async def signal_run(client: Client, reference: str, kind: str, message: Message) -> bool:
    """Deliver a message; False where the run of the request is over and nobody will read it."""
    handle = client.get_workflow_handle(workflow_id(reference))
    try:
        await handle.signal(SIGNAL_OF_INBOX[kind], message, rpc_timeout=_PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def submitted_from(reference: str, request_id: str, received_at: datetime, payload: dict[str, Any]) -> Submitted:
    """The input of a run, from the inbox row that the intake wrote."""
    return Submitted(
        request_id=request_id,
        reference=reference,
        submitted_at=received_at,
        by=_actor(payload.get("staff_id")),
        confidential=bool(payload.get("confidential", False)),
        located=bool(payload.get("located", False)),
    )


def message_from(inbox_id: int, received_at: datetime, payload: dict[str, Any]) -> Message:
    """A signal's argument, from an inbox row."""
    solved = payload.get("solved")
    return Message(
        inbox_id=inbox_id,
        at=received_at,
        text=payload.get("text"),
        solved=Solved(solved) if solved else None,
        satisfied=payload.get("satisfied"),
    )


def _actor(staff_id: str | None) -> Actor:
    if staff_id:
        return Actor("staff", staff_id, (Role.DISPATCHER,))
    return Actor("citizen", roles=(Role.CITIZEN,))
