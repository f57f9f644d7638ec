"""Who may come in when there are more than the interface can answer: soon, or not now, and never slower and slower.

Each lane (api/lanes.py) answers so many at once; the next wait in line, briefly (api/gate.py). Whoever finds the line full, or has
waited for as long as is bearable, hears at once that it is too much now and when to try again: nothing of theirs was stored. Nobody
stands in line before all that they send is here (api/arrivals.py).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import cache

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.arrivals import Arrivals, TooSlow
from api.errors import Problem, problem_of_http, rendered
from api.gate import Gate
from api.lanes import PHOTOS, Lane, lane_of

logger = structlog.get_logger(__name__)

REFUSED = "huisheng.refused"
"""Stands in the scope of a request that was not let in: it is counted and not logged one by one."""

RETRY_SECONDS = (2, 10)
"""Spread, so that those who were refused together do not come back together."""
TOLD_EVERY_SECONDS = 10.0


class Admission:
    """The gate before the interface."""

    def __init__(
        self,
        app: ASGIApp,
        gate: Gate,
        arrivals: Arrivals,
        answer: Callable[[Request, Problem], Response],
        chance: Callable[[int, int], int] = random.randint,
    ) -> None:
        self._app = app
        self._gate = gate
        self._arrivals = arrivals
        self._answer = answer
        self._chance = chance
        self._tell_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = lane_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if lane is None:
            await self._app(scope, receive, send)
            return
        if self._gate.turns_away(lane):
            await self._refuse(lane, scope, receive, send)
            return
        try:
            receive = await self._arrived(lane, scope, receive)
        except TooSlow as slow:
            scope[REFUSED] = True
            await self._answer(Request(scope, receive), problem_of_http(slow))(scope, receive, send)
            return
        if not await self._gate.enter(lane):
            await self._refuse(lane, scope, receive, send)
            return
        try:
            with self._gate.timed(lane):
                await self._app(scope, receive, send)
        finally:
            self._gate.leave(lane)

    async def _arrived(self, lane: Lane, scope: Scope, receive: Receive) -> Receive:
        """Whoever sends slowly must hold nobody up: their turn comes when all of it is here. Raises TooSlow."""
        if not _has_body(scope):
            return receive
        return self._arrivals.paced(receive) if lane is PHOTOS else await self._arrivals.whole(receive)

    async def _refuse(self, lane: Lane, scope: Scope, receive: Receive, send: Send) -> None:
        scope[REFUSED] = True
        self._tell(lane)
        seconds = self._chance(*RETRY_SECONDS)  # nosec B311 - spreads those who come back, and keeps no secret
        if scope["path"].startswith("/api/"):
            response = _for_programs(seconds)
        else:
            response = self._answer(Request(scope, receive), _overloaded(seconds))
        await response(scope, receive, send)

    def _tell(self, lane: Lane) -> None:
        """Now and then: a line for each would be a burden of its own."""
        now = asyncio.get_running_loop().time()
        if now >= self._tell_at:
            self._tell_at = now + TOLD_EVERY_SECONDS
            refused = {name: line.refused for name, line in self._gate.lines.items() if line.refused}
            logger.warning("overloaded", lane=lane.name, refused_so_far=refused)


def _overloaded(seconds: int) -> Problem:
    return Problem(
        "overloaded",
        f"More is being asked of us than we can answer at this moment. Nothing was stored. Please try again in {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )


@cache
def _for_programs(seconds: int) -> Response:
    """Made once: a thousand a second get one of nine."""
    return rendered(_overloaded(seconds))


def _has_body(scope: Scope) -> bool:
    return scope["method"] not in ("GET", "HEAD", "DELETE", "OPTIONS")
