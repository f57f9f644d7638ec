"""Lives of requests, told in a line and recorded as the program records them: by the turns of domain/, through the read model.

A story is a row of acts with the day after the submission on which each happened: "0 assign; 0.5 contact; 3 resolve; 4 rate
yes 5". Every assignment promises a first contact within one day and an answer within five, counted day and night.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from db import read_model, requests
from db.pool import Pool
from db.sealing import KeyRing
from domain import commands as c
from domain import procedure
from domain.acts import ACTION_OF, take
from domain.followed import Followed
from domain.lifecycle import permit
from domain.merging import follow
from domain.pauses import Moved, PausePlan
from domain.planned import Planned
from domain.planning import Plan
from domain.record import Entry, Record
from domain.request import CITIZEN, SYSTEM, Actor, AlarmKind, Result, Rung, Snapshot, Solved, State, Turn
from tests.builders import a_caller, a_dispatcher, a_lead, a_plan, a_supervisor
from tests.rows import a_new_request

DAY = timedelta(days=1)
RUNG = Rung(1, ("housing",))


@dataclass(frozen=True)
class Life:
    """One request: when it was submitted, whose it first is, and what happened to it."""

    name: str
    submitted_at: datetime
    department: str
    story: str
    category: str = "street_light"
    district: str | None = "middle"
    confidential: bool = False


async def live(pool: Pool, keys: KeyRing, life: Life) -> Snapshot:
    """Puts the life into the database, act by act; answers with how the request stands at its end."""
    sent = a_new_request(title=life.name, confidential=life.confidential)
    stored = await requests.submit(pool, keys, sent, life.submitted_at)
    received = Snapshot(
        str(stored.request_id), stored.reference, life.submitted_at,
        confidential=life.confidential, category=life.category, district=life.district,
    )  # fmt: skip
    turn = procedure.submit(received, CITIZEN)
    await _record(pool, turn)
    for told in filter(None, (line.strip() for line in life.story.split(";"))):
        day, act, *words = told.split()
        turn = ACTS[act](turn.snapshot, life, life.submitted_at + float(day) * DAY, *words)
        await _record(pool, turn)
    return turn.snapshot


async def _record(pool: Pool, turn: Turn) -> None:
    # Notices are another matter; without them nothing is owed.
    await read_model.record(pool, Record(turn.snapshot, (Entry(turn.event),)), None, turn.event.at)


def _plan(at: datetime, department: str | None, category: str | None) -> Plan:
    due_at = at + 5 * DAY if department else None
    plan = a_plan(department, at, category=category, due_at=due_at, contact_due_at=at + DAY if department else None)
    return replace(plan, return_until=at + 2 * DAY)


def _take(command: Any, before: Snapshot, at: datetime, plan: Planned | Followed = None) -> Turn:
    """Only what the table permits."""
    return take(command, before, permit(before, ACTION_OF[type(command)], command.by, at), at, plan)


def _text() -> str:
    return str(uuid4())


def _handler(before: Snapshot) -> Actor:
    return a_lead(before.department or "housing", id="1f6f1a8e-0000-4000-8000-000000000001")


def _auto_assign(before: Snapshot, life: Life, at: datetime) -> Turn:
    return procedure.auto_assign(before, _plan(at, life.department, life.category), at, {})


def _triage(before: Snapshot, life: Life, at: datetime) -> Turn:
    return procedure.to_triage(before, _plan(at, None, life.category), at, "unsure", {})


def _give(before: Snapshot, life: Life, at: datetime, department: str) -> Turn:
    command = c.Assign(a_dispatcher(), department, life.category, reason=_text())
    return _take(command, before, at, _plan(at, department, life.category))


def _reassign(before: Snapshot, life: Life, at: datetime, department: str) -> Turn:
    plan = _plan(at, department, life.category)
    return _take(c.Reassign(a_dispatcher(), department, _text()), before, at, plan)


def _return(before: Snapshot, life: Life, at: datetime) -> Turn:
    command = c.ReturnRequest(_handler(before), _text(), "city")
    return _take(command, before, at, _plan(at, None, life.category))


def _resolve(before: Snapshot, life: Life, at: datetime, result: str = "solved") -> Turn:
    return _take(c.Resolve(_handler(before), Result(result), _text()), before, at)


def _rate(before: Snapshot, life: Life, at: datetime, solved: str, satisfied: str) -> Turn:
    return _take(c.Rate(CITIZEN, Solved(solved), int(satisfied)), before, at)


def _reopen(before: Snapshot, life: Life, at: datetime) -> Turn:
    return _take(c.Reopen(CITIZEN), before, at, _plan(at, before.department, life.category))


def _decide(before: Snapshot, life: Life, at: datetime) -> Turn:
    return _take(c.Decide(a_supervisor(), c.Decision.CLOSE, _text()), before, at)


def _transfer(before: Snapshot, life: Life, at: datetime) -> Turn:
    return _take(c.Transfer(a_dispatcher(), "next_city", reason=_text()), before, at)


def _decline(before: Snapshot, life: Life, at: datetime) -> Turn:
    return _take(c.Decline(a_dispatcher(), "court", reason=_text()), before, at)


def _take_over(before: Snapshot, life: Life, at: datetime, department: str) -> Turn:
    return procedure.escalate_by_rung(before, RUNG, SYSTEM, at, _plan(at, department, life.category))


def _by_hand(before: Snapshot, life: Life, at: datetime) -> Turn:
    return procedure.escalate_by_rung(before, RUNG, a_supervisor(), at, None)


def _ask(before: Snapshot, life: Life, at: datetime) -> Turn:
    return _take(c.AskCitizen(_handler(before), _text()), before, at, PausePlan(at + 5 * DAY, ()))


def _answer(before: Snapshot, life: Life, at: datetime) -> Turn:
    return _take(c.Answer(CITIZEN, _text()), before, at, _moved(before, at))


def _ask_hold(before: Snapshot, life: Life, at: datetime) -> Turn:
    command = c.RequestHold(_handler(before), (at + 30 * DAY).date(), _text())
    return _take(command, before, at)


def _hold(before: Snapshot, life: Life, at: datetime) -> Turn:
    return _take(c.ApproveHold(a_supervisor()), before, at, PausePlan(at + 30 * DAY, ()))


def _resume(before: Snapshot, life: Life, at: datetime) -> Turn:
    return _take(c.Resume(a_supervisor(), _text()), before, at, _moved(before, at))


def _moved(before: Snapshot, at: datetime) -> Moved:
    """Every date moved by the pause that ends now."""
    assert before.paused_at is not None
    assert before.due_at is not None
    length = at - before.paused_at
    contact_due_at = before.contact_due_at + length if before.contact_due_at else None
    return Moved(at=at, due_at=before.due_at + length, alarms=(), contact_due_at=contact_due_at)


def _ask_extension(before: Snapshot, life: Life, at: datetime, days: str) -> Turn:
    return _take(c.RequestExtension(_handler(before), int(days), _text()), before, at)


def _extend(before: Snapshot, life: Life, at: datetime) -> Turn:
    assert before.due_at is not None
    assert before.extension_days is not None
    due_at = before.due_at + before.extension_days * DAY
    moved = Moved(at=at, due_at=due_at, alarms=(), contact_due_at=before.contact_due_at)
    return _take(c.GrantExtension(a_dispatcher()), before, at, moved)


def _merge(before: Snapshot, life: Life, at: datetime) -> Turn:
    parent = Followed(4, State.IN_PROGRESS, department=before.department, due_at=at - DAY)
    return _take(c.Merge(a_dispatcher(), "2611-0000-00010", reason=_text()), before, at, parent)


def _follow(before: Snapshot, life: Life, at: datetime, state: str) -> Turn:
    """The parent, which was due before the merging, has come so far."""
    parent = Followed(9, State(state), department=before.department, due_at=life.submitted_at)
    return follow(before, parent, at)


def _call(before: Snapshot, life: Life, at: datetime, solved: str = "", satisfied: str = "0") -> Turn:
    if not solved:
        return _take(c.RecordCall(a_caller(), c.CallResult.NO_ANSWER), before, at)
    said = c.RecordCall(a_caller(), c.CallResult.ANSWERED, Solved(solved), int(satisfied))
    return _take(said, before, at)


ACTS: dict[str, Callable[..., Turn]] = {
    "assign": _auto_assign,
    "triage": _triage,
    "give": _give,
    "accept": lambda before, life, at: _take(c.Accept(_handler(before)), before, at),
    "contact": lambda before, life, at: _take(c.Contact(_handler(before), c.ContactKind.PHONE), before, at),
    "note": lambda before, life, at: _take(c.Progress(_handler(before), _text(), public=True), before, at),
    "contact_overdue": lambda before, life, at: procedure.remind(before, AlarmKind.CONTACT_OVERDUE, at),
    "escalate": lambda before, life, at: procedure.escalate_by_rung(before, RUNG, SYSTEM, at, None),
    "escalate_by_hand": _by_hand,
    "take_over": _take_over,
    "return": _return,
    "reassign": _reassign,
    "resolve": _resolve,
    "approve": lambda before, life, at: _take(c.Approve(a_dispatcher()), before, at),
    "rate": _rate,
    "reopen": _reopen,
    "close": lambda before, life, at: procedure.close_without_reply(before, at),
    "decide": _decide,
    "transfer": _transfer,
    "decline": _decline,
    "withdraw": lambda before, life, at: _take(c.Withdraw(CITIZEN), before, at),
    "ask": _ask,
    "answer": _answer,
    "ask_hold": _ask_hold,
    "hold": _hold,
    "resume": _resume,
    "ask_extension": _ask_extension,
    "extend": _extend,
    "merge": _merge,
    "follow": _follow,
    "call": _call,
}
