"""What citizens send and what they get: the bodies of /api/v1, with examples."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StrictInt, model_validator

from api.fields import Address, Answer, Body, Code, Email, Name, OptionalText, Phone, RequiredPhone, Text, Title
from api.validation import wrong
from domain.coordinates import Datum
from domain.expectation import Scope, Unsaid
from domain.request import Outcome, Solved, State

Language = Literal["zh", "en"]
CitizenChannel = Literal["web", "api", "sms", "phone"]
Latitude = Annotated[float | None, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float | None, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]


class LocationBody(Body):
    """Where it is: a point, an address, a place by name, or any of them together."""

    lat: Latitude = None
    long: Longitude = None
    address: Address = None
    datum: Datum | None = Field(
        None,
        description="What the point is given in: wgs84, or gcj02, which Chinese maps and the telephones that ask them say. "
        "Without it, what the city's policy says. It is kept in WGS 84.",
    )
    place: Name = Field(None, description="A district, neighbourhood or landmark by name.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.lat is None) != (self.long is None):
            raise wrong("One half of the point is missing.", "Send both lat and long, or neither.")
        return self


class ContactBody(Body):
    """How the city reaches the citizen. Nothing is required; without a phone number there are no SMS."""

    name: Name = None
    phone: Phone = None
    email: Email = None


class NewRequestBody(Body):
    """What a citizen tells the city. Only the description is required."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "description": "The street lamp in front of our building has been dark since Monday. 路口很黑，老人晚上不敢出门。",
                    "title": "Street lamp broken",
                    "category": "street_light",
                    "location": {"lat": 30.2741, "long": 120.1551, "address": "18 Wener Road"},
                    "contact": {"name": "Wang", "phone": "13800138000"},
                    "language": "zh",
                }
            ]
        }
    )

    description: Text
    title: Title = None
    category: Code | None = Field(None, description="One of GET /categories, if the citizen knows it.")
    location: LocationBody | None = None
    contact: ContactBody | None = None
    language: Language | None = Field(
        None, description="Of the answers; by default that of the Accept-Language header."
    )
    confidential: StrictBool = Field(
        False, description="Only the department in charge and the supervision centre may read it."
    )
    channel: CitizenChannel = "api"


class SubmittedAnswer(Answer):
    """The receipt. The token is the key to the request: whoever has it may read and act as the citizen."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "2611-4829-13704",
                    "token": "h1wXhUjO0mXo2oW5hJ8yRw",  # nosec B105 - an example
                    "state": "received",
                    "submitted_at": "2026-11-22T08:15:30.123456Z",
                    "status_url": "http://127.0.0.1:8000/r/2611-4829-13704/h1wXhUjO0mXo2oW5hJ8yRw",
                }
            ]
        }
    )

    reference: str
    token: str
    state: State
    submitted_at: datetime
    status_url: str


class TextBody(Body):
    """A message that needs words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "The lamp next to it is dark now, too."}]})

    text: Text


class OptionalTextBody(Body):
    """A message that may come without words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Please hurry."}, {}]})

    text: OptionalText = None


class RateBody(Body):
    """Two questions: is it solved, and are you satisfied (1 not at all, 5 very)?"""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"solved": "yes", "satisfied": 5, "text": "Quick and friendly."}]}
    )

    solved: Literal["yes", "partly", "no"]
    satisfied: Annotated[StrictInt, Field(ge=1, le=5)]
    text: OptionalText = None


class AcceptedAnswer(Answer):
    """The message is stored and will reach whoever has the request. `state` is the state before it did."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"state": "in_progress", "accepted_at": "2026-11-22T08:20:00.123456Z"}]}
    )

    state: State
    accepted_at: datetime


class TimelineEntry(Answer):
    """One public line of what happened: its kind, the sentence that tells it, and what a person wrote with it."""

    at: datetime
    kind: str
    text: str
    said: str | None


class AttachmentAnswer(Answer):
    """A photo. It was drawn anew: what the camera wrote into it, such as the place, is gone."""

    id: UUID
    submitted_by: Literal["citizen", "staff"]
    content_type: str
    submitted_at: datetime
    url: str


