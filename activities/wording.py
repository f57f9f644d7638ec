"""What a notice says: which policy, language and facts its text is made of, and which of them a recipient may see.

A confidential request's category stands in no text. The link with the citizen's token goes to the citizen alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import structlog

from activities.providers.port import Message
from db.notices import NoticeState, Unsent
from db.questions import answer_token
from db.sealing import KeyRing
from domain.facts import fact_words
from domain.notices import NoticeKind
from domain.policy import Policy, in_language
from domain.texts import TextFault, notice_text

logger = structlog.get_logger(__name__)

Values = dict[str, str]

_CONFIDENTIAL = {"en": "confidential matter", "zh": "保密事项"}


class Policies(Protocol):
    """Where policies come from."""

    async def active(self) -> Policy: ...

    async def version(self, version: str) -> Policy: ...


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Nobody can be sent this notice; the state and the reason it ends with."""

    state: NoticeState
    reason: str | None


class Wording:
    """Turns a notice into a message, under the policy that its request is pinned to."""

    def __init__(
        self,
        keys: KeyRing,
        policies: Policies,
        public_url: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._policies = policies
        self._public_url = public_url
        self._now = now

    async def message(self, notice: Unsent, attempt_id: UUID) -> Message | Unsendable:
        """Raises SealBroken where the key ring lacks the key, and NoPolicy where the database lacks the policy."""
        to = notice.phone(self._keys)
        if to is None:
            return Unsendable(NoticeState.NO_ADDRESS, None)
        if self._is_too_late(notice):
            return Unsendable(NoticeState.FAILED, "expired")
        # A spike is no event of the request that carries it, whose policy may be older than this kind of notice.
        version = None if notice.kind == NoticeKind.TOPIC_SPIKE else notice.policy_version
        policy = await self._policies.version(version) if version else await self._policies.active()
        try:
            text = notice_text(policy, notice.language, notice.kind, "sms", self._values(policy, notice))
        except TextFault as fault:
            logger.error("notice_without_text", kind=notice.kind, policy_version=policy.version, fault=fault.message)
            return Unsendable(NoticeState.FAILED, "text_fault")
        return Message(notice.id, attempt_id, to, text, notice.language)

    def _is_too_late(self, notice: Unsent) -> bool:
        expires_at = notice.facts.get("expires_at")
        return expires_at is not None and datetime.fromisoformat(expires_at) <= self._now()

    def _values(self, policy: Policy, notice: Unsent) -> Values:
        """What the placeholders may be filled with; for what is not among it, the policy has words of its own."""
        hidden = {"category": in_language(_CONFIDENTIAL, notice.language)} if notice.confidential else {}
        return {
            "reference": notice.reference,
            "city": in_language(policy.city.name, notice.language),
            "code": notice.code(self._keys) or "",
            **self._links(notice),
            **fact_words(policy, notice.language, notice.facts),
            **hidden,
        }

    def _links(self, notice: Unsent) -> Values:
        if notice.to_citizen:
            link = f"{self._public_url}/r/{notice.reference}/{notice.token(self._keys)}"
            return {"link": link, **self._answer_link(notice)}
        return {"staff_link": f"{self._public_url}/staff/requests/{notice.reference}"}

    def _answer_link(self, notice: Unsent) -> Values:
        """Of a question: opens that question for one answer, and nothing else of the request."""
        question = notice.facts.get("question")
        if question is None:
            return {}
        return {"answer_link": f"{self._public_url}/q/{notice.reference}/{answer_token(self._keys, question)}"}
