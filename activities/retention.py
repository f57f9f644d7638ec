"""Erasing in batches what is kept no longer: each can be repeated, and the next begins where the last one ended."""

# Without `from __future__ import annotations`: these values travel through Temporal.

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from temporalio import activity

from db import erasure, views
from db.erasure import Candidate
from db.pool import Pool
from domain.planning import plan_feedback
from domain.policy import Policy
from domain.request import Snapshot, State
from domain.retention import Because, Wait, wait_of_retention
from policies.store import NoPolicy

BATCH = 200


@dataclass(frozen=True)
class Sweep:
    """What is to be looked through: all that is over, or only what somebody demanded; from which place on.

    `erased` counts what the batches before this one have erased.
    """

    demands_only: bool = False
    after_at: datetime | None = None
    after_id: str | None = None
    erased: int = 0


@dataclass(frozen=True)
class Swept:
    """How many were erased and how many must wait; `next` is where the next batch begins, None after the last."""

    erased: int
    waiting: int
    next: Sweep | None = None


class Policies(Protocol):
    """What retention asks of the policies at hand."""

    async def active(self) -> Policy: ...

    async def version(self, version: str) -> Policy: ...


class RetentionActivities:
    """The time of keeping is that of the policy in force now: a city that shortens it means all that it keeps."""

    def __init__(
        self,
        pool: Pool,
        policies: Policies,
        *,
        batch: int = BATCH,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._policies = policies
        self._batch = batch
        self._now = now

    @activity.defn
    async def erase_due(self, sweep: Sweep) -> Swept:
        """One batch. Tried again, it finds what is left; what it has erased is not found any more."""
        keep = timedelta(days=(await self._policies.active()).limits.retention_days)
        found = await self._candidates(sweep, keep)
        waits = [await self._meet(each) if sweep.demands_only else await self._outdated(each, keep) for each in found]
        erased = waits.count(None)
        if len(found) < self._batch:
            return Swept(erased, len(waits) - erased)
        last = found[-1]
        following = Sweep(sweep.demands_only, last.at, str(last.request_id), sweep.erased + erased)
        return Swept(erased, len(waits) - erased, following)

    async def _candidates(self, sweep: Sweep, keep: timedelta) -> list[Candidate]:
        after = Candidate(sweep.after_at, UUID(sweep.after_id)) if sweep.after_at and sweep.after_id else None
        if sweep.demands_only:
            return await erasure.demanded(self._pool, after, self._batch)
        return await erasure.outdated(self._pool, self._now() - keep, after, self._batch)

    async def _meet(self, candidate: Candidate) -> Wait | None:
        demand = await erasure.demand_of(self._pool, candidate.request_id)
        by = demand.demanded_by if demand else Because.RETENTION
        return await erasure.meet_demand(self._pool, candidate.request_id, by, self._now())

    async def _outdated(self, candidate: Candidate, keep: timedelta) -> Wait | None:
        snapshot = await views.snapshot(self._pool, candidate.request_id)
        parent_over_since = await erasure.parent_over_since(self._pool, candidate.request_id)
        reopen_until = await self._reopen_until(snapshot)
        wait = wait_of_retention(snapshot, parent_over_since, self._now(), keep, reopen_until)
        return wait or await erasure.erase(self._pool, snapshot, Because.RETENTION, self._now())

    async def _reopen_until(self, snapshot: Snapshot) -> datetime | None:
        """Until when the citizen may ask to have it done again; as long as that its run may write."""
        if snapshot.state is not State.CLOSED or snapshot.resolved_at is None:
            return None
        return plan_feedback(await self._policy_of(snapshot), snapshot.resolved_at).reopen_until

    async def _policy_of(self, snapshot: Snapshot) -> Policy:
        try:
            return await self._policies.version(snapshot.policy_version or "")
        except NoPolicy:
            return await self._policies.active()
