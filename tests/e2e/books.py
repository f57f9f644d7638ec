"""The books of a number of requests, read after everything has calmed down: do events, notices, inbox and runs agree?"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import asyncpg
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.worker import Replayer

from domain.lifecycle import Action
from domain.notices import IN_TRIAGE, OWED, REMINDERS, NoticeKind
from domain.request import TERMINAL, AlarmKind, State
from tests.e2e.system import LiveSystem, until
from tests.histories import opened
from workflows.connection import connect, data_converter
from workflows.contract import Ended, workflow_id
from workflows.request import RequestWorkflow

OF_REQUESTS = "select request_id from snapshots where reference = any ($1::text[])"
UNFINISHED = (
    f"select (select count(*) from inbox where delivered_at is null and request_id in ({OF_REQUESTS}))"
    f" + (select count(*) from ({OF_REQUESTS}) as request where"
    " (select count(*) from inbox where request_id = request.request_id and outcome = 'delivered')"
    " > (select count(*) from events where request_id = request.request_id and actor_kind = 'citizen'))"
    f" + (select count(*) from notices where state in ('owed', 'sending') and request_id in ({OF_REQUESTS})"
    " and (not_before is null or not_before <= now()))"
)
"""How much of these requests still waits for a program."""


async def calm(live: LiveSystem, references: Sequence[str], seconds: float = 240) -> None:
    """Waits until every message is delivered and heard, and every notice has gone out."""

    async def is_calm() -> bool:
        return bool(await live.value(UNFINISHED, references) == 0)

    await until(is_calm, seconds, "that nothing waits any more")


async def balance(live: LiveSystem, references: Mapping[str, int]) -> None:
    """Everything that must hold whatever was killed when. With each request the number of messages answered with 202."""
    stored = await live.look("select reference from snapshots where reference = any ($1::text[])", list(references))
    assert {row["reference"] for row in stored} == set(references), "a request that was answered 201 is missing"
    await timelines_are_whole(live, list(references))
    for reference, confirmed in references.items():
        await messages_were_heard_once(live, reference, confirmed)
    await notices_went_out_once(live, list(references))
    await runs_agree(live, references)


async def timelines_are_whole(live: LiveSystem, references: Sequence[str]) -> None:
    """Events run from 1 without a gap, each begins where the one before ended, and the snapshot stands at the last."""
    for snapshot in await live.look("select * from snapshots where reference = any ($1::text[])", references):
        events = await events_of(live, snapshot["reference"])
        told = [f"{event['sequence']} {event['action']} {event['state']}" for event in events]
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1)), told
        for before, event in pairwise(events):
            assert event["state_before"] == before["state"], told
            assert event["at"] >= before["at"], told
        last = events[-1]
        assert (snapshot["sequence"], snapshot["state"]) == (last["sequence"], last["state"]), told
        assert snapshot["updated_at"] == last["at"], told


async def messages_were_heard_once(live: LiveSystem, reference: str, confirmed: int) -> None:
    """Each message of a citizen stands in the timeline once: done, or noted as too late.

    Only one whose sender was never answered may have come after the end.
    """
    messages = await live.look(
        "select inbox.* from inbox join snapshots using (request_id) where reference = $1 order by id", reference
    )
    actions = [(event["actor_kind"], event["action"]) for event in await events_of(live, reference)]
    told = [action for kind, action in actions if kind == "citizen"]
    # A rating of "no" makes two events: the rating, and the reopening that follows from it.
    followed = sum(pair == ("rate", "reopen") for pair in pairwise(told))
    outcomes = Counter(row["outcome"] for row in messages)
    books = (outcomes, actions, [(row["kind"], row["outcome"], row["attempts"]) for row in messages])
    heard = len(told) - followed
    # What came again after the end had been heard the first time, where the answer to that was lost.
    repeated = sum(row["outcome"] == "refused" and row["attempts"] > 1 for row in messages)
    assert outcomes.keys() <= {"delivered", "refused"}, books
    assert outcomes["delivered"] <= heard <= outcomes["delivered"] + repeated, books
    assert heard >= confirmed + 1, books  # the submission is one more


async def notices_went_out_once(live: LiveSystem, references: Sequence[str]) -> None:
    """What each event owes is there, and each notice was sent once or has nobody to go to."""
    notices = await live.look(
        "select n.request_id, n.sequence, n.kind, n.state, o.notice_id is not null as kept,"
        " (select count(*) from attempts a where a.notice_id = n.id and a.outcome = 'accepted') as accepted"
        f" from notices n left join outbox o on o.notice_id = n.id where n.request_id in ({OF_REQUESTS})",
        references,
    )
    kinds: defaultdict[tuple[Any, int], set[str]] = defaultdict(set)
    for notice in notices:
        assert notice["state"] in ("sent", "no_address"), dict(notice)
        wanted = notice["state"] == "sent"
        assert (notice["kept"], notice["accepted"]) == (wanted, int(wanted)), dict(notice)
        kinds[notice["request_id"], notice["sequence"]].add(notice["kind"])
    for event in await live.look(
        "select request_id, sequence, action, state, facts ->> 'department' as department"
        f" from events where request_id in ({OF_REQUESTS})",
        references,
    ):
        owed = owed_by(event)
        if owed is not None:
            assert kinds[event["request_id"], event["sequence"]] == owed, dict(event)


def owed_by(event: asyncpg.Record) -> set[str] | None:
    """The kinds of notices that an event owes by the tables of domain/notices.py; None where a rung or message decides."""
    action, state = event["action"], State(event["state"])
    if action == "not_applied" or action in (Action.ESCALATE, Action.PROGRESS):
        return None
    if action not in set(Action):
        table = IN_TRIAGE if state is State.TRIAGE else REMINDERS
        return {kind.value for kind, _ in table.get(AlarmKind(action), ())}
    if action in (Action.URGE, Action.SUPPLEMENT, Action.WITHDRAW):
        kind = {Action.URGE: NoticeKind.URGED, Action.SUPPLEMENT: NoticeKind.SUPPLEMENTED}
        return {kind[Action(action)].value} if action in kind else None
    return {kind.value for kind, _ in OWED.get((Action(action), state), ())}


async def runs_agree(live: LiveSystem, references: Iterable[str]) -> None:
    """Each run stands where the read model says, no task of it ever failed, and its history can be replayed."""
    client = await connect(live.system.temporal_address, live.keys)
    replayer = Replayer(workflows=[RequestWorkflow], data_converter=data_converter(live.keys))
    for reference in references:
        (snapshot,) = await live.look("select state, outcome from snapshots where reference = $1", reference)
        handle = client.get_workflow_handle(workflow_id(reference), result_type=Ended)
        history = await handle.fetch_history()
        assert not failures_in(history), (reference, failures_in(history))
        description = await handle.describe()
        if description.status is WorkflowExecutionStatus.COMPLETED:
            ended = await handle.result()
            assert (ended.state, ended.outcome) == (snapshot["state"], snapshot["outcome"]), reference
        else:
            assert description.status is WorkflowExecutionStatus.RUNNING, reference
            assert description.search_attributes["State"] == [snapshot["state"]], reference
        await replayer.replay_workflow(history)


async def runs_end(live: LiveSystem, references: Iterable[str], seconds: float = 240) -> None:
    """Waits until every run is over, as those of requests must be that can never be reopened."""
    client = await connect(live.system.temporal_address, live.keys)

    async def ended(reference: str) -> None:
        async def is_over() -> bool:
            status = (await client.get_workflow_handle(workflow_id(reference)).describe()).status
            return status is WorkflowExecutionStatus.COMPLETED

        await until(is_over, seconds, f"that the run of {reference} is over")

    await asyncio.gather(*(ended(reference) for reference in references))


async def events_of(live: LiveSystem, reference: str) -> list[asyncpg.Record]:
    return await live.look(
        "select events.* from events join snapshots using (request_id) where reference = $1 order by events.sequence",
        reference,
    )


async def actions_of(live: LiveSystem, reference: str) -> list[str]:
    return [event["action"] for event in await events_of(live, reference)]


def failures_in(history: WorkflowHistory) -> list[str]:
    """Why tasks of the run failed; that the server asks for one anew because a message came meanwhile is no failure."""
    harmless = {WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND}
    return [
        WorkflowTaskFailedCause.Name(event.workflow_task_failed_event_attributes.cause)
        for event in history.events
        if event.HasField("workflow_task_failed_event_attributes")
        and event.workflow_task_failed_event_attributes.cause not in harmless
    ]


def is_over(state: str) -> bool:
    return State(state) in TERMINAL


async def history_of(live: LiveSystem, reference: str) -> WorkflowHistory:
    """In clear."""
    client: Client = await connect(live.system.temporal_address, live.keys)
    return opened(await client.get_workflow_handle(workflow_id(reference)).fetch_history(), live.keys)
