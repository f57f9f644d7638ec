"""A town whose requests live on the time-skipping server: everything real but the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.classification import ClassificationActivities
from activities.jurisdictions import JurisdictionActivities
from activities.notices import NoticeActivities
from activities.planning import PlanningActivities
from activities.providers.console import ConsoleProvider
from activities.read_model import ReadModelActivities
from db import requests
from db.pool import open_pool
from db.sealing import KeyRing
from domain import commands as c
from domain.policy import Policy, to_plain
from domain.request import CITIZEN, Actor, Channel, Result, Role
from policies.store import PolicyStore
from tests.city import a_city
from workflows.contract import (
    NOTICES_QUEUE,
    REQUESTS_QUEUE,
    STAFF_UPDATES,
    ActionTaken,
    Message,
    Submitted,
    workflow_id,
)
from workflows.delivery import start_run
from workflows.request import RequestWorkflow

KEYS = KeyRing.from_text("test:" + "A" * 43 + "=")
STAFF = {
    "dispatcher": (Role.DISPATCHER, None, False),
    "supervisor": (Role.SUPERVISOR, None, False),
    "handler": (Role.HANDLER, "housing", False),
    "lead": (Role.HANDLER, "housing", True),
    "clinic_handler": (Role.HANDLER, "health", False),
    "street_handler": (Role.HANDLER, "north_street", False),
}


@dataclass
class Request:
    """One request of the town, with what a test does to it."""

    town: Town
    id: UUID
    reference: str
    handle: WorkflowHandle[RequestWorkflow, Any]
    _inbox_id: int = 0

    async def act(self, command: c.Command) -> ActionTaken:
        """A staff action; raises the refusal's code and words as ApplicationError."""
        name = STAFF_UPDATES[_ACTIONS[type(command)]]
        try:
            taken: ActionTaken = await self.handle.execute_update(name, command, result_type=ActionTaken)
        except WorkflowUpdateFailedError as error:
            assert isinstance(error.cause, ApplicationError)
            raise error.cause from None
        return taken

    async def hear(self, signal: str, inbox_id: int | None = None, **fields: Any) -> None:
        """A message of the citizen, as the relay delivers it."""
        self._inbox_id += 1
        number = self._inbox_id if inbox_id is None else inbox_id
        await self.handle.signal(signal, Message(number, datetime.now(UTC), **fields))
        await self.settled()

    async def settled(self) -> None:
        """Until the run has worked through what it has been sent: a query waits for the tasks before it."""
        await asyncio.sleep(0.05)

    async def wait(self, length: timedelta) -> None:
        """Let time pass; what is due in it happens."""
        await self.town.environment.sleep(length)
        await self.settled()

    async def state(self) -> asyncpg.Record:
        row = await self.town.pool.fetchrow("select * from snapshots where request_id = $1", self.id)
        assert row is not None
        return row

    async def actions(self) -> list[str]:
        """The actions of the timeline, in order."""
        rows = await self.town.pool.fetch("select action from events where request_id = $1 order by sequence", self.id)
        return [row["action"] for row in rows]

    async def notices(self) -> list[tuple[str, str]]:
        """Kind and recipient (citizen, or the username) of all notices, in the order they were owed."""
        rows = await self.town.pool.fetch(
            "select n.kind, coalesce(s.username, n.recipient) as recipient from notices n"
            " left join staff s on n.recipient = 'staff:' || s.id where request_id = $1 order by n.sequence, n.id",
            self.id,
        )
        return [(row["kind"], row["recipient"]) for row in rows]

    async def accepted(self) -> None:
        await self.act(c.Accept(self.town.actor("handler")))

    async def resolved(self) -> None:
        await self.accepted()
        await self.act(c.Resolve(self.town.actor("handler"), Result.SOLVED, str(uuid4())))


