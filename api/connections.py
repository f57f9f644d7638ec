"""How many connections the interface has, and how long one may stay silent or unfinished: what uvicorn leaves open.

A connection that owes us something for which nobody in the program waits (the head of its next request, the rest of a body that was
refused unread) is closed when that does not come. Where there are more than there may be, the one that has owed us something for
longest makes room. So nobody is refused by the server itself, which says to nobody when to come back: api/admission.py does.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_CONNECTIONS = 4096
"""Some ten kilobytes each. In reading, in line and being answered there are sixteen hundred at most."""
OWED_WITHIN_SECONDS = 20.0
MOST_HEAD_BYTES = 64 * 1024
"""Beyond what arrives at once; uvicorn's parser would keep a head of any length."""


class BoundedConnection(HttpToolsProtocol):
    """One connection, as uvicorn serves it."""

    most: ClassVar = MOST_CONNECTIONS
    owed_within: ClassVar = OWED_WITHIN_SECONDS
    _owing: ClassVar[dict[BoundedConnection, asyncio.TimerHandle]] = {}
    """Of this process; whoever began to first is first."""

    _is_in_head = False
    _is_whole = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._owe()
        if len(self.connections) > self.most:
            next(iter(self._owing))._give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._is_in_head
        super().data_received(data)
        if was_in_head and self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._give_up()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._is_whole, self._head_bytes = True, False, 0
        self._owe()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._settle()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_whole = True
        if self.cycle.response_complete:
            # The rest of what was refused unread: uvicorn has stopped waiting for the next when the first of it came.
            self._settle()
            self._owe()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_whole:
            self._owe()

    def _owe(self) -> None:
        if self not in self._owing:
            self._owing[self] = self.loop.call_later(self.owed_within, self._give_up)

    def _give_up(self) -> None:
        self._settle()
        self.transport.abort()

    def _settle(self) -> None:
        patience = self._owing.pop(self, None)
        if patience is not None:
            patience.cancel()
