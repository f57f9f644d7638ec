"""Builders of decided requests: how a request came to where it belongs, as its timeline tells it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db.pool import Pool
from db.requests import Contact
from db.sealing import KeyRing
from domain.lessons import Step
from domain.request import State
from tests.rows import SUNDAY_NOON, a_submitted_request

MINUTE = timedelta(minutes=1)
_CITIZENS = itertools.count(1)


def a_way(*told: tuple[str, str, dict[str, str]], at: datetime = SUNDAY_NOON) -> tuple[Step, ...]:
    """(action, state after it, facts), a minute from one to the next."""
    return tuple(Step(at + number * MINUTE, *each) for number, each in enumerate(told))


def ran_through(
    category: str, department: str = "housing", by: str = "keywords v1", **at: datetime
) -> tuple[Step, ...]:
    """Assigned by the classifier of that name, and accepted."""
    facts = {"department": department, "decided_by": by, "candidates": f"{category}:0.99"}
    return a_way(("auto_assign", "assigned", facts), ("accept", "in_progress", {}), **at)


def triaged(category: str, department: str = "housing", **at: datetime) -> tuple[Step, ...]:
    """A dispatcher chose, and the department accepted."""
    chosen = {"department": department, "category": category, "previous_category": "garbage"}
    return a_way(("to_triage", "triage", {}), ("assign", "assigned", chosen), ("accept", "in_progress", {}), **at)


async def a_decided_request(
    pool: Pool,
    keys: KeyRing,
    title: str,
    text: str,
    category: str,
    *,
    at: datetime = SUNDAY_NOON,
    steps: Sequence[Step] | None = None,
    columns: dict[str, Any] | None = None,
    **changes: Any,
) -> UUID:
    """Submitted at that instant by a citizen of its own; it ran through and was accepted unless `steps` say otherwise.

    `columns` are those of its snapshot.
    """
    changes.setdefault("contact", Contact(phone=f"+86138{next(_CITIZENS):08}"))
    steps = ran_through(category, at=at) if steps is None else steps
    sent = await a_submitted_request(pool, keys, at, title=title, description=text, **changes)
    state = steps[-1].state if steps else State.RECEIVED
    values = {"category": category, "state": state, "sequence": len(steps)} | (columns or {})
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=2))
    await pool.execute(f"update snapshots set {assignments} where request_id = $1", sent.request_id, *values.values())
    await pool.executemany(
        "insert into events (request_id, sequence, at, action, actor_kind, actor_id, state, public, facts)"
        " values ($1, $2, $3, $4, 'system', '', $5, true, $6)",
        [(sent.request_id, number, *each[:3], each.facts) for number, each in enumerate(steps, start=1)],
    )
    return sent.request_id
