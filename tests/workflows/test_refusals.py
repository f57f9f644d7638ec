"""Every action in every state that forbids it, by whoever: refused with its code, and nothing enters history.

What is forbidden is derived from the table of transitions, asked about the request as the database shows it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest
from temporalio.exceptions import ApplicationError

from domain import commands as c
from domain.acts import ACTION_OF
from domain.errors import Forbidden, NotAllowed
from domain.lifecycle import Action, permit, rows_of
from domain.request import TERMINAL, Actor, Result, State, Urgency
from tests.town import Request, Town, a_text, refused, until
from tests.workflows.test_returning import a_request_in_adjudication
from workflows.contract import STAFF_UPDATES

SOME_DAY = date(2030, 1, 1)
ACTORS = ("dispatcher", "supervisor", "handler", "lead", "clinic_handler", "clinic_lead", "head", "caller", "admin")


def commands(by: Actor) -> list[c.Command]:
    """One of each, well formed."""
    return [
        c.Accept(by), c.Assign(by, "health", "clinic"), c.Decline(by, "court"), c.Transfer(by, "next_city"),
        c.ReturnRequest(by, a_text(), "health"), c.Decide(by, c.Decision.CLOSE, a_text()),
        c.Reassign(by, "health", a_text()), c.Reclassify(by, "clinic", a_text()),
        c.SetUrgency(by, Urgency.URGENT, a_text()), c.Contact(by, c.ContactKind.PHONE), c.Progress(by, a_text()),
        c.Resolve(by, Result.SOLVED, a_text()), c.Approve(by), c.SendBack(by, a_text()), c.Escalate(by, a_text()),
        c.Reopen(by, a_text()), c.Refer(by, a_text()), c.AskCitizen(by, a_text()),
        c.RequestExtension(by, 2, a_text()), c.GrantExtension(by), c.RefuseExtension(by, a_text()),
        c.RequestHold(by, SOME_DAY, a_text()), c.ApproveHold(by), c.RefuseHold(by, a_text()), c.Resume(by, a_text()),
        c.RecordCall(by, c.CallResult.NO_ANSWER), c.AddCoHandler(by, "utilities", a_text()),
        c.FinishCoHandling(by, a_text()), c.ReturnCoHandling(by, a_text()), c.WaiveCoHandling(by, "utilities", a_text()),
        c.Merge(by, "2611-0000-00010"), c.Unmerge(by, a_text()), c.AdoptPolicy(by, "v2", a_text()),
    ]  # fmt: skip


async def brought_to(town: Town, state: State) -> Request:
    """A request in that state."""
    if state is State.ADJUDICATION:
        return await a_request_in_adjudication(town)
    request = await town.submit("Good morning to you all." if state is State.TRIAGE else "The street light is out.")
    if state in (State.IN_PROGRESS, State.IN_REVIEW, State.AWAITING_CITIZEN, State.ON_HOLD):
        await request.accepted()
    if state is State.AWAITING_CITIZEN:
        await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    if state is State.ON_HOLD:
        await request.act(c.RequestHold(town.actor("lead"), await town.day_in(30), a_text()))
        await request.act(c.ApproveHold(town.actor("supervisor")))
    if state is State.IN_REVIEW:
        await request.act(c.Resolve(town.actor("handler"), Result.NOT_SOLVED, a_text()))
    if state in (State.RESOLVED, State.CLOSED):
        await request.resolved()
    if state is State.CLOSED:
        await request.rated()
    assert await request.state() is state
    return request


REACHED = (
    State.TRIAGE, State.ASSIGNED, State.IN_PROGRESS, State.AWAITING_CITIZEN, State.ON_HOLD, State.IN_REVIEW,
    State.ADJUDICATION, State.RESOLVED, State.CLOSED,
)  # fmt: skip


QUICK = (State.TRIAGE, State.IN_PROGRESS, State.CLOSED)
"""These belong to the quick tests: where dispatchers decide, where handlers work, and where everything is over."""


def test_every_staff_action_of_the_table_is_tried() -> None:
    assert {ACTION_OF[type(command)] for command in commands(Actor("staff"))} == STAFF_UPDATES.keys()
    unreached = set(State) - {State.RECEIVED, *REACHED} - TERMINAL
    sources = {state for action in Action for row in rows_of(action) for state in row.targets}
    assert unreached.isdisjoint(sources)


@asynccontextmanager
async def nothing_changes(request: Request) -> AsyncIterator[None]:
    history, timeline = await request.history(), await request.actions()
    yield
    assert await request.history() == history
    assert await request.actions() == timeline


@pytest.mark.parametrize(
    "state", [state if state in QUICK else pytest.param(state, marks=pytest.mark.slow) for state in REACHED]
)
async def test_action_that_the_table_forbids_is_refused_with_its_code_and_leaves_nothing(
    town: Town, state: State
) -> None:
    request = await brought_to(town, state)
    snapshot, now = await request.snapshot(), await town.environment.get_current_time()
    expected, answered = [], []
    async with nothing_changes(request):
        for username in ACTORS:
            for command in commands(town.actor(username)):
                try:
                    permit(snapshot, ACTION_OF[type(command)], command.by, now)
                except (NotAllowed, Forbidden) as refusal:
                    expected.append((username, type(command).__name__, refusal.code))
                    with pytest.raises(ApplicationError) as raised:
                        await request.act(command)
                    answered.append((username, type(command).__name__, raised.value.type))
    assert answered == expected
    assert {code for _, _, code in expected} == {"not_allowed", "forbidden"}


async def test_refusal_says_why_and_in_which_state(town: Town) -> None:
    request = await brought_to(town, State.ASSIGNED)
    with pytest.raises(ApplicationError, match="while the request is assigned") as raised:
        await request.act(c.Approve(town.actor("dispatcher")))
    assert raised.value.details == ({"state": "assigned", "sequence": "2"},)


async def test_ended_run_takes_no_action(town: Town) -> None:
    request = await brought_to(town, State.ASSIGNED)
    await request.hear("withdrawn")
    await until(request.is_over)
    with pytest.raises(Exception, match=r"(?i)completed|not found"):
        await request.accepted()


async def test_refused_action_can_be_taken_when_its_time_has_come(town: Town) -> None:
    request = await brought_to(town, State.ASSIGNED)
    with refused("not_allowed"):
        await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    await request.resolved()
    assert await request.state() is State.RESOLVED
