"""What each action of a person carries: one frozen value per action, checked before it changes anything.

Free texts are ids of texts kept in the database. The field metadata tell an interface what to ask for.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.request import Actor, Result, Solved, Urgency


class Decision(StrEnum):
    """What a supervisor decides in adjudication."""

    ASSIGN = "assign"
    CLOSE = "close"
    DECLINE = "decline"


class ContactKind(StrEnum):
    """How the department spoke with the citizen."""

    PHONE = "phone"
    VISIT = "visit"
    MESSAGE = "message"
    IN_PERSON = "in_person"


@dataclass(frozen=True)
class Accept:
    by: Actor


@dataclass(frozen=True)
class Assign:
    by: Actor
    department: str
    category: str
    urgency: Urgency | None = None
    reason: str | None = None  # text id


@dataclass(frozen=True)
class Decline:
    by: Actor
    reason_code: str  # of the policy's list
    reason: str | None = None  # text id


@dataclass(frozen=True)
class Transfer:
    by: Actor
    target: str  # of the policy's list
    reason: str | None = None  # text id


@dataclass(frozen=True)
class ReturnRequest:
    by: Actor
    reason: str  # text id
    department: str  # the one proposed instead


@dataclass(frozen=True)
class Decide:
    by: Actor
    decision: Decision
    reason: str  # text id
    department: str | None = None  # where the decision is to assign
    reason_code: str | None = None  # where the decision is to decline


@dataclass(frozen=True)
class Reassign:
    by: Actor
    department: str
    reason: str  # text id
    category: str | None = None


@dataclass(frozen=True)
class Reclassify:
    by: Actor
    category: str
    reason: str  # text id


@dataclass(frozen=True)
class SetUrgency:
    by: Actor
    urgency: Urgency
    reason: str  # text id


@dataclass(frozen=True)
class Contact:
    by: Actor
    how: ContactKind
    note: str | None = None  # text id


@dataclass(frozen=True)
class Progress:
    by: Actor
    note: str  # text id
    public: bool = False


@dataclass(frozen=True)
class Resolve:
    by: Actor
    outcome: Result
    reply: str  # text id
    attachments: tuple[str, ...] = ()  # ids of pictures that staff added before; the citizen sees them with the reply


@dataclass(frozen=True)
class Refer:
    by: Actor
    reason: str  # text id


@dataclass(frozen=True)
class AskCitizen:
    by: Actor
    question: str  # text id


@dataclass(frozen=True)
class Answer:
    by: Actor
    text: str  # text id


@dataclass(frozen=True)
class RequestExtension:
    by: Actor
    days: int  # working days
    reason: str  # text id; the citizen reads it when it is granted


@dataclass(frozen=True)
class GrantExtension:
    by: Actor
    note: str | None = None  # text id


@dataclass(frozen=True)
class RefuseExtension:
    by: Actor
    reason: str  # text id


@dataclass(frozen=True)
class RequestHold:
    by: Actor
    review_on: date
    reason: str  # text id: why it cannot be solved now, with the evidence; the citizen reads it when it is approved


@dataclass(frozen=True)
class ApproveHold:
    by: Actor
    note: str | None = None  # text id


@dataclass(frozen=True)
class RefuseHold:
    by: Actor
    reason: str  # text id


@dataclass(frozen=True)
class Resume:
    by: Actor
    reason: str  # text id


class CallResult(StrEnum):
    """What came of a follow-up call."""

    ANSWERED = "answered"  # the citizen judged: it counts as a rating
    NO_ANSWER = "no_answer"  # to be tried again
    REFUSED = "refused"  # the citizen does not want to judge


@dataclass(frozen=True)
class RecordCall:
    by: Actor
    result: CallResult
    solved: Solved | None = None  # where answered
    satisfied: int | None = None  # 1 to 5, where answered
    note: str | None = None  # text id


@dataclass(frozen=True)
class AddCoHandler:
    by: Actor
    department: str
    task: str  # text id


@dataclass(frozen=True)
class FinishCoHandling:
    by: Actor
    note: str  # text id: what was done
    department: str | None = None  # where the person works for several that help


@dataclass(frozen=True)
class ReturnCoHandling:
    by: Actor
    reason: str  # text id
    department: str | None = None


@dataclass(frozen=True)
class WaiveCoHandling:
    by: Actor
    department: str
    reason: str  # text id


@dataclass(frozen=True)
class Merge:
    by: Actor
    parent: str  # reference
    reason: str | None = None  # text id


@dataclass(frozen=True)
class Unmerge:
    by: Actor
    reason: str  # text id


@dataclass(frozen=True)
class AdoptPolicy:
    by: Actor
    version: str
    reason: str  # text id


@dataclass(frozen=True)
class Approve:
    by: Actor
    note: str | None = None  # text id


@dataclass(frozen=True)
class SendBack:
    by: Actor
    reason: str  # text id


@dataclass(frozen=True)
class Escalate:
    by: Actor
    reason: str | None = None  # text id


@dataclass(frozen=True)
class Reopen:
    by: Actor
    text: str | None = None  # text id


@dataclass(frozen=True)
class Supplement:
    by: Actor
    text: str  # text id


@dataclass(frozen=True)
class Urge:
    by: Actor
    text: str | None = None  # text id


@dataclass(frozen=True)
class Withdraw:
    by: Actor
    text: str | None = None  # text id


@dataclass(frozen=True)
class Rate:
    by: Actor
    solved: Solved
    satisfied: int  # 1 to 5
    text: str | None = None  # text id


Command = (
    Accept | Assign | Decline | Transfer | ReturnRequest | Decide | Reassign | Reclassify | SetUrgency | Contact | Progress
    | Resolve | Approve | SendBack | Escalate | Reopen | Supplement | Urge | Withdraw | Rate | Refer | AskCitizen | Answer
    | RequestExtension | GrantExtension | RefuseExtension | RequestHold | ApproveHold | RefuseHold | Resume | RecordCall
    | AddCoHandler | FinishCoHandling | ReturnCoHandling | WaiveCoHandling | Merge | Unmerge | AdoptPolicy
)  # fmt: skip
