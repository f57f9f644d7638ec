"""What staff get: lists, the whole of one request, numbers, and the words to choose from."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from api.actions import FieldType
from api.fields import Answer, Code, Text
from api.proceedings_schemas import ProceedingsAnswer
from api.proposals import ProposalAnswer
from api.schemas import AttachmentAnswer, NewRequestBody
from api.whereabouts import WhereaboutsAnswer
from domain.lifecycle import Action
from domain.request import Outcome, Result, Solved, State, Urgency


class RequestRow(Answer):
    """One line of a list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "2611-4829-13704",
                    "state": "assigned",
                    "title": "Street lamp broken",
                    "category": "street_light",
                    "department": "housing",
                    "district": "morning_bell",
                    "urgency": "normal",
                    "confidential": False,
                    "submitted_at": "2026-11-22T08:15:30.123456Z",
                    "accept_due_at": "2026-11-23T09:30:00Z",
                    "due_at": "2026-11-27T09:30:00Z",
                    "overdue": False,
                    "escalation_level": 0,
                    "urge_count": 0,
                    "assignee": None,
                    "triage_reason": None,
                    "call_wanted_at": None,
                    "co_departments": ["utilities"],
                }
            ]
        }
    )

    reference: str
    state: State
    title: str
    category: str | None
    department: str | None
    district: str | None
    urgency: Urgency
    confidential: bool
    submitted_at: datetime
    accept_due_at: datetime | None
    due_at: datetime | None
    overdue: bool
    escalation_level: int
    urge_count: int
    assignee: UUID | None
    triage_reason: str | None
    call_wanted_at: datetime | None
    co_departments: tuple[str, ...] = Field(description="Departments that are at work as co-handlers.")


class RequestsAnswer(Answer):
    """A page of a list. `next_cursor` leads to the next one; null on the last."""

    requests: list[RequestRow]
    next_cursor: str | None


class ContactAnswer(Answer):
    name: str | None
    phone: str | None
    email: str | None


class LocationAnswer(Answer):
    """The point in WGS-84; `datum` is what it was given in."""

    lat: float | None
    long: float | None
    datum: str | None
    address: str | None
    place: str | None


class EventAnswer(Answer):
    """One line of the full timeline. `actor` is a name for staff."""

    sequence: int
    at: datetime
    action: str
    actor_kind: str
    actor: str | None
    state_before: State | None
    state: State
    public: bool
    text: str | None
    facts: dict[str, str]


class AttemptAnswer(Answer):
    """One try to send a notice, and what the gateway reported of it."""

    number: int
    provider: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    receipt: str | None
    receipt_at: datetime | None


class NoticeAnswer(Answer):
    """What the city owes or has sent to whom because of an event."""

    sequence: int
    kind: str
    recipient: str
    channel: str
    state: str
    not_before: datetime | None
    created_at: datetime
    sent_at: datetime | None
    attempts: list[AttemptAnswer]


class DeadlinesAnswer(Answer):
    """The promises of this assignment, and until when the department may return the request."""

    accept_due_at: datetime | None
    contact_due_at: datetime | None
    return_until: datetime | None
    due_at: datetime | None


class FieldAnswer(Answer):
    """One field of an action. `choices_from` names a list of GET /staff/policy."""

    name: str
    type: FieldType
    required: bool
    choices: list[str] | None = None
    choices_from: str | None = None


class MayAnswer(Answer):
    """An action that this person may take now, with the fields of its body."""

    action: Action
    fields: list[FieldAnswer]


class FullRequestAnswer(ProceedingsAnswer):
    """All of a request, for those who work on it. A co-handler gets no contact: only the lead department speaks to the citizen."""

    reference: str
    state: State
    title: str
    description: str
    channel: str
    language: str
    confidential: bool
    category: str | None
    given_category: str | None
    department: str | None
    district: str | None
    urgency: Urgency
    escalation_level: int
    urge_count: int
    return_count: int
    rework_count: int
    triage_reason: str | None
    binding: bool
    assignee: str | None
    submitted_at: datetime
    assigned_at: datetime | None
    accepted_at: datetime | None
    contacted_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    overdue: bool
    result: Result | None
    reply: str | None
    solved: Solved | None
    satisfied: int | None
    outcome: Outcome | None
    deadlines: DeadlinesAnswer
    contact: ContactAnswer
    location: LocationAnswer
    whereabouts: WhereaboutsAnswer
    timeline: list[EventAnswer]
    proposal: ProposalAnswer | None = Field(description="What a person is asked to decide; null where nothing is.")
    notices: list[NoticeAnswer]
    attachments: list[AttachmentAnswer]
    erased_at: datetime | None
    may: list[MayAnswer]
    policy_version: str | None
    temporal_url: str = Field(description="The run of this request in the Temporal UI.")


class OutboxLine(Answer):
    """A message that the console provider kept instead of sending."""

    sent_at: datetime
    reference: str
    kind: str
    recipient: str
    to: str
    parts: int
    text: str


class OutboxAnswer(Answer):
    """The newest messages, oldest of them first."""

    messages: list[OutboxLine]


class Choice(Answer):
    """A code with its name in the reader's language."""

    code: str
    name: str


class DepartmentChoice(Choice):
    """A department, and the one above it."""

    kind: str
    parent: str | None


class PolicyAnswer(Answer):
    """The words that actions choose from, as the policy in force has them."""

    version: str
    city: str
    departments: list[DepartmentChoice]
    categories: list[Choice]
    decline_reasons: list[Choice]
    transfer_targets: list[Choice]
    districts: list[Choice]


class OnBehalfBody(NewRequestBody):
    """The same as a citizen sends, from somebody who sits with the citizen or on the phone."""

    channel: Literal["phone", "staff"] = "phone"  # type: ignore[assignment]


class QuickLogBody(OnBehalfBody):
    """A small matter that was settled on the spot, and what was done."""

    category: Code
    department: Code
    outcome: Literal["solved", "partly_solved", "explained"]
    done: Text


class TakenDownAnswer(Answer):
    """The receipt of what staff put on file. The key to the request is the citizen's: it goes to their phone. Only where
    there is no phone number is it given here, to be handed over, and each time that leaves a row in the record of looks.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "2611-4829-13704",
                    "token": None,  # nosec B105 - none is given
                    "state": "received",
                    "submitted_at": "2026-11-22T08:15:30.123456Z",
                    "status_url": None,
                }
            ]
        }
    )

    reference: str
    token: str | None
    state: State
    submitted_at: datetime
    status_url: str | None
