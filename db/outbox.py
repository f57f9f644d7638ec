"""The console's outbox: every message that was sent through it, encrypted, with the number of SMS it would have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Database
from db.sealing import KeyRing
from db.statements import load
from domain.sms import count_parts

_QUERIES = load("outbox")


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """A message to be kept, and the attempt that it stands for."""

    notice_id: UUID
    attempt_id: UUID
    to: str  # E.164
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """A message that was kept, in the clear."""

    notice_id: UUID
    sent_at: datetime
    reference: str
    kind: str
    recipient: str  # citizen, or the name of the member of staff
    to: str  # E.164
    parts: int
    text: str


async def keep(database: Database, keys: KeyRing, notice_id: UUID, to: str, text: str) -> None:
    """Keeps the message of a notice, once however often it comes."""
    await _QUERIES["keep"].run(
        database,
        notice_id=notice_id,
        recipient_sealed=keys.seal(_place("recipient", notice_id), to),
        text_sealed=keys.seal(_place("text", notice_id), text),
        parts=count_parts(text),
    )


async def keep_and_finish(database: Database, keys: KeyRing, provider: str, messages: Sequence[Kept]) -> None:
    """Keeps the messages of those notices that are still owed, with an attempt each, and marks them as sent.

    One statement, hence one transaction: whatever is killed when, a notice is either owed or kept and sent.
    """
    await _QUERIES["keep_and_finish"].run(
        database,
        provider=provider,
        notice_ids=[message.notice_id for message in messages],
        attempt_ids=[message.attempt_id for message in messages],
        recipients_sealed=[keys.seal(_place("recipient", m.notice_id), m.to) for m in messages],
        texts_sealed=[keys.seal(_place("text", m.notice_id), m.text) for m in messages],
        parts=[count_parts(message.text) for message in messages],
    )


async def latest(
    database: Database,
    keys: KeyRing,
    *,
    reference: str | None = None,
    after: datetime | None = None,
    confidential: bool = True,
    most: int,
) -> list[Line]:
    """The newest messages, oldest of them first; of one request, or kept after an instant, where asked.

    Without `confidential`, those of confidential requests are left out.
    """
    rows = await _QUERIES["latest"].rows(
        database, reference=reference, after=after, confidential=confidential, most=most
    )
    return [
        Line(
            row["notice_id"],
            row["sent_at"],
            row["reference"],
            row["kind"],
            row["staff_name"] or row["recipient"],
            keys.open(_place("recipient", row["notice_id"]), row["recipient_sealed"]),
            row["parts"],
            keys.open(_place("text", row["notice_id"]), row["text_sealed"]),
        )
        for row in reversed(rows)
    ]


def _place(column: str, notice_id: UUID) -> str:
    return f"outbox.{column}:{notice_id}"
