"""Runs that are lost, and what must be the same of one that is rebuilt from the read model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from activities.rebuilding import RebuildingActivities
from domain.rebuilt import Rebuilt
from domain.request import PAUSED, TERMINAL, Alarm, AlarmKind, State
from tests.town import Request
from tests.town_hall import a_store
from workflows.carried import Carried
from workflows.request import RequestWorkflow
from workflows.starting_again import rebuilt_run_of, start_again

MOMENT = timedelta(seconds=5)
"""A plan is made a moment before it is recorded."""


async def carried_by(request: Request) -> Carried:
    """What the run itself would go on with."""
    return await request.handle.query(RequestWorkflow.carried)


async def rebuilt_of(request: Request) -> Rebuilt:
    """What another would go on with, were it lost now."""
    town = request.town
    activities = RebuildingActivities(town.pool, a_store(town.policy, town.pool))
    return await activities.rebuilt(request.id, await town.environment.get_current_time())


async def lose(request: Request) -> None:
    """Its run is ended as an admin might by mistake, and begins again where it stood."""
    await request.handle.terminate("by mistake")
    assert await start_again(request.town.environment.client, rebuilt_run_of(await request.snapshot()))
    await request.settled()


def differences(ought: Carried, told: Rebuilt) -> Iterator[str]:
    """In words, what a rebuilt run would do otherwise than the one that was lost."""
    for name in ("snapshot", "latest", "followers"):
        yield from _unequal(name, getattr(ought, name), getattr(told, name))
    yield from _answers(ought, told)
    state = ought.snapshot.state
    yield from _clocks("alarms", ought.alarms, told.alarms)
    if state in PAUSED:
        yield from _clocks("stopped", ought.stopped, told.stopped)
    if state not in TERMINAL:
        yield from _unequal("rungs", ought.rungs, told.rungs)
        yield from _pauses(ought.pauses, told.pauses)
    if state in (State.RESOLVED, State.CLOSED) and not _close(ought.reopen_until, told.reopen_until):
        yield f"reopen_until is {told.reopen_until}, not {ought.reopen_until}"


def _unequal(name: str, ought: Any, told: Any) -> Iterator[str]:
    if ought != told:
        yield f"{name} is {told}, not {ought}"


def _answers(ought: Carried, told: Rebuilt) -> Iterator[str]:
    """Only what was recorded within its task is kept beside its event."""
    known = {each.update_id: (each.state, each.sequence) for each in ought.answered}
    for each in told.answered:
        if known.get(each.update_id) != (each.state, each.sequence):
            yield f"{each.update_id} was answered {each.state} {each.sequence}, not {known.get(each.update_id)}"


def _clocks(name: str, ought: tuple[Alarm, ...], told: tuple[Alarm, ...]) -> Iterator[str]:
    one, other = _counted(ought), _counted(told)
    if [clock[:2] for clock in one] != [clock[:2] for clock in other]:
        yield f"{name} are {[f'{k} {r} {at}' for k, r, at in other]}, not {[f'{k} {r} {at}' for k, r, at in one]}"
        return
    for mine, theirs in zip(one, other, strict=True):
        if not _close(mine[2], theirs[2]):
            yield f"{name}: {mine[0]} rings at {theirs[2]}, not {mine[2]}"


def _counted(alarms: tuple[Alarm, ...]) -> list[tuple[str, str, datetime]]:
    """The last end of reopening counts: a request that was closed twice has two."""
    last = max((each.at for each in alarms if each.kind is AlarmKind.END_REOPENING), default=None)
    return sorted(
        (each.kind.value, str(each.rung), each.at)
        for each in alarms
        if each.kind is not AlarmKind.END_REOPENING or each.at == last
    )


def _pauses(ought: tuple[tuple[datetime, datetime], ...], told: tuple[tuple[datetime, datetime], ...]) -> Iterator[str]:
    if len(ought) != len(told):
        yield f"pauses are {told}, not {ought}"
    for mine, theirs in zip(ought, told, strict=False):
        if not (_close(mine[0], theirs[0]) and _close(mine[1], theirs[1])):
            yield f"a pause was {theirs}, not {mine}"


def _close(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < MOMENT
