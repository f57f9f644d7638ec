"""A town for workflow tests: the time-skipping server, a real database, and a worker as in production but sandboxed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from tests.conftest import FreshDatabase
from tests.town import Town, a_town
from workflows.connection import DATA_CONVERTER
from workflows.visibility import ATTRIBUTES

_TEST_SERVER = Path(sys.executable).parent / "temporal-test-server"


@pytest.fixture(scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """One server for all: its clock is global, so the tests of a session use it one after the other."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(_TEST_SERVER), data_converter=DATA_CONVERTER
    ) as environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=environment.client.namespace, search_attributes={key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in ATTRIBUTES})
        )
        yield environment


@pytest.fixture(scope="session")
async def town(skipping: WorkflowEnvironment, fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    async with a_town(skipping, fresh_database()) as ready:
        yield ready
