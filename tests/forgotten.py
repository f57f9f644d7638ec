"""An action of staff as a task leaves it behind that was lost: in the database, and not in the history."""

from __future__ import annotations

from datetime import datetime

from db import read_model
from domain import commands as c
from domain.acts import ACTION_OF, take
from domain.lifecycle import permit
from domain.planned import Planned
from domain.record import Entry, Record
from domain.request import Act
from tests.town import Request
from workflows.acts import written

LOST = "lost"
"""The id of the update that asked for it."""


async def was_done(
    request: Request,
    command: c.Command,
    planned: Planned = None,
    update_id: str = LOST,
    began_at: datetime | None = None,
) -> Act:
    """Write the action down as the task did that was lost; the run knows nothing of it. The task may have begun before."""
    town = request.town
    before, now = await request.snapshot(), await town.environment.get_current_time()
    action = ACTION_OF[type(command)]
    turn = take(command, before, permit(before, action, command.by, began_at or now), now, planned)
    act = Act(update_id, action, written(command), turn.event.at)
    await read_model.record(town.pool, Record(turn.snapshot, (Entry(turn.event, turn.notices),), act), None, now)
    return act
