"""The policies at hand: parsed once, looked up without cost, and the active one at most two seconds behind the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from domain.deadlines import quiet_until
from domain.errors import HuishengError
from domain.planning import FeedbackPlan, plan_feedback
from domain.policy import Policy, from_plain
from domain.request import Snapshot

FRESH_SECONDS = 2.0

logger = structlog.get_logger(__name__)

ActiveVersion = Callable[[], Awaitable[str | None]]
ContentOf = Callable[[str], Awaitable[Mapping[str, Any] | None]]


class NoPolicy(HuishengError):
    """There is no active policy, or none of that version."""

    code = "no_policy"


class PolicyStore:
    """Policies by version, from wherever `active_version` and `content_of` look.

    While they fail, the last active policy goes on being used: a policy that is a minute old is better than none.
    """

    def __init__(
        self, active_version: ActiveVersion, content_of: ContentOf, now: Callable[[], float] | None = None
    ) -> None:
        """`now` is a clock in seconds that never goes back; that of the running loop unless given."""
        self._active_version = active_version
        self._content_of = content_of
        self._now = now
        self._parsed: dict[str, Policy] = {}
        self._active: Policy | None = None
        self._fresh_until = float("-inf")
        self._looking = asyncio.Lock()

    async def active(self) -> Policy:
        """The policy for new decisions. Raises NoPolicy where none was ever loaded."""
        if self._active is not None and self._clock() < self._fresh_until:
            return self._active
        async with self._looking:
            if self._active is None or self._clock() >= self._fresh_until:
                await self._look_again()
        assert self._active is not None
        return self._active

    async def version(self, version: str) -> Policy:
        """The policy of that version, active or not. Raises NoPolicy where it is not known."""
        parsed = self._parsed.get(version)
        if parsed is None:
            content = await self._content_of(version)
            if content is None:
                raise NoPolicy(f"There is no policy of version {version} in the database.", version=version)
            # Kept for good: a city changes its policy a few times a year, and old requests still need theirs.
            parsed = self._parsed[version] = from_plain(content, version)
        return parsed

    async def quiet_until(self, version: str | None, at: datetime) -> datetime | None:
        """The end of the quiet hours in which `at` lies, after that version of the policy or the active one."""
        policy = await (self.version(version) if version else self.active())
        return quiet_until(policy.quiet_hours, policy.zone, at)

    async def feedback_after(self, resolved: Snapshot) -> FeedbackPlan:
        """The clocks of the feedback from the latest turn of that request on, after its version of the policy or the active one."""
        policy = await (self.version(resolved.policy_version) if resolved.policy_version else self.active())
        assert resolved.updated_at is not None
        return plan_feedback(policy, resolved.updated_at, resolved.reference, resolved.category)

    async def _look_again(self) -> None:
        try:
            version = await self._active_version()
            if version is None:
                raise NoPolicy("No policy is active. Load one: huisheng policy load policies/demo")
            self._active = await self.version(version)
        except Exception as error:
            if self._active is None:
                raise
            logger.warning("policy_not_refreshed", kept=self._active.version, error=type(error).__name__)
        self._fresh_until = self._clock() + FRESH_SECONDS

    def _clock(self) -> float:
        return self._now() if self._now is not None else asyncio.get_running_loop().time()
