"""Writing down what happened to a request: the events, where it stands now, and who is owed a notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid5

import structlog
from temporalio import activity

from activities.sending import Sending
from db import read_model, texts
from db.notices import NoticeState
from db.pool import Database
from db.sealing import KeyRing
from domain.notices import Recipient
from domain.planning import FeedbackPlan
from domain.record import Record, Recorded
from domain.request import Act, Snapshot

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class KeepText:
    """A text that came to the workflow in the clear, from an admin in the Temporal UI."""

    request_id: str
    body: str


@dataclass(frozen=True)
class Place:
    """A number in the timeline of a request."""

    request_id: str
    sequence: int


class Policies(Protocol):
    """What recording needs to know of the policy."""

    async def quiet_until(self, version: str | None, at: datetime) -> datetime | None:
        """The end of the quiet hours in which `at` lies, after that version of the policy or the active one."""
        ...

    async def feedback_after(self, resolved: Snapshot) -> FeedbackPlan:
        """The clocks of the feedback from the latest turn of that request on."""
        ...


class SendAtOnce(Protocol):
    """Sends the notices of a request that are due at that instant, through a provider that nobody has to wait for."""

    async def __call__(self, request_id: UUID, at: datetime, /) -> Sending: ...


class ReadModelActivities:
    """`by_gateway` says whether notices go through a stranger on the network.

    `given_up` hears of notices that end as they are recorded, and why. With `send_at_once` what is recorded is sent in the same step, which saves the workflow a step of its own.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        policies: Policies,
        *,
        by_gateway: bool = False,
        send_at_once: SendAtOnce | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        given_up: Callable[[str, int], None] = lambda because, notices: None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._policies = policies
        self._by_gateway = by_gateway
        self._send_at_once = send_at_once
        self._now = now
        self._given_up = given_up

    @activity.defn
    async def record(self, taken: Record) -> Recorded:
        """Idempotent by request and sequence: a repetition changes nothing and answers the same.

        Where another act has taken the number, nothing is written, and that act is the answer.
        """
        now = self._now()
        quiet_until = await self._quiet_until(taken, now)
        feedback = await self._policies.feedback_after(taken.snapshot) if taken.feedback else None
        left = await read_model.record(self._database, taken, quiet_until, now)
        if left.unreachable:
            self._given_up(NoticeState.NO_ADDRESS, left.unreachable)
        if left.ahead is not None:
            return Recorded(0, by_gateway=self._by_gateway, ahead=left.ahead)
        if feedback is not None and left.stands is not None:
            feedback = await self._policies.feedback_after(left.stands)
        owed = left.owed
        if owed and self._send_at_once is not None and await self._sent(self._send_at_once, taken, now):
            owed = 0
        return Recorded(owed, left.held_until, by_gateway=self._by_gateway, stands=left.stands, feedback=feedback)

    @activity.defn
    async def act_ahead(self, place: Place) -> Act | None:
        """The act that has made the event with that number, if there is one."""
        return await read_model.act(self._database, UUID(place.request_id), place.sequence)

    @activity.defn
    async def keep_text(self, wanted: KeepText) -> str:
        """The id of the text. Tried again, it is the same text under the same id."""
        info = activity.info()
        text_id = uuid5(UUID(info.workflow_run_id or wanted.request_id), info.activity_id)
        request_id = UUID(wanted.request_id)
        return str(await texts.keep(self._database, self._keys, request_id, wanted.body, self._now(), text_id=text_id))

    async def _sent(self, send_at_once: SendAtOnce, taken: Record, now: datetime) -> bool:
        """False where sending failed: what is recorded stays, and the workflow sends in a step of its own."""
        try:
            return (await send_at_once(UUID(taken.snapshot.request_id), now)).unsettled is None
        except Exception as error:
            # Without the error's text: it can hold anything.
            logger.warning("sending_at_once_failed", reference=taken.snapshot.reference, error=type(error).__qualname__)
            return False

    async def _quiet_until(self, taken: Record, now: datetime) -> datetime | None:
        """Only what is owed to the citizen and not urgent waits for the morning."""
        notices = (notice for entry in taken.entries for notice in entry.notices)
        if all(notice.urgent or notice.to != Recipient.CITIZEN for notice in notices):
            return None
        return await self._policies.quiet_until(taken.snapshot.policy_version, now)
