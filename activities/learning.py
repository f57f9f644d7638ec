"""Learning anew from the city's own decisions, and putting the new model into force where it is no worse.

Texts are opened here and go through a pipe to a process that trains; nothing of them goes to Temporal, a log or a disk.
"""

# Without `from __future__ import annotations`: these values travel through Temporal.

import asyncio
import os
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from classifier import apart
from classifier.apart import Wanted
from classifier.examples import Example
from classifier.files import ModelUnusable, from_bytes
from classifier.held_out import Decision, Terms
from classifier.model import Model
from classifier.retraining import seen_until
from db import audit, comparisons, models
from db.comparisons import Candidate, Comparison, Outcome
from db.decided import DecidedRequest, decided_requests, number_decided
from db.models import Activation, By
from db.pool import Pool
from db.sealing import KeyRing
from domain.audit import Kind
from domain.lessons import WEIGHTS, label_of
from domain.policy import Policy

HEARTBEAT_SECONDS = 5.0
UNDER_WAY = "under_way"
"""The type of the failure that says: another worker is training."""
FAILED = "training_failed"

_WHO = "machine:retraining"
_SECRETS = ("HUISHENG_", "DATABASE_", "TEMPORAL_", "PG")

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Retraining:
    """The input of LearningWorkflow."""


@dataclass(frozen=True)
class Learnt:
    """What came of it: activated, refused, too_few or overtaken; why not, in codes; and the versions that were compared.

    `learnt` and `held_out` count decisions. The rest stands in the database, under the number of the comparison.
    """

    outcome: str
    comparison: int
    candidate: str | None
    active: str | None
    learnt: int
    held_out: int
    reasons: tuple[str, ...] = ()


class Policies(Protocol):
    """What learning asks of the policies at hand."""

    async def active(self) -> Policy: ...


class LearningActivities:
    """One retraining at a time for the whole city."""

    def __init__(
        self,
        pool: Pool,
        keys: KeyRing,
        policies: Policies,
        *,
        terms: Terms = Terms(),  # noqa: B008 - a frozen value
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._policies = policies
        self._terms = terms
        self._now = now

    @activity.defn
    async def retrain(self, wanted: Retraining) -> Learnt:
        """Trains, compares, keeps the comparison, and puts the new model into force where it is no worse.

        Tried again after it was done, it finds what it has kept. Raises ApplicationError: UNDER_WAY, FAILED.
        """
        run = activity.info().workflow_run_id or activity.info().activity_id
        kept = await comparisons.of_run(self._pool, run)
        if kept is None:
            async with comparisons.only_one(self._pool) as alone, _heartbeats():
                if not alone:
                    raise ApplicationError("Another worker is training.", type=UNDER_WAY)
                kept = await self._retrained(run)
            logger.info("classifier_retrained", outcome=kept.outcome, candidate=kept.candidate, active=kept.active)
        return _told(kept)

    async def _retrained(self, run: str) -> Comparison:
        policy = await self._policies.active()
        line = await models.activations(self._pool)
        latest = line[-1] if line else None
        content = await models.content_of(self._pool, latest.version) if latest and latest.version else None
        active = await asyncio.to_thread(_readable, content)
        after = _after(latest, active)
        wanted = Wanted(policy, content if active else None, after, self._now().date(), self._terms)
        taught: Counter[str] = Counter()

        async with _apart() as process:
            assert process.stdin is not None
            # Where it has died meanwhile, what it says of that tells more than the broken pipe.
            with suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(apart.header(wanted))
                async for decision in self._decisions(policy, seen_until(active) if active else None, taught):
                    process.stdin.write(apart.line_of(decision))
                    await process.stdin.drain()
                process.stdin.write(apart.end())
            found = await _found(process)

        candidate = await asyncio.to_thread(_candidate, found["content"])
        outcome = Outcome.TOO_FEW if candidate is None else Outcome.REFUSED
        if found["may_take_over"]:
            outcome = Outcome.ACTIVATED
        figures = {**found["figures"], "taught": dict(sorted(taught.items()))}
        return await comparisons.store(self._pool, run, candidate, latest, outcome, figures, self._now())

    async def _decisions(self, policy: Policy, seen: datetime | None, taught: Counter[str]) -> AsyncIterator[Decision]:
        number = await number_decided(self._pool)
        if number:
            look = audit.Seen(Kind.TRAINING, count=number)
            await audit.record(self._pool, _WHO, socket.gethostname(), [look], self._now())
        async for each in decided_requests(self._pool, self._keys):
            example = example_of(policy, each)
            if example is not None:
                taught[each.lesson.how] += 1
                yield Decision(example, each.lesson.at, seen is not None and each.was_known_at(seen))


def example_of(policy: Policy, decided: DecidedRequest) -> Example | None:
    """What a decided request teaches under that policy, with its weight; None where the policy has no such place any more."""
    label = label_of(policy, decided.category, decided.lesson)
    if label is None:
        return None
    weight = WEIGHTS[decided.lesson.how].value
    return Example(decided.title, decided.description, label, weight=weight, writer=decided.writer)


def _after(latest: Activation | None, active: Model | None) -> datetime | None:
    """From when on decisions may be held out: what the model in force has not seen; and where a person has chosen it,
    what was decided since, so that no comparison on older decisions overrules that person."""
    seen = seen_until(active) if active else None
    pinned = latest.activated_at if latest and latest.by is By.COMMAND else None
    return max(filter(None, (seen, pinned)), default=None)


def _readable(content: bytes | None) -> Model | None:
    """A model that this program cannot use decides nothing: the words do, as in the worker."""
    try:
        return from_bytes(content, "The model in force") if content else None
    except ModelUnusable:
        return None


def _candidate(content: bytes | None) -> Candidate | None:
    if content is None:
        return None
    model = from_bytes(content, "The new model")
    return Candidate(model.version, content, {"labels": model.labels, **model.facts})


def _told(kept: Comparison) -> Learnt:
    return Learnt(
        outcome=kept.outcome,
        comparison=kept.id,
        candidate=kept.candidate,
        active=kept.active,
        learnt=kept.figures["learnt"],
        held_out=kept.figures["held_out"],
        reasons=tuple(kept.figures.get("reasons", ())),
    )


@asynccontextmanager
async def _apart() -> AsyncIterator[asyncio.subprocess.Process]:
    """The process that trains; it is gone when the body ends, whatever happened."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", apart.MODULE, str(os.getpid()), env=_environment(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """Ours without its secrets: the process needs none. One thread a matrix, for they are small."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)}
    return {**ours, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


async def _found(process: asyncio.subprocess.Process) -> Any:
    written, complaint = await process.communicate()
    if process.returncode:
        # What it stumbled over it will stumble over again; what killed it may be gone.
        by_itself = process.returncode > 0
        kind = complaint.decode(errors="replace").rpartition("\n")[2][:80] if by_itself else ""
        said = kind or f"exit status {process.returncode}"
        raise ApplicationError(f"The training ended with {said}.", type=FAILED, non_retryable=by_itself)
    return apart.read_found(written)


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    """Tells Temporal that it goes on, so that another worker takes over soon after this one has died."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
