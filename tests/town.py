"""A town whose requests live on the time-skipping server: everything real but the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.testservice.v1 import UnlockTimeSkippingRequest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from db import requests, timeline, views
from db.pool import Pool
from db.sealing import KeyRing
from domain import commands as c
from domain.acts import ACTION_OF
from domain.policy import Policy
from domain.request import CITIZEN, Actor, Channel, Event, Result, Role, Snapshot, Solved, State
from workflows.contract import (
    CATCH_UP,
    GOES_ON,
    PROCEDURE,
    STAFF_UPDATES,
    ActionTaken,
    Ended,
    Message,
    Submitted,
    workflow_id,
)
from workflows.delivery import start_run
from workflows.request import RequestWorkflow

KEYS = KeyRing.from_text("test:" + "A" * 43 + "=")
LOST_KEYS = KeyRing.from_text("lost:" + "B" * 43 + "=")
"""Of whatever is sealed with these, the town can read nothing."""
STAFF: dict[str, tuple[Role, str | None, bool]] = {
    "dispatcher": (Role.DISPATCHER, None, False),
    "supervisor": (Role.SUPERVISOR, None, False),
    "handler": (Role.HANDLER, "housing", False),
    "lead": (Role.HANDLER, "housing", True),
    "clinic_handler": (Role.HANDLER, "health", False),
    "clinic_lead": (Role.HANDLER, "health", True),
    "street_handler": (Role.HANDLER, "north_street", False),
    "street_lead": (Role.HANDLER, "north_street", True),
    "head": (Role.HANDLER, "city", True),
    "caller": (Role.CALLER, None, False),
    "admin": (Role.ADMIN, None, False),
}
MOMENT = timedelta(seconds=2)


@contextmanager
def refused(code: str) -> Iterator[None]:
    """What happens within is refused with that code."""
    with pytest.raises(ApplicationError) as raised:
        yield
    assert raised.value.type == code, raised.value


def a_text() -> str:
    """The id of a text that the interface would have kept."""
    return str(uuid4())


async def until(condition: Callable[[], Awaitable[bool]], within: float = 90.0) -> None:
    """Look again and again until it holds, by the real clock."""
    async with asyncio.timeout(within):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)


@dataclass
class Request:
    """One request of the town, with what a test does to it."""

    town: Town
    id: UUID
    reference: str
    handle: WorkflowHandle[RequestWorkflow, Ended]
    _inbox_id: int = 0

    async def act(self, command: c.Command) -> ActionTaken:
        """A staff action, asked for with one id until there is an answer; raises the refusal's code and words as
        ApplicationError."""
        name, update_id = STAFF_UPDATES[ACTION_OF[type(command)]], a_text()
        while True:
            try:
                taken: ActionTaken = await self.handle.execute_update(
                    name, command, id=update_id, result_type=ActionTaken
                )
            except WorkflowUpdateFailedError as error:
                cause = error.cause
                if isinstance(cause, ApplicationError) and cause.type == GOES_ON:
                    await self.handle.signal(CATCH_UP)
                    await asyncio.sleep(0.05)
                    continue
                raise (cause if isinstance(cause, ApplicationError) else error) from None
            except RPCError as error:
                # A run that gives way to the next one under a stream of signals needs a moment.
                if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                    raise
                await asyncio.sleep(0.05)
            else:
                return taken

    async def hear(self, signal: str, inbox_id: int | None = None, **fields: Any) -> None:
        """A message of the citizen, as the relay delivers it, worked through."""
        self._inbox_id += 1
        number = self._inbox_id if inbox_id is None else inbox_id
        await self.handle.signal(signal, Message(number, datetime.now(UTC), **fields))
        await self.settled()

    async def settled(self) -> None:
        """Until the run has worked through what it was sent: the last task in its history is done."""
        await until(self._has_no_task)

    async def _has_no_task(self) -> bool:
        names = [EventType.Name(event.event_type) for event in (await self.handle.fetch_history()).events]
        tasks = [name for name in names if "WORKFLOW_TASK" in name]
        return "WORKFLOW_EXECUTION_STARTED" not in names[-1] and tasks[-1].endswith("COMPLETED")

    async def details(self) -> str:
        """What the Temporal UI shows of the run, by the query that it uses."""
        metadata: Any = await self.handle.query("__temporal_workflow_metadata")
        return str(metadata.current_details)

    async def is_running(self) -> bool:
        return (await self.handle.describe()).status is WorkflowExecutionStatus.RUNNING

    async def is_over(self) -> bool:
        return not await self.is_running()

    async def wait(self, length: timedelta) -> None:
        """Let time pass; what is due in it happens."""
        await self.town.environment.sleep(length)
        await self.settled()

    async def wait_until(self, moment: datetime | None) -> None:
        """Let time pass to just after that moment."""
        assert moment is not None
        left = moment - await self.town.environment.get_current_time()
        await self.wait(max(left, timedelta(0)) + MOMENT)

    async def snapshot(self) -> Snapshot:
        return await views.snapshot(self.town.pool, self.id)

    async def state(self) -> State:
        return (await self.snapshot()).state

    async def events(self) -> list[Event]:
        return await timeline.events(self.town.pool, self.id)

    async def latest(self) -> Event:
        return (await self.events())[-1]

    async def actions(self) -> list[str]:
        """The actions of the timeline, in order."""
        return [event.action for event in await self.events()]

    async def notices(self, action: str | None = None) -> list[tuple[str, str]]:
        """Kind and recipient (citizen, a username, or the part nobody plays) of all notices in the order they were owed,
        or of those that the latest event with that action owed."""
        sequences = [event.sequence for event in await self.events() if action in (None, event.action)]
        rows = await self.town.pool.fetch(
            "select n.sequence, n.kind, coalesce(s.username, n.recipient) as recipient from notices n"
            " left join staff s on n.recipient = 'staff:' || s.id where request_id = $1 order by 1, 2, 3",
            self.id,
        )
        wanted = set(sequences if action is None else sequences[-1:])
        return [(row["kind"], row["recipient"]) for row in rows if row["sequence"] in wanted]

    async def unsent(self) -> list[str]:
        """Kinds of the notices that have not gone out, or went out without standing in the outbox."""
        rows = await self.town.pool.fetch(
            "select kind from notices n left join outbox o on o.notice_id = n.id"
            " where n.request_id = $1 and (n.state <> 'sent' or o.notice_id is null) order by n.sequence, n.id",
            self.id,
        )
        return [row["kind"] for row in rows]

    async def history(self) -> list[str]:
        """The types of the history's events, without those of the server's own tasks."""
        names = [EventType.Name(event.event_type) for event in (await self.handle.fetch_history()).events]
        return [name.removeprefix("EVENT_TYPE_") for name in names if "WORKFLOW_TASK" not in name]

    async def accepted(self, by: str = "handler") -> None:
        await self.act(c.Accept(self.town.actor(by)))

    async def resolved(self, by: str = "handler") -> None:
        """Accepted and resolved, through review where the rules ask for it."""
        await self.accepted(by)
        taken = await self.act(c.Resolve(self.town.actor(by), Result.SOLVED, a_text()))
        if taken.state is State.IN_REVIEW:
            await self.act(c.Approve(self.town.actor("dispatcher")))

    async def rated(self, solved: Solved = Solved.YES, satisfied: int = 5) -> None:
        await self.hear("rated", solved=solved, satisfied=satisfied)


@dataclass
class Town:
    """The environment with its staff; `submit` makes a request and waits until somebody has it."""

    environment: WorkflowEnvironment
    pool: Pool
    policy: Policy
    staff: dict[str, UUID] = field(default_factory=dict)
    started: list[Request] = field(default_factory=list)
    for_the_test: AsyncExitStack = field(default_factory=AsyncExitStack)

    def actor(self, username: str) -> Actor:
        role, department, lead = STAFF[username]
        mine = (department,) if department else ()
        led = self.policy.below(department) if department and lead else ()
        return Actor("staff", str(self.staff[username]), (role,), mine, led)

    async def submit(self, description: str = "The street light is out.", **changes: Any) -> Request:
        request = await self.stored(description, **changes)
        await self.start(request, located="lat" in changes, confidential=bool(changes.get("confidential")))
        await request.settled()
        return request

    async def start(self, request: Request, located: bool = False, confidential: bool = False) -> None:
        submitted = replace(await self.submitted(request, located), confidential=confidential)
        await start_run(self.environment.client, submitted)
        self.started.append(request)

    async def stored(
        self, description: str = "The street light is out.", keys: KeyRing = KEYS, **changes: Any
    ) -> Request:
        """A request that stands in the database; its run is not started."""
        values = {"contact": requests.Contact(phone="+8613800138000")} | changes
        new = requests.NewRequest(description, Channel.WEB, "en", **values)
        sent = await requests.submit(self.pool, keys, new, await self.environment.get_current_time())
        handle = self.environment.client.get_workflow_handle_for(RequestWorkflow.run, workflow_id(sent.reference))
        return Request(self, sent.request_id, sent.reference, handle)

    async def submitted(self, request: Request, located: bool = False) -> Submitted:
        """The input of its run."""
        submitted_at = await self.pool.fetchval("select submitted_at from requests where id = $1", request.id)
        return Submitted(
            str(request.id), request.reference, submitted_at, CITIZEN, located=located, procedure=PROCEDURE
        )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.policy.zone)

    async def day_in(self, days: int) -> date:
        """The date so many days ahead, by the town's clock."""
        return (await self.environment.get_current_time() + timedelta(days=days)).date()

    async def put_away(self) -> None:
        """End the runs of a test, so that their clocks do not ring in the next; not in the middle of a task if possible."""
        for request in self.started:
            if await request.is_running():
                with suppress(TimeoutError):
                    await request.settled()
                await request.handle.terminate("the test is over")
        self.started.clear()
        if self.environment.supports_time_skipping:
            await self._skip_again()
        await self.for_the_test.aclose()

    async def _skip_again(self) -> None:
        """A run terminated in the middle of a task leaves the test server's clock locked once too often: unlock it.

        A timer may ring between a look at the run and its end, however carefully one looks.
        """
        for _ in range(3):
            with suppress(TimeoutError):
                async with asyncio.timeout(20):
                    return await self.environment.sleep(timedelta(minutes=1))
            await self.environment.client.service_client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
        raise AssertionError("the clock of the test server stands still")
