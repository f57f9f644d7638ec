"""What the worker's own doings are watched by: each activity, each delivery of the relay, each message to a provider."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.first_turns import FirstTurns
from activities.providers.port import Message, PromptProvider, Provider
from activities.relay import Deliver, Delivery, InboxRow
from domain.errors import EngineUnavailable
from domain.record import Record, Recorded
from domain.request import SYSTEM, Event, Snapshot, State
from watching.figures import Figures, WorkerFigures
from watching.tracing import Tracing

_OF_A_REQUEST = "request-"
_DECIDED_WITHIN = timedelta(minutes=5)
"""So soon an assignment is recorded after its due date was reckoned; whoever had a department before keeps the older date."""


class WatchedActivities(Interceptor):
    """Binds the request's reference to whatever an activity logs, counts what is recorded, and tells whoever waits for it."""

    def __init__(self, figures: WorkerFigures, first_turns: FirstTurns | None = None) -> None:
        self._figures = figures
        self._first_turns = first_turns or FirstTurns()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _WatchedActivity(next, self._figures, self._first_turns)


class _WatchedActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, figures: WorkerFigures, first_turns: FirstTurns) -> None:
        super().__init__(next)
        self._figures = figures
        self._first_turns = first_turns

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        run = activity.info().workflow_id or ""
        if run.startswith(_OF_A_REQUEST):
            # Each activity is a task of its own, so nothing has to be unbound.
            structlog.contextvars.bind_contextvars(reference=run[len(_OF_A_REQUEST) :])
        done = await super().execute_activity(input)
        if isinstance(done, Recorded) and input.args and isinstance(input.args[0], Record):
            count_recorded(self._figures, input.args[0], done)
            self._first_turns.recorded(input.args[0].snapshot.reference)
        return done


def count_recorded(figures: WorkerFigures, taken: Record, done: Recorded) -> None:
    """What was written before is not counted again."""
    if done.stands is not None or done.ahead is not None:
        return
    for entry in taken.entries:
        event = entry.event
        figures.happened(event.action, event.actor_kind)
        if event.state == State.ASSIGNED and _is_first(event, taken.snapshot):
            by = "system" if event.actor_kind == SYSTEM.kind else "staff"
            figures.assigned(by, (event.at - taken.snapshot.submitted_at).total_seconds())


def _is_first(assigned: Event, after: Snapshot) -> bool:
    """Whether no department had the request before, by whatever act it comes to this one."""
    if assigned.state_before == State.RECEIVED:
        return True
    # What is in triage may have been returned, or merged and be on its own again.
    if assigned.state_before != State.TRIAGE or after.return_count:
        return False
    return after.due_from is None or assigned.at - after.due_from < _DECIDED_WITHIN


def watched_delivery(deliver: Deliver, figures: WorkerFigures, tracing: Tracing | None) -> Deliver:
    """The same, counted and timed, within the trace under which the message came."""

    async def delivered(row: InboxRow) -> Delivery:
        structlog.contextvars.bind_contextvars(reference=row.reference)
        span = tracing.delivery(row.trace, row.kind, row.reference) if tracing else nullcontext()
        try:
            with span:
                outcome = await deliver(row)
        except BaseException as error:
            figures.delivered(row.kind, "engine_unavailable" if isinstance(error, EngineUnavailable) else "failed")
            raise
        figures.delivered(row.kind, outcome, (datetime.now(UTC) - row.received_at).total_seconds())
        return outcome

    return delivered


def counted(provider: Provider, figures: Figures) -> Provider:
    """The same provider, its answers counted."""
    return CountedPromptProvider(provider, figures) if _is_prompt(provider) else CountedProvider(provider, figures)


def _is_prompt(provider: Provider) -> TypeGuard[PromptProvider]:
    return provider.prompt


class CountedProvider:
    """A provider whose answers are counted."""

    def __init__(self, provider: Provider, figures: Figures) -> None:
        self._provider = provider
        self._figures = figures

    @property
    def name(self) -> str:
        return self._provider.name

    @property
    def prompt(self) -> bool:
        return self._provider.prompt

    async def send(self, message: Message) -> Any:
        answer = await self._provider.send(message)
        self._figures.sent(self.name, type(answer).__name__.lower())
        return answer

    async def close(self) -> None:
        await self._provider.close()


class CountedPromptProvider(CountedProvider):
    """A provider within our own database, counted."""

    def __init__(self, provider: PromptProvider, figures: Figures) -> None:
        super().__init__(provider, figures)
        self._prompt_provider = provider

    async def finish(self, messages: Sequence[Message]) -> None:
        await self._prompt_provider.finish(messages)
        self._figures.sent(self.name, "accepted", len(messages))
