"""What staff are shown of other requests beside the one they work on: likely duplicates, precedents, past answers."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from api.fields import Answer
from domain.request import Result, Solved, State


class LikenessAnswer(Answer):
    """Why two requests may be one matter. What is not known of one of them is null."""

    text: float | None = Field(description="How alike the texts are, from 0 to 1.")
    metres: float | None = Field(description="How far apart the points are.")
    same_address: bool
    same_place: bool
    same_sender: bool = Field(description="Sent with the same phone number.")
    same_category: bool
    days: float = Field(description="How far apart they were sent.")


class CandidateAnswer(Answer):
    """A request that may be the same matter."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "2611-4829-13704",
                    "title": "Street lamp broken",
                    "category": "street_light",
                    "department": "housing",
                    "state": "assigned",
                    "confidential": False,
                    "submitted_at": "2026-11-22T08:15:30.123456Z",
                    "score": 0.87,
                    "reasons": {
                        "text": 0.41,
                        "metres": 18.0,
                        "same_address": False,
                        "same_place": False,
                        "same_sender": False,
                        "same_category": True,
                        "days": 1.2,
                    },
                }
            ]
        }
    )

    reference: str
    title: str
    category: str | None
    department: str | None
    state: State
    confidential: bool
    submitted_at: datetime
    score: float = Field(ge=0, le=1, description="How much it looks like the same matter, from 0 to 1.")
    reasons: LikenessAnswer


class CandidatesAnswer(Answer):
    """The likeliest first. Empty for a request that can no longer be merged."""

    candidates: list[CandidateAnswer]
    compared: int = Field(description="How many requests were compared.")


class BearingAnswer(Answer):
    """Why a decision bears on the request."""

    text: float | None = Field(description="How alike the texts are, from 0 to 1; null without one.")
    same_category: bool
    same_departments: bool = Field(description="The same two departments disagreed.")


class PrecedentAnswer(Answer):
    """What a supervisor decided where departments disagreed."""

    reference: str
    decided_at: datetime
    decided_by: str | None
    decision: str = Field(description="assign, close or decline")
    department: str | None = Field(description="To which it was assigned for good.")
    reason_code: str | None = Field(description="Why it was declined.")
    category: str | None
    contested_by: list[str] = Field(description="The department that returned it, and the one it proposed.")
    reason: str | None = Field(description="As written; null once the request's personal data are erased.")
    score: float = Field(ge=0, le=1, description="How much it bears on the request, from 0 to 1.")
    reasons: BearingAnswer


class PrecedentsAnswer(Answer):
    """The most telling first."""

    precedents: list[PrecedentAnswer]


class PastAnswer(Answer):
    """How the department answered something alike before, and what came of it."""

    reference: str
    title: str
    category: str | None
    department: str | None
    submitted_at: datetime
    resolved_at: datetime
    result: Result | None = Field(description="What the department said it achieved.")
    solved: Solved | None = Field(description="What the citizen said of it.")
    satisfied: int | None
    reply: str
    text: float = Field(ge=0, le=1, description="How alike the texts are.")


class PastAnswers(Answer):
    """The most alike first."""

    answers: list[PastAnswer]
