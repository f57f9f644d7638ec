"""A worker in a process of its own, so that it can be killed in the middle: `python -m tests.mortal <temporal> <database>`."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.providers.console import ConsoleProvider
from db.pool import open_pool
from domain.policy import shortened
from domain.promises import HALF_A_YEAR
from tests.city import a_city
from tests.town import KEYS
from tests.town_hall import a_worker
from workflows.connection import data_converter

PROJECT = Path(__file__).parents[1]
SECONDS_PER_WORKING_DAY = 1.5
_SHORTENED = shortened(a_city(), SECONDS_PER_WORKING_DAY)
QUICK = replace(_SHORTENED, limits=replace(_SHORTENED.limits, longest_hold=HALF_A_YEAR))
"""Days of seconds; but a review is on a date, and dates are as ever."""


class MortalWorker:
    """Start it, kill it without a warning, start it again."""

    def __init__(self, temporal_address: str, database_url: str) -> None:
        self._arguments = (sys.executable, "-m", "tests.mortal", temporal_address, database_url)
        self._process: asyncio.subprocess.Process | None = None
        self.deaths = 0

    async def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        self._process = await asyncio.create_subprocess_exec(
            *self._arguments, cwd=PROJECT, env=environment, stdout=asyncio.subprocess.DEVNULL
        )

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None
            self.deaths += 1


async def work(temporal_address: str, database_url: str) -> None:
    client = await Client.connect(temporal_address, data_converter=data_converter(KEYS))
    async with open_pool(database_url, size=5) as pool:
        environment = WorkflowEnvironment.from_client(client)
        async with a_worker(environment, pool, QUICK, ConsoleProvider(pool, KEYS)):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
