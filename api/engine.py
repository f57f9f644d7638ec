"""How a staff action reaches the workflow of its request, and what each way of going wrong means to the person who acts.

An update is durable from the moment the workflow accepts it. So an answer of 503 before that means that nothing was
done; where that is not certain, the answer says so, and the same Idempotency-Key asks again without doing it twice. A refusal that
has taken so long that another worker may have given it than the one that was asked first is not certain either.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

import structlog
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.commands import Command
from domain.errors import EngineUnavailable, Forbidden, Invalid, NotAllowed, Refusal, Unknown
from domain.lifecycle import Action
from domain.request import OPEN, Snapshot, State
from workflows.contract import CATCH_UP, DECIDED, GOES_ON, SEQUENCE, STAFF_UPDATES, ActionTaken, workflow_id
from workflows.starting_again import rebuilt_run_of, start_again

logger = structlog.get_logger(__name__)

ANSWER_WITHIN = timedelta(seconds=10)
"""How long a person waits for a worker."""
DOUBT_AFTER_SECONDS = 1.5
"""An update usually takes hundredths of a second. After this long we ask whether the server is there at all."""
HEALTH_WITHIN = timedelta(seconds=1)
ASK_AGAIN_AFTER_SECONDS = 0.25
CERTAIN_WITHIN_SECONDS = 4.0
"""A refusal that comes sooner is that of the worker which was asked first. Later ones may be of another, which took over from one
that stands still in the middle of recording the action, and may go on (`STICKY` of the worker)."""

_REFUSALS: dict[str | None, type[Refusal]] = {kind.code: kind for kind in (NotAllowed, Forbidden, Invalid, Unknown)}
_DOWN = "The engine that carries out actions does not answer. Nothing was done; please try again in a moment."
_NOT_YET = "The request has not reached the engine yet. Nothing was done; please try again in a moment."
_BROKE_OFF = (
    "The engine that carries out actions has broken off. In all likelihood nothing was done: look at the request again in a "
    "moment before you repeat the action."
)
_NOT_CERTAIN = (
    "It took the engine long to answer, and it is not certain that nothing was done. Look at the request again in a moment before you "
    "repeat the action; the same again with the same Idempotency-Key does nothing twice."
)
_BROKEN = frozenset({
    RPCStatusCode.UNAVAILABLE, RPCStatusCode.UNKNOWN, RPCStatusCode.INTERNAL, RPCStatusCode.ABORTED, RPCStatusCode.DATA_LOSS,
})  # fmt: skip
"""A connection that broke, a server that was killed or whose disk is full. It may have taken the action before that: what the
client sent first, and what it was told of its last try, are two things."""
_OVER = "The matter is over: nothing more can be done with this request."


class OutcomeUnknown(EngineUnavailable):
    """No answer in time, and the action may still be carried out."""


class _Behind(EngineUnavailable):
    """The run has not caught up with what the database shows, or the next one is about to take over."""


class _TaskFailed(_Behind):
    """A task of the run has failed, and is tried again without being told."""


class _Lost(Exception):
    """There is no run, though the database shows the request as open. `otherwise` is the answer if it ended just now."""

    def __init__(self, otherwise: Refusal) -> None:
        super().__init__()
        self.otherwise = otherwise


async def take_action(
    temporal: Client, snapshot: Snapshot, action: Action, command: Command, update_id: str
) -> ActionTaken:
    """The request's new state. Raises the Refusal that the workflow gave, EngineUnavailable or OutcomeUnknown.

    The same `update_id` again gives the same answer and does nothing twice.
    """
    asked_at = time.monotonic()
    update = asyncio.ensure_future(_ask(temporal, snapshot, action, command, update_id))
    update.add_done_callback(_let_go)
    try:
        done, _ = await asyncio.wait({update}, timeout=DOUBT_AFTER_SECONDS)
        if not done and not await is_up(temporal) and not update.done():
            logger.warning("engine_unavailable", reference=snapshot.reference, action=action)
            raise OutcomeUnknown(
                "The engine that carries out actions does not answer. In all likelihood nothing was done: "
                "look at the request again in a moment before you repeat the action."
            )
        return await update
    except Refusal as refusal:
        raise as_certain_as_it_is(refusal, time.monotonic() - asked_at) from None
    finally:
        update.cancel()


def as_certain_as_it_is(refusal: Refusal, seconds: float) -> Refusal:
    """What a person is told of a refusal that has taken so long: no definite no where the action may be carried out all the same."""
    if isinstance(refusal, OutcomeUnknown) or seconds < CERTAIN_WITHIN_SECONDS:
        return refusal
    return OutcomeUnknown(_NOT_CERTAIN)


def _let_go(update: asyncio.Future[ActionTaken]) -> None:
    """What became of an update that nobody waits for any more is no news: without this it would be logged, with its words."""
    if not update.cancelled():
        update.exception()


async def is_up(temporal: Client) -> bool:
    """Whether the server answers within a second."""
    try:
        async with asyncio.timeout(HEALTH_WITHIN.total_seconds()):
            return await temporal.service_client.check_health(timeout=HEALTH_WITHIN)
    except (RPCError, RuntimeError, TimeoutError):
        return False


async def _ask(temporal: Client, snapshot: Snapshot, action: Action, command: Command, update_id: str) -> ActionTaken:
    """Ask again while the run is behind the read model: a crash between the two is made good as soon as the run is told.

    A run that was lost is started again, once: it finds out where it stood.
    """
    asked_at = time.monotonic()
    was_started = was_told = False
    while True:
        try:
            return await _update(temporal, snapshot, action, command, update_id)
        except _Lost as lost:
            if was_started:
                raise lost.otherwise from None
            was_started = True
            await _start_again(temporal, snapshot)
        except _Behind as behind:
            # Once: each such message is a turn of its own, and where a run is slow, dozens of them are what it is slow with.
            if not was_told and not isinstance(behind, _TaskFailed):
                was_told = await _tell_to_catch_up(temporal, snapshot)
            if time.monotonic() - asked_at > ANSWER_WITHIN.total_seconds():
                raise
            await asyncio.sleep(ASK_AGAIN_AFTER_SECONDS)


async def _tell_to_catch_up(temporal: Client, snapshot: Snapshot) -> bool:
    """A refusal wakes no run, and so it would stay as it is. False where this cannot be said either: the next try will show."""
    with suppress(RPCError, RuntimeError):
        await temporal.get_workflow_handle(workflow_id(snapshot.reference)).signal(CATCH_UP, rpc_timeout=HEALTH_WITHIN)
        return True
    return False


async def _update(
    temporal: Client, snapshot: Snapshot, action: Action, command: Command, update_id: str
) -> ActionTaken:
    handle = temporal.get_workflow_handle(workflow_id(snapshot.reference))
    try:
        taken: ActionTaken = await handle.execute_update(
            STAFF_UPDATES[action], command, id=update_id, result_type=ActionTaken, rpc_timeout=ANSWER_WITHIN
        )
        return taken
    except WorkflowUpdateFailedError as error:
        raise _refusal(error, snapshot) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise OutcomeUnknown(
            "No worker answered in time, so the action may still be carried out. Look at the request again before you repeat it."
        ) from None
    except RPCError as error:
        raise _refusal_of_server(error, snapshot) from None
    except RuntimeError as error:
        # What the client raises when it cannot connect at all has no type of its own.
        logger.warning("engine_unreachable", error=type(error).__qualname__)
        raise EngineUnavailable(_DOWN) from None


def _refusal(error: WorkflowUpdateFailedError, snapshot: Snapshot) -> Exception:
    """The workflow's own no, by its stable code; what a run says that is behind the read model does not count."""
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return error
    if cause.type == GOES_ON:
        return _Behind(_NOT_YET)
    if cause.type == "AcceptedUpdateCompletedWorkflow":
        return NotAllowed(_OVER)
    kind = _REFUSALS.get(cause.type)
    if kind is None:
        return error
    facts = dict(cause.details[0]) if cause.details and isinstance(cause.details[0], dict) else {}
    is_decided, sequence = facts.pop(DECIDED, None), int(facts.pop(SEQUENCE, snapshot.sequence))
    if not is_decided and sequence < snapshot.sequence:
        return _Behind(_NOT_YET)
    return kind(cause.message, **facts)


async def _start_again(temporal: Client, snapshot: Snapshot) -> None:
    try:
        await start_again(temporal, rebuilt_run_of(snapshot))
    except (RPCError, RuntimeError) as error:
        logger.warning("engine_unreachable", error=type(error).__qualname__)
        raise EngineUnavailable(_DOWN) from None


def _refusal_of_server(error: RPCError, snapshot: Snapshot) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        is_waiting_to_start = snapshot.sequence == 0 and snapshot.state in OPEN
        if is_waiting_to_start:
            return EngineUnavailable(_NOT_YET)
        over = NotAllowed(_OVER, state=snapshot.state)
        return _Lost(over) if snapshot.state in OPEN | {State.RESOLVED} else over
    if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
        return OutcomeUnknown(
            "The engine did not answer in time. Look at the request again before you repeat the action."
        )
    if error.status is RPCStatusCode.FAILED_PRECONDITION:
        return _TaskFailed(_NOT_YET)
    if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
        return EngineUnavailable(_DOWN)
    if error.status in _BROKEN:
        logger.warning("engine_broke_off", reference=snapshot.reference, status=error.status.name)
        return OutcomeUnknown(_BROKE_OFF)
    return error
