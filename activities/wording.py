"""What a notice says: which policy, language and facts its text is made of, and which of them a recipient may see.

A confidential request has no category in any text. The link with the citizen's token goes to the citizen alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from activities.providers.port import Message
from db.notices import NoticeState, Unsent
from db.sealing import KeyRing
from domain.policy import Names, Policy, in_language
from domain.texts import TextFault, notice_text

logger = structlog.get_logger(__name__)

Values = dict[str, str]

# Not strftime: its month names follow the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
        """Raises SealBroken when the key ring lacks a key: then nothing can be told of any notice."""
        to = notice.phone(self._keys)
        if to is None:
            return Unsendable(NoticeState.NO_ADDRESS, None)
        if self._is_too_late(notice):
            return Unsendable(NoticeState.FAILED, "expired")
        version = notice.policy_version
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
        """What the placeholders may be filled with; what is not known stays empty, and the policy has words for that."""
        return {
            "reference": notice.reference,
            "city": in_language(policy.city.name, notice.language),
            "code": notice.code(self._keys) or "",
            "level": notice.facts.get("level", ""),
            "due": _due(policy, notice),
            **self._links(notice),
            **_names(policy, notice),
        }

    def _links(self, notice: Unsent) -> Values:
        if notice.to_citizen:
            return {"link": f"{self._public_url}/r/{notice.reference}/{notice.token(self._keys)}"}
        staff_link = f"{self._public_url}/staff/requests/{notice.reference}"
        return {"link": staff_link, "staff_link": staff_link}


def _names(policy: Policy, notice: Unsent) -> Values:
    """The policy's names for the codes among the facts; empty for a code that this version of it does not know."""
    facts, language = notice.facts, notice.language
    texts = policy.texts.get(language) or policy.texts[policy.city.languages[0]]

    def name(fact: str, look_up: Callable[[str], Names]) -> str:
        try:
            return in_language(look_up(facts[fact]), language)
        except KeyError:
            return ""

    return {
        "state": texts.states.get(facts.get("state", ""), ""),
        "department": name("department", lambda code: policy.department(code).name),
        "previous_department": name("previous_department", lambda code: policy.department(code).name),
        "category": "" if notice.confidential else name("category", lambda code: policy.category(code).name),
        "target": name("target", lambda code: policy.transfer_target(code).name),
        "reason_name": name("reason_code", lambda code: policy.decline_reason(code).name),
        "route": name("reason_code", lambda code: policy.decline_reason(code).route),
    }


def _due(policy: Policy, notice: Unsent) -> str:
    """By the city's clock, to the minute."""
    due = notice.facts.get("due")
    if not due:
        return ""
    local = datetime.fromisoformat(due).astimezone(ZoneInfo(policy.zone))
    if notice.language == "zh":
        return f"{local.month}月{local.day}日{local:%H:%M}"
    return f"{local.day} {_MONTHS[local.month - 1]} {local:%H:%M}"
