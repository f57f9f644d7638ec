"""Notices that quiet hours hold back: the run wakes when they are over, even if its matter has ended meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from domain import commands as c
from domain.request import State, Urgency
from tests.city import a_city, an_hour_around
from tests.conftest import FreshDatabase
from tests.skipping import a_skipping_server
from tests.town import Town, a_text, until
from tests.town_hall import a_town


@pytest.fixture(scope="module")
async def quiet_town(fresh_database: FreshDatabase) -> AsyncIterator[Town]:
    # Quiet hours are told by the real clock, whatever the server's says.
    policy = a_city(quiet_hours=an_hour_around(datetime.now(UTC)))
    async with a_skipping_server() as environment, a_town(environment, fresh_database(), policy=policy) as ready:
        yield ready


async def test_citizen_is_left_in_peace_until_quiet_hours_are_over_and_the_run_lasts_until_then(
    quiet_town: Town,
) -> None:
    open_still, over = await quiet_town.submit(), await quiet_town.submit()
    await over.act(c.Transfer(quiet_town.actor("dispatcher"), "next_city"))
    assert await over.state() is State.TRANSFERRED
    assert await over.is_running()
    await open_still.resolved()
    assert await open_still.unsent() == ["resolved"]
    assert await over.unsent() == ["transferred"]

    # Only once: the server's clock is skipped, and the one that tells quiet hours is not.
    await open_still.wait(timedelta(minutes=31))
    await until(over.is_over)
    assert await open_still.unsent() == []
    assert await over.unsent() == []
    assert await open_still.actions() == ["submit", "auto_assign", "accept", "resolve"]


async def test_who_submits_at_night_gets_receipt_and_assignment_at_once(quiet_town: Town) -> None:
    request = await quiet_town.submit()
    assert await request.notices() == [("receipt", "citizen"), ("assigned", "citizen"), ("new_task", "handler")]
    assert await request.unsent() == []


async def test_danger_disturbs_the_quiet(quiet_town: Town) -> None:
    request = await quiet_town.submit("There is a gas leak!")
    assert await request.unsent() == []


async def test_danger_alerts_leads_and_supervisors_at_once_in_the_night(quiet_town: Town) -> None:
    request = await quiet_town.submit("There is a gas leak.")
    assert ("danger", "lead") in await request.notices("auto_assign")
    assert ("danger", "supervisor") in await request.notices("auto_assign")
    assert await request.unsent() == []


async def test_danger_that_looks_like_another_channels_matter_is_before_people_in_the_night(quiet_town: Town) -> None:
    request = await quiet_town.submit("My lawsuit goes on, and the neighbour has caused a gas leak.")
    assert {("danger", "lead"), ("danger", "supervisor")} <= set(await request.notices("auto_assign"))
    assert await request.unsent() == []
    assert await request.actions() == ["submit", "auto_assign"]


async def test_matter_found_to_be_dangerous_later_alerts_as_well(quiet_town: Town) -> None:
    request = await quiet_town.submit()
    await request.act(c.SetUrgency(quiet_town.actor("dispatcher"), Urgency.DANGER, a_text()))
    assert ("danger", "lead") in await request.notices("set_urgency")
    assert ("danger", "supervisor") in await request.notices("set_urgency")
    assert await request.unsent() == []
