"""How a message from the inbox reaches its workflow: the first one starts the run, the others signal it.

Both may be repeated without harm: a run is started once per reference, and the workflow knows which messages it has had.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.first_turns import FirstTurns, at_most
from activities.relay import Deliver, Delivery, InboxRow
from domain.errors import EngineUnavailable
from domain.request import CITIZEN, Actor, QuickLog, Result, Role, Solved
from workflows.contract import PROCEDURE, REQUESTS_QUEUE, SIGNAL_OF_INBOX, SUBMITTED, Message, Submitted, workflow_id
from workflows.request import RequestWorkflow
from workflows.visibility import at_start

_PATIENCE = timedelta(seconds=5)
FIRST_TURN_SECONDS = 1.5
"""For so long a submission counts as under way when its run has begun here. Together with `_PATIENCE` less than a delivery may take."""


async def start_run(client: Client, submitted: Submitted) -> bool:
    """Start the run of a request; nothing happens where it has been started before, even if it is over.

    True where its first task came back with the answer and is at work in this process.
    """
    try:
        run = await client.start_workflow(
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
        return False
    # The SDK says it under this name and no other.
    return bool(getattr(run, "__temporal_eagerly_started", False))


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


class RunLost(Exception):
    """The run of the request was lost and begins again: the message is tried again in a moment."""


BringBack = Callable[[InboxRow], Awaitable[bool]]
"""Starts the run of a message's request again if it was lost; False where the request is over."""


async def _over(row: InboxRow) -> bool:
    return False


def deliver_with(client: Client, bring_back: BringBack = _over, first_turns: FirstTurns | None = None) -> Deliver:
    """The relay's way to the workflows. With `first_turns` a submission is delivered when its run has recorded its first turn."""

    async def deliver(row: InboxRow) -> Delivery:
        try:
            if row.kind == SUBMITTED:
                await _begin(client, row, first_turns)
            elif not await signal_run(client, row.reference, row.kind, _message(row)):
                if await bring_back(row):
                    raise RunLost
                return Delivery.REFUSED
        except RPCError as error:
            if error.status in _AWAY:
                raise EngineUnavailable("Temporal does not answer.") from error
            raise
        return Delivery.DELIVERED

    return deliver


async def _begin(client: Client, row: InboxRow, first_turns: FirstTurns | None) -> None:
    if first_turns is None:
        await start_run(client, submitted_of(row))
        return
    with first_turns.expected(row.reference) as turn:
        if await start_run(client, submitted_of(row)):
            await at_most(turn, FIRST_TURN_SECONDS)


_AWAY = frozenset({
    RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.RESOURCE_EXHAUSTED,
})  # fmt: skip


def submitted_of(row: InboxRow) -> Submitted:
    """The input of a run, from the inbox row that the intake wrote."""
    return Submitted(
        request_id=str(row.request_id),
        reference=row.reference,
        submitted_at=row.received_at,
        by=_submitter(row.payload.get("submitted_by")),
        confidential=bool(row.payload.get("confidential", False)),
        located=bool(row.payload.get("located", False)),
        quick_log=_quick_log(row.payload.get("quick_log")),
        procedure=PROCEDURE,
    )


def _quick_log(told: dict[str, str] | None) -> QuickLog | None:
    if told is None:
        return None
    return QuickLog(told["department"], told["category"], Result(told["outcome"]), told["reply"])


def _message(row: InboxRow) -> Message:
    """A signal's argument, from an inbox row."""
    solved = row.payload.get("solved")
    return Message(
        inbox_id=row.id,
        at=row.received_at,
        text=row.payload.get("text"),
        solved=Solved(solved) if solved else None,
        satisfied=row.payload.get("satisfied"),
    )


def _submitter(staff_id: object) -> Actor:
    return Actor("staff", str(staff_id), (Role.DISPATCHER,)) if staff_id else CITIZEN
