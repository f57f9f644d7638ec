"""All that the page of one request is made of, read at one go: people look again and again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from db import texts
from db.attachments import Attachment
from db.pool import Database
from db.sealing import KeyRing
from db.statements import load
from db.views import snapshot_of
from domain.errors import Unknown
from domain.request import Event, Snapshot, State

_QUERIES = load("histories")


class History(NamedTuple):
    """Where a request stands, its events and pictures, the oldest first, and its texts, still sealed."""

    snapshot: Snapshot
    events: list[Event]
    pictures: list[Attachment]
    texts_sealed: dict[UUID, bytes]

    def words(self, keys: KeyRing, text_ids: Iterable[UUID]) -> dict[UUID, str]:
        """Those of the texts by id; what was erased is missing. Raises SealBroken."""
        sealed = self.texts_sealed
        return {text_id: keys.open(texts.place(text_id), sealed[text_id]) for text_id in text_ids if text_id in sealed}


async def read(database: Database, request_id: UUID) -> History:
    """Raises Unknown."""
    row = await _QUERIES["read"].row(database, request_id=request_id)
    if row is None:
        raise Unknown("There is no such request.")
    return History(
        snapshot=snapshot_of(row),
        events=[_event(values) for values in row["events"]],
        pictures=[Attachment(*values) for values in row["pictures"]],
        texts_sealed=dict(row["texts"]),
    )


def _event(values: tuple[Any, ...]) -> Event:
    sequence, at, action, actor_kind, actor_id, before, state, public, text_id, facts = values
    return Event(
        sequence=sequence,
        at=at,
        action=action,
        actor_kind=actor_kind,
        actor_id=actor_id,
        state_before=State(before) if before else None,
        state=State(state),
        public=public,
        text=str(text_id) if text_id else None,
        facts=facts,
    )
