"""Precedents and past answers on a real database: what was decided or answered on the like, as far as one may see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from db import past_answers, precedents, read_model, texts
from db.past_answers import Answered
from db.pool import Pool
from db.precedents import Precedent
from db.sealing import KeyRing
from domain import commands as c
from domain.acts import take
from domain.errors import Unknown
from domain.lifecycle import Action, rows_of
from domain.record import Entry, Record
from domain.request import Event, Result, Snapshot, Solved, State
from domain.visibility import Sight
from tests.builders import a_lead, a_plan, a_supervisor
from tests.plans import explaining
from tests.requests_at import a_request_at, a_text, an_event
from tests.rows import SUNDAY_NOON, a_member_of_staff

SUPERVISOR = Sight(everything=True, confidential=True, departments=())
NOW = SUNDAY_NOON + timedelta(days=10)
TEXT = "建设路与人民路交叉口的井盖破损，车辆经过时发出很大的声响，住建局和交通局都说不归自己管，请明确由谁负责维修。"
OTHER_TEXT = "楼下餐馆每天深夜排放油烟，居民不敢开窗，已经多次向社区反映，希望环保部门能够上门检查并督促整改到位。"


def a_return(sequence: int = 2, by: str = "housing", proposed: str = "traffic") -> Event:
    return an_event(sequence, "return_request", facts={"previous_department": by, "proposed": proposed})


async def decided(
    pool: Pool, keys: KeyRing, *, returned: Event | None = None, reason: str = "井盖属于道路设施。", **changes: Any
) -> Snapshot:
    """A request on which a supervisor has decided that it is traffic's, after a return."""
    facts = {"decision": "assign", "department": "traffic"} | changes.pop("facts", {})
    actor_id = changes.pop("actor_id", "")
    usual = {"description": TEXT, "category": "manhole", "department": "traffic"}
    snapshot = await a_request_at(pool, keys, State.ASSIGNED, **(usual | changes))
    text = await a_text(pool, keys, snapshot.request_id, reason)
    decision = an_event(3, "decide", State.ASSIGNED, text, actor_kind="staff", actor_id=actor_id, facts=facts)
    await write(pool, snapshot, [returned or a_return(), decision])
    return snapshot


async def write(pool: Pool, snapshot: Snapshot, events: list[Event]) -> None:
    for event in events:
        await pool.execute(
            "insert into events (request_id, sequence, at, action, actor_kind, actor_id, state, public, text_id, facts) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            UUID(snapshot.request_id), event.sequence, event.at, event.action, event.actor_kind, event.actor_id,
            event.state, event.public, UUID(event.text) if event.text else None, event.facts,
        )  # fmt: skip


async def contested(pool: Pool, keys: KeyRing, *, returned: Event | None = None, **changes: Any) -> Snapshot:
    """A request that waits in triage after a return."""
    usual = {"description": TEXT, "category": "manhole"}
    return await a_request_at(pool, keys, State.TRIAGE, events=[returned or a_return()], **(usual | changes))


async def bearing(pool: Pool, keys: KeyRing, on: Snapshot, sight: Sight = SUPERVISOR) -> list[Precedent]:
    return (await precedents.decided(pool, UUID(on.request_id), sight, NOW)).bearing(keys)


async def test_decision_becomes_a_precedent_with_its_reason(pool: Pool, keys: KeyRing) -> None:
    supervisor = await a_member_of_staff(pool, "supervisor", ["supervisor"])
    earlier = await decided(pool, keys, actor_id=str(supervisor))
    (found,) = await bearing(pool, keys, await contested(pool, keys))
    assert (found.reference, found.decided_by, found.decided_at) == (
        earlier.reference, "supervisor", SUNDAY_NOON + timedelta(hours=3),
    )  # fmt: skip
    assert (found.decision, found.department, found.reason_code) == ("assign", "traffic", None)
    assert (found.category, found.contested_by) == ("manhole", ("housing", "traffic"))
    assert found.reason == "井盖属于道路设施。"
    assert (found.bearing.score, found.bearing.same_departments, found.bearing.same_category) == (1.0, True, True)


