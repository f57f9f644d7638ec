"""Temporal's time-skipping test server, and Temporal itself, ready for our workflows."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from tests.builders import MONDAY_NINE
from tests.town import KEYS
from workflows.connection import data_converter
from workflows.visibility import ATTRIBUTES

_TEMPORAL = Path(sys.executable).parent / "temporal"
_SERVER = Path(sys.executable).parent / "temporal-test-server"


@asynccontextmanager
async def a_real_server(*extra: str) -> AsyncIterator[WorkflowEnvironment]:
    """Temporal itself, in memory: for what the test server cannot do, with a policy whose days last seconds."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(_TEMPORAL),
        data_converter=data_converter(KEYS),
        search_attributes=list(ATTRIBUTES),
        dev_server_log_level="error",
        dev_server_extra_args=list(extra),
        ui=False,
    ) as environment:
        yield environment


async def until_monday(environment: WorkflowEnvironment) -> None:
    """Lets time pass to nine on a Monday: what happens next does not depend on the hour at which the tests run."""
    now = await environment.get_current_time()
    await environment.sleep((MONDAY_NINE - now) % timedelta(weeks=1))


@asynccontextmanager
async def a_skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """Its clock is one for all runs, and skips only while somebody waits for a result or sleeps on it."""
    types = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in ATTRIBUTES}
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(_SERVER), data_converter=data_converter(KEYS)
    ) as environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=environment.client.namespace, search_attributes=types)
        )
        yield environment
