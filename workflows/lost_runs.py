"""Runs that Temporal does not have though their requests need them: found, and started again where they stood.

Which request needs a run, the read model says; where the run stood, it finds out itself when it begins (RequestWorkflow).
Starting one again may be tried at any time and by any number of programs: where a run is open, nothing happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.relay import InboxRow
from activities.wanted_runs import Lasting, WantedRuns
from domain.request import Snapshot, State
from workflows.contract import reference_of, workflow_id
from workflows.delivery import submitted_of
from workflows.starting_again import PATIENCE, rebuilt_run_of, start_again

logger = structlog.get_logger(__name__)

EVERY = timedelta(minutes=10)
AFTER_A_FAILURE = timedelta(minutes=1)
"""Sooner: one answer that came too late would otherwise hold up all that is still to be brought back."""
MOST_IN_A_SWEEP = 2_000
"""So many are kept in mind at a time, of however many are missing; the next look follows at once where there are more."""
A_SECOND = 20.0
"""So many are brought back in a second at most: the others, and the citizens, come first. All workers go through the same list in
the same order, each at this pace: together they are no quicker, and where one dies nobody waits for its share."""

_OPEN_RUNS = 'WorkflowType = "RequestWorkflow" AND ExecutionStatus = "Running"'
_ASKED_AT_ONCE = 20


@dataclass
class Checked:
    """How the open runs and the requests agree. `ended` and `unknown` are references."""

    requests: int = 0
    runs: int = 0
    missing: list[Lasting] = field(default_factory=list)  # requests that need a run and have none
    more_missing: int = 0  # so many beside them, which nobody asked to be named
    ended: list[str] = field(default_factory=list)  # runs that go on though their requests are over for days
    unknown: list[str] = field(default_factory=list)  # runs of requests that the database does not have

    @property
    def number_missing(self) -> int:
        return len(self.missing) + self.more_missing

    @property
    def agree(self) -> bool:
        return not (self.missing or self.ended or self.unknown)


@dataclass(frozen=True)
class Swept:
    """What a sweep has done, and how many it has found missing and left for the next."""

    brought_back: int
    left: int


class Noted(Protocol):
    """Who is told what the looks find."""

    def found(self, *, needed: int, open_runs: int, missing: int, ended: int, unknown: int) -> None: ...

    def brought_back(self, because: str) -> None: ...

    def finished(self, *, missing: int) -> None: ...


class _Unnoted:
    def found(self, *, needed: int, open_runs: int, missing: int, ended: int, unknown: int) -> None:
        return

    def brought_back(self, because: str) -> None:
        return

    def finished(self, *, missing: int) -> None:
        return


class LostRuns:
    """Compares the runs with the requests, and brings back what is missing."""

    def __init__(self, client: Client, wanted: WantedRuns, noted: Noted | None = None) -> None:
        self._client = client
        self._wanted = wanted
        self.noted: Noted = noted or _Unnoted()

    async def check(self, most: int | None = None) -> Checked:
        """Looks at every open run and at every request that may need one. When `most` are missing, others are only counted."""
        checked, suspects = Checked(), list[Lasting]()
        # The runs first: one that begins meanwhile is asked for by its id before it counts as missing.
        unexplained = {reference async for reference in self._open_runs()}
        checked.runs = len(unexplained)
        async for each in self._wanted.all():
            checked.requests += 1
            if each.reference in unexplained:
                unexplained.discard(each.reference)
            elif most is not None and len(checked.missing) >= most:
                checked.more_missing += 1
            else:
                suspects.append(each)
            if len(suspects) == _ASKED_AT_ONCE:
                checked.missing += await self._missing_of(suspects)
                suspects.clear()
        checked.missing += await self._missing_of(suspects)
        checked.ended, checked.unknown = await self._wanted.over_for_good(sorted(unexplained))
        return checked

    async def needing(self, references: list[str]) -> list[Lasting]:
        """Those of the references that need a run, whether they have one or not."""
        return await self._wanted.of(references)

    async def bring_back(self, each: Lasting) -> bool:
        """Start its run again, where it stood or, where nothing was recorded of it, from the beginning; False where one is open."""
        if each.sequence > 0:
            return await start_again(self._client, rebuilt_run_of(_snapshot(each)))
        first = await self._wanted.submission(each)
        return first is not None and await start_again(self._client, submitted_of(first))

    async def bring_back_for(self, row: InboxRow) -> bool:
        """For a message whose run is not there: whether it was lost, and is there again soon."""
        needing = await self.needing([row.reference])
        for each in needing:
            if await self.bring_back(each):
                logger.warning("run_brought_back", reference=each.reference, because="message")
                self.noted.brought_back("message")
        return bool(needing)

    async def end(self, reference: str, because: str) -> None:
        """End the run of a request, where one is open."""
        try:
            await self._client.get_workflow_handle(workflow_id(reference)).terminate(because, rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _open_runs(self) -> AsyncIterator[str]:
        async for run in self._client.list_workflows(_OPEN_RUNS, page_size=1_000):
            yield reference_of(run.id)

    async def _missing_of(self, suspects: list[Lasting]) -> list[Lasting]:
        are_there = await asyncio.gather(*(self._is_there(each) for each in suspects))
        gone = [each.reference for each, is_there in zip(suspects, are_there, strict=True) if not is_there]
        # What came to its end meanwhile is not lost: the database knew of the end before Temporal did.
        return await self.needing(gone) if gone else []

    async def _is_there(self, each: Lasting) -> bool:
        """The list lags behind by a moment; this does not. A run is there, too, that has waited until nobody may reopen its
        request any more: it went by Temporal's clock, and this machine's may be behind."""
        try:
            run = await self._client.get_workflow_handle(workflow_id(each.reference)).describe(rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        if run.status is WorkflowExecutionStatus.COMPLETED:
            return each.stands.state is State.CLOSED
        return run.status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW)


async def watch_runs(
    lost: LostRuns,
    *,
    every: timedelta = EVERY,
    after_a_failure: timedelta = AFTER_A_FAILURE,
    a_second: float = A_SECOND,
) -> None:
    """Brings back, until it is cancelled, what is missing. Temporal or the database may be away for a while."""
    while True:
        try:
            swept = await sweep(lost, a_second)
        except Exception as error:
            logger.warning("runs_not_checked", error=type(error).__qualname__)
            await asyncio.sleep(after_a_failure.total_seconds())
            continue
        # Whoever brought them back meanwhile: a look that could not do all is followed by the next at once.
        if swept.left == 0:
            await asyncio.sleep(every.total_seconds())


async def sweep(lost: LostRuns, a_second: float = A_SECOND) -> Swept:
    """One look, and at most so many runs brought back."""
    checked = await lost.check(MOST_IN_A_SWEEP)
    lost.noted.found(
        needed=checked.requests, open_runs=checked.runs,
        missing=checked.number_missing, ended=len(checked.ended), unknown=len(checked.unknown),
    )  # fmt: skip
    brought = 0
    for each in checked.missing:
        if await lost.bring_back(each):
            brought += 1
            lost.noted.brought_back("look")
        await asyncio.sleep(1 / a_second)
    lost.noted.finished(missing=checked.more_missing)
    if not checked.agree:
        logger.warning(
            "runs_checked", requests=checked.requests, runs=checked.runs, missing=checked.number_missing,
            brought_back=brought, ended=len(checked.ended), unknown=len(checked.unknown),
        )  # fmt: skip
    return Swept(brought, left=checked.more_missing)


def _snapshot(each: Lasting) -> Snapshot:
    return Snapshot(str(each.request_id), each.reference, each.submitted_at, each.confidential, each.sequence)
