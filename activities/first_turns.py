"""The runs that this process has begun and whose first turn is not recorded yet.

The answer of Temporal to the start of a run says little of how much there is to do: the work begins with it. A relay that goes by that
answer alone gives out more than its worker and Temporal get done, and whoever acts for a run of before stands behind all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class FirstTurns:
    """Not for several threads: the relay that begins the runs and the activities that record them share one loop of events."""

    def __init__(self) -> None:
        self._awaited: dict[str, asyncio.Future[None]] = {}

    @contextmanager
    def expected(self, reference: str) -> Iterator[asyncio.Future[None]]:
        """What is done when the first turn of that request has been recorded here, within the body."""
        turn = self._awaited[reference] = asyncio.get_running_loop().create_future()
        try:
            yield turn
        finally:
            self._awaited.pop(reference, None)

    def recorded(self, reference: str) -> None:
        """Something of that request has been recorded."""
        turn = self._awaited.get(reference)
        if turn is not None and not turn.done():
            turn.set_result(None)


async def at_most(turn: asyncio.Future[None], seconds: float) -> None:
    """Until it is done, or for so long: it may be in another worker's hands, or fail and be tried again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await turn
