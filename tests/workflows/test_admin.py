"""`resolve` and `escalate` as an admin types them in the Temporal UI, and everything else that anybody may type there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue

from db import texts
from domain import commands as c
from domain.request import Result, State
from tests.town import KEYS, Request, Town, a_text

NOW = "2026-11-23T09:00:00+08:00"


async def sent(request: Request, signal: str, *values: Any) -> None:
    """A signal with plain JSON values, worked through."""
    await request.handle.signal(signal, args=values)
    await request.settled()


async def text_of(request: Request, text_id: str | None) -> str:
    assert text_id is not None
    return (await texts.read_many(request.town.pool, KEYS, [UUID(text_id)]))[UUID(text_id)]


async def test_admin_resolves_and_the_reply_is_kept_sealed(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await sent(request, "resolve", {"outcome": "solved", "reply": " The lamp burns again. ", "by": "Operator 7"})
    after = await request.snapshot()
    event = await request.latest()
    assert (after.state, after.result) == (State.RESOLVED, Result.SOLVED)
    assert (event.actor_kind, event.actor_id, event.text) == ("admin", "Operator 7", after.reply)
    assert await text_of(request, after.reply) == "The lamp burns again."
    assert await request.notices("resolve") == [("resolved", "citizen")]


async def test_admin_need_not_give_a_name(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await sent(request, "resolve", {"outcome": "explained", "reply": "It is meant to be dark there."})
    assert ((await request.latest()).actor_id, await request.state()) == ("admin", State.RESOLVED)


async def test_resolution_by_an_admin_goes_through_review_like_any_other(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await sent(request, "resolve", {"outcome": "not_solved", "reply": "No lamp to be had."})
    assert await request.state() is State.IN_REVIEW


async def a_request_in(town: Town, state: State) -> Request:
    if state is State.TRIAGE:
        return await town.submit("Good morning to you all.")
    request = await town.submit()
    if state is State.IN_REVIEW:
        await request.accepted()
        await request.act(c.Resolve(town.actor("handler"), Result.NOT_SOLVED, a_text()))
    if state in (State.RESOLVED, State.CLOSED):
        await request.resolved()
    if state is State.CLOSED:
        await request.rated()
    assert await request.state() is state
    return request


@pytest.mark.parametrize("state", [State.TRIAGE, State.ASSIGNED, State.IN_REVIEW, State.RESOLVED, State.CLOSED])
async def test_admin_cannot_resolve_where_the_table_forbids_it_and_the_run_goes_on(town: Town, state: State) -> None:
    request = await a_request_in(town, state)
    await sent(request, "resolve", {"outcome": "solved", "reply": "Done."})
    event = await request.latest()
    assert (event.action, event.actor_kind, event.public, event.state) == ("not_applied", "admin", False, state)
    assert event.facts["action"] == "resolve"
    assert event.facts["reason"] in ("not_allowed", "forbidden")
    assert await text_of(request, event.text) == "Done."
    assert await request.notices("not_applied") == []
    assert await request.is_running()


@pytest.mark.parametrize("values", [({"reason": "The mayor asks."},), ({},), ()])
async def test_admin_escalates_with_a_reason_or_without(town: Town, values: tuple[Any, ...]) -> None:
    request = await town.submit()
    await sent(request, "escalate", *values)
    event = await request.latest()
    assert (event.action, event.actor_kind, event.facts["level"]) == ("escalate", "admin", "1")
    assert (event.text is not None) is (values == ({"reason": "The mayor asks."},))
    assert await request.notices("escalate") == [("escalated", "lead"), ("escalated_from", "handler")]


async def test_admin_passes_the_request_up_the_tree(town: Town) -> None:
    request = await town.submit("Litter everywhere.")
    for _ in range(4):
        await sent(request, "escalate", {"reason": "On and on.", "by": "Operator 7"})
    after = await request.snapshot()
    assert (after.department, after.escalation_level) == ("housing", 3)
    assert (await request.latest()).facts == {"action": "escalate", "reason": "not_allowed"}


@pytest.mark.parametrize("state", [State.RESOLVED, State.CLOSED])
async def test_admin_cannot_escalate_what_is_answered_and_the_run_goes_on(town: Town, state: State) -> None:
    request = await a_request_in(town, state)
    await sent(request, "escalate", {"reason": "Late."})
    assert (await request.latest()).facts == {"action": "escalate", "reason": "not_allowed"}
    assert await request.is_running()


UNREADABLE: list[tuple[str, tuple[Any, ...]]] = [
    ("resolve", ()),
    ("resolve", (None,)),
    ("resolve", ("solved",)),
    ("resolve", (["solved", "Done."],)),
    ("resolve", ({},)),
    ("resolve", ({"outcome": "finished", "reply": "Done."},)),
    ("resolve", ({"outcome": "solved"},)),
    ("resolve", ({"outcome": "solved", "reply": "  "},)),
    ("resolve", ({"outcome": "solved", "reply": "x" * 4001},)),
    ("resolve", ({"outcome": "solved", "reply": {"text": "Done."}},)),
    ("resolve", ({"outcome": "solved", "reply": "Done.", "by": "two\nlines"},)),
    ("resolve", ({"outcome": "solved", "reply": "Done.", "by": "\x00"},)),
    ("resolve", ({"outcome": "solved", "reply": "Done."}, "twice")),
    ("escalate", ("now",)),
    ("escalate", (None,)),
    ("escalate", ({"reason": 5},)),
    ("urged", ()),
    ("urged", ({},)),
    ("withdrawn", ({"inbox_id": "first", "at": NOW},)),
    ("supplemented", ({"inbox_id": 1, "at": NOW},)),
    ("supplemented", ({"inbox_id": 2, "at": NOW, "text": "A text instead of its id."},)),
    ("urged", ({"inbox_id": 3, "at": NOW, "by": {"kind": "\x00"}},)),
    ("rated", ({"inbox_id": 4, "at": NOW, "solved": "yes"},)),
    ("rated", ({"inbox_id": 5, "at": NOW, "solved": "perhaps", "satisfied": 5},)),
    ("rated", ({"inbox_id": 6, "at": NOW, "solved": "yes", "satisfied": 6},)),
    ("reopened", (1, 2, 3)),
]


async def test_signal_that_cannot_be_read_stays_in_the_timeline_and_the_run_goes_on(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    for signal, values in UNREADABLE:
        await sent(request, signal, *values)
    noted = (await request.events())[3:]
    assert [event.action for event in noted] == ["not_applied"] * len(UNREADABLE)
    assert {(event.actor_kind, event.facts["reason"], event.public, event.text) for event in noted} == {
        ("admin", "invalid", False, None)
    }
    await request.hear("urged", inbox_id=100)
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    assert await request.state() is State.RESOLVED


async def test_signal_that_nobody_can_decode_is_dropped_and_the_run_goes_on(town: Town) -> None:
    request = await town.submit()
    await sent(request, "resolve", RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"\x00")))
    await sent(request, "resolve", RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{")))
    await sent(request, "no_such_signal", {"outcome": "solved"})
    await request.accepted()
    assert await request.actions() == ["submit", "auto_assign", "accept"]


async def test_message_with_a_number_of_its_own_keeps_no_later_message_out(town: Town) -> None:
    request = await town.submit()
    await sent(request, "urged", {"inbox_id": 10**12, "at": NOW})
    await request.hear("supplemented", inbox_id=7, text=a_text())
    assert (await request.actions())[2:] == ["urge", "supplement"]


BY = {"kind": "staff", "id": "0f0e0d0c-0000-7000-8000-000000000001", "roles": ["handler"], "departments": ["housing"]}


@pytest.mark.parametrize(
    ("update", "values"),
    [
        ("accept", ()),
        ("accept", (None,)),
        ("accept", ("me",)),
        ("accept", ({"by": BY}, "twice")),
        ("accept", ({"by": BY | {"roles": ["king"]}},)),
        ("accept", ({"by": BY | {"id": "\x00"}},)),
        ("contact", ({"by": BY, "how": "telepathy"},)),
        ("progress", ({"by": BY, "note": "A text instead of its id."},)),
        ("no_such_update", ({"by": BY},)),
    ],
)
async def test_update_that_cannot_be_read_is_refused_and_leaves_nothing(
    town: Town, update: str, values: tuple[Any, ...]
) -> None:
    request = await town.submit()
    if update == "progress":
        await request.accepted()
    before = await request.history()
    with pytest.raises(WorkflowUpdateFailedError):
        await request.handle.execute_update(update, args=values)
    assert await request.history() == before
