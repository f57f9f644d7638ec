"""Follow-up calls: what a caller heard counts as the citizen's own word; silence never counts as satisfaction."""

from __future__ import annotations

from datetime import datetime

from domain import commands as c
from domain.lifecycle import Action, Transition
from domain.notices import NoticeKind, Recipient, owe
from domain.planned import Planned
from domain.request import SYSTEM, AlarmKind, Outcome, Snapshot, Solved, State, Turn
from domain.taking import take
from domain.turns import Changes, make_turn, rated


@take.register
def _(command: c.RecordCall, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    changes: Changes = {"call_count": before.call_count + 1}
    if command.result is c.CallResult.ANSWERED:
        assert command.solved is not None
        assert command.satisfied is not None
        changes |= rated(before, command.solved, command.satisfied, at) | {"call_wanted_at": None}
    elif command.result is c.CallResult.REFUSED:
        changes |= {"state": State.CLOSED, "outcome": Outcome.NO_REPLY, "closed_at": at, "call_wanted_at": None}
    facts = {
        "result": command.result,
        "solved": command.solved,
        "satisfied": str(command.satisfied) if command.satisfied is not None else None,
    }
    judged = command.result is c.CallResult.ANSWERED
    notices = (owe(NoticeKind.RATED, Recipient.ASSIGNEE, before),) if judged and command.solved is not Solved.NO else ()
    return make_turn(before, Action.RECORD_CALL, command.by, at, notices, text=command.note, facts=facts, **changes)


def want_call(before: Snapshot, at: datetime) -> Turn:
    """Nobody has rated: a caller shall ask."""
    notices = (owe(NoticeKind.CALL_WANTED, Recipient.CALLERS, before),)
    return make_turn(before, AlarmKind.WANT_CALL, SYSTEM, at, notices, public=False, call_wanted_at=at)
