"""Which requests need a run, as the read model says: open, waiting for a rating, or still to be reopened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from db import rebuilding
from db.inbox import InboxRow
from db.pool import Database
from db.rebuilding import Lasting as Lasting
from domain.planning import plan_feedback
from domain.policy import Policy
from domain.rebuilding import is_owed_a_run, reopen_until
from domain.request import Snapshot

OVER_FOR_GOOD = timedelta(days=3)
"""A run may outlive its request while notices wait for the morning, or for a gateway, which it gives up after two days."""

_REFERENCES_AT_ONCE = 500


class Policies(Protocol):
    """What the time for reopening is told from."""

    async def active(self) -> Policy: ...

    async def version(self, version: str) -> Policy: ...


class WantedRuns:
    """Asks the read model. `now` is the clock of this machine."""

    def __init__(self, database: Database, policies: Policies, now: Callable[[], datetime]) -> None:
        self._database = database
        self._policies = policies
        self._now = now

    async def all(self) -> AsyncIterator[Lasting]:
        """Every request that needs a run."""
        now = self._now()
        window = plan_feedback(await self._policies.active(), now).reopen_until - now
        # The window of an earlier version may have been longer.
        async for each in rebuilding.lasting(self._database, now - 2 * window):
            if await self._is_owed(each):
                yield each

    async def of(self, references: Sequence[str]) -> list[Lasting]:
        """Those of the references that need one."""
        found = await rebuilding.by_references(self._database, references)
        return [each for each in found if await self._is_owed(each)]

    async def submission(self, each: Lasting) -> InboxRow | None:
        """The message that its run began with."""
        return await rebuilding.submission(self._database, each.request_id)

    async def over_for_good(self, references: Sequence[str]) -> tuple[list[str], list[str]]:
        """Those to which nothing has happened for days, and those that the database does not have."""
        before = self._now() - OVER_FOR_GOOD
        settled: dict[str, bool] = {}
        for start in range(0, len(references), _REFERENCES_AT_ONCE):
            chunk = references[start : start + _REFERENCES_AT_ONCE]
            settled |= await rebuilding.settled_since(self._database, chunk, before)
        over = [each for each in references if settled.get(each)]
        return over, [each for each in references if each not in settled]

    async def _is_owed(self, each: Lasting) -> bool:
        own_end = await self._end_of(each.stands)
        parent_end = await self._end_of(each.parent) if each.parent else None
        return is_owed_a_run(each.stands, own_end, parent_end, self._now())

    async def _end_of(self, stands: Snapshot) -> datetime | None:
        if stands.policy_version is None:
            return None
        return reopen_until(await self._policies.version(stands.policy_version), stands)
