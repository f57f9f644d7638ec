"""Several reporters of one matter: the merged request follows its parent, its reporter hears and judges for themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain import commands as c
from domain.followed import Followed
from domain.lifecycle import Action, Transition
from domain.notices import NoticeKind, Recipient, owe
from domain.planned import Planned
from domain.planning import Plan
from domain.request import SYSTEM, TERMINAL, Actor, Snapshot, State, Turn
from domain.taking import take
from domain.turns import Changes, in_triage, make_turn

NOT_MERGED: Changes = {"parent": None, "parent_state": None, "closed_at": None}
LEAVES_ALONE = frozenset({State.WITHDRAWN, State.MERGED})
"""Where a parent ends so, its followers are matters of their own again: only its own citizen gave it up."""


@take.register
def _(command: c.Merge, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Followed)
    facts = {"parent": command.parent, "department": plan.department}
    changes: Changes = {
        "state": State.MERGED,
        "parent": command.parent,
        "parent_state": plan.state,
        "department": plan.department,
        "category": plan.category or before.category,
        "assignee": None,
        "accepted_at": None,
        # What was judged before was another answer.
        "solved": None,
        "satisfied": None,
    }
    return make_turn(before, Action.MERGE, command.by, at, text=command.reason, facts=facts, **changes)


@take.register
def _(command: c.Unmerge, before: Snapshot, row: Transition, at: datetime, plan: Planned) -> Turn:
    assert isinstance(plan, Plan)
    return unmerge(before, command.by, at, plan, command.reason)


def unmerge(before: Snapshot, by: Actor, at: datetime, plan: Plan, text: str | None = None) -> Turn:
    """A matter of its own again: a person decides where it goes."""
    changes = in_triage(plan) | {"triage_reason": "unmerged", **NOT_MERGED}
    return make_turn(before, Action.UNMERGE, by, at, text=text, facts={"parent": before.parent}, **changes)


def follow(before: Snapshot, followed: Followed, at: datetime) -> Turn:
    """The parent has moved: this request's citizen hears what the parent's citizen hears."""
    changes: Changes = {
        "parent_state": followed.state,
        "department": followed.department or before.department,
        "closed_at": at if followed.state in TERMINAL else None,
        # What the parent's citizen was asked again, this one is asked again.
        "solved": None if followed.state in (State.ASSIGNED, State.IN_PROGRESS) else before.solved,
        "satisfied": None if followed.state in (State.ASSIGNED, State.IN_PROGRESS) else before.satisfied,
    }
    # Its own due date waits for the day on which it is a matter of its own again; its citizen is told the parent's.
    after = replace(before, **changes, due_at=followed.due_at)
    notices = tuple(owe(NoticeKind(kind), Recipient.CITIZEN, after) for kind in followed.notices)
    facts = {"parent": before.parent, "parent_action": followed.action, "parent_state": followed.state}
    # Its citizen reads the parent's own timeline.
    return make_turn(before, Action.FOLLOW, SYSTEM, at, notices, public=False, facts=facts, **changes)


def joined(before: Snapshot, at: datetime, reference: str, change: int) -> Turn:
    """Another request was merged into this one, or is on its own again."""
    facts = {"follower": reference, "followers": str(before.followers + change)}
    name = "joined" if change > 0 else "left"
    return make_turn(before, name, SYSTEM, at, (), public=False, facts=facts, followers=before.followers + change)
