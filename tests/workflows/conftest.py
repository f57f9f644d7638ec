"""A town for workflow tests: the time-skipping server, a real database, and a worker as in production but sandboxed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.conftest import FreshDatabase
from tests.skipping import a_skipping_server
from tests.town import Town
from tests.town_hall import a_town


@pytest.fixture(scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """One server for all: its clock is global, so the tests of a session use it one after the other."""
    async with a_skipping_server() as environment:
        yield environment


@pytest.fixture(scope="session")
async def lasting_town(skipping: WorkflowEnvironment, fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    async with a_town(skipping, fresh_database()) as ready:
        yield ready


@pytest.fixture
async def town(lasting_town: Town) -> AsyncIterator[Town]:
    """The town of the session; what a test leaves open there is put away."""
    yield lasting_town
    await lasting_town.put_away()
