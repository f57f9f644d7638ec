"""What is proposed to the person who decides: another way than the plain one, never taken without them.

A proposal travels in the facts of the event that sends a request to triage or to a department: `proposal` says what is
proposed, `proposal_why` why, and each `proposal_<field>` what the field of the action that takes it would hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

PREFIX = "proposal"


class ProposalKind(StrEnum):
    """What the person is asked to do."""

    DECLINE = "decline"  # not for this channel: `reason_code` of the policy's list
    TRANSFER = "transfer"  # another jurisdiction's: `target` of the policy's list
    CO_HANDLER = "co_handler"  # two departments': `department` leads, `co_department` helps


class Because(StrEnum):
    """Why it is proposed; what is shown of it is said in the reader's language, where it is shown."""

    NEIGHBOUR = "neighbour"  # the place lies in the neighbour `where`
    WORDS = "words"  # words of the policy speak for the reason to decline
    PART = "part"  # a part of the message is surely about the co-handler's category
    CLOSE = "close"  # one is `sure`, the other `nearly` so (0 to 1)


@dataclass(frozen=True)
class Proposal:
    """Codes only, for it enters the history. `why` is a sentence in English for logs, and for proposals from before there was
    `because`.

    `category` is what the lead department would do, or, with a decline or a transfer, what of it is ours all the same.
    """

    kind: ProposalKind
    why: str
    reason_code: str | None = None
    target: str | None = None
    department: str | None = None
    co_department: str | None = None
    category: str | None = None
    co_category: str | None = None
    because: str | None = None
    where: str | None = None
    sure: str | None = None
    nearly: str | None = None

    def facts(self) -> dict[str, str]:
        """As they stand in the event."""
        told = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "kind"}
        return {PREFIX: self.kind.value} | {f"{PREFIX}_{name}": value for name, value in told.items() if value}

    @classmethod
    def of(cls, facts: Mapping[str, str | None]) -> Proposal | None:
        """The proposal in the facts of an event; None where there is none, or one that this program does not know."""
        if facts.get(PREFIX) not in set(ProposalKind):
            return None
        told = {field.name: facts.get(f"{PREFIX}_{field.name}") for field in fields(cls) if field.name != "kind"}
        return cls(ProposalKind(str(facts[PREFIX])), why=told.pop("why") or "", **told)
