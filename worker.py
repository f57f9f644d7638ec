"""The worker: runs the workflows of requests, their activities, the relay and the sweep. Wiring only, no rules."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

import db.models
import db.policies
from activities.auditing import chain_looks
from activities.classification import ClassificationActivities
from activities.first_look import FirstLookActivities
from activities.first_turns import FirstTurns
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
from activities.rebuilding import RebuildingActivities
from activities.relay import Deliver, Relay
from activities.restores import Restores
from activities.retention import RetentionActivities
from activities.second_opinion import SecondOpinion
from activities.sending import sweep_notices
from activities.topics import TopicActivities
from activities.wanted_runs import WantedRuns
from cli.logs import log_as_json
from cli.memory import sweep_memory_seldom
from db.migrations import SchemaMismatch, require_version
from db.pool import RELAY_SESSION, WatchedPool, open_pool
from db.sealing import KeyRing
from domain.errors import EngineUnavailable
from policies.store import PolicyStore
from settings import Settings, SettingsError
from watching import sdk
from watching.figures import WorkerFigures
from watching.pools import PoolFigures
from watching.runs import RunFigures
from watching.schedules import ScheduleFigures
from watching.served import figures_of_sdk, serving
from watching.tracing import Tracing
from watching.work import WatchedActivities, counted, watched_delivery
from workflows.after_restore import end_runs_of_before
from workflows.co_handling import CoHandlingWorkflow
from workflows.connection import connect
from workflows.contract import NOTICES_QUEUE, REQUESTS_QUEUE
from workflows.delivery import deliver_with
from workflows.learning import LearningWorkflow
from workflows.lost_runs import LostRuns, watch_runs
from workflows.request import RequestWorkflow
from workflows.retention import RetentionWorkflow
from workflows.schedules import SCHEDULES, keep_schedules
from workflows.topics import TopicsWorkflow

logger = structlog.get_logger(__name__)

BUILD = version("huisheng")
"""Stands in the history of a run beside each task: which program did it. No task is kept for one (docs/decisions/0023)."""
POOL_SIZE = 10
RELAY_POOL_SIZE = 3
GRACE = timedelta(seconds=25)
"""Longer than any activity on our own database; a container's stop grace period must be above it."""
STICKY = timedelta(seconds=4)
"""How long a run waits for the worker that knows it before another may take it: well within the ten seconds that a member of
staff waits for an answer, so that the death of a worker is no more than a pause."""
KNOWN_RUNS = 250
"""How many runs a worker keeps in memory. An open one takes some 180 kB and is asked for a few times in its weeks: a thousand of
them, as the SDK would keep, took the worker over its 400 MB, and what is not known is read from its history within milliseconds."""
GATEWAY_SENDS_PER_SECOND = 20.0
"""What a city's SMS account commonly allows; for all workers together."""


