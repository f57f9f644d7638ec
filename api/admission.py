"""Who may come in when there are more than the interface can answer: soon, or not now, and never slower and slower.

Each lane (api/lanes.py) answers so many at once; the next wait in line, briefly. Whoever finds the line full, or has waited for as
long as is bearable, hears at once that it is too much now and when to try again: nothing of theirs was stored.

How many at once is bearable depends on what else the machine does. The program is one loop of events; when the loop comes round late,
fewer are let in, until it is in time again.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.body_limit import MAX_BODY_BYTES
from api.errors import Problem
from api.lanes import LANES, PHOTOS, Lane, lane_of

logger = structlog.get_logger(__name__)

REFUSED = "huisheng.refused"
"""Stands in the scope of a request that was not let in: it is counted and not logged one by one."""

RETRY_SECONDS = (2, 10)
"""Spread, so that those who were refused together do not come back together."""
TOLD_EVERY_SECONDS = 10.0

BEAT_SECONDS = 0.05
LATE_SECONDS = 0.1
"""So late the loop may come round. A submission takes it several rounds."""
LEAST_SHARE = 0.25
_LESS, _MORE = 0.8, 0.02  # down at once, up slowly: from the least to all in two seconds


class Turn(asyncio.Future[bool]):
    """Somebody who waits: True when it is their turn, False when it will not be in time."""

    deadline: float = 0.0


@dataclass(slots=True)
class Line:
    """One lane as it stands: who is being answered, who waits, and what became of all before."""

    lane: Lane
    answering: int = 0
    waiting: deque[Turn] = field(default_factory=deque)
    admitted: int = 0
    refused: int = 0


class Gate:
    """Lets in and turns away. Not for several threads."""

    def __init__(self, lanes: Iterable[Lane] = LANES) -> None:
        self.lines = {lane.name: Line(lane) for lane in lanes}
        self.late = 0.0
        self.share = 1.0

    async def beat(self) -> None:
        """Watches how late the loop comes round, until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due_at = loop.time() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self.note_lateness(loop.time() - due_at)

    def note_lateness(self, seconds: float) -> None:
        """Of the loop, in this round: lets in fewer while it is late, and slowly more when it is in time."""
        self.late = max(0.0, seconds)
        self.share = max(LEAST_SHARE, self.share * _LESS) if seconds > LATE_SECONDS else min(1.0, self.share + _MORE)
        self._call_in()

    async def enter(self, lane: Lane) -> bool:
        """True when it is one's turn, and then `leave` has to follow; False when it will not be in time."""
        line = self.lines[lane.name]
        if self._has_room(line):  # nobody waits then: whoever did has been called in
            line.answering += 1
            line.admitted += 1
            return True
        if len(line.waiting) >= lane.waiting:
            line.refused += 1
            return False
        return await self._wait(line)

    def leave(self, lane: Lane) -> None:
        self.lines[lane.name].answering -= 1
        self._call_in()

    async def _wait(self, line: Line) -> bool:
        loop = asyncio.get_running_loop()
        turn = Turn(loop=loop)
        # They have waited already, for the loop to come round.
        turn.deadline = loop.time() + max(0.0, line.lane.patience - self.late)
        line.waiting.append(turn)
        patience = loop.call_at(turn.deadline, self._give_up, line, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            self._forget(line, turn)
            raise
        finally:
            patience.cancel()

    def _give_up(self, line: Line, turn: Turn) -> None:
        if not turn.done():
            line.waiting.remove(turn)
            line.refused += 1
            turn.set_result(False)
            # Those of later lanes may have waited for this one.
            self._call_in()

    def _forget(self, line: Line, turn: Turn) -> None:
        """Whoever waited has gone, perhaps in the moment in which it became their turn."""
        if turn in line.waiting:
            line.waiting.remove(turn)
            self._call_in()
        elif turn.done() and not turn.cancelled() and turn.result():
            self.leave(line.lane)

    def _call_in(self) -> None:
        for line in self.lines.values():
            while line.waiting and self._has_room(line):
                self._decide(line, line.waiting.popleft())

    def _decide(self, line: Line, turn: Turn) -> None:
        """Their turn, unless it comes too late: the clock that should have said so may be late as well."""
        if turn.done():
            return
        in_time = turn.get_loop().time() <= turn.deadline
        line.answering += in_time
        line.admitted += in_time
        line.refused += not in_time
        turn.set_result(in_time)

    def _has_room(self, line: Line) -> bool:
        lane = line.lane
        if any(self.lines[name].waiting for name in lane.after):
            return line.answering < lane.always
        return line.answering < max(1, lane.at_once * self.share)


class GateFigures(Collector):
    """How the lanes stand, for Prometheus."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def collect(self) -> Iterator[Metric]:
        answering = GaugeMetricFamily("huisheng_lane_answering", "Requests being answered, by lane.", labels=["lane"])
        waiting = GaugeMetricFamily("huisheng_lane_waiting", "Requests waiting to be let in.", labels=["lane"])
        late = GaugeMetricFamily(
            "huisheng_loop_late_seconds", "How late the loop of events came round last.", value=self._gate.late
        )
        ended = CounterMetricFamily(
            "huisheng_lane_requests", "Requests that came, by lane and outcome: admitted or refused.",
            labels=["lane", "outcome"],
        )  # fmt: skip
        for name, line in self._gate.lines.items():
            answering.add_metric([name], line.answering)
            waiting.add_metric([name], len(line.waiting))
            ended.add_metric([name, "admitted"], line.admitted)
            ended.add_metric([name, "refused"], line.refused)
        yield from (answering, waiting, ended, late)


class Admission:
    """The gate before the interface."""

    def __init__(
        self,
        app: ASGIApp,
        gate: Gate,
        answer: Callable[[Request, Problem], Response],
        chance: Callable[[int, int], int] = random.randint,
    ) -> None:
        self._app = app
        self._gate = gate
        self._answer = answer
        self._chance = chance
        self._tell_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = lane_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if lane is None:
            await self._app(scope, receive, send)
            return
        if lane is not PHOTOS and _has_body(scope):
            # Whoever sends slowly must hold nobody up: their turn comes when all of it is here.
            receive = await _read(receive)
        if not await self._gate.enter(lane):
            await self._refuse(lane, scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._gate.leave(lane)

    async def _refuse(self, lane: Lane, scope: Scope, receive: Receive, send: Send) -> None:
        scope[REFUSED] = True
        self._tell(lane)
        seconds = str(self._chance(*RETRY_SECONDS))  # nosec B311 - spreads those who come back, and keeps no secret
        problem = Problem(
            "overloaded",
            f"More is being asked of us than we can answer at this moment. Nothing was stored. Please try again in {seconds} seconds.",
            headers={"Retry-After": seconds},
        )
        await self._answer(Request(scope, receive), problem)(scope, receive, send)

    def _tell(self, lane: Lane) -> None:
        """Now and then: a line for each would be a burden of its own."""
        now = asyncio.get_running_loop().time()
        if now >= self._tell_at:
            self._tell_at = now + TOLD_EVERY_SECONDS
            refused = {name: line.refused for name, line in self._gate.lines.items() if line.refused}
            logger.warning("overloaded", lane=lane.name, refused_so_far=refused)


async def _read(receive: Receive) -> Receive:
    """Reads a body as far as any may reach, and gives it out again; whoever reads on finds the rest, and refuses it."""
    messages: deque[Message] = deque()
    read, is_whole = 0, False
    while not is_whole and read <= MAX_BODY_BYTES:
        message = await receive()
        messages.append(message)
        read += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)

    async def again() -> Message:
        return messages.popleft() if messages else await receive()

    return again


def _has_body(scope: Scope) -> bool:
    return scope["method"] not in ("GET", "HEAD", "DELETE", "OPTIONS")
