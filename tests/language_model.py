"""A loopback server that speaks the protocol of chat completions, well or badly, as a test wants it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class LanguageModel:
    """What it answers: `content` as a model's words, or `body` as it is; byte by byte where it `drips`, and nothing at all
    while it `hangs`. And what it was asked: request line, headers, body."""

    content: object = '{"category": "unsure"}'
    status: int = 200
    body: bytes | None = None
    headers: str = ""
    tokens: object = 321
    hangs: bool = False
    breaks_off: bool = False
    drips: bool = False
    url: str = ""
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    _let_go: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers in a task of its own, which `end` waits for."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def end(self) -> None:
        """Nobody hangs or drips any more."""
        self._let_go.set()
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        sent = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append((head[0], headers, json.loads(sent) if sent else {}))
        if self.hangs:
            await self._let_go.wait()
        elif not self.breaks_off:
            with suppress(ConnectionError):  # who has heard enough hangs up
                await self._answer(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        body = self.body if self.body is not None else self._completion()
        head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n{self.headers}\r\n"
        writer.write(head.encode())
        if self.drips:
            await self._drip(writer, body)
        else:
            writer.write(body)
            await writer.drain()

    async def _drip(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        for byte in body:
            if self._let_go.is_set() or writer.is_closing():
                return
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    def _completion(self) -> bytes:
        choice = {"index": 0, "message": {"role": "assistant", "content": self.content}, "finish_reason": "stop"}
        return json.dumps(
            {"object": "chat.completion", "choices": [choice], "usage": {"total_tokens": self.tokens}}
        ).encode()


@asynccontextmanager
async def a_language_model(**answers: Any) -> AsyncIterator[LanguageModel]:
    model = LanguageModel(**answers)
    server = await asyncio.start_server(model.take, "127.0.0.1", 0)
    model.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield model
    finally:
        server.close()
        await model.end()
        await server.wait_closed()
