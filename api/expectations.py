"""What citizens can expect, kept for some minutes: many look up the same kind of request, and experience grows slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from db import expectations
from db.pool import Pool
from domain.expectation import Expectation, Experience, Scope, clock_of, expectation, experience, is_expected
from domain.policy import Policy
from domain.request import Event, Snapshot

FRESH = timedelta(minutes=5)
_MOST_KINDS = 5_000

_Kind = tuple[str, str, str]
"""The version of the policy, the category and the department."""


class Expectations:
    """What the read model says about each kind of request, at most five minutes old."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: dict[_Kind, tuple[datetime, Experience]] = {}
        self._looking = asyncio.Lock()

    async def of(
        self, policy: Policy, snapshot: Snapshot, events: Iterable[Event], now: datetime
    ) -> Expectation | None:
        """Under the policy of the request, from its whole timeline. None where no department owes an answer."""
        if not is_expected(snapshot):
            return None
        assert snapshot.category is not None
        assert snapshot.department is not None
        past = await self._experience(policy, snapshot.category, snapshot.department, now)
        return expectation(policy, snapshot, events, past, now)

    async def _experience(self, policy: Policy, category: str, department: str, now: datetime) -> Experience:
        kind = (policy.version, category, department)
        known = self._fresh(kind, now)
        if known is None:
            async with self._looking:
                known = self._fresh(kind, now)
                if known is None:
                    known = await self._look(policy, category, department, now)
                    self._keep(kind, known, now)
        return known

    def _fresh(self, kind: _Kind, now: datetime) -> Experience | None:
        looked_at, known = self._known.get(kind, (None, None))
        return known if looked_at is not None and abs(now - looked_at) < FRESH else None

    def _keep(self, kind: _Kind, known: Experience, now: datetime) -> None:
        if len(self._known) >= _MOST_KINDS:
            self._known.clear()
        self._known[kind] = (now, known)

    async def _look(self, policy: Policy, category: str, department: str, now: datetime) -> Experience:
        """Of the department alone where it has had enough of them, or else of all departments."""
        clock = clock_of(policy, category)
        own = await expectations.cases(self._pool, category, department, now)
        found = experience(policy.calendar, clock, own, Scope.DEPARTMENT)
        if found.usual is not None:
            return found
        every = await expectations.cases(self._pool, category, None, now)
        return experience(policy.calendar, clock, every, Scope.CATEGORY)
