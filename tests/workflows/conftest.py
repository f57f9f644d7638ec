"""A town for workflow tests: the time-skipping server, a real database, and a worker as in production but sandboxed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.policy import shortened
from tests.city import a_city
from tests.conftest import FreshDatabase
from tests.skipping import a_real_server, a_skipping_server, until_monday
from tests.town import Town
from tests.town_hall import a_town

SECONDS_PER_WORKING_DAY = 2.0
"""Of the quick town."""
CALM_SECONDS = 600.0
"""Of a working day in the calm town: no clock rings there while a test looks at something else."""


@pytest.fixture(scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """One server for all: its clock is global, so the tests of a session use it one after the other."""
    async with a_skipping_server() as environment:
        yield environment


@pytest.fixture(scope="session")
async def lasting_town(skipping: WorkflowEnvironment, fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    async with a_town(skipping, fresh_database()) as ready:
        yield ready


@pytest.fixture(scope="session")
async def lasting_quick_town(fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    """On Temporal itself, where children are no obstacle to time and a history of 400 events counts as long."""
    async with _a_town_whose_days_last(SECONDS_PER_WORKING_DAY, fresh_database()) as ready:
        yield ready


@pytest.fixture(scope="session")
async def lasting_calm_town(fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    async with _a_town_whose_days_last(CALM_SECONDS, fresh_database()) as ready:
        yield ready


@asynccontextmanager
async def _a_town_whose_days_last(seconds: float, database_url: str) -> AsyncIterator[Town]:
    async with (
        a_real_server("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=400") as environment,
        a_town(environment, database_url, policy=shortened(a_city(), seconds)) as ready,
    ):
        yield ready


@pytest.fixture
async def quick_town(lasting_quick_town: Town) -> AsyncIterator[Town]:
    yield lasting_quick_town
    await lasting_quick_town.put_away()


@pytest.fixture
async def calm_town(lasting_calm_town: Town) -> AsyncIterator[Town]:
    yield lasting_calm_town
    await lasting_calm_town.put_away()


@pytest.fixture
async def town(lasting_town: Town) -> AsyncIterator[Town]:
    """The town of the session, at nine on a Monday; what a test leaves open there is put away."""
    await until_monday(lasting_town.environment)
    yield lasting_town
    await lasting_town.put_away()
