"""The HTTP interface as one application: what it is made of, what it opens when it starts and closes when it stops."""

from __future__ import annotations

import asyncio
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
    codec,
    documentation,
    erasure,
    errors,
    gateways,
    health,
    look_up,
    metrics,
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
from api.access_log import INTERFACE, AccessLog
from api.admission import Admission
from api.arrivals import Arrivals
from api.body_limit import BodyLimit
from api.engine import is_up
from api.expectations import Expectations
from api.gate import Gate, GateFigures
from api.pages.page import problem_page
from api.passwords import Passwords
from api.services import Services, no_trace, system_clock
from db.migrations import require_version
from db.pool import open_pool
from db.sealing import KeyRing
from policies.store import PolicyStore
from settings import Settings
from watching.figures import InterfaceFigures
from watching.pools import PoolFigures
from watching.stored import StoredFigures
from watching.tracing import Tracing
from watching.work import counted
from workflows.connection import connect

POOL_SIZE = 12


def create_app(
    settings: Settings,
    *,
    now: Callable[[], datetime] = system_clock,
    passwords: Passwords | None = None,
    tracing: Tracing | None = None,
) -> FastAPI:
    """The application; it connects when its lifespan begins, to Temporal only when first needed.

    Starting raises SchemaMismatch where this program cannot work with the database.
    """
    figures, gate, arrivals = InterfaceFigures(), Gate(), Arrivals()
    figures.registry.register(GateFigures(gate, arrivals))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(asyncio.create_task(gate.beat()).cancel)
            app.state.services = await open_services(
                settings, now, passwords or Passwords(), stack, figures=figures, tracing=tracing
            )
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
    app.include_router(codec.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(pages.router)
    errors.install(app, problem_page)
    documentation.install(app)
    app.add_middleware(BodyLimit)
    answer = partial(errors.answer, for_people=problem_page)
    app.add_middleware(Admission, gate=gate, arrivals=arrivals, answer=answer)
    app.add_middleware(
        AccessLog, figures=figures, tracing=tracing, answer=partial(errors.answer_to, for_people=problem_page)
    )
    return app


def _interface() -> APIRouter:
    """Everything under /api/v1."""
    interface = APIRouter(prefix=INTERFACE)
    for_citizens = (requests, attachments, erasure, look_up, categories, public_answers)
    for_staff = (sessions, open_sessions, staff_requests, actions_route, similar, releases, rates, staff_views, topics)
    for part in (*for_citizens, *for_staff):
        interface.include_router(part.router)
    return interface


async def open_services(
    settings: Settings,
    now: Callable[[], datetime],
    passwords: Passwords,
    stack: AsyncExitStack,
    *,
    figures: InterfaceFigures,
    tracing: Tracing | None,
) -> Services:
    """Opens what the interface works with; the stack closes it."""
    database = settings.database_url
    on_query = tracing.note_query if tracing else None
    pool = await stack.enter_async_context(
        open_pool(database, size=POOL_SIZE, application_name="huisheng-api", on_query=on_query)
    )
    await require_version(pool)
    keys = KeyRing.from_text(settings.keys)
    policies = PolicyStore(partial(db.policies.active_version, pool), partial(db.policies.content_of, pool))
    provider = counted(provider_from(settings, pool, keys), figures)
    stack.push_async_callback(provider.close)
    stack.callback(passwords.close)
    interceptors = [tracing.interceptor()] if tracing else []
    temporal = await connect(settings.temporal_address, keys, lazy=True, interceptors=interceptors)
    watcher = await stack.enter_async_context(
        open_pool(database, size=1, application_name="huisheng-figures", at_once=False)
    )
    stored = StoredFigures(watcher, now, partial(is_up, temporal))
    figures.registry.register(PoolFigures({"api": pool}))
    figures.registry.register(stored)
    return Services(
        settings=settings,
        pool=pool,
        keys=keys,
        policies=policies,
        temporal=temporal,
        sender=NoticeSender(pool, keys, policies, provider, settings.public_url, now=now, given_up=figures.given_up),
        passwords=passwords,
        expectations=Expectations(pool),
        now=now,
        figures=figures,
        stored=stored,
        trace=tracing.written if tracing else no_trace,
    )
