"""The worker: runs the workflows of requests, their activities, the relay and the sweep. Wiring only, no rules."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.classification import ClassificationActivities
from activities.jurisdictions import JurisdictionActivities
from activities.notices import NoticeActivities
from activities.planning import PlanningActivities
from activities.providers import provider_from
from activities.read_model import ReadModelActivities
from activities.relay import Relay
from activities.sweep import NoticeSweep
from db.migrations import require_version
from db.pool import open_pool
from db.sealing import KeyRing
from policies.store import PolicyStore
from settings import Settings
from workflows.connection import connect
from workflows.contract import NOTICES_QUEUE, REQUESTS_QUEUE
from workflows.delivery import deliver_with
from workflows.request import RequestWorkflow

_POOL_SIZE = 12
_GRACE = timedelta(seconds=25)
"""Longer than any activity on our own database; a container's stop grace period must be above it."""
_GATEWAY_SENDS_PER_SECOND = 20.0
"""What a city's SMS account commonly allows; for all workers together."""


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until `stop` is set; then let running tasks end."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database_url, size=_POOL_SIZE))
        async with pool.acquire() as connection:
            await require_version(connection)
        client = await connect(settings.temporal_address)
        requests, notices, background = _wire(settings, pool, client)
        await stack.enter_async_context(requests)
        await stack.enter_async_context(notices)
        for service in background:
            await stack.enter_async_context(service)
        print("worker: ready", flush=True)  # noqa: T201 - the supervisor waits for this line
        await stop.wait()