@dataclass
class Town:
    """The environment with its staff; `submit` makes a request and waits until somebody has it."""

    environment: WorkflowEnvironment
    pool: asyncpg.Pool[asyncpg.Record]
    policy: Policy
    staff: dict[str, UUID] = field(default_factory=dict)

    def actor(self, username: str) -> Actor:
        role, department, lead = STAFF[username]
        mine = (department,) if department else ()
        led = self.policy.below(department) if department and lead else ()
        return Actor("staff", str(self.staff[username]), (role,), mine, led)

    async def submit(self, description: str = "The street light is out.", **changes: Any) -> Request:
        now = datetime.now(UTC)
        new = requests.NewRequest(
            description, Channel.WEB, "en", contact=requests.Contact(phone="+8613800138000"), **changes
        )
        sent = await requests.submit(self.pool, KEYS, new, now)
        submitted = Submitted(
            str(sent.request_id),
            sent.reference,
            await self.environment.get_current_time(),
            CITIZEN,
            located="lat" in changes,
        )
        await start_run(self.environment.client, submitted)
        handle = self.environment.client.get_workflow_handle_for(RequestWorkflow.run, workflow_id(sent.reference))
        request = Request(self, sent.request_id, sent.reference, handle)
        await self._until_somebody_has(request)
        return request

    async def _until_somebody_has(self, request: Request) -> None:
        for _ in range(200):
            if (await request.state())["sequence"] > 1:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("nobody got the request within four seconds")


_ACTIONS = __import__("domain.acts", fromlist=["ACTION_OF"]).ACTION_OF


@asynccontextmanager
async def a_town(
    environment: WorkflowEnvironment, database_url: str, policy: Policy | None = None
) -> AsyncIterator[Town]:
    """The town at work: staff in the database, the worker running in the sandbox."""
    policy = policy or a_city()
    async with open_pool(database_url, size=5) as pool:
        town = Town(environment, pool, policy, await _hired(pool))
        async with _at_work(environment, pool, policy):
            yield town


async def _hired(pool: asyncpg.Pool[asyncpg.Record]) -> dict[str, UUID]:
    staff = {username: uuid4() for username in STAFF}
    for username, (role, department, lead) in STAFF.items():
        staff_id = staff[username]
        await pool.execute(
            "insert into staff (id, username, name, password_hash, roles, phone_sealed, language)"
            " values ($1, $2, $2, '', $3, $4, 'en')",
            staff_id, username, [role], KEYS.seal(f"staff.phone:{staff_id}", "+8613900139000"),
        )  # fmt: skip
        if department:
            await pool.execute("insert into staff_departments values ($1, $2, $3)", staff_id, department, lead)
    return staff


@asynccontextmanager
async def _at_work(
    environment: WorkflowEnvironment, pool: asyncpg.Pool[asyncpg.Record], policy: Policy
) -> AsyncIterator[Sequence[Worker]]:
    policies = _store(policy)
    provider = ConsoleProvider(pool, KEYS)
    notices = NoticeActivities(pool, KEYS, policies, provider, "http://127.0.0.1:8000")
    planning = PlanningActivities(policies)
    read_model = ReadModelActivities(pool, KEYS, policies)
    requests_worker = Worker(
        environment.client,
        task_queue=REQUESTS_QUEUE,
        workflows=[RequestWorkflow],
        activities=[
            ClassificationActivities(pool, KEYS, policies).classify_request,
            JurisdictionActivities(pool, KEYS, policies).locate_request,
            planning.assign_department, planning.plan_assignment, planning.plan_feedback,
            read_model.record, read_model.keep_text, notices.send_notices,
        ],
        workflow_runner=SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default),
    )  # fmt: skip
    gateway = Worker(environment.client, task_queue=NOTICES_QUEUE, activities=[notices.send_notices])
    async with requests_worker, gateway:
        yield (requests_worker, gateway)


def _store(policy: Policy) -> PolicyStore:
    async def active() -> str:
        return policy.version

    async def content(version: str) -> dict[str, Any]:
        return to_plain(policy)

    return PolicyStore(active, content)
