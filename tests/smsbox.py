"""A loopback server that answers as Kannel's smsbox 1.4.5 does, for what the real one cannot be made to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Smsbox:
    """What it answers (nothing at all with the status 0), and what it was sent: request line, headers, body."""

    status: int = 202
    body: bytes = b"0: Accepted for delivery"
    url: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        self.requests.append((head[0], headers, await reader.readexactly(int(headers["content-length"]))))
        if self.status:
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (self.status, len(self.body), self.body))
            await writer.drain()
        writer.close()


@asynccontextmanager
async def a_smsbox(status: int = 202, body: bytes = b"0: Accepted for delivery") -> AsyncIterator[Smsbox]:
    smsbox = Smsbox(status, body)
    server = await asyncio.start_server(smsbox.serve, "127.0.0.1", 0)
    smsbox.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/cgi-bin/sendsms"
    try:
        yield smsbox
    finally:
        server.close()
        await server.wait_closed()
