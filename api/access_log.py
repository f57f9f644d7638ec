"""One line for every request to the interface: the operation by its name, never the address as it was called.

An address as it was called can hold a citizen's token; a query can hold what somebody searched for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission import REFUSED
from api.naming import named_reference
from watching.figures import NO_ROUTE, InterfaceFigures
from watching.tracing import Tracing

logger = structlog.get_logger("access")

_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
INTERFACE = "/api/v1"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_QUIET = frozenset({"alive", "ready", "metrics"})

Answered = Callable[[str, int], None]
"""Hears the route and the status of an answer."""


class AccessLog:
    """Logs method, operation, reference, status and milliseconds, and gives every answer the headers that all need.

    What nobody expected is answered here, with `answer`: further out its answer would lack them, and its line the trace.
    """

    def __init__(
        self,
        app: ASGIApp,
        figures: InterfaceFigures,
        answer: Callable[[Request, Exception], Response],
        tracing: Tracing | None = None,
    ) -> None:
        self._app = app
        self._figures = figures
        self._answer = answer
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._tracing is None:
            await self._watched(scope, receive, send)
        else:
            with self._tracing.request(_method(scope)) as answered:
                await self._watched(scope, receive, send, answered)

    async def _watched(self, scope: Scope, receive: Receive, send: Send, answered: Answered | None = None) -> None:
        started = time.perf_counter()
        status: int | None = None

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
        except Exception as error:
            if status is None:
                await self._answer(Request(scope), error)(scope, receive, send_noting)
            raise
        finally:
            status = status or 500
            seconds = time.perf_counter() - started
            route = _route(scope)
            self._figures.answered(scope["method"], route, status, seconds)
            if answered is not None:
                answered(route, status)
            if REFUSED not in scope:
                _note(scope, status, seconds)


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
    reference = named_reference(scope)
    found = {"reference": reference} if reference else {}
    logger.info(
        "request", method=_method(scope), operation=operation, status=status, ms=round(seconds * 1000, 1), **found
    )
