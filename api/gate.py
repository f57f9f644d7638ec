"""Who is let in next, and who is turned away, soon: the line of each lane (api/lanes.py).

How many at once is bearable depends on what else the machine does. The program is one loop of events; when the loop comes round late,
fewer are let in, until it is in time again. A lane that waits for somebody else lets in fewer while its answers are slow.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from activities.narrowing import Width
from api.arrivals import Arrivals
from api.lanes import LANES, Lane

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
    width: Width | None = None
    """Of a lane that waits for somebody else."""


class Gate:
    """Lets in and turns away. Not for several threads."""

    def __init__(self, lanes: Iterable[Lane] = LANES) -> None:
        self.lines = {lane.name: Line(lane, width=_width(lane)) for lane in lanes}
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

    def turns_away(self, lane: Lane) -> bool:
        """Whether the line is full, so that no more of the request needs to be read; it is refused then."""
        line = self.lines[lane.name]
        is_full = len(line.waiting) >= line.lane.waiting and not self._has_room(line)
        line.refused += is_full
        return is_full

    async def enter(self, lane: Lane) -> bool:
        """True when it is one's turn, and then `leave` has to follow; False when it will not be in time."""
        line = self.lines[lane.name]
        if self._has_room(line):  # nobody waits then: whoever did has been called in
            line.answering += 1
            line.admitted += 1
            return True
        return not self.turns_away(lane) and await self._wait(line)

    def leave(self, lane: Lane) -> None:
        self.lines[lane.name].answering -= 1
        self._call_in()

    @contextmanager
    def timed(self, lane: Lane) -> Iterator[None]:
        """The body is the answer to one who has been let in: when it is slow, and that shows before it ends, fewer are."""
        line, loop = self.lines[lane.name], asyncio.get_running_loop()
        if line.width is None:
            yield
            return
        began_at = loop.time()
        slow = loop.call_at(began_at + line.width.slow, self._note_slow, line, began_at)
        try:
            yield
        finally:
            slow.cancel()
            if (ended_at := loop.time()) - began_at < line.width.slow:
                line.width.ended(began_at, ended_at)

    def _note_slow(self, line: Line, began_at: float) -> None:
        if line.width is not None:
            # Many more may be let in than ever come: what is too many begins with those who are here.
            line.width.exact = max(line.lane.least, min(line.width.exact, line.answering))
            line.width.ended(began_at, began_at + line.width.slow)

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
        if line.width is not None and line.answering >= line.width.now:
            return False
        return line.answering < max(1, lane.at_once * self.share)


def _width(lane: Lane) -> Width | None:
    return None if lane.slow is None else Width(lane.at_once, lane.least, lane.slow)


class GateFigures(Collector):
    """How the lanes stand, for Prometheus."""

    def __init__(self, gate: Gate, arrivals: Arrivals) -> None:
        self._gate = gate
        self._arrivals = arrivals

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
        arriving = GaugeMetricFamily(
            "huisheng_bodies_arriving",
            "Bodies being read before their senders stand in line.",
            value=len(self._arrivals),
        )
        cut_off = CounterMetricFamily(
            "huisheng_bodies_cut_off", "Bodies that came too slowly and were given up.", value=self._arrivals.cut_off
        )
        yield from (answering, waiting, ended, late, arriving, cut_off)
