"""The figures of the API for Prometheus, and who may have them.

They hold no personal data; still, how many people complain about what is the city's to publish. With HUISHENG_METRICS_TOKEN
whoever brings it may read them, and nobody else. Without one they are for this machine alone, and not for a machine that
stands behind a proxy: there everybody's call comes from nearby.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.documented import problems
from api.errors import Unauthorized
from api.services import Services, Wired
from domain.errors import Forbidden
from settings import is_this_machine
from watching.figures import CONTENT_TYPE
from watching.served import may_read

router = APIRouter(tags=["operation"])

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@router.get(
    "/metrics", summary="Figures for Prometheus", response_class=Response,
    responses={**problems("unauthorized", "forbidden"), 200: {"content": {"text/plain": {}}}},
)  # fmt: skip
async def metrics(request: Request, services: Wired) -> Response:
    """With the token of HUISHENG_METRICS_TOKEN as Bearer; where none is set, from this machine only."""
    _require_reader(request, services)
    await services.stored.refresh()
    # Writing them takes some milliseconds, in which others should be answered.
    page = await asyncio.to_thread(services.figures.page)
    return Response(page, media_type=CONTENT_TYPE)


def _require_reader(request: Request, services: Services) -> None:
    token = services.settings.metrics_token
    if token:
        if not may_read(request.headers.get("authorization", ""), token):
            raise Unauthorized("These figures are for the city's own Prometheus, which brings a token.")
    elif not _is_from_here(request, services.settings.public_url):
        raise Forbidden(
            "Set HUISHENG_METRICS_TOKEN and let Prometheus bring it: without one, only this machine may look."
        )


def _is_from_here(request: Request, public_url: str) -> bool:
    """Nobody else could have sent it: it came over the loopback and through no proxy, to a house that has no other door."""
    caller = request.client.host if request.client else ""
    is_local_house = is_this_machine(f"{urlsplit(public_url).hostname}:0")
    was_forwarded = any(name in request.headers for name in _FORWARDED)
    return is_local_house and not was_forwarded and is_this_machine(f"{caller}:0")
