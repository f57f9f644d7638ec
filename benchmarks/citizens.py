"""The load generator, a process of its own so that its processor time is not the system's: `python -m benchmarks.citizens`.

A closed loop: each citizen begins the next round when the last one is over, so that the system itself sets the pace.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import uvloop

from benchmarks.jobs import Job, Loop, Outcome
from benchmarks.wire import Answer, Connection, NoAnswer
from demonstration.phones import fictitious_phone


@dataclass(frozen=True, slots=True)
class Looks:
    """When a citizen who waits looks: so long after sending, then after pauses that grow by that factor, up to a second.

    Whoever has waited before looks first after that share of what the last such wait took, then after a quarter of that.
    """

    first_seconds: float
    grow_by: float
    of_last_wait: float = 0.0
    longest_seconds: float = 1.0

    def pauses(self, last_wait: float) -> Iterator[float]:
        """In seconds, without end."""
        pause, expected = self.first_seconds, self.of_last_wait * last_wait
        if expected > pause:
            yield expected
            pause = max(pause, expected / 4)
        while True:
            yield min(pause, self.longest_seconds)
            pause *= self.grow_by


LOOKS = {
    # Where the wait is what is measured, it is looked at closely.
    Loop.ASSIGNMENTS: Looks(0.04, 1.2),
    # Elsewhere each look costs the system more than it tells, and whoever has waited before knows about how long it takes.
    Loop.LIFECYCLES: Looks(0.08, 1.5, of_last_wait=0.8),
}
GIVES_UP_AFTER_SECONDS = 60.0
KEPT_REFERENCES = 40


class Unexpected(Exception):
    """An answer that does not belong to the round; it counts as a failure."""


@dataclass(slots=True)
class Tally:
    """What the citizens have in common."""

    job: Job
    begins_at: float  # of the measured time, on the clock of time.perf_counter
    waits_ms: list[float] = field(default_factory=list)
    rounds: int = 0
    failures: int = 0
    reviews: int = 0
    ended_at: float | None = None
    references: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_REFERENCES))

    def note(self, began: float, ended: float) -> None:
        self.rounds += 1
        if ended < self.begins_at or self.ended_at is not None:
            return
        self.waits_ms.append((ended - began) * 1000)
        if len(self.waits_ms) >= self.job.at_most:
            self.ended_at = ended

    def is_over(self) -> bool:
        now = time.perf_counter()
        if self.ended_at is None and now >= self.begins_at + self.job.seconds:
            self.ended_at = self.begins_at + self.job.seconds
        return self.ended_at is not None


@dataclass(frozen=True, slots=True)
class Sent:
    reference: str
    token: str


class Citizen:
    """One citizen at one connection, who plays the staff of this request too."""

    def __init__(self, tally: Tally, connection: Connection, bodies: Iterator[dict[str, object]]) -> None:
        self._tally = tally
        self._job = tally.job
        self._connection = connection
        self._bodies = bodies
        self._last_waits: dict[str, float] = {}  # in seconds, by the state that was waited for

    async def live(self) -> None:
        rounds = {
            Loop.SUBMISSIONS: self._submit,
            Loop.ASSIGNMENTS: self._be_assigned,
            Loop.LIFECYCLES: self._whole_life,
        }
        a_round: Callable[[], Awaitable[object]] = rounds[self._job.loop]
        while not self._tally.is_over():
            began = time.perf_counter()
            try:
                await a_round()
            except (NoAnswer, Unexpected):
                self._tally.failures += 1
                await asyncio.sleep(0.1)
            else:
                self._tally.note(began, time.perf_counter())

    async def _submit(self) -> Sent:
        answer = await self._connection.ask("POST", "/api/v1/requests", body=next(self._bodies))
        receipt = _expected(answer, 201).json()
        self._tally.references.append(receipt["reference"])
        return Sent(receipt["reference"], receipt["token"])

    async def _be_assigned(self) -> None:
        sent = await self._submit()
        await self._wait_for(sent, "assigned")

    async def _whole_life(self) -> None:
        sent = await self._submit()
        department = await self._wait_for(sent, "assigned")
        handler = self._job.handlers[department]
        await self._act(sent, "accept", handler, {})
        state = await self._act(sent, "resolve", handler, {"outcome": "solved", "reply": "已处理完毕，请查看。"})
        if state == "in_review":
            self._tally.reviews += 1
            await self._act(sent, "approve", self._job.dispatcher, {})
        rating = {"solved": "yes", "satisfied": 5}
        _expected(await self._connection.ask("POST", f"{_page(sent)}/rate", token=sent.token, body=rating), 202)
        await self._wait_for(sent, "closed")

    async def _act(self, sent: Sent, action: str, token: str, body: dict[str, object]) -> str:
        path = f"/api/v1/staff/requests/{sent.reference}/actions/{action}"
        return str(_expected(await self._connection.ask("POST", path, token=token, body=body), 200).json()["state"])

    async def _wait_for(self, sent: Sent, state: str) -> str:
        """Looks now and then until the request is in that state; gives the department that has it."""
        began = time.perf_counter()
        for pause in LOOKS[self._job.loop].pauses(self._last_waits.get(state, 0.0)):
            await asyncio.sleep(pause)
            seen = _expected(await self._connection.ask("GET", _page(sent), token=sent.token), 200).json()
            waited = time.perf_counter() - began
            if seen["state"] == state:
                self._last_waits[state] = waited
                return str(seen["department"])
            if waited > GIVES_UP_AFTER_SECONDS:
                break
        raise Unexpected(f"not {state} in time")


def _page(sent: Sent) -> str:
    return f"/api/v1/requests/{sent.reference}"


def _expected(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise Unexpected(f"status {answer.status}")
    return answer


def _bodies(job: Job) -> Iterator[dict[str, object]]:
    """Requests without end."""
    number = 0
    while True:
        text = job.descriptions[number % len(job.descriptions)]
        yield {
            "description": f"{text}（第{number}件）",
            "title": text[:12],
            "contact": {"phone": fictitious_phone(number)},
            "language": "zh",
        }
        number += 1


async def run(job: Job) -> Outcome:
    """Does the job and says what came of it."""
    connections = [Connection("127.0.0.1", job.port) for _ in range(job.citizens)]
    tally = Tally(job, time.perf_counter() + job.warm_up_seconds)
    bodies = _bodies(job)
    worked_before = time.process_time()
    async with asyncio.TaskGroup() as everybody:
        for connection in connections:
            everybody.create_task(Citizen(tally, connection, bodies).live())
    for connection in connections:
        connection.close()
    assert tally.ended_at is not None
    return Outcome(
        seconds=tally.ended_at - tally.begins_at,
        waits_ms=tuple(round(wait, 3) for wait in tally.waits_ms),
        rounds=tally.rounds,
        failures=tally.failures,
        reviews=tally.reviews,
        asked=sum(connection.asked for connection in connections),
        cpu_seconds=time.process_time() - worked_before,
        references=tuple(tally.references),
    )


def main() -> None:
    outcome = uvloop.run(run(Job.read(sys.stdin.read())))
    sys.stdout.write(outcome.written())


if __name__ == "__main__":
    main()