@pytest.mark.parametrize(
    ("label", "earlier", "bears"),
    [
        ("same departments, another matter", {"description": OTHER_TEXT, "category": "smoke"}, True),
        ("the departments the other way round", {"returned": a_return(by="traffic", proposed="housing"), "description": OTHER_TEXT}, True),
        ("like matter, other departments", {"returned": a_return(proposed="water")}, True),
        ("another matter, other departments", {"returned": a_return(proposed="water"), "description": OTHER_TEXT}, False),
        ("like matter in another category", {"returned": a_return(proposed="water"), "category": "smoke"}, False),
        ("a return after the decision", {"returned": a_return(sequence=9), "description": OTHER_TEXT}, False),
    ],
)  # fmt: skip
async def test_which_decision_bears(
    pool: Pool, keys: KeyRing, label: str, earlier: dict[str, Any], bears: bool
) -> None:
    await decided(pool, keys, **earlier)
    assert bool(await bearing(pool, keys, await contested(pool, keys))) is bears


async def test_a_person_sees_only_precedents_of_requests_they_may_see(pool: Pool, keys: KeyRing) -> None:
    made = [
        await decided(pool, keys, department=department, confidential=confidential)
        for department in ("traffic", "health")
        for confidential in (False, True)
    ]
    made.append(await decided(pool, keys, confidential=True, co_departments=("health",)))
    asked = await contested(pool, keys)
    for sight in (
        SUPERVISOR,
        Sight(everything=True, confidential=False, departments=()),
        Sight(everything=True, confidential=False, departments=("health",)),
        Sight(everything=False, confidential=False, departments=("traffic",)),
    ):
        expected = {each.reference for each in made if sight.covers(each)}
        assert {each.reference for each in await bearing(pool, keys, asked, sight)} == expected


async def test_own_decision_is_no_precedent(pool: Pool, keys: KeyRing) -> None:
    own = await decided(pool, keys)
    assert await bearing(pool, keys, own) == []


async def test_decision_stays_when_its_reason_is_erased(pool: Pool, keys: KeyRing) -> None:
    earlier = await decided(pool, keys)
    await pool.execute("delete from texts where request_id = $1", UUID(earlier.request_id))
    await pool.execute("update requests set description_sealed = null, title_sealed = null where id = $1", UUID(earlier.request_id))  # fmt: skip
    (found,) = await bearing(pool, keys, await contested(pool, keys))
    assert (found.decision, found.reason, found.bearing.text, found.bearing.score) == ("assign", None, None, 0.5)


async def test_decision_of_long_ago_is_forgotten(pool: Pool, keys: KeyRing) -> None:
    await decided(pool, keys)
    asked = await contested(pool, keys)
    later = SUNDAY_NOON + precedents.LOOKED_BACK + timedelta(hours=4)
    assert (await precedents.decided(pool, UUID(asked.request_id), SUPERVISOR, later)).bearing(keys) == []


async def test_unknown_request_is_refused(pool: Pool) -> None:
    with pytest.raises(Unknown):
        await precedents.decided(pool, uuid4(), SUPERVISOR, NOW)
    with pytest.raises(Unknown):
        await past_answers.found(pool, uuid4(), SUPERVISOR, NOW)


async def test_decisions_are_found_by_their_own_index(database_url: str, pool: Pool, keys: KeyRing) -> None:
    asked = await contested(pool, keys)
    async with explaining(database_url) as connection:
        await precedents.decided(connection, UUID(asked.request_id), SUPERVISOR, NOW)
        assert "events_that_decide" in connection.plan, connection.plan


async def test_decision_as_the_process_records_it_is_a_precedent(pool: Pool, keys: KeyRing) -> None:
    before = await a_request_at(pool, keys, State.IN_PROGRESS, category="manhole", description=TEXT, sequence=1)
    reason = await a_text(pool, keys, before.request_id, "井盖属于道路设施。")
    contesting = rows_of(Action.RETURN_REQUEST)[-1]
    at = SUNDAY_NOON + timedelta(hours=1)
    returned = take(c.ReturnRequest(a_lead(), reason, "traffic"), before, contesting, at, a_plan(None))
    (deciding,) = rows_of(Action.DECIDE)
    command = c.Decide(a_supervisor(), c.Decision.ASSIGN, reason, "traffic")
    taken = take(command, returned.snapshot, deciding, at, a_plan("traffic"))
    entries = tuple(Entry(turn.event) for turn in (returned, taken))
    await read_model.record(pool, Record(taken.snapshot, entries), None, at)

    (found,) = await bearing(pool, keys, await contested(pool, keys))
    assert (found.decision, found.department, found.contested_by) == ("assign", "traffic", ("housing", "traffic"))
    assert found.reason == "井盖属于道路设施。"
    assert found.bearing.same_departments


