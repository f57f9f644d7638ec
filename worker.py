"""The worker: runs the workflows of requests, their activities, the relay and the sweep. Wiring only, no rules."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import asyncpg
import structlog
import uvloop
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import db.models
import db.policies
from activities.auditing import chain_looks
from activities.classification import ClassificationActivities
from activities.first_look import FirstLookActivities
from activities.housekeeping import keep_house
from activities.jurisdictions import JurisdictionActivities
from activities.learning import LearningActivities
from activities.merging import MergingActivities
from activities.models import ModelStore
from activities.notices import NoticeActivities
from activities.planning import PlanningActivities
from activities.providers import provider_from
from activities.providers.port import Provider
from activities.read_model import ReadModelActivities
from activities.relay import Relay
from activities.retention import RetentionActivities
from activities.second_opinion import SecondOpinion
from activities.sending import sweep_notices
from activities.topics import TopicActivities
from cli.logs import log_as_json
from cli.memory import sweep_memory_seldom
from db.migrations import SchemaMismatch, require_version
from db.pool import Pool, open_pool
from db.sealing import KeyRing
from domain.errors import EngineUnavailable
from policies.store import PolicyStore
from settings import Settings, SettingsError
from workflows.co_handling import CoHandlingWorkflow
from workflows.connection import connect
from workflows.contract import NOTICES_QUEUE, REQUESTS_QUEUE
from workflows.delivery import deliver_with
from workflows.learning import LearningWorkflow
from workflows.request import RequestWorkflow
from workflows.retention import RetentionWorkflow
from workflows.schedules import keep_schedules
from workflows.topics import TopicsWorkflow

logger = structlog.get_logger(__name__)

POOL_SIZE = 10
RELAY_POOL_SIZE = 3
GRACE = timedelta(seconds=25)
"""Longer than any activity on our own database; a container's stop grace period must be above it."""
STICKY = timedelta(seconds=4)
"""How long a run waits for the worker that knows it before another may take it: well within the ten seconds that a member of
staff waits for an answer, so that the death of a worker is no more than a pause."""
GATEWAY_SENDS_PER_SECOND = 20.0
"""What a city's SMS account commonly allows; for all workers together."""


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until `stop` is set; then let what is under way end."""
    async with AsyncExitStack() as stack:
        database = settings.database_url
        pool = await stack.enter_async_context(open_pool(database, size=POOL_SIZE, application_name="worker"))
        relay_pool = await stack.enter_async_context(
            open_pool(database, size=RELAY_POOL_SIZE, application_name="relay", quick_commits=True)
        )
        await require_version(pool)
        client = await connect(settings.temporal_address)
        keys = KeyRing.from_text(settings.keys)
        policies = PolicyStore(partial(db.policies.active_version, pool), partial(db.policies.content_of, pool))
        provider = provider_from(settings, pool, keys)
        stack.push_async_callback(provider.close)
        notices = NoticeActivities(pool, keys, policies, provider, settings.public_url)
        second_opinion = SecondOpinion(pool, settings.second_opinion) if settings.second_opinion else None
        if second_opinion is not None:
            stack.push_async_callback(second_opinion.close)

        await stack.enter_async_context(_requests(client, pool, keys, policies, provider, notices, second_opinion))
        await stack.enter_async_context(_gateway(client, notices))
        await stack.enter_async_context(Relay(relay_pool, deliver_with(client)))

        async def zone() -> str:
            return (await policies.active()).zone

        for errand in (
            sweep_notices(notices.sender),
            keep_house(pool),
            chain_looks(pool),
            keep_schedules(client, zone),
        ):
            stack.callback(asyncio.create_task(errand).cancel)
        _say_ready()
        await stop.wait()


def _requests(
    client: Client,
    pool: Pool,
    keys: KeyRing,
    policies: PolicyStore,
    provider: Provider,
    notices: NoticeActivities,
    second_opinion: SecondOpinion | None,
) -> Worker:
    """The workflows, and the activities on our own database."""
    models = ModelStore(partial(db.models.active_version, pool), partial(db.models.content_of, pool))
    classification = ClassificationActivities(pool, keys, policies, models.classifier_of, second_opinion)
    jurisdictions = JurisdictionActivities(pool, keys, policies)
    planning = PlanningActivities(policies)
    read_model = ReadModelActivities(
        pool,
        keys,
        policies,
        by_gateway=not provider.prompt,
        send_at_once=notices.sender.send_request if provider.prompt else None,
    )
    return Worker(
        client,
        task_queue=REQUESTS_QUEUE,
        workflows=[RequestWorkflow, CoHandlingWorkflow, RetentionWorkflow, LearningWorkflow, TopicsWorkflow],
        activities=[
            classification.classify_request,
            jurisdictions.locate_request,
            FirstLookActivities(pool, keys, classification, jurisdictions).look_at_request,
            *planning.all(),
            MergingActivities(pool).find_parent,
            read_model.record,
            read_model.act_ahead,
            read_model.keep_text,
            notices.send_notices,
            RetentionActivities(pool, policies).erase_due,
            LearningActivities(pool, keys, policies).retrain,
            TopicActivities(pool, keys).find_topics,
        ],
        # The workflow code is pure by lint and replayed in the tests inside the sandbox; here the sandbox would only
        # cost processor time (docs/decisions/0004-sandbox-in-tests.md).
        workflow_runner=UnsandboxedWorkflowRunner(),
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
    )


def _gateway(client: Client, notices: NoticeActivities) -> Worker:
    """The activity that speaks with a stranger, at the pace that the stranger allows."""
    return Worker(
        client,
        task_queue=NOTICES_QUEUE,
        activities=[notices.send_notices],
        max_task_queue_activities_per_second=GATEWAY_SENDS_PER_SECOND,
        graceful_shutdown_timeout=GRACE,
    )


def _say_ready() -> None:
    """Tell whoever started us that work is being taken."""
    logger.info("worker_ready", pid=os.getpid())
    ready_file = os.environ.get("HUISHENG_READY_FILE")
    if ready_file:
        Path(ready_file).write_text(str(os.getpid()))


async def _main() -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await run(Settings.from_environment(), stop)
    except SettingsError as error:
        return _say("\n".join(error.problems), 2)
    except (SchemaMismatch, EngineUnavailable) as error:
        return _say(error.message, 1)
    except (OSError, asyncpg.PostgresError) as error:
        return _say(f"The database does not answer ({type(error).__name__}). Start it, or mend DATABASE_URL.", 1)
    return 0


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - for the person who started us
    return code


def main() -> None:
    """Runs the worker and leaves at once: the interpreter's own end would now and then abort in the Temporal client."""
    log_as_json()
    sweep_memory_seldom()
    code = uvloop.run(_main())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
