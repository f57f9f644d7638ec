"""An SMS gateway of our own, which the system takes for Kannel's smsbox: it takes messages, tells of each that it has arrived,
and counts. What a message says and to whom it goes is looked at by nobody and kept nowhere."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx2

PATH = "/cgi-bin/sendsms"
_USER = "huisheng"
_DELIVERED = "1"
_AGAIN_SECONDS = 1.0
_REPORTS_AT_ONCE = 16
_TIMEOUT_SECONDS = 20.0
_ACCEPTED, _REFUSED = (202, b"0: Accepted for delivery"), (403, b"Authorization failed for sendsms")


@dataclass
class Taken:
    """The messages of one attempt: how many there were, when the first came, and when its report was answered 200."""

    first_at: datetime
    times: int = 1
    reported_at: datetime | None = None


@dataclass
class Gateway:
    """`taken` is by the id of the attempt. A report is repeated until the interface has taken it, as Kannel does."""

    port: int
    taken: dict[str, Taken] = field(default_factory=dict)
    _password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _report_secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _server: asyncio.Server | None = None
    _http: httpx2.AsyncClient = field(
        default_factory=lambda: httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False), repr=False
    )
    _reports: set[asyncio.Task[None]] = field(default_factory=set)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_REPORTS_AT_ONCE))

    async def __aenter__(self) -> Gateway:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for report in self._reports:
            report.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)
        await self._http.aclose()

    @property
    def unreported(self) -> int:
        """How many messages the interface does not know of yet that they have arrived."""
        return sum(each.reported_at is None for each in self.taken.values())

    def settings(self, port: int) -> dict[str, str]:
        """The variables that lead a part here, by that port."""
        return {
            "HUISHENG_SMS_PROVIDER": "kannel",
            "HUISHENG_KANNEL_URL": f"http://127.0.0.1:{port}{PATH}",
            "HUISHENG_KANNEL_USER": _USER,
            "HUISHENG_KANNEL_PASSWORD": self._password,
            "HUISHENG_KANNEL_FROM": "12345",
            "HUISHENG_KANNEL_DLR_SECRET": self._report_secret,
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            await reader.readexactly(int(headers.get("content-length", "0")))
            # From here on the message is ours, whether anybody hears of it or not.
            status, body = self._take(headers)
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
            await writer.drain()
        writer.close()

    def _take(self, headers: dict[str, str]) -> tuple[int, bytes]:
        if (headers.get("x-kannel-username"), headers.get("x-kannel-password")) != (_USER, self._password):
            return _REFUSED
        address = headers["x-kannel-dlr-url"]
        (attempt,) = parse_qs(urlsplit(address).query)["attempt"]
        if attempt in self.taken:
            self.taken[attempt].times += 1
            return _ACCEPTED
        taken = self.taken[attempt] = Taken(datetime.now(UTC))
        report = asyncio.create_task(self._report(taken, address.replace("%d", _DELIVERED)))
        self._reports.add(report)
        report.add_done_callback(self._reports.discard)
        return _ACCEPTED

    async def _report(self, taken: Taken, address: str) -> None:
        while taken.reported_at is None:
            with suppress(httpx2.TransportError):
                async with self._places:
                    answer = await self._http.get(address)
                if answer.status_code == httpx2.codes.OK:
                    taken.reported_at = datetime.now(UTC)
                    return
            await asyncio.sleep(_AGAIN_SECONDS)
