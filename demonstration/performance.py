"""A whole demonstration: short days, the play, and the books at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from db.migrations import require_version
from db.pool import open_pool
from demonstration import characters
from demonstration.books import Books, Check, calm, checks, read_books
from demonstration.interface import Account, DemonstrationFailed, Interface, interface_at
from demonstration.labels import departments_by_label
from demonstration.messages import CitizenMessage
from demonstration.play import Play, Progress, Story
from demonstration.public import Public
from demonstration.shortening import short_days
from demonstration.staff import Staff
from domain.policy import Policy
from domain.request import Role
from policies.store import FRESH_SECONDS
from settings import Settings

CALM_WITHIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be played: how many messages a second, how long a working day lasts, and who plays."""

    messages: Sequence[CitizenMessage] = field(repr=False)
    rate_per_second: float
    day: timedelta
    seed: int
    labels: Path | None
    address: str
    accounts: Sequence[Account]


@dataclass(frozen=True, slots=True)
class Performance:
    """What came of it."""

    story: Story
    books: Books
    checked: Sequence[Check]


async def perform(settings: Settings, script: Script, tell: Callable[[Progress], None]) -> Performance:
    """Raises DemonstrationFailed, LabelsUnusable, or SchemaMismatch."""
    if not settings.demo:
        raise DemonstrationFailed(
            "This is a city's own system: a demonstration would shorten its deadlines. Use `make up`."
        )
    async with open_pool(settings.database_url, size=3, application_name="huisheng-demo") as pool:
        await require_version(pool)
        async with (
            interface_at(script.address, script.accounts) as interface,
            short_days(pool, script.day.total_seconds()) as policy,
        ):
            play = _play(interface, policy, script, tell)
            # The interface and the worker look that often for a new policy.
            await asyncio.sleep(FRESH_SECONDS + 0.5)
            first_on = _today(policy)
            before = await _counts(interface, first_on, first_on)
            story = await play.run()
        references = list(story.parts)
        await calm(pool, references, CALM_WITHIN_SECONDS)
        async with interface_at(script.address, script.accounts) as interface:
            after = await _counts(interface, first_on, _today(policy))
        books = await read_books(pool, references, before, after)
    return Performance(story, books, checks(story, books, len(script.messages)))


def _play(interface: Interface, policy: Policy, script: Script, tell: Callable[[Progress], None]) -> Play:
    staff = Staff(
        policy=policy,
        seed=script.seed,
        day=script.day,
        places=frozenset(code for account in script.accounts for code in account.departments),
        led=frozenset(code for account in script.accounts if account.lead for code in account.departments),
        labels=departments_by_label(policy, {m.label for m in script.messages if m.label}, script.labels),
        slow=characters.slow_departments(script.seed, (department.code for department in policy.departments)),
    )
    public = Public(script.seed, script.day)
    return Play(interface, staff, public, script.messages, script.rate_per_second, tell)


def _today(policy: Policy) -> date:
    return datetime.now(UTC).astimezone(ZoneInfo(policy.zone)).date()


async def _counts(interface: Interface, first_on: date, last_on: date) -> dict[str, Any]:
    supervisor = next(account for account in interface.accounts if Role.SUPERVISOR in account.roles)
    return await interface.rates(supervisor, first_on, last_on)
