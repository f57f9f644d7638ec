"""The short days of a demonstration: a shortened version of the policy in force, which gives way to the old one at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import db.policies
from db.pool import Pool
from demonstration.interface import DemonstrationFailed
from domain.durations import Unit
from domain.policy import Policy, from_plain, in_language, shortened, to_plain


@asynccontextmanager
async def short_days(pool: Pool, seconds_per_working_day: float) -> AsyncIterator[Policy]:
    """The shortened policy is in force while the body runs, however it ends. Raises DemonstrationFailed."""
    version = await db.policies.active_version(pool)
    content = await db.policies.content_of(pool, version) if version else None
    if version is None or content is None:
        raise DemonstrationFailed("No policy is in force. Load one: huisheng policy load DIR.")
    usual = from_plain(content, version)
    if is_short(usual):
        raise DemonstrationFailed(
            "The policy in force is the shortened one of another demonstration, which is still running or was killed. Wait for "
            "it, or load the city's own again: huisheng policy load DIR."
        )
    short = shortened(usual, seconds_per_working_day)
    try:
        await _put_in_force(pool, short)
        yield short
    finally:
        # Ctrl-C must not come in between.
        await asyncio.shield(_put_in_force(pool, usual))


def is_short(policy: Policy) -> bool:
    """Whether every promise of it is in seconds, which no city would write."""
    return all(level.resolve.unit is Unit.SECONDS for level in policy.service_levels)


async def _put_in_force(pool: Pool, policy: Policy) -> None:
    name = in_language(policy.city.name, policy.city.languages[0])
    await db.policies.activate(pool, policy.version, name, to_plain(policy), datetime.now(UTC))
