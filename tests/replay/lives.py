"""Lives of requests that a new version of the workflow must be able to go on with: what each does, from its first day on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from db.requests import Contact
from domain import commands as c
from domain.request import Result, Solved, State, Urgency
from tests.town import LOST_KEYS, Request, Town, a_text, until
from workflows.contract import Message

Life = Callable[[Town], Awaitable[Request]]

A_YEAR = timedelta(days=365)
A_WHILE = timedelta(days=20)


async def straight_and_rated(town: Town) -> Request:
    request = await town.submit(lat=28.5, long=112.5)
    await request.accepted()
    await request.act(c.Contact(town.actor("handler"), c.ContactKind.VISIT, a_text()))
    await request.act(c.Progress(town.actor("handler"), a_text(), public=True))
    await request.act(c.Progress(town.actor("handler"), a_text()))
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    await request.rated()
    await request.wait(A_YEAR)
    return request


async def through_triage(town: Town) -> Request:
    request = await town.submit("Good morning to you all.")
    await request.hear("supplemented", text=a_text())
    await request.act(c.Reclassify(town.actor("dispatcher"), "clinic", a_text()))
    await request.act(c.SetUrgency(town.actor("dispatcher"), Urgency.URGENT, a_text()))
    await request.act(c.Assign(town.actor("dispatcher"), "health", "clinic"))
    await request.act(c.Reassign(town.actor("dispatcher"), "housing", a_text(), "street_light"))
    for _ in range(3):
        await request.hear("urged")
        await request.wait(timedelta(hours=25))
    await request.resolved()
    await request.wait(A_YEAR)
    return request


async def returned_three_times_and_decided(town: Town) -> Request:
    request = await town.submit()
    for department in ("health", "housing"):
        lead = "lead" if (await request.snapshot()).department == "housing" else "clinic_lead"
        await request.act(c.ReturnRequest(town.actor(lead), a_text(), department))
        await request.act(c.Assign(town.actor("dispatcher"), department, "clinic"))
    await request.act(c.ReturnRequest(town.actor("lead"), a_text(), "health"))
    await request.wait(timedelta(days=3))
    await request.act(c.Decide(town.actor("supervisor"), c.Decision.ASSIGN, a_text(), department="health"))
    await request.accepted("clinic_handler")
    return request


async def escalated_by_timer_to_the_top(town: Town) -> Request:
    request = await town.submit()
    await request.wait(A_WHILE)
    return request


async def taken_over(town: Town) -> Request:
    request = await town.submit("Litter everywhere.")
    await request.accepted("street_handler")
    await request.act(c.Escalate(town.actor("street_handler"), a_text()))
    await request.wait(A_WHILE)
    await request.resolved()
    return request


async def reopened_twice_then_final(town: Town) -> Request:
    request = await town.submit()
    await request.resolved()
    await request.rated(Solved.NO, 1)
    await request.resolved()
    await request.rated(Solved.PARTLY, 2)
    await request.hear("reopened", text=a_text())
    await request.resolved()
    await request.rated(Solved.NO, 1)
    await request.act(c.Decide(town.actor("supervisor"), c.Decision.CLOSE, a_text()))
    return request


async def withdrawn(town: Town) -> Request:
    request = await town.submit()
    await request.accepted()
    await request.hear("withdrawn", text=a_text())
    return request


async def declined(town: Town) -> Request:
    request = await town.submit("Good morning to you all.")
    await request.act(c.Decline(town.actor("dispatcher"), "court", a_text()))
    return request


async def transferred(town: Town) -> Request:
    request = await town.submit()
    await request.act(c.Transfer(town.actor("dispatcher"), "next_city"))
    return request


async def closed_without_a_reply(town: Town) -> Request:
    request = await town.submit()
    await request.resolved()
    await request.wait(A_YEAR)
    return request


async def sent_back_and_reopened_by_the_supervisor(town: Town) -> Request:
    request = await town.submit()
    await request.accepted()
    await request.act(c.Resolve(town.actor("handler"), Result.NOT_SOLVED, a_text()))
    await request.act(c.SendBack(town.actor("dispatcher"), a_text()))
    await request.act(c.Resolve(town.actor("handler"), Result.NOT_SOLVED, a_text()))
    await request.act(c.Approve(town.actor("dispatcher")))
    await request.rated()
    await request.act(c.Reopen(town.actor("supervisor"), a_text()))
    return request


async def run_by_an_admin(town: Town) -> Request:
    """Signals from the Temporal UI, some of them nonsense, and messages that come too late or twice."""
    request = await town.submit()
    await request.handle.signal("resolve", {"outcome": "solved", "reply": "Too early."})
    await request.handle.signal("escalate", {"reason": "The mayor asks.", "by": "Operator 7"})
    await request.handle.signal("resolve")
    await request.handle.signal("urged", args=["who", "knows"])
    await request.settled()
    await request.accepted()
    await request.handle.signal("resolve", {"outcome": "solved", "reply": "Done."})
    await request.settled()
    await request.act(c.Approve(town.actor("dispatcher")))
    await request.rated()
    await request.hear("rated", inbox_id=1, solved=Solved.NO, satisfied=1)
    await request.hear("rated", solved=Solved.NO, satisfied=1)
    return request


async def cancelled_in_vain(town: Town) -> Request:
    request = await town.submit()
    await request.handle.cancel()
    await request.resolved()
    await request.handle.cancel()
    await request.rated()
    return request


async def many_at_once(town: Town) -> Request:
    request = await town.submit()
    await request.accepted()
    notes = [request.act(c.Progress(town.actor("handler"), a_text(), public=True)) for _ in range(4)]
    messages = [request.handle.signal("supplemented", Message(n, datetime.now(UTC), a_text())) for n in range(1, 5)]
    withdrawing = request.handle.signal("withdrawn", Message(9, datetime.now(UTC)))
    await asyncio.gather(*notes, *messages, withdrawing, return_exceptions=True)
    await until(request.is_over)
    return request


async def database_away(town: Town) -> Request:
    """Steps that are tried again, first within the task and then after timers."""
    request = await town.submit()
    await town.pool.execute("alter table events rename to events_away")
    await request.handle.signal("urged", Message(1, datetime.now(UTC)))
    for _ in range(3):
        await request.wait(timedelta(minutes=1))
    await town.pool.execute("alter table events_away rename to events")
    while "urge" not in await request.actions():
        await request.wait(timedelta(minutes=1))
    return request


async def unreadable(town: Town) -> Request:
    """The first look fails for good, and a person decides."""
    request = await town.stored(keys=LOST_KEYS, contact=Contact())
    await town.start(request)
    while await request.state() is State.RECEIVED:
        await request.settled()
        await request.wait(timedelta(minutes=1))
    return request


async def through_a_gateway(town: Town) -> Request:
    """In a town whose notices go through Kannel."""
    request = await town.submit()
    await request.resolved()
    await request.rated()
    await request.wait(A_YEAR)
    return request


async def answered_in_quiet_hours(town: Town) -> Request:
    """In a town where they reign just now."""
    request = await town.submit()
    await request.resolved()
    await request.wait(timedelta(minutes=31))
    await request.rated()
    return request


LIVES: tuple[Life, ...] = (
    straight_and_rated, through_triage, returned_three_times_and_decided, escalated_by_timer_to_the_top, taken_over,
    reopened_twice_then_final, withdrawn, declined, transferred, closed_without_a_reply,
    sent_back_and_reopened_by_the_supervisor, run_by_an_admin, cancelled_in_vain, many_at_once, database_away, unreadable,
)  # fmt: skip
IN_A_TOWN_WITH_A_GATEWAY: tuple[Life, ...] = (through_a_gateway,)
IN_A_QUIET_TOWN: tuple[Life, ...] = (answered_in_quiet_hours,)
