"""What the database and Temporal say of the whole system, looked up when it is asked for and at most every few seconds.

Over a connection of its own: that there is none left for the interface is one of the things to be seen. While the database
is away the last figures stay, and their age tells so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from db.figures import Standing, standing
from db.pool import Pool

logger = structlog.get_logger(__name__)

FRESH_SECONDS = 10.0
"""Prometheus comes every fifteen seconds; whoever comes more often gets the same figures again."""
WITHIN_SECONDS = 4.0


class StoredFigures(Collector):
    """`refresh` before each collection. `pool` may be opened without a connection; it needs one at most."""

    def __init__(self, pool: Pool, now: Callable[[], datetime], engine_answers: Callable[[], Awaitable[bool]]) -> None:
        self._pool = pool
        self._now = now
        self._engine_answers = engine_answers
        self._standing: Standing | None = None
        self._database_up = False
        self._engine_up = False
        self._fresh_until = float("-inf")
        self._looking = asyncio.Lock()

    async def refresh(self) -> None:
        """Looks again if the last look is a while ago."""
        async with self._looking:
            clock = asyncio.get_running_loop().time
            if clock() >= self._fresh_until:
                self._engine_up, _ = await asyncio.gather(self._engine_answers(), self._look())
                self._fresh_until = clock() + FRESH_SECONDS

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                self._standing = await standing(self._pool, self._now())
            self._database_up = True
        except Exception as error:
            # Whatever it is: those who watch are told by the figure, and must get all the others.
            logger.warning("figures_not_looked_up", error=type(error).__qualname__)
            self._database_up = False

    def collect(self) -> Iterator[Metric]:
        yield _one("huisheng_database_up", "1 when the database answered in time.", self._database_up)
        yield _one("huisheng_engine_up", "1 when Temporal answered in time.", self._engine_up)
        if self._standing is not None:
            yield from _of_requests(self._standing, self._now())
            yield from _of_queues(self._standing)
            yield from _of_versions(self._standing)


def _of_requests(found: Standing, now: datetime) -> Iterator[Metric]:
    yield _one(
        "huisheng_figures_age_seconds",
        "How old the figures are that come from the database.",
        max(0.0, (now - found.at).total_seconds()),
    )
    states = GaugeMetricFamily("huisheng_open_requests", "Open requests by state.", labels=["state"])
    for state, number in sorted(found.open.items()):
        states.add_metric([state], number)
    yield states
    overdue = GaugeMetricFamily(
        "huisheng_overdue_requests",
        "Requests whose promise is broken, by department and escalation level.",
        labels=["department", "level"],
    )
    for (department, level), number in sorted(found.overdue.items()):
        overdue.add_metric([department, str(level)], number)
    yield overdue


def _of_queues(found: Standing) -> Iterator[Metric]:
    yield _one("huisheng_inbox_waiting", "Messages of citizens that no run has yet.", found.backlog.waiting)
    yield _one("huisheng_inbox_oldest_seconds", "Age of the oldest of them.", _age(found, found.backlog.oldest_at))
    unsent = GaugeMetricFamily("huisheng_unsent_notices", "Notices that are not sent, by state.", labels=["state"])
    for state, number in found.unsent.items():
        unsent.add_metric([state], number)
    yield unsent
    yield _one(
        "huisheng_unsent_notices_oldest_seconds",
        "How long the oldest of them could have been sent; what quiet hours hold back does not count.",
        _age(found, found.unsent_since),
    )
    yield _one("huisheng_failed_notices", "Notices of the last week that wait for a person.", found.failed)


def _of_versions(found: Standing) -> Iterator[Metric]:
    for kind, version in (("schema", found.schema), ("policy", found.policy), ("model", found.model)):
        about = GaugeMetricFamily(f"huisheng_{kind}_info", f"Always 1; the {kind} in force.", labels=["version"])
        about.add_metric([version or "none"], 1)
        yield about


def _age(found: Standing, since: datetime | None) -> float:
    return max(0.0, (found.at - since).total_seconds()) if since is not None else 0.0


def _one(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=float(value))
