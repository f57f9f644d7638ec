"""Builders of requests that stand somewhere in the process, for what looks at many of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import read_model, requests, texts
from db.pool import Pool
from db.sealing import KeyRing
from domain.record import Entry, Record
from domain.request import Event, Snapshot, State
from tests.rows import SUNDAY_NOON, a_new_request

_SENT = ("description", "title", "contact", "address", "place", "lat", "long", "confidential")


async def a_request_at(
    pool: Pool, keys: KeyRing, state: State = State.ASSIGNED, *, at: datetime = SUNDAY_NOON, events: Sequence[Event] = (),
    **changes: Any,
) -> Snapshot:  # fmt: skip
    """A request that was submitted at that instant and stands in that state, with these events.

    `given_category` is the one that the citizen chose.
    """
    sent = {name: changes.pop(name) for name in _SENT if name in changes}
    chosen = changes.pop("given_category", None)
    submitted = await requests.submit(pool, keys, a_new_request(category=chosen, **sent), at)
    values: dict[str, Any] = {
        "state": state,
        "sequence": len(events) + 1,
        "confidential": sent.get("confidential", False),
        "category": "street_light",
        "department": None if state in (State.RECEIVED, State.TRIAGE) else "housing",
    }
    snapshot = Snapshot(str(submitted.request_id), submitted.reference, at, **(values | changes))
    await read_model.record(pool, Record(snapshot, tuple(Entry(event) for event in events)), None, at)
    return snapshot


def an_event(sequence: int, action: str, state: State = State.TRIAGE, text: str | None = None, **changes: Any) -> Event:
    """What the system did, an hour after the event before."""
    values: dict[str, Any] = {"at": SUNDAY_NOON + timedelta(hours=sequence), "actor_kind": "system", "actor_id": ""}
    return Event(
        sequence=sequence, action=action, state_before=None, state=state, public=True, text=text, **(values | changes)
    )


async def a_text(pool: Pool, keys: KeyRing, request_id: str, body: str) -> str:
    """The id of a text that is kept with the request."""
    return str(await texts.keep(pool, keys, UUID(request_id), body, SUNDAY_NOON))
