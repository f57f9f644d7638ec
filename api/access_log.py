"""One line for every request to the interface: the operation by its name, never the address as it was called.

An address as it was called can hold a citizen's token; a query can hold what somebody searched for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission import REFUSED
from watching.figures import NO_ROUTE, InterfaceFigures
from watching.tracing import Tracing

logger = structlog.get_logger("access")

_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
INTERFACE = "/api/v1"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_QUIET = frozenset({"alive", "ready", "metrics"})
# What is none may be anything, also a phone number that was put in the wrong field; with the country's code that has as many
# digits as a reference, but never a month where it has one.
_REFERENCE = re.compile(r"\d\d(0[1-9]|1[0-2])-?\d{4}-?\d{5}", re.ASCII)


class AccessLog:
    """Logs method, operation, reference, status and milliseconds, and gives every answer the headers that all need."""

    def __init__(self, app: ASGIApp, figures: InterfaceFigures, tracing: Tracing | None = None) -> None:
        self._app = app
        self._figures = figures
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._tracing is None:
            await self._watched(scope, receive, send)
        else:
            with self._tracing.request(_method(scope)) as answered:
                answered(*await self._watched(scope, receive, send))

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> tuple[str, int]:
        """The route and the status of the answer."""
        started = time.perf_counter()
        status = 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", ())
                named = {name for name, _ in given}
                message["headers"] = [*given, *(header for header in _HEADERS if header[0] not in named)]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            self._figures.answered(scope["method"], route, status, seconds)
            if REFUSED not in scope:
                _note(scope, status, seconds)
        return route, status


def _method(scope: Mapping[str, Any]) -> str:
    """One that there is: a caller may send any word as a method."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def _route(scope: Mapping[str, Any]) -> str:
    """The template of the address, never the address itself."""
    route = getattr(scope.get("route"), "path", None)
    if route is None or scope.get("endpoint") is None:
        return NO_ROUTE
    # A router that is included elsewhere knows its own part of the address only.
    return f"{INTERFACE}{route}" if scope["path"].startswith(f"{INTERFACE}/") else str(route)


def _note(scope: Mapping[str, Any], status: int, seconds: float) -> None:
    operation = getattr(scope.get("endpoint"), "__name__", "unknown")
    if operation in _QUIET and status == 200:
        return
    reference = scope.get("path_params", {}).get("reference")
    found = {"reference": reference} if isinstance(reference, str) and _REFERENCE.fullmatch(reference) else {}
    logger.info(
        "request", method=_method(scope), operation=operation, status=status, ms=round(seconds * 1000, 1), **found
    )
