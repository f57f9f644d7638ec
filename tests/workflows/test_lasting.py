"""A run that an admin cancels in the Temporal UI goes on: a request ends by its own procedure alone."""

from __future__ import annotations

from datetime import timedelta

from tests.town import Town


async def test_cancelled_run_goes_on_as_if_nothing_had_been(town: Town) -> None:
    request = await town.submit()
    await request.handle.cancel()
    await request.resolved()
    await request.handle.cancel()
    await request.settled()
    assert await request.is_running()
    await request.rated()
    assert await request.actions() == ["submit", "auto_assign", "accept", "resolve", "rate"]


async def test_clocks_of_a_cancelled_run_go_on(town: Town) -> None:
    request = await town.submit()
    await request.handle.cancel()
    await request.wait(timedelta(days=8))
    assert "escalate" in await request.actions()
