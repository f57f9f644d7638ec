"""The town at work: its staff in the database, and its workers, as in production but for the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import db.models
from activities.classification import ClassificationActivities, SecondOpinions
from activities.first_look import FirstLookActivities
from activities.jurisdictions import JurisdictionActivities
from activities.merging import MergingActivities
from activities.models import ModelStore
from activities.notices import NoticeActivities
from activities.planning import PlanningActivities
from activities.providers.console import ConsoleProvider
from activities.providers.port import Provider
from activities.read_model import ReadModelActivities
from activities.rebuilding import RebuildingActivities
from db.policies import content_of
from db.pool import Pool, open_pool
from domain.policy import Policy, to_plain
from policies.store import PolicyStore
from tests.city import a_city
from tests.town import KEYS, STAFF, Town
from workflows.co_handling import CoHandlingWorkflow
from workflows.contract import NOTICES_QUEUE, REQUESTS_QUEUE
from workflows.request import RequestWorkflow


@asynccontextmanager
async def a_town(
    environment: WorkflowEnvironment,
    database_url: str,
    provider_of: Callable[[Pool], Provider] = lambda pool: ConsoleProvider(pool, KEYS),
    policy: Policy | None = None,
    *,
    with_workers: bool = True,
) -> AsyncIterator[Town]:
    """The town at work: staff in the database, the worker running in the sandbox; or with workers of the caller's own."""
    policy = policy or a_city()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(database_url, size=5))
        provider = provider_of(pool)
        stack.push_async_callback(provider.close)
        town = Town(environment, pool, policy, await _hired(pool))
        if with_workers:
            await stack.enter_async_context(a_worker(environment, pool, policy, provider))
            await stack.enter_async_context(_a_gateway_worker(environment, pool, policy, provider))
        yield town


async def _hired(pool: Pool) -> dict[str, UUID]:
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


def a_worker(
    environment: WorkflowEnvironment,
    pool: Pool,
    policy: Policy,
    provider: Provider,
    queue: str = REQUESTS_QUEUE,
    second_opinions: SecondOpinions | None = None,
) -> Worker:
    """The worker of the requests, as in production but for the sandbox."""
    policies = a_store(policy, pool)
    models = ModelStore(partial(db.models.active_version, pool), partial(db.models.content_of, pool))
    notices = NoticeActivities(pool, KEYS, policies, provider, "http://127.0.0.1:8000")
    classification = ClassificationActivities(pool, KEYS, policies, models.classifier_of, second_opinions)
    jurisdictions = JurisdictionActivities(pool, KEYS, policies)
    planning = PlanningActivities(policies)
    first_look = FirstLookActivities(pool, KEYS, classification, jurisdictions, planning)
    read_model = ReadModelActivities(pool, KEYS, policies, by_gateway=not provider.prompt)
    return Worker(
        environment.client,
        task_queue=queue,
        workflows=[RequestWorkflow, CoHandlingWorkflow],
        activities=[
            classification.classify_request,
            jurisdictions.locate_request,
            first_look.look_and_assign,
            first_look.look_at_request,
            *planning.all(),
            MergingActivities(pool).find_parent, read_model.record, read_model.act_ahead, read_model.keep_text, notices.send_notices,
            RebuildingActivities(pool, policies).rebuild_run,
        ],
        workflow_runner=SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default),
    )  # fmt: skip


def _a_gateway_worker(environment: WorkflowEnvironment, pool: Pool, policy: Policy, provider: Provider) -> Worker:
    notices = NoticeActivities(pool, KEYS, a_store(policy, pool), provider, "http://127.0.0.1:8000")
    return Worker(environment.client, task_queue=NOTICES_QUEUE, activities=[notices.send_notices])


def a_store(policy: Policy, pool: Pool) -> PolicyStore:
    """The town's policy is in force; other versions are those in its database."""

    async def active() -> str:
        return policy.version

    async def content(version: str) -> dict[str, Any] | None:
        return to_plain(policy) if version == policy.version else await content_of(pool, version)

    return PolicyStore(active, content)
