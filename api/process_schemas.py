"""What a request waits for and who takes part in it, as staff read it."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.fields import Answer
from domain.request import CoState, State


class QuestionAnswer(Answer):
    """What was asked of the citizen and is not answered."""

    text: str | None
    asked_at: datetime | None
    answer_due_at: datetime | None


class HoldAnswer(Answer):
    """A hold that was asked for, or with `since` one that lasts."""

    asked_by: str | None
    reason: str | None
    review_on: date
    since: datetime | None


class ExtensionAnswer(Answer):
    """More time that was asked for, or with `granted_at` was granted. `days` are working days."""

    asked_by: str | None
    days: int
    reason: str | None
    granted_at: datetime | None


class CoHandlerAnswer(Answer):
    """A department that does a part of the work: what is asked of it, and what it said when its part was settled."""

    number: int
    department: str
    state: CoState
    task: str | None
    due_at: datetime
    settled_at: datetime | None
    note: str | None


class CallTaskAnswer(Answer):
    """The citizen shall be called since that instant; so often it was tried."""

    wanted_at: datetime
    tries: int


class ParentAnswer(Answer):
    """The request that this one was merged into."""

    reference: str
    state: State | None


class ProcessAnswer(Answer):
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
