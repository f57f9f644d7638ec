"""The main job: from the receipt to the rating, by the rules of PROCESS.md."""

from __future__ import annotations

from tests.town import Town


async def test_clear_request_is_assigned_at_once_and_everybody_told(town: Town) -> None:
    request = await town.submit("The street light is out.")
    state = await request.state()
    assert (state["state"], state["department"], state["category"]) == ("assigned", "housing", "street_light")
    assert await request.actions() == ["submit", "auto_assign"]
    assert await request.notices() == [("receipt", "citizen"), ("assigned", "citizen"), ("new_task", "handler")]
