"""The HTTP interface as one application: what it is made of, what it opens when it starts and closes when it stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

import db.policies
from activities.providers import provider_from
from activities.sending import NoticeSender
from api import (
    actions_route,
    attachments,
    categories,
    documentation,
    erasure,
    errors,
    gateways,
    health,
    look_up,
    open_sessions,
    pages,
    public_answers,
    rates,
    releases,
    requests,
    sessions,
    similar,
    staff_requests,
    staff_views,
    topics,
)
from api.access_log import AccessLog
from api.body_limit import BodyLimit
from api.expectations import Expectations
from api.pages.page import problem_page
from api.passwords import Passwords
from api.services import Services, system_clock
from db.migrations import require_version
from db.pool import open_pool
from db.sealing import KeyRing
from policies.store import PolicyStore
from settings import Settings
from workflows.connection import connect

POOL_SIZE = 12


def create_app(
    settings: Settings, *, now: Callable[[], datetime] = system_clock, passwords: Passwords | None = None
) -> FastAPI:
    """The application; it connects when its lifespan begins, to Temporal only when first needed.

    Starting raises SchemaMismatch where the database is not at this program's version.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.services = await open_services(settings, now, passwords or Passwords(), stack)
            yield

    app = FastAPI(
        title=documentation.TITLE,
        version=version("huisheng"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.include_router(_interface())
    app.include_router(gateways.router)
    app.include_router(health.router)
    app.include_router(pages.router)
    errors.install(app, problem_page)
    documentation.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(AccessLog)
    return app


def _interface() -> APIRouter:
    """Everything under /api/v1."""
    interface = APIRouter(prefix="/api/v1")
    for_citizens = (requests, attachments, erasure, look_up, categories, public_answers)
    for_staff = (sessions, open_sessions, staff_requests, actions_route, similar, releases, rates, staff_views, topics)
    for part in (*for_citizens, *for_staff):
        interface.include_router(part.router)
    return interface


async def open_services(
    settings: Settings, now: Callable[[], datetime], passwords: Passwords, stack: AsyncExitStack
) -> Services:
    """Opens what the interface works with; the stack closes it."""
    pool = await stack.enter_async_context(
        open_pool(settings.database_url, size=POOL_SIZE, application_name="huisheng-api")
    )
    await require_version(pool)
    keys = KeyRing.from_text(settings.keys)
    policies = PolicyStore(partial(db.policies.active_version, pool), partial(db.policies.content_of, pool))
    provider = provider_from(settings, pool, keys)
    stack.push_async_callback(provider.close)
    stack.callback(passwords.close)
    return Services(
        settings=settings,
        pool=pool,
        keys=keys,
        policies=policies,
        temporal=await connect(settings.temporal_address, lazy=True),
        sender=NoticeSender(pool, keys, policies, provider, settings.public_url),
        passwords=passwords,
        expectations=Expectations(pool),
        now=now,
    )
