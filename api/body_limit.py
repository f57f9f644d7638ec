"""How much anybody may send: a text is small, a form with pictures is not. None of it is put into a file on the way."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooLarge, problem_of, rendered

MAX_BODY_BYTES = 64 * 1024
MAX_UPLOAD_BYTES = 40 * 1024 * 1024
"""Of one call; more pictures go in several calls."""
MAX_PAYLOADS_BYTES = 1024 * 1024
"""Of a run as the Temporal UI shows it."""
_UPLOADS = "/attachments"
_PAYLOADS = "/codec/"

# Beyond a megabyte the parser would write a photo into a temporary file, in clear and with the place where it was taken.
# Memory holds them all: few calls with photos are let in at once (api/lanes.py), each within the limit above.
MultiPartParser.spool_max_size = 0


class BodyLimit:
    """Refuses a body beyond the limit: at once where its length is told, else as soon as it has become too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = _limit(scope["path"])
        told = Headers(scope=scope).get("content-length", "0")
        if told.isdecimal() and int(told) > limit:
            await rendered(problem_of(TooLarge(_sentence(limit))))(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _limit(path: str) -> int:
    if path.endswith(_UPLOADS):
        return MAX_UPLOAD_BYTES
    return MAX_PAYLOADS_BYTES if path.startswith(_PAYLOADS) else MAX_BODY_BYTES


def _counted(receive: Receive, limit: int) -> Receive:
    total = 0

    async def receive_counting() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            # The one kind of exception that FastAPI lets through while it reads a body.
            raise HTTPException(413, _sentence(limit))
        return message

    return receive_counting


def _sentence(limit: int) -> str:
    size = f"{limit // (1024 * 1024)} MB" if limit >= 1024 * 1024 else f"{limit // 1024} KB"
    return f"The body is larger than {size}, the most that this address takes."
