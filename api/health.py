"""Whether the interface works: for those who watch it, and for those who start things in order."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.engine import is_up
from api.errors import DATABASE_DOWN
from api.services import Services, Wired
from db import migrations
from db.migrations import SchemaMismatch

router = APIRouter(tags=["operation"])

_DATABASE_WITHIN_SECONDS = 3.0


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """`engine` is told but does not count: citizens are served without it."""

    ready: bool
    database: Literal["up", "down", "other_version"]
    engine: Literal["up", "down"]
    policy: str | None


@router.get("/healthz", summary="Is the program alive?")
async def alive() -> Alive:
    """Answers as long as the program runs."""
    return Alive()


@router.get("/readyz", summary="Can it take requests?", responses={503: {"model": Ready, "description": "Not ready"}})
async def ready(services: Wired, response: Response) -> Ready:
    """Ready when the database answers and is one that this program can work with."""
    database, engine = await asyncio.gather(_database(services), is_up(services.temporal))
    response.status_code = 200 if database == "up" else 503
    version = (await services.policies.active()).version if database == "up" else None
    return Ready(ready=database == "up", database=database, engine="up" if engine else "down", policy=version)


async def _database(services: Services) -> Literal["up", "down", "other_version"]:
    try:
        async with asyncio.timeout(_DATABASE_WITHIN_SECONDS):
            await migrations.require_version(services.pool)
    except SchemaMismatch:
        return "other_version"
    except DATABASE_DOWN:
        return "down"
    return "up"