@dataclass(frozen=True, slots=True)
class Watched:
    """By what this process is watched: its traces, and the port at which the Temporal SDK serves its figures."""

    tracing: Tracing | None = None
    sdk_port: int | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What the parts of a worker work with."""

    client: Client
    pool: WatchedPool
    keys: KeyRing
    policies: PolicyStore
    provider: Provider
    notices: NoticeActivities
    second_opinion: SecondOpinion | None
    figures: WorkerFigures
    first_turns: FirstTurns


async def run(settings: Settings, stop: asyncio.Event, watched: Watched = Watched()) -> None:
    """Work until `stop` is set; then let what is under way end."""
    async with AsyncExitStack() as stack:
        relay_pool = await stack.enter_async_context(
            open_pool(settings.database_url, size=RELAY_POOL_SIZE, application_name="relay", session=RELAY_SESSION)
        )
        means = await _means(settings, stack, watched.tracing)
        figures = means.figures
        await end_runs_of_before(means.client, Restores(means.pool), datetime.now(UTC))
        await stack.enter_async_context(_requests(means))
        await stack.enter_async_context(_gateway(means))
        wanted_runs = WantedRuns(means.pool, means.policies, lambda: datetime.now(UTC))
        lost_runs = LostRuns(means.client, wanted_runs, RunFigures(figures.registry))
        relay = await stack.enter_async_context(Relay(relay_pool, _delivery(means, lost_runs, watched.tracing)))
        figures.watch_relay(lambda: relay.width)
        schedules = ScheduleFigures(means.client, SCHEDULES)
        for collector in (PoolFigures({"worker": means.pool, "relay": relay_pool}), schedules):
            figures.registry.register(collector)
        for errand in (*_errands(means), schedules.watch(), watch_runs(lost_runs)):
            stack.callback(asyncio.create_task(errand).cancel)
        await stack.enter_async_context(_served(settings, figures, watched.sdk_port))
        _say_ready()
        await stop.wait()


async def _means(settings: Settings, stack: AsyncExitStack, tracing: Tracing | None) -> Means:
    """Opened, and closed with the stack."""
    figures = WorkerFigures()
    pool = await stack.enter_async_context(
        open_pool(
            settings.database_url,
            size=POOL_SIZE,
            application_name="worker",
            on_query=tracing.note_query if tracing else None,
        )
    )
    await require_version(pool)
    keys = KeyRing.from_text(settings.keys)
    interceptors = [tracing.interceptor()] if tracing else []
    client = await connect(settings.temporal_address, keys, interceptors=interceptors)
    policies = PolicyStore(partial(db.policies.active_version, pool), partial(db.policies.content_of, pool))
    provider = counted(provider_from(settings, pool, keys), figures)
    stack.push_async_callback(provider.close)
    notices = NoticeActivities(pool, keys, policies, provider, settings.public_url, figures.given_up)
    second_opinion = SecondOpinion(pool, settings.second_opinion) if settings.second_opinion else None
    if second_opinion is not None:
        stack.push_async_callback(second_opinion.close)
    return Means(client, pool, keys, policies, provider, notices, second_opinion, figures, FirstTurns())


def _delivery(means: Means, lost_runs: LostRuns, tracing: Tracing | None) -> Deliver:
    # A first turn that asks a language model is slow for reasons of its own, which a narrower relay would not mend.
    first_turns = None if means.second_opinion else means.first_turns
    return watched_delivery(deliver_with(means.client, lost_runs.bring_back_for, first_turns), means.figures, tracing)


def _errands(means: Means) -> Iterator[Coroutine[Any, Any, None]]:
    """What every worker does now and then."""

    async def zone() -> str:
        return (await means.policies.active()).zone

    yield sweep_notices(means.notices.sender)
    yield keep_house(means.pool, means.keys)
    yield chain_looks(means.pool)
    yield keep_schedules(means.client, zone)


def _served(settings: Settings, figures: WorkerFigures, sdk_port: int | None) -> AbstractAsyncContextManager[None]:
    """The page with the figures of this process, where an address is set for it."""
    if not settings.worker_metrics:
        return nullcontext()
    host, _, port = settings.worker_metrics.rpartition(":")

    async def page() -> bytes:
        return await asyncio.to_thread(figures.page) + await figures_of_sdk(sdk_port)

    return serving(host.strip("[]"), int(port), settings.metrics_token, page)


def _requests(means: Means) -> Worker:
    """The workflows, and the activities on our own database."""
    return Worker(
        means.client,
        task_queue=REQUESTS_QUEUE,
        workflows=[RequestWorkflow, CoHandlingWorkflow, RetentionWorkflow, LearningWorkflow, TopicsWorkflow],
        activities=_activities(means),
        # The workflow code is pure by lint and replayed in the tests inside the sandbox; here the sandbox would only
        # cost processor time (docs/decisions/0004-sandbox-in-tests.md).
        workflow_runner=UnsandboxedWorkflowRunner(),
        # No payload is stored elsewhere. With more than one at a time the SDK would still make a task for each payload of each
        # activation: a third of what it costs to carry one in and out (docs/decisions/0026-sealed-payloads.md).
        max_workflow_task_external_storage_concurrency=1,
        interceptors=[WatchedActivities(means.figures, means.first_turns)],
        sticky_queue_schedule_to_start_timeout=STICKY,
        max_cached_workflows=KNOWN_RUNS,
        graceful_shutdown_timeout=GRACE,
        deployment_config=_build(),
    )


def _activities(means: Means) -> list[Callable[..., Any]]:
    pool, keys, policies, notices, provider = means.pool, means.keys, means.policies, means.notices, means.provider
    models = ModelStore(partial(db.models.active_version, pool), partial(db.models.content_of, pool))
    classification = ClassificationActivities(pool, keys, policies, models.classifier_of, means.second_opinion)
    jurisdictions = JurisdictionActivities(pool, keys, policies)
    planning = PlanningActivities(policies)
    first_look = FirstLookActivities(pool, keys, classification, jurisdictions, planning)
    read_model = ReadModelActivities(
        pool,
        keys,
        policies,
        by_gateway=not provider.prompt,
        send_at_once=notices.sender.send_request if provider.prompt else None,
        given_up=means.figures.given_up,
    )
    return [
        classification.classify_request,
        jurisdictions.locate_request,
        first_look.look_and_assign,
        first_look.look_at_request,
        *planning.all(),
        MergingActivities(pool).find_parent,
        read_model.record,
        read_model.act_ahead,
        read_model.keep_text,
        RebuildingActivities(pool, policies).rebuild_run,
        notices.send_notices,
        RetentionActivities(pool, policies).erase_due,
        LearningActivities(pool, keys, policies).retrain,
        TopicActivities(pool, keys).find_topics,
    ]


def _gateway(means: Means) -> Worker:
    """The activity that speaks with a stranger, at the pace that the stranger allows."""
    return Worker(
        means.client,
        task_queue=NOTICES_QUEUE,
        activities=[means.notices.send_notices],
        max_task_queue_activities_per_second=GATEWAY_SENDS_PER_SECOND,
        graceful_shutdown_timeout=GRACE,
        deployment_config=_build(),
    )


def _build() -> WorkerDeploymentConfig:
    return WorkerDeploymentConfig(WorkerDeploymentVersion("huisheng", BUILD), use_worker_versioning=False)


def _say_ready() -> None:
    """Tell whoever started us that work is being taken."""
    logger.info("worker_ready", pid=os.getpid())
    ready_file = os.environ.get("HUISHENG_READY_FILE")
    if ready_file:
        Path(ready_file).write_text(str(os.getpid()))


async def _main(tracing: Tracing | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        settings = Settings.from_environment()
        sdk_port = sdk.begin(figures=bool(settings.worker_metrics))
        await run(settings, stop, Watched(tracing, sdk_port))
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
    try:
        tracing = Tracing.begin("huisheng-worker")
    except SettingsError as error:
        os._exit(_say("\n".join(error.problems), 2))
    log_as_json(trace_id=tracing.trace_id if tracing else None)
    sweep_memory_seldom()
    code = uvloop.run(_main(tracing))
    if tracing is not None:
        tracing.end()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
