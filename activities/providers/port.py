"""What carries a notice to a phone: the port that every provider fills, and what it can answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """One notice on its way. Without a repr: it is personal data from end to end."""

    notice_id: UUID
    attempt_id: UUID
    to: str  # E.164
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has the message and answers for it from now on."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """The provider certainly does not have the message; the same one may be tried again.

    `technical`: nothing will change until somebody mends a setting, and the log has said so.
    """

    reason: str
    technical: bool = False


@dataclass(frozen=True, slots=True)
class Permanent:
    """The provider will never take this message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The message left and no clear answer came: the provider may have it or not. Trying at once could send it twice."""

    reason: str


Answer = Accepted | Temporary | Permanent | Uncertain
"""Reasons are stable words (docs/sms.md lists them): never the provider's own text, which may hold a number."""


class Provider(Protocol):
    """Carries one message at a time. One contract test runs over all implementations."""

    @property
    def name(self) -> str:
        """As kept with each attempt."""

    @property
    def prompt(self) -> bool:
        """Whether it answers within milliseconds out of our own database; if not, it is a stranger on the network."""

    async def send(self, message: Message) -> Answer:
        """Never raises for what the provider says or fails to say."""

    async def close(self) -> None: ...


class PromptProvider(Provider, Protocol):
    """A provider within our own database."""

    async def finish(self, messages: Sequence[Message]) -> None:
        """Keeps the messages and marks their notices as sent, in one transaction: there is no moment in between.

        A notice that somebody else has sent or is sending is left alone.
        """
