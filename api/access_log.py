"""One line for every request to the interface: the operation by its name, never the address as it was called.

An address as it was called can hold a citizen's token; a query can hold what somebody searched for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = structlog.get_logger("access")

_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
_QUIET = frozenset({"alive", "ready"})
_REFERENCE_CHARACTERS = 20  # what is longer is none, and may be anything


class AccessLog:
    """Logs method, operation, reference, status and milliseconds, and gives every answer the headers that all need."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
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
            _note(scope, status, time.perf_counter() - started)


def _note(scope: Mapping[str, Any], status: int, seconds: float) -> None:
    operation = getattr(scope.get("endpoint"), "__name__", "unknown")
    if operation in _QUIET and status == 200:
        return
    reference = scope.get("path_params", {}).get("reference")
    found = {"reference": reference} if isinstance(reference, str) and len(reference) <= _REFERENCE_CHARACTERS else {}
    logger.info(
        "request", method=scope["method"], operation=operation, status=status, ms=round(seconds * 1000, 1), **found
    )
