"""Nobody shall think that they are forgotten: after some working days without news the citizen hears where it stands (row 26)."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain import commands as c
from domain.deadlines import deadline
from domain.request import Result, State
from tests.town import Request, Town, a_text


def silence_ends(town: Town, since: datetime | None) -> datetime:
    assert since is not None
    return deadline(town.policy.calendar, since, town.policy.limits.heartbeat_after)


async def beats(request: Request) -> list[datetime]:
    return [event.at for event in await request.events() if event.action == "heartbeat"]


async def test_citizen_without_news_hears_who_has_it_and_when_it_is_due(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    told_at = (await request.snapshot()).told_at
    await request.wait_until(silence_ends(town, told_at) - timedelta(minutes=5))
    assert await beats(request) == []
    await request.wait_until(silence_ends(town, told_at))
    assert len(await beats(request)) == 1
    assert await request.notices("heartbeat") == [("heartbeat", "citizen")]
    event = (await request.events())[-1]
    assert (event.public, event.facts) == (True, {"department": "housing"})


async def test_news_puts_the_heartbeat_off(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    first = (await request.snapshot()).told_at
    await request.wait_until(silence_ends(town, first) - timedelta(hours=3))
    await request.act(c.Progress(town.actor("handler"), a_text(), public=True))
    await request.wait_until(silence_ends(town, first))
    assert await beats(request) == []
    await request.wait_until(silence_ends(town, (await request.snapshot()).told_at))
    assert len(await beats(request)) == 1


async def test_what_the_citizen_cannot_see_puts_nothing_off(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    first = (await request.snapshot()).told_at
    await request.wait(timedelta(hours=1))
    await request.act(c.Progress(town.actor("handler"), a_text()))
    await request.hear("supplemented", text=a_text())
    assert (await request.snapshot()).told_at == first
    await request.wait_until(silence_ends(town, first))
    assert len(await beats(request)) == 1


async def test_heartbeat_goes_on_as_long_as_nothing_happens_and_ends_with_the_answer(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    for count in (1, 2, 3):
        await request.wait_until(silence_ends(town, (await request.snapshot()).told_at))
        assert len(await beats(request)) == count
    taken = await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    assert taken.state in (State.IN_REVIEW, State.RESOLVED)


async def test_heartbeat_goes_on_while_on_hold_and_in_triage(town: Town) -> None:
    waiting = await town.submit("Good morning to you all.")
    held = await town.submit()
    await held.accepted()
    await held.act(c.RequestHold(town.actor("lead"), await town.day_in(60), a_text()))
    await held.act(c.ApproveHold(town.actor("supervisor")))
    told_at = (await held.snapshot()).told_at
    await held.wait_until(silence_ends(town, told_at))
    await waiting.settled()
    assert len(await beats(waiting)) == 1
    assert len(await beats(held)) == 1
    assert await held.state() is State.ON_HOLD