class ExpectationAnswer(Answer):
    """What `expected_at` is based on: `based_on` requests of the category that were answered lately, in this department or,
    where there were too few, in all of them; four of five took no longer. `unsaid` is why there is no date.
    """

    based_on: int
    scope: Scope
    unsaid: Unsaid | None


class RequestAnswer(Answer):
    """Where the citizen's request stands. `may` lists the messages that can be sent now. After `erased_at` no personal
    data is left in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "2611-4829-13704",
                    "state": "in_progress",
                    "title": "Street lamp broken",
                    "category": "street_light",
                    "category_name": "Street light out",
                    "department": "housing",
                    "department_name": "Housing and Urban Construction Bureau",
                    "submitted_at": "2026-11-22T08:15:30.123456Z",
                    "due_at": "2026-11-27T09:30:00Z",
                    "expected_at": "2026-11-25T03:10:00Z",
                    "expectation": {"based_on": 112, "scope": "department", "unsaid": None},
                    "outcome": None,
                    "solved": None,
                    "satisfied": None,
                    "reply": None,
                    "question": None,
                    "answer_due_at": None,
                    "review_on": None,
                    "next_urge_at": "2026-11-23T08:15:30.123456Z",
                    "parent_state": None,
                    "erasure_demanded_at": None,
                    "erased_at": None,
                    "may": ["supplement", "withdraw"],
                    "timeline": [
                        {
                            "at": "2026-11-22T08:15:30.123456Z",
                            "kind": "submit",
                            "text": "We received your request.",
                            "said": None,
                        }
                    ],
                    "attachments": [],
                }
            ]
        }
    )

    reference: str
    state: State
    title: str | None
    category: str | None
    category_name: str | None
    department: str | None
    department_name: str | None
    submitted_at: datetime
    due_at: datetime | None
    expected_at: datetime | None
    expectation: ExpectationAnswer | None
    outcome: Outcome | None
    solved: Solved | None
    satisfied: int | None
    reply: str | None
    question: str | None = Field(description="Of the department, to be answered until `answer_due_at`.")
    answer_due_at: datetime | None
    review_on: date | None = Field(description="Of a request that is on hold: when it is taken up again.")
    next_urge_at: datetime | None = Field(description="From when it may be urged again, where it may not be now.")
    parent_state: State | None = Field(
        description="Of a merged request: where the one stands that it is handled with. Timeline and reply tell of that one, too."
    )
    erasure_demanded_at: datetime | None
    erased_at: datetime | None
    may: list[str]
    timeline: list[TimelineEntry]
    attachments: list[AttachmentAnswer]


class CodeBody(Body):
    """Asks for a one-time code by SMS."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"phone": "13800138000"}]})

    phone: RequiredPhone


class TokenBody(Body):
    """The one-time code that came by SMS."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"phone": "13800138000", "code": "493817"}]})

    phone: RequiredPhone
    code: Annotated[str, Field(max_length=20)]


class CodeSentAnswer(Answer):
    """Says the same whether or not there is such a request, so that nobody learns who has asked the city for what."""

    detail: str
    expires_in_seconds: int


class TokenAnswer(Answer):
    """A new key to the request; the old link stops working."""

    reference: str
    token: str
    status_url: str


class ServiceLevelAnswer(Answer):
    """What the city promises, in words, counted from the moment the request is sent to a department."""

    name: str
    accept: str
    first_contact: str
    resolve: str


class CategoryAnswer(Answer):
    """A kind of problem in plain language, and what to tell us about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "street_light",
                    "name": "Street light out",
                    "group": "Streets and public places",
                    "tell_us": "Which lamp: its number, or the house next to it.",
                    "place_required": True,
                    "photo_required": False,
                    "service_level": {
                        "name": "Standard",
                        "accept": "1 working day",
                        "first_contact": "1 working day",
                        "resolve": "5 working days",
                    },
                }
            ]
        }
    )

    code: str
    name: str
    group: str
    tell_us: str
    place_required: bool
    photo_required: bool
    service_level: ServiceLevelAnswer


class CategoriesAnswer(Answer):
    """All categories, in the policy's order."""

    categories: list[CategoryAnswer]
