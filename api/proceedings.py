"""What a request waits for and who takes part in it, put together from its snapshot and its timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.actions import PARTS
from api.proceedings_schemas import (
    CallTaskAnswer,
    CoHandlerAnswer,
    ExtensionAnswer,
    HoldAnswer,
    ParentAnswer,
    ProceedingsAnswer,
    QuestionAnswer,
)
from domain.lifecycle import Action
from domain.request import CoHandler, Event, Snapshot, State


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """What is behind the ids: texts in the clear, and the names of people."""

    words: Mapping[UUID, str]
    people: Mapping[UUID, str]

    def text(self, text_id: str | None) -> str | None:
        return self.words.get(UUID(text_id)) if text_id else None

    def name(self, actor_id: str | None) -> str | None:
        """An admin in the Temporal UI has a name instead of an account."""
        if not actor_id:
            return None
        try:
            return self.people.get(UUID(actor_id))
        except ValueError:
            return actor_id


def text_ids_of_process(snapshot: Snapshot) -> tuple[str | None, ...]:
    """The texts of what it waits for; those of the timeline are known by its events."""
    parts = (each.task for each in snapshot.co_handlers)
    return (snapshot.question, snapshot.hold_reason, snapshot.extension_reason, *parts)


def people_of_process(snapshot: Snapshot, events: Iterable[Event]) -> tuple[str | None, ...]:
    """Who asked for what."""
    earlier = (event.facts.get("asked_by") for event in events)
    return (snapshot.hold_asked_by, snapshot.extension_asked_by, *earlier)


def proceedings_of(
    snapshot: Snapshot, events: Sequence[Event], told: Told, followers: Sequence[str]
) -> ProceedingsAnswer:
    """`followers` are the references that the reader may see."""
    return ProceedingsAnswer(
        paused_at=snapshot.paused_at,
        paused_seconds=snapshot.paused_seconds,
        question=_question(snapshot, told),
        hold=_hold(snapshot, events, told),
        extension=_extension(snapshot, events, told),
        call=_call(snapshot),
        parent=ParentAnswer(reference=snapshot.parent, state=snapshot.parent_state) if snapshot.parent else None,
        followers=list(followers),
        co_handlers=[_co_handler(each, events, told) for each in snapshot.co_handlers],
    )


def _question(snapshot: Snapshot, told: Told) -> QuestionAnswer | None:
    if snapshot.question is None:
        return None
    return QuestionAnswer(
        text=told.text(snapshot.question), asked_at=snapshot.paused_at, answer_due_at=snapshot.answer_due_at
    )


def _hold(snapshot: Snapshot, events: Iterable[Event], told: Told) -> HoldAnswer | None:
    if snapshot.hold_review_on is None:
        return None
    lasts = snapshot.state is State.ON_HOLD
    return HoldAnswer(
        asked_by=told.name(snapshot.hold_asked_by or _asked_by(events, Action.APPROVE_HOLD)),
        reason=told.text(snapshot.hold_reason),
        review_on=snapshot.hold_review_on,
        since=snapshot.paused_at if lasts else None,
    )


def _extension(snapshot: Snapshot, events: Iterable[Event], told: Told) -> ExtensionAnswer | None:
    if snapshot.extension_days is None or (snapshot.extension_asked_by is None and snapshot.extended_at is None):
        return None
    return ExtensionAnswer(
        asked_by=told.name(snapshot.extension_asked_by or _asked_by(events, Action.GRANT_EXTENSION)),
        days=snapshot.extension_days,
        reason=told.text(snapshot.extension_reason),
        granted_at=snapshot.extended_at,
    )


def _asked_by(events: Iterable[Event], answer: Action) -> str | None:
    """Who had asked for what was answered last."""
    asked = [event.facts.get("asked_by") for event in events if event.action == answer]
    return asked[-1] if asked else None


def _call(snapshot: Snapshot) -> CallTaskAnswer | None:
    if snapshot.call_wanted_at is None:
        return None
    return CallTaskAnswer(wanted_at=snapshot.call_wanted_at, tries=snapshot.call_count)


def _co_handler(part: CoHandler, events: Iterable[Event], told: Told) -> CoHandlerAnswer:
    settled = [
        event.text for event in events if event.action in PARTS and event.facts.get("number") == str(part.number)
    ]
    return CoHandlerAnswer(
        number=part.number,
        department=part.department,
        state=part.state,
        task=told.text(part.task),
        due_at=part.due_at,
        settled_at=part.settled_at,
        note=told.text(settled[-1]) if settled else None,
    )
