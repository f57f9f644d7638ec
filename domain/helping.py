"""Co-handlers: departments that do a part of the work. Only the lead department speaks to the citizen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain import commands as c
from domain.errors import NotAllowed
from domain.helped import CoClock, CoPlan
from domain.lifecycle import Action, Transition
from domain.notices import NoticeKind, Recipient, owe
from domain.planned import Planned
from domain.request import SYSTEM, Actor, AlarmKind, CoHandler, CoState, OwedNotice, Snapshot, Turn
from domain.taking import take
from domain.turns import Changes, make_turn


@take.register
def _(command: c.AddCoHandler, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, CoPlan)
    if command.department == before.department:
        raise NotAllowed("This department has the request already; it needs no help from itself.", state=before.state)
    if command.department in before.co_departments:
        raise NotAllowed("This department has been asked already.", state=before.state)
    number = len(before.co_handlers) + 1
    added = CoHandler(number, command.department, CoState.ASKED, command.task, plan.due_at)
    notices = (_owe(NoticeKind.CO_TASK, Recipient.HANDLERS, before, command.department, plan.due_at),)
    facts = {"co_department": command.department, "number": str(number), "co_due": plan.due_at.isoformat()}
    return make_turn(
        before, Action.ADD_CO_HANDLER, command.by, at, notices, text=command.task, facts=facts,
        **_with(before, added),
    )  # fmt: skip


@take.register
def _(command: c.FinishCoHandling, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    mine = _asked_of(before, command.by, command.department)
    notices = (owe(NoticeKind.CO_DONE, Recipient.ASSIGNEE, before, co_department=mine.department),)
    return _settled(before, mine, CoState.DONE, Action.FINISH_CO_HANDLING, command.by, at, command.note, notices)


@take.register
def _(command: c.ReturnCoHandling, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    mine = _asked_of(before, command.by, command.department)
    notices = (owe(NoticeKind.CO_RETURNED, Recipient.ASSIGNEE, before, co_department=mine.department),)
    return _settled(before, mine, CoState.RETURNED, Action.RETURN_CO_HANDLING, command.by, at, command.reason, notices)


@take.register
def _(command: c.WaiveCoHandling, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    found = before.co_handler(command.department)
    if found is None or found.state not in (CoState.ASKED, CoState.RETURNED):
        raise NotAllowed("Nothing is waited for from this department.", state=before.state)
    notices = (_owe(NoticeKind.CO_WAIVED, Recipient.HANDLERS, before, found.department, found.due_at),)
    return _settled(before, found, CoState.WAIVED, Action.WAIVE_CO_HANDLING, command.by, at, command.reason, notices)


def co_clock_rang(before: Snapshot, clock: CoClock, at: datetime) -> Turn | None:
    """A clock of a co-handler has run out; None where its part is settled by now."""
    found = next((each for each in before.co_handlers if each.number == clock.number), None)
    if found is None or found.state is not CoState.ASKED or not before.is_open:
        return None
    facts = {"co_department": found.department, "number": str(found.number), "clock": clock.alarm.kind}
    if clock.alarm.rung is None:
        notices: tuple[OwedNotice, ...] = (
            _owe(NoticeKind.CO_REMINDER, Recipient.HANDLERS, before, found.department, found.due_at),
        )
        return make_turn(before, AlarmKind.CO_REMINDED, SYSTEM, at, notices, public=False, facts=facts)
    rung = clock.alarm.rung
    notices = tuple(
        _owe(NoticeKind.CO_ESCALATED, Recipient.LEADS, before, code, found.due_at, found.department)
        for code in rung.departments
    )
    if rung.supervisors:
        notices = (
            *notices,
            _owe(NoticeKind.CO_ESCALATED, Recipient.SUPERVISORS, before, None, found.due_at, found.department),
        )
    told = _owe(NoticeKind.CO_ESCALATED, Recipient.ASSIGNEE, before, None, found.due_at, found.department)
    facts["level"] = str(rung.level)
    return make_turn(before, AlarmKind.CO_ESCALATED, SYSTEM, at, (*notices, told), public=False, facts=facts)


def _asked_of(before: Snapshot, by: Actor, department: str | None) -> CoHandler:
    """The part that is asked of the person's department. Raises NotAllowed where that is not plain."""
    mine = {*by.departments, *by.led}
    asked = [each for each in before.co_handlers if each.state is CoState.ASKED and each.department in mine]
    named = [each for each in asked if department in (None, each.department)]
    if not named:
        raise NotAllowed("Nothing is asked of your department here.", state=before.state)
    if len(named) > 1:
        raise NotAllowed("Several of your departments help here: name the one you mean.", state=before.state)
    return named[0]


def _settled(
    before: Snapshot, which: CoHandler, state: CoState, action: Action, by: Actor, at: datetime, text: str,
    notices: tuple[OwedNotice, ...],
) -> Turn:  # fmt: skip
    facts = {"co_department": which.department, "number": str(which.number)}
    changes = _with(before, replace(which, state=state, settled_at=at))
    return make_turn(before, action, by, at, notices, public=False, text=text, facts=facts, **changes)


def _with(before: Snapshot, changed: CoHandler) -> Changes:
    others = (each for each in before.co_handlers if each.number != changed.number)
    co_handlers = tuple(sorted((*others, changed), key=lambda each: each.number))
    asked = dict.fromkeys(each.department for each in co_handlers if each.state is CoState.ASKED)
    return {"co_handlers": co_handlers, "co_departments": tuple(asked)}


def _owe(
    kind: NoticeKind,
    to: Recipient,
    before: Snapshot,
    department: str | None,
    due_at: datetime,
    helper: str | None = None,
) -> OwedNotice:
    """A notice about the part of a co-handler: its date is the part's own."""
    facts = {"due": due_at.isoformat(), "co_department": helper or department}
    return owe(kind, to, before, department=department, **facts)