# --- past answers ---------------------------------------------------------------------------------------------------


async def answered(pool: Pool, keys: KeyRing, state: State = State.CLOSED, **changes: Any) -> Snapshot:
    """A request that the citizen has had an answer to."""
    usual: dict[str, Any] = {
        "description": TEXT,
        "category": "manhole",
        "department": "traffic",
        "resolved_at": SUNDAY_NOON + timedelta(days=2),
        "result": Result.SOLVED,
        "solved": Solved.YES,
        "satisfied": 5,
    }
    snapshot = await a_request_at(pool, keys, state, **(usual | changes))
    reply = await texts.keep(pool, keys, UUID(snapshot.request_id), "井盖已更换。", SUNDAY_NOON)
    await pool.execute("update snapshots set reply = $2 where request_id = $1", UUID(snapshot.request_id), reply)
    return snapshot


async def alike(pool: Pool, keys: KeyRing, to: Snapshot, sight: Sight = SUPERVISOR) -> list[Answered]:
    return (await past_answers.found(pool, UUID(to.request_id), sight, NOW)).alike(keys)


async def test_answer_to_the_like_is_found_with_what_came_of_it(pool: Pool, keys: KeyRing) -> None:
    earlier = await answered(pool, keys)
    (found,) = await alike(pool, keys, await a_request_at(pool, keys, description=TEXT, category="manhole"))
    assert (found.reference, found.reply, found.text) == (earlier.reference, "井盖已更换。", 1.0)
    assert (found.result, found.solved, found.satisfied) == (Result.SOLVED, Solved.YES, 5)
    assert (found.category, found.department, found.resolved_at) == ("manhole", "traffic", earlier.resolved_at)


@pytest.mark.parametrize(
    ("label", "earlier"),
    [
        ("another matter", {"description": OTHER_TEXT}),
        ("another category", {"category": "smoke"}),
        ("an answer that waits for its review", {"state": State.IN_REVIEW}),
        ("reopened", {"state": State.ASSIGNED}),
        ("more than a year ago", {"at": NOW - timedelta(days=400)}),
    ],
)
async def test_what_is_no_past_answer(pool: Pool, keys: KeyRing, label: str, earlier: dict[str, Any]) -> None:
    await answered(pool, keys, **earlier)
    assert await alike(pool, keys, await a_request_at(pool, keys, description=TEXT, category="manhole")) == []


async def test_a_handler_sees_past_answers_of_their_own_departments_only(pool: Pool, keys: KeyRing) -> None:
    made = [
        await answered(pool, keys, department=department, confidential=confidential)
        for department in ("traffic", "health")
        for confidential in (False, True)
    ]
    made.append(await answered(pool, keys, department="health", confidential=True, co_departments=("traffic",)))
    asked = await a_request_at(pool, keys, description=TEXT, category="manhole", department="traffic")
    for sight in (SUPERVISOR, Sight(False, False, ("traffic",)), Sight(True, False, ()), Sight(False, False, ())):
        expected = {each.reference for each in made if sight.covers(each)}
        assert {each.reference for each in await alike(pool, keys, asked, sight)} == expected


async def test_most_alike_comes_first(pool: Pool, keys: KeyRing) -> None:
    half = await answered(pool, keys, description=TEXT[:30])
    whole = await answered(pool, keys, at=SUNDAY_NOON - timedelta(days=30))
    asked = await a_request_at(pool, keys, description=TEXT, category="manhole")
    assert [each.reference for each in await alike(pool, keys, asked)] == [whole.reference, half.reference]
