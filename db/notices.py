"""The notices that are owed: which are due, who has one in hand, and what became of each attempt.

All instants of sending are the database's own, so that workers whose clocks differ agree on when a grace has passed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from db.ids import new_id
from db.pool import Database
from db.sealing import KeyRing
from db.statements import load

_QUERIES = load("notices")


class NoticeState(StrEnum):
    """What has become of a notice (docs/sms.md)."""

    OWED = "owed"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    NO_ADDRESS = "no_address"


RECEIPTS_COME_WITHIN = timedelta(days=7)
"""Of their attempt. Operators try for up to three days, and Kannel offers a receipt for one more. The address of a receipt is
signed, but not what is reported there: one that was read somewhere is not to be good for ever."""


class Receipt(StrEnum):
    """What a gateway reports of an attempt."""

    BUFFERED = "buffered"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, repr=False)
class Unsent:
    """A notice that is still to be sent, with what its text and its address are made of; personal parts sealed.

    `held`: quiet hours hold it back until `not_before`. `unclear_for`: how long the grace of an attempt whose fate is
    not known still lasts; while it is positive, nobody may try again.
    """

    id: UUID
    request_id: UUID
    kind: str
    recipient: str
    language: str
    facts: dict[str, Any]
    state: str
    attempts: int
    not_before: datetime | None
    held: bool | None
    unclear_for: timedelta | None
    reference: str
    confidential: bool
    contact_sealed: bytes | None
    token_sealed: bytes
    policy_version: str | None
    staff_id: UUID | None
    staff_phone_sealed: bytes | None

    @property
    def to_citizen(self) -> bool:
        return self.recipient == "citizen"

    @property
    def is_unclear(self) -> bool:
        return self.unclear_for is not None and self.unclear_for > timedelta(0)

    def phone(self, keys: KeyRing) -> str | None:
        """The recipient's number (E.164). Raises SealBroken."""
        if not self.to_citizen:
            sealed = self.staff_phone_sealed
            return keys.open(f"staff.phone:{self.staff_id}", sealed) if sealed else None
        if self.contact_sealed is None:
            return None
        contact = json.loads(keys.open(f"requests.contact:{self.request_id}", self.contact_sealed))
        return contact.get("phone") or None

    def token(self, keys: KeyRing) -> str:
        """The citizen's token, for the link. Raises SealBroken."""
        return keys.open(f"requests.token:{self.request_id}", self.token_sealed)

    def code(self, keys: KeyRing) -> str | None:
        """The one-time code that this notice brings. Raises SealBroken."""
        sealed = self.facts.get("code_sealed")
        return keys.open(_code_place(self.id), base64.b64decode(sealed)) if sealed else None


async def unsent_of_request(
    database: Database, request_id: UUID, grace: timedelta, at: datetime | None
) -> list[Unsent]:
    """All that is still to be sent for a request, in the order it was owed; what is held back until `at` counts as due."""
    return await _unsent(database, request_id=request_id, notice_id=None, at=at, grace=grace)


async def unsent_notice(database: Database, notice_id: UUID, grace: timedelta) -> list[Unsent]:
    """That notice, or nothing when it needs no sending any more."""
    return await _unsent(database, request_id=None, notice_id=notice_id, at=None, grace=grace)


async def _unsent(database: Database, **values: Any) -> list[Unsent]:
    return [Unsent(**row) for row in await _QUERIES["unsent"].rows(database, **values)]


async def claim(database: Database, unsent: Unsent, attempt_id: UUID, provider: str) -> bool:
    """Writes the attempt and takes the notice as it was seen; False when somebody else was first."""
    number = await _QUERIES["claim"].value(
        database,
        notice_id=unsent.id,
        state=unsent.state,
        attempts=unsent.attempts,
        attempt_id=attempt_id,
        provider=provider,
    )
    return number is not None


async def finish_sent(database: Database, attempt_id: UUID) -> None:
    """The provider has it."""
    await _finish(database, attempt_id, "accepted", NoticeState.SENT, None)


async def finish_for_now(database: Database, attempt_id: UUID, reason: str) -> None:
    """The provider does not have it: owed as before."""
    await _finish(database, attempt_id, "temporary", NoticeState.OWED, reason)


async def finish_for_good(database: Database, attempt_id: UUID, reason: str) -> None:
    """The provider will never take it."""
    await _finish(database, attempt_id, "permanent", NoticeState.FAILED, reason)


async def _finish(database: Database, attempt_id: UUID, outcome: str, state: NoticeState, reason: str | None) -> None:
    await _QUERIES["finish"].run(database, attempt_id=attempt_id, outcome=outcome, state=state, reason=reason)


async def leave_unclear(database: Database, attempt_id: UUID, reason: str) -> None:
    """The provider may have it or not; its receipt, or the end of the grace, will decide."""
    await _QUERIES["leave_unclear"].run(database, attempt_id=attempt_id, reason=reason)


async def give_up(database: Database, ended: Sequence[tuple[UUID, NoticeState, str | None]]) -> None:
    """Ends notices that cannot be sent: id, last state, and the reason."""
    ids, states, reasons = zip(*ended, strict=True)
    await _QUERIES["give_up"].run(database, ids=ids, states=states, reasons=reasons)


async def record_receipt(database: Database, attempt_id: UUID, receipt: Receipt) -> bool | None:
    """Keeps what a gateway reports, in any order and however often.

    Whether it says more than was known; None when there is no such attempt, or none of so short a time ago.
    """
    values = {"attempt_id": attempt_id, "receipt": receipt, "within": RECEIPTS_COME_WITHIN}
    new: bool | None = await _QUERIES["record_receipt"].value(database, **values)
    return new


async def overlooked(database: Database, quiet: timedelta, most: int) -> list[UUID]:
    """Requests with notices that nobody has touched for `quiet`; longer for those tried in vain before."""
    rows = await _QUERIES["overlooked"].rows(database, quiet=quiet, most=most)
    return [row["request_id"] for row in rows]


async def owe_code(
    database: Database, keys: KeyRing, request_id: UUID, language: str, code: str, valid_minutes: int, now: datetime
) -> UUID:
    """Owes the citizen a one-time code by SMS and gives the notice's id.

    The code stands in the row, sealed, until it is sent; later than it is valid it is not sent.
    """
    notice_id = new_id(now)
    sealed = base64.b64encode(keys.seal(_code_place(notice_id), code)).decode()
    await _QUERIES["owe_code"].run(
        database,
        id=notice_id,
        request_id=request_id,
        # No event owes it. A negative number keeps it apart from the notices of events and, by chance, from other codes.
        sequence=-1 - int.from_bytes(notice_id.bytes[-4:], "big") % (2**31 - 1),
        language=language,
        facts={"code_sealed": sealed, "expires_at": (now + timedelta(minutes=valid_minutes)).isoformat()},
        created_at=now,
    )
    return notice_id


def _code_place(notice_id: UUID) -> str:
    return f"notices.code:{notice_id}"
