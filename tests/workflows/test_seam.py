"""The seam between two runs of a long life, torn at: at the worst moments, and under a worker that is killed again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from domain import commands as c
from domain.policy import shortened
from tests.city import a_city
from tests.conftest import FreshDatabase
from tests.skipping import a_real_server
from tests.town import Request, Town, a_text, until
from tests.town_hall import a_town
from tests.workflows.test_breakdowns import without_events
from tests.workflows.test_long_lives import runs_of
from workflows.contract import ActionTaken, Message

SHORT_HISTORIES = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=80")
A_TASK_IS_LOST_AFTER = timedelta(seconds=2)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    """Temporal itself, where a history of eighty events counts as long."""
    async with a_real_server(*SHORT_HISTORIES) as environment:
        yield environment


@pytest.fixture(scope="module")
async def seam_town(server: WorkflowEnvironment, fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    async with a_town(server, fresh_database(), policy=shortened(a_city(), 60.0)) as town:
        yield town


async def says(request: Request, first: int, count: int) -> None:
    for number in range(first, first + count):
        await request.handle.signal("supplemented", Message(number, datetime.now(UTC), a_text()))


async def number_of(request: Request, action: str) -> int:
    return (await request.actions()).count(action)


async def test_messages_that_come_while_a_long_life_ends_stay_in_the_timeline(seam_town: Town) -> None:
    request = await seam_town.submit()
    async with without_events(seam_town.pool):
        ending = asyncio.create_task(request.act(c.Transfer(seam_town.actor("dispatcher"), "next_city")))
        await asyncio.sleep(0.3)
        await says(request, 1, 30)
    await ending
    await until(request.is_over, within=30)
    assert (await request.actions())[2:] == ["transfer", *["not_applied"] * 30]
    assert await runs_of(request) > 1


async def test_action_that_is_asked_for_again_in_a_later_run_gets_the_same_answer(seam_town: Town) -> None:
    request = await seam_town.submit()
    accept = c.Accept(seam_town.actor("handler"))

    async def asked() -> ActionTaken:
        return await request.handle.execute_update("accept", accept, id="once", result_type=ActionTaken)

    first = await asked()
    await says(request, 1, 60)

    async def has_gone_on() -> bool:
        return await runs_of(request) > 1 and await number_of(request, "supplement") == 60

    await until(has_gone_on, within=30)
    await request.settled()
    assert await asked() == first
    assert await number_of(request, "accept") == 1
