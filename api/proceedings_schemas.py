"""What a request waits for and who takes part in it, as staff read it."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import ConfigDict, Field

from api.fields import Answer
from domain.request import CoState, State


class QuestionAnswer(Answer):
    """What was asked of the citizen and is not answered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "text": "Which of the two lamps?",
                    "asked_at": "2026-11-23T08:20:00Z",
                    "answer_due_at": "2026-11-28T08:20:00Z",
                }
            ]
        }
    )

    text: str | None
    asked_at: datetime | None
    answer_due_at: datetime | None


class HoldAnswer(Answer):
    """A hold that was asked for, or with `since` one that lasts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "asked_by": "Li Min",
                    "reason": "The street is dug up.",
                    "review_on": "2027-03-01",
                    "since": "2026-11-24T01:00:00Z",
                }
            ]
        }
    )

    asked_by: str | None
    reason: str | None
    review_on: date
    since: datetime | None


class ExtensionAnswer(Answer):
    """More time that was asked for, or with `granted_at` was granted. `days` are working days."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"asked_by": "Li Min", "days": 5, "reason": "The post has to be made anew.", "granted_at": None}
            ]
        }
    )

    asked_by: str | None
    days: int
    reason: str | None
    granted_at: datetime | None


class CoHandlerAnswer(Answer):
    """A department that does a part of the work: what is asked of it, and what it said when its part was settled."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 1,
                    "department": "utilities",
                    "state": "done",
                    "task": "Please lay the cable.",
                    "due_at": "2026-11-27T09:30:00Z",
                    "settled_at": "2026-11-25T03:00:00Z",
                    "note": "The cable lies.",
                }
            ]
        }
    )

    number: int
    department: str
    state: CoState
    task: str | None
    due_at: datetime
    settled_at: datetime | None
    note: str | None


class CallTaskAnswer(Answer):
    """The citizen shall be called since that instant; so often it was tried."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"wanted_at": "2026-12-03T09:30:00Z", "tries": 1}]})

    wanted_at: datetime
    tries: int


class ParentAnswer(Answer):
    """The request that this one was merged into."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reference": "2611-4829-13704", "state": "in_progress"}]}
    )

    reference: str
    state: State | None


class ProceedingsAnswer(Answer):
    """All of it; what there is nothing of is null or empty.

    `paused_seconds` is the time by the wall clock in which the clocks stood still, without a pause that lasts: that one
    began at `paused_at`. `followers` are the requests that were merged into this one and that this person may see.
    """

    paused_at: datetime | None
    paused_seconds: int
    question: QuestionAnswer | None
    hold: HoldAnswer | None
    extension: ExtensionAnswer | None
    call: CallTaskAnswer | None
    parent: ParentAnswer | None
    followers: list[str]
    co_handlers: list[CoHandlerAnswer] = Field(description="Departments that help, in the order they were asked.")
