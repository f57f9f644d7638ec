"""The address at which Prometheus finds the worker's figures: ours, and those of the Temporal SDK, on one page.

The SDK serves its own at a port of its own, on this machine's loopback; this page fetches them from there. A few lines in
place of a web server, because all that anybody may ask here is one page.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import structlog

from watching.figures import CONTENT_TYPE

logger = structlog.get_logger(__name__)

WITHIN_SECONDS = 5.0
_MOST_HEADER_BYTES = 8192


async def figures_of_sdk(port: int | None) -> bytes:
    """What the SDK serves; nothing where it serves nothing in time."""
    if port is None:
        return b""
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(WITHIN_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
        return body if b" 200 " in head.split(b"\r\n")[0] + b" " else b""
    return b""


@asynccontextmanager
async def serving(host: str, port: int, token: str, page: Callable[[], Awaitable[bytes]]) -> AsyncIterator[None]:
    """Answers GET /metrics while the body runs. Where the address is taken, the work goes on without it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(WITHIN_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                status = _status(head, token)
                body = await page() if status is HTTPStatus.OK else f"{status.phrase}\n".encode()
                writer.write(_head(status, len(body)) + body)
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, host, port, limit=_MOST_HEADER_BYTES)
    except OSError as error:
        logger.warning("figures_not_served", host=host, port=port, error=type(error).__qualname__)
        yield
        return
    async with server:
        yield


def _status(head: bytes, token: str) -> HTTPStatus:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    path = rest.split(" ")[0].partition("?")[0]
    if path != "/metrics":
        return HTTPStatus.NOT_FOUND
    if method != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return HTTPStatus.OK if may_read(headers.get("authorization", ""), token) else HTTPStatus.UNAUTHORIZED


def may_read(authorization: str, token: str) -> bool:
    """Whether the header carries the token; everybody may where there is none."""
    return not token or hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def _head(status: HTTPStatus, length: int) -> bytes:
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {CONTENT_TYPE if status is HTTPStatus.OK else 'text/plain'}",
        f"Content-Length: {length}",
        "Connection: close",
    ]
    if status is HTTPStatus.UNAUTHORIZED:
        lines.append('WWW-Authenticate: Bearer realm="figures"')
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
