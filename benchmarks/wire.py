"""The load generator's way to speak HTTP: one kept-alive connection, one request at a time, as little work as possible.

A comfortable client (httpx2) costs the machine about as much per request as the server that is measured, and both share
the same cores. This one parses with the server's own C parser and does nothing else.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

from httptools import HttpParserError, HttpResponseParser

PATIENCE_SECONDS = 30.0


class Answer(NamedTuple):
    """Status and body as they came."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class NoAnswer(Exception):
    """The connection broke, or nothing came in time."""


class Connection(asyncio.Protocol):
    """Opens itself when first asked, and again when the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self.asked = 0
        self._address = (host, port)
        self._host_line = f"Host: {host}:{port}\r\n"
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._body = bytearray()
        self._answer: asyncio.Future[Answer] | None = None

    async def ask(
        self, method: str, path: str, *, token: str | None = None, body: dict[str, Any] | None = None
    ) -> Answer:
        """Raises NoAnswer."""
        loop = asyncio.get_running_loop()
        try:
            transport = await self._open(loop)
            self.asked += 1
            self._answer = loop.create_future()
            transport.write(self._written(method, path, token, body))
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._answer
        except (OSError, TimeoutError) as error:
            self.close()
            raise NoAnswer(type(error).__name__) from None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    async def _open(self, loop: asyncio.AbstractEventLoop) -> asyncio.Transport:
        if self._transport is None:
            self._transport, _ = await loop.create_connection(lambda: self, *self._address)
            self._parser = HttpResponseParser(self)
        return self._transport

    def _written(self, method: str, path: str, token: str | None, body: dict[str, Any] | None) -> bytes:
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        return f"{method} {path} HTTP/1.1\r\n{self._host_line}{authorization}{kind}\r\n".encode() + content

    # What the event loop calls.

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.close()
            self._fail()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._body.clear()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._parser.get_status_code(), bytes(self._body)))

    def _fail(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())
