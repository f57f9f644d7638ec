"""Where a request stands, as its citizen reads it: only what is public, in the citizen's language.

A reply that waits for its review is not public, nor are notes, reasons between departments, and escalations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from api.messages import CITIZEN_ACTIONS
from api.reopening import can_reopen, policy_of
from api.schemas import AttachmentAnswer, Language, RequestAnswer, TimelineEntry
from api.services import Services
from api.words import category_name, department_name, timeline_line
from db import histories, requests
from db.attachments import Attachment
from db.requests import StoredRequest
from domain.lifecycle import Action, allowed_actions
from domain.policy import Policy
from domain.request import CITIZEN, Event, Snapshot, State

_ANSWERED = frozenset({State.RESOLVED, State.CLOSED})


async def standing_of(services: Services, own: StoredRequest, language: Language) -> RequestAnswer:
    """The citizen's view of the request."""
    history = await histories.read(services.pool, own.id)
    snapshot = history.snapshot
    events = [event for event in history.events if event.public]
    pictures = shown_to_citizen(history.events, history.pictures)
    policy = await policy_of(services, snapshot)
    reply_id = snapshot.reply if snapshot.state in _ANSWERED else None
    words = history.words(services.keys, text_ids_of(events, reply_id))
    return RequestAnswer(
        reference=own.reference,
        state=snapshot.state,
        title=requests.told(services.keys, own).title,
        category=snapshot.category,
        category_name=category_name(policy, snapshot.category, language) if snapshot.category else None,
        department=snapshot.department,
        department_name=department_name(policy, snapshot.department, language) if snapshot.department else None,
        submitted_at=own.submitted_at,
        due_at=snapshot.due_at,
        expected_at=None,
        outcome=snapshot.outcome,
        solved=snapshot.solved,
        satisfied=snapshot.satisfied,
        reply=words.get(UUID(reply_id)) if reply_id else None,
        question=None,
        may=[*citizen_may(policy, snapshot, services.now())],
        timeline=[_entry(policy, event, words, language) for event in events],
        attachments=[attachment_answer("requests", own.reference, picture) for picture in pictures],
    )


def citizen_may(policy: Policy, snapshot: Snapshot, now: datetime) -> Iterator[Action]:
    """What the citizen can do with the request now, in the order of the table."""
    for action in allowed_actions(snapshot, CITIZEN, now):
        is_too_late = action is Action.REOPEN and not can_reopen(policy, snapshot, now)
        if action in CITIZEN_ACTIONS and not is_too_late:
            yield action


def shown_to_citizen(history: Iterable[Event], pictures: Iterable[Attachment]) -> list[Attachment]:
    """The citizen's own, and those of each answer that the citizen has been given, if need be after its review."""
    of_answer: list[str] = []
    given: set[str] = set()
    for event in history:
        if event.action == Action.RESOLVE:
            of_answer = event.facts.get("attachment_ids", "").split()
        if event.public and event.action in (Action.RESOLVE, Action.APPROVE):
            given.update(of_answer)
    return [picture for picture in pictures if not picture.is_of_staff or str(picture.id) in given]


def attachment_answer(address: str, reference: str, picture: Attachment) -> AttachmentAnswer:
    """`address` is the part of the interface whose readers follow the link: requests or staff/requests."""
    return AttachmentAnswer(
        id=picture.id,
        submitted_by="staff" if picture.is_of_staff else "citizen",
        content_type=picture.content_type,
        submitted_at=picture.created_at,
        url=f"/api/v1/{address}/{reference}/attachments/{picture.id}",
    )


def text_ids_of(events: Iterable[Event], reply_id: str | None) -> list[UUID]:
    """The texts that these events and the reply name, each once."""
    named = (*(event.text for event in events), reply_id)
    return [UUID(text_id) for text_id in dict.fromkeys(named) if text_id]


def _entry(policy: Policy, event: Event, words: Mapping[UUID, str], language: Language) -> TimelineEntry:
    said = words.get(UUID(event.text)) if event.text else None
    return TimelineEntry(at=event.at, kind=event.action, text=timeline_line(policy, event, language), said=said)
