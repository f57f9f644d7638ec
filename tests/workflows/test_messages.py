"""How messages reach a run: once, in order, before its first task and after its end, and several at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.providers.console import ConsoleProvider
from activities.relay import Delivery, InboxRow
from domain import commands as c
from domain.lifecycle import Action
from domain.request import Solved, State
from tests.town import KEYS, Request, Town, a_text, refused, until
from tests.town_hall import a_worker
from workflows.contract import STAFF_UPDATES, ActionTaken, Message, workflow_id
from workflows.delivery import deliver_with
from workflows.request import RequestWorkflow


def a_row(request: Request, kind: str, payload: dict[str, Any] | None = None, id: int = 1) -> InboxRow:
    return InboxRow(id, request.id, request.reference, kind, payload or {}, datetime.now(UTC), attempts=1)


async def test_message_that_is_delivered_again_is_applied_once(town: Town) -> None:
    request = await town.submit()
    deliver = deliver_with(town.environment.client)
    row = a_row(request, "supplemented", {"text": a_text()})
    for _ in range(3):
        assert await deliver(row) is Delivery.DELIVERED
    await request.settled()
    assert await request.actions() == ["submit", "auto_assign", "supplement"]
    assert await request.notices("supplement") == [("supplemented", "handler")]


async def test_run_that_is_started_again_is_the_same_run(town: Town) -> None:
    request = await town.submit()
    deliver = deliver_with(town.environment.client)
    assert await deliver(a_row(request, "submitted")) is Delivery.DELIVERED
    await request.hear("withdrawn")
    await until(request.is_over)
    assert await deliver(a_row(request, "submitted")) is Delivery.DELIVERED
    assert await request.is_over()
    assert await request.actions() == ["submit", "auto_assign", "withdraw"]


async def test_messages_are_applied_in_the_order_of_their_arrival(town: Town) -> None:
    request = await town.submit()
    sent = [a_text() for _ in range(5)]
    for number, text in enumerate(sent):
        await request.handle.signal("supplemented", Message(number, datetime.now(UTC), text))
    await request.settled()
    assert [event.text for event in (await request.events())[2:]] == sent


async def test_message_after_the_end_of_the_run_is_refused(town: Town) -> None:
    request = await town.submit()
    await request.hear("withdrawn")
    await until(request.is_over)
    row = a_row(request, "rated", {"solved": "yes", "satisfied": 5}, id=9)
    assert await deliver_with(town.environment.client)(row) is Delivery.REFUSED


async def test_rating_that_comes_too_late_is_kept_in_public_and_the_citizen_is_told(town: Town) -> None:
    request = await town.submit()
    await request.resolved()
    await request.rated(Solved.YES, 5)
    text = a_text()
    await request.hear("rated", solved=Solved.NO, satisfied=1, text=text)
    event = await request.latest()
    assert (event.action, event.actor_kind, event.public, event.text) == ("not_applied", "citizen", True, text)
    assert event.facts == {"action": "rate", "reason": "not_allowed"}
    assert (await request.snapshot()).satisfied == 5
    assert await request.notices("not_applied") == [("answer_not_applied", "citizen")]
    assert await request.unsent() == []


@asynccontextmanager
async def a_waiting_run(town: Town) -> AsyncIterator[Request]:
    """A run that nobody works on until the block is left."""
    request = await town.stored()
    queue = f"waiting-{request.reference}"
    await town.environment.client.start_workflow(
        RequestWorkflow.run, await town.submitted(request), id=workflow_id(request.reference), task_queue=queue
    )
    town.started.append(request)
    yield request
    worker = a_worker(town.environment, town.pool, town.policy, ConsoleProvider(town.pool, KEYS), queue)
    await town.for_the_test.enter_async_context(worker)
    await request.settled()


async def test_signals_before_the_first_task_find_the_request_on_file(town: Town) -> None:
    async with a_waiting_run(town) as request:
        await request.handle.signal("resolve")
        await request.handle.signal("urged", Message(1, datetime.now(UTC)))
        await request.handle.signal("supplemented", Message(2, datetime.now(UTC), a_text()))
        await request.handle.signal("escalate", {"reason": "Already late."})
    actions = await request.actions()
    assert actions[:2] == ["submit", "auto_assign"]
    assert sorted(actions[2:]) == ["escalate", "not_applied", "supplement", "urge"]
    assert actions.index("urge") < actions.index("supplement")


async def test_withdrawal_and_rating_before_the_first_task_are_both_answered(town: Town) -> None:
    async with a_waiting_run(town) as request:
        await request.handle.signal("withdrawn", Message(1, datetime.now(UTC)))
        await request.handle.signal("rated", Message(2, datetime.now(UTC), None, Solved.YES, 5))
    assert await request.actions() == ["submit", "auto_assign", "withdraw", "not_applied"]
    assert await request.notices("not_applied") == [("answer_not_applied", "citizen")]
    assert await request.is_over()


async def test_updates_before_the_first_task_are_answered(town: Town) -> None:
    async with a_waiting_run(town) as request:
        accepting = asyncio.create_task(request.act(c.Accept(town.actor("handler"))))
        declining = asyncio.create_task(request.act(c.Decline(town.actor("dispatcher"), "court")))
        transferring = asyncio.create_task(request.act(c.Transfer(town.actor("dispatcher"), "next_city")))
        await asyncio.sleep(1)  # nothing can be seen of an update that no worker has taken
    # Nobody has it yet, so that nobody can accept it; declining is possible only until it is assigned.
    with refused("not_allowed"):
        await accepting
    with refused("not_allowed"):
        await declining
    assert (await transferring).state is State.TRANSFERRED
    assert await request.actions() == ["submit", "auto_assign", "transfer"]


async def test_of_two_who_accept_at_once_one_wins_and_the_other_is_told(town: Town) -> None:
    request = await town.submit()
    handlers = [town.actor("handler"), replace(town.actor("handler"), id=str(uuid4()))]
    answers = await asyncio.gather(*(request.act(c.Accept(by)) for by in handlers), return_exceptions=True)
    (won,) = [answer for answer in answers if isinstance(answer, ActionTaken)]
    (lost,) = [answer for answer in answers if isinstance(answer, ApplicationError)]
    assert (won.state, lost.type) == (State.IN_PROGRESS, "not_allowed")
    assert await request.actions() == ["submit", "auto_assign", "accept"]
    winner = (await request.latest()).actor_id
    assert (await request.snapshot()).assignee == winner


async def test_action_that_is_sent_again_under_the_same_id_is_done_once(town: Town) -> None:
    request = await town.submit()
    name = STAFF_UPDATES[Action.ACCEPT]
    answers = [
        await request.handle.execute_update(
            name, c.Accept(town.actor("handler")), id="the-same", result_type=ActionTaken
        )
        for _ in range(2)
    ]
    assert answers == [ActionTaken(State.IN_PROGRESS, 3)] * 2
    assert await request.actions() == ["submit", "auto_assign", "accept"]


async def test_staff_citizen_and_clocks_at_once_leave_a_timeline_without_gaps(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    notes = [request.act(c.Progress(town.actor("handler"), a_text(), public=True)) for _ in range(8)]
    messages = [
        request.handle.signal("supplemented", Message(number, datetime.now(UTC), a_text())) for number in range(1, 9)
    ]
    await asyncio.gather(*notes, *messages)
    await request.settled()
    events = await request.events()
    assert [event.sequence for event in events] == list(range(1, 20))
    assert (await request.snapshot()).sequence == 19
    assert await request.unsent() == []


async def test_withdrawal_while_others_act_loses_nobodys_answer(town: Town) -> None:
    """The run must not end before all who came in time have been answered."""
    request = await town.submit()
    await request.accepted()
    withdrawing = request.handle.signal("withdrawn", Message(1, datetime.now(UTC)))
    notes = [request.act(c.Progress(town.actor("handler"), a_text())) for _ in range(5)]
    _, *answers = await asyncio.gather(withdrawing, *notes, return_exceptions=True)
    await until(request.is_over)
    done = [answer for answer in answers if isinstance(answer, ActionTaken)]
    assert (await request.actions()).count("progress") == len(done)
    # The others were told no, by the run or by the server that knows it has ended; none was taken and then dropped.
    for answer in answers:
        if isinstance(answer, ApplicationError):
            assert answer.type == "not_allowed"
        elif not isinstance(answer, ActionTaken):
            assert isinstance(answer, RPCError), answer
            assert answer.status is RPCStatusCode.NOT_FOUND
