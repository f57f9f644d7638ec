"""Lives with questions, holds, more time, calls, helpers and followers, and one that is longer than one run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from db import policies
from domain import commands as c
from domain.policy import to_plain
from domain.request import Result, Solved, State
from tests.forgotten import was_done
from tests.town import Request, Town, a_text, until
from workflows.contract import CATCH_UP, Message

A_MONTH = timedelta(days=31)
A_WEEK = timedelta(days=8)
MESSAGES = 30
"""So many that the history of a run that may hold sixty events grows long."""


async def accepted(town: Town, description: str = "The street light is out.") -> Request:
    request = await town.submit(description)
    await request.accepted()
    return request


async def question_answered(town: Town) -> Request:
    request = await accepted(town)
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    await request.hear("supplemented", text=a_text())
    await request.hear("answered", text=a_text())
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    await request.rated()
    await request.wait(A_MONTH)
    return request


async def question_unanswered(town: Town) -> Request:
    request = await accepted(town)
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    await request.wait(A_WEEK)
    await request.hear("answered", text=a_text())
    return request


async def taken_over_in_a_pause(town: Town) -> Request:
    request = await town.submit("Litter everywhere.")
    await request.accepted("street_handler")
    await request.act(c.Escalate(town.actor("street_handler"), a_text()))
    await request.act(c.AskCitizen(town.actor("street_handler"), a_text()))
    await request.wait(timedelta(hours=3))
    await request.act(c.Escalate(town.actor("street_handler"), a_text()))
    return request


async def hold_refused_then_reviewed(town: Town) -> Request:
    request = await accepted(town)
    for _ in range(2):
        await request.act(c.RequestHold(town.actor("lead"), await town.day_in(20), a_text()))
        if "refuse_hold" not in await request.actions():
            await request.act(c.RefuseHold(town.actor("supervisor"), a_text()))
    await request.act(c.ApproveHold(town.actor("supervisor"), a_text()))
    await request.wait(timedelta(days=25))
    return request


async def hold_resumed(town: Town) -> Request:
    request = await accepted(town)
    await request.act(c.RequestHold(town.actor("lead"), await town.day_in(20), a_text()))
    await request.act(c.ApproveHold(town.actor("supervisor")))
    await request.wait(timedelta(days=2))
    await request.act(c.Resume(town.actor("supervisor"), a_text()))
    await request.wait(timedelta(days=10))
    return request


async def more_time_granted(town: Town) -> Request:
    request = await accepted(town)
    await request.act(c.RequestExtension(town.actor("lead"), 5, a_text()))
    await request.act(c.GrantExtension(town.actor("dispatcher"), a_text()))
    await request.wait(A_WEEK)
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    return request


async def more_time_refused(town: Town) -> Request:
    request = await accepted(town)
    await request.act(c.RequestExtension(town.actor("lead"), 5, a_text()))
    await request.act(c.RefuseExtension(town.actor("dispatcher"), a_text()))
    await request.wait(A_WEEK)
    return request


async def heard_nothing(town: Town) -> Request:
    """Told by the heartbeat that it is still being handled; a word to the citizen puts the next one off."""
    request = await accepted(town)
    await request.wait(timedelta(days=2))
    await request.act(c.Progress(town.actor("handler"), a_text(), public=True))
    await request.wait(A_WEEK)
    return request


async def called_and_content(town: Town) -> Request:
    request = await accepted(town, "Somebody threw a mattress away.")
    await request.act(c.Resolve(town.actor("handler"), Result.EXPLAINED, a_text()))
    await request.wait(A_WEEK)
    await request.act(c.RecordCall(town.actor("caller"), c.CallResult.NO_ANSWER))
    await request.act(c.RecordCall(town.actor("caller"), c.CallResult.ANSWERED, Solved.YES, 4, a_text()))
    return request


async def called_and_not_content(town: Town) -> Request:
    request = await accepted(town, "Somebody threw a mattress away.")
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    await request.wait(A_WEEK)
    await request.act(c.RecordCall(town.actor("caller"), c.CallResult.ANSWERED, Solved.NO, 1))
    return request


async def referred_and_decided(town: Town) -> Request:
    request = await town.submit()
    await request.act(c.ReturnRequest(town.actor("lead"), a_text(), "health"))
    await request.act(c.Refer(town.actor("dispatcher"), a_text()))
    await request.act(c.Decide(town.actor("supervisor"), c.Decision.ASSIGN, a_text(), department="housing"))
    await request.accepted()
    return request


async def moved_to_another_policy(town: Town) -> Request:
    request = await accepted(town)
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    await request.wait(timedelta(days=1))
    for reminders in ((0.4, 0.7), (0.3, 0.6)):
        policy = replace(town.policy, reminders=reminders)
        await policies.keep(town.pool, policy.version, "Small City", to_plain(policy), datetime.now(UTC))
        await request.act(c.AdoptPolicy(town.actor("admin"), policy.version, a_text()))
        await request.hear("answered", text=a_text())
    await request.wait(A_WEEK)
    return request


async def helped(town: Town) -> Request:
    """One part is done, one returned and waived, one called off with the request."""
    request = await accepted(town)
    handler, clinic = town.actor("handler"), town.actor("clinic_handler")
    await request.act(c.AddCoHandler(handler, "health", a_text()))
    await request.act(c.FinishCoHandling(clinic, a_text()))
    await request.act(c.AddCoHandler(handler, "health", a_text()))
    await request.act(c.ReturnCoHandling(clinic, a_text()))
    await request.act(c.WaiveCoHandling(handler, "health", a_text()))
    await request.act(c.AddCoHandler(handler, "north_street", a_text()))
    await request.hear("withdrawn")
    return request


async def merged(town: Town) -> tuple[Request, Request]:
    """A request and another that was merged into it."""
    parent, child = await town.submit(), await town.submit()
    await child.act(c.Merge(town.actor("dispatcher"), parent.reference, a_text()))
    await until(has(parent, "joined"))
    return parent, child


def has(request: Request, action: str) -> Callable[[], Awaitable[bool]]:
    async def happened() -> bool:
        return action in [event.facts.get("parent_action", event.action) for event in await request.events()]

    return happened


async def answered_with_its_parent(town: Town) -> Request:
    parent, child = await merged(town)
    await parent.resolved()
    await until(has(child, "resolve"))
    await child.rated(Solved.PARTLY, 3)
    await parent.rated()
    await until(has(child, "rate"))
    await child.wait(A_MONTH)
    return child


async def not_content_with_its_parent(town: Town) -> Request:
    parent, child = await merged(town)
    await parent.resolved()
    await until(has(child, "resolve"))
    await child.rated(Solved.NO, 1)
    return child


async def unmerged(town: Town) -> Request:
    _, child = await merged(town)
    await child.act(c.Unmerge(town.actor("dispatcher"), a_text()))
    await child.act(c.Assign(town.actor("dispatcher"), "housing", "street_light"))
    return child


async def followed(town: Town) -> Request:
    """A parent: one follower stays to the end, one leaves."""
    parent, child = await merged(town)
    other = await town.submit()
    await other.act(c.Merge(town.actor("dispatcher"), parent.reference))
    await until(has(other, "merge"))
    await other.act(c.Unmerge(town.actor("dispatcher"), a_text()))
    await until(has(parent, "left"))
    await parent.resolved()
    await parent.rated()
    await until(has(child, "rate"))
    return parent


async def forgotten_and_made_up_for(town: Town) -> Request:
    """Actions whose task was lost: a clock, a message and a word from the interface each find one."""
    request = await town.submit()
    await was_done(request, c.Accept(town.actor("handler")))
    await request.wait_until((await request.snapshot()).accept_due_at)
    await was_done(request, c.Progress(town.actor("handler"), a_text()), update_id="lost as well")
    await request.hear("supplemented", text=a_text())
    await was_done(request, c.Contact(town.actor("handler"), c.ContactKind.PHONE), update_id="lost, too")
    await request.handle.signal(CATCH_UP)
    await request.settled()
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    return request


async def helper_late(town: Town) -> Request:
    """On Temporal itself: the clocks of the part ring, and then it is done."""
    request = await accepted(town)
    await request.act(c.AddCoHandler(town.actor("handler"), "health", a_text()))
    await until(has(request, "co_escalated"), within=60)
    await request.act(c.FinishCoHandling(town.actor("clinic_handler"), a_text()))
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    return request


async def longer_than_a_run(town: Town) -> Request:
    """On Temporal itself, with a short measure of how long a history may be: clocks, a pause, a helper and a follower."""
    request = await accepted(town)
    follower = await town.submit()
    await follower.act(c.Merge(town.actor("dispatcher"), request.reference))
    await request.act(c.AddCoHandler(town.actor("handler"), "health", a_text()))
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    for number in range(1, MESSAGES + 1):
        await request.handle.signal("supplemented", Message(number, datetime.now(UTC), a_text()))

    async def all_heard() -> bool:
        return (await request.actions()).count("supplement") == MESSAGES

    await until(all_heard, within=60)
    if await request.state() is State.AWAITING_CITIZEN:
        await request.hear("answered", inbox_id=MESSAGES + 1, text=a_text())
    await request.act(c.FinishCoHandling(town.actor("clinic_handler"), a_text()))
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    return request


LONGER_LIVES = (
    question_answered, question_unanswered, taken_over_in_a_pause, hold_refused_then_reviewed, hold_resumed,
    more_time_granted, more_time_refused, heard_nothing, called_and_content, called_and_not_content, referred_and_decided,
    moved_to_another_policy, helped, answered_with_its_parent, not_content_with_its_parent, unmerged, followed,
    forgotten_and_made_up_for,
)  # fmt: skip
IN_A_QUICK_TOWN = (helper_late, longer_than_a_run)
