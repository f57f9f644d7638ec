"""How bodies arrive: at a bearable pace, and never more at once than there is room for.

A text comes with its head, in the same moment; a form from a bad mobile network takes seconds. Whoever sends a byte now and then
holds nobody up: their time is limited, and where very many do, the one that has been at it longest makes room for the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from api.body_limit import MAX_BODY_BYTES

MOST_ARRIVING = 1024
"""Of 64 KB at most. Several hundred a second that take a second each are as many as one machine can answer."""
GRACE_SECONDS = 20.0
LEAST_BYTES_A_SECOND = 16 * 1024
"""A poor mobile network carries 128 kilobits: a picture of 10 MB may take eleven minutes."""
LOOK_EVERY_SECONDS = 1.0
TOO_SLOW = "What you sent came too slowly, and was not read to its end. Nothing was stored. Please try again."


class TooSlow(HTTPException):
    """The body did not come in time. FastAPI lets no other kind through while it reads one."""

    def __init__(self) -> None:
        # What is still to come is nobody's any more.
        super().__init__(408, TOO_SLOW, headers={"Connection": "close"})


@dataclass(slots=True, eq=False)
class _Arrival:
    """A body under way: who reads it, and until when it has to be here."""

    reader: asyncio.Task[object] | None
    due_at: float
    is_cut_off: bool = False

    def cut_off(self) -> None:
        if self.reader is not None and not self.is_cut_off:
            self.is_cut_off = True
            self.reader.cancel()

    def was_cut_off(self) -> bool:
        """Whether it was this, and nothing else beside, for which the reader was cancelled."""
        return self.is_cut_off and self.reader is not None and self.reader.uncancel() == 0


class Arrivals:
    """The bodies that are under way. Not for several threads."""

    def __init__(
        self, most: int = MOST_ARRIVING, grace: float = GRACE_SECONDS, look_every: float = LOOK_EVERY_SECONDS
    ) -> None:
        self._most = most
        self._grace = grace
        self._look_every = look_every
        self._under_way: dict[_Arrival, None] = {}  # whoever began first is first
        self._look: asyncio.TimerHandle | None = None
        self.cut_off = 0

    def __len__(self) -> int:
        return len(self._under_way)

    async def whole(self, receive: Receive) -> Receive:
        """Reads a body as far as any may reach, and gives it out again; whoever reads on finds the rest, and refuses it.

        Raises TooSlow.
        """
        messages: deque[Message] = deque()
        read, is_whole = 0, False
        arrival = self._begun()
        try:
            while not is_whole and read <= MAX_BODY_BYTES:
                message = await receive()
                messages.append(message)
                body = len(message.get("body", b""))
                read += body
                arrival.due_at += body / LEAST_BYTES_A_SECOND
                is_whole = not message.get("more_body", False)
        except asyncio.CancelledError:
            if not arrival.was_cut_off():
                raise
            self.cut_off += 1
            raise TooSlow from None
        finally:
            self._under_way.pop(arrival, None)

        async def again() -> Message:
            return messages.popleft() if messages else await receive()

        return again

    def paced(self, receive: Receive) -> Receive:
        """The same body as it comes, for a reader of large ones; reading raises TooSlow."""
        loop, read = asyncio.get_running_loop(), 0
        began_at = loop.time()

        async def in_time() -> Message:
            nonlocal read
            try:
                async with asyncio.timeout_at(began_at + self._grace + read / LEAST_BYTES_A_SECOND):
                    message = await receive()
            except TimeoutError:
                self.cut_off += 1
                raise TooSlow from None
            read += len(message.get("body", b""))
            return message

        return in_time

    def _begun(self) -> _Arrival:
        loop = asyncio.get_running_loop()
        if len(self._under_way) >= self._most:
            oldest = next(iter(self._under_way))
            del self._under_way[oldest]
            oldest.cut_off()
        if self._look is None:
            # One for all of them: a timer for each would cost as much as all the rest of its way to the line.
            self._look = loop.call_later(self._look_every, self._look_through)
        arrival = _Arrival(asyncio.current_task(), loop.time() + self._grace)
        self._under_way[arrival] = None
        return arrival

    def _look_through(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for arrival in self._under_way:
            if arrival.due_at < now:
                arrival.cut_off()
        self._look = loop.call_later(self._look_every, self._look_through) if self._under_way else None
