"""Where a request stands, as its citizen reads it: only what is public, in the citizen's language.

A reply that waits for its review is not public, nor are notes, reasons between departments, and escalations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from api.following import as_followed, followed_by, pictures_of_answer, told_to_followers
from api.messages import CITIZEN_ACTIONS, answer_id
from api.pictures import attachment_answer, shown_to_citizen
from api.reopening import can_reopen, can_still_judge, policy_of
from api.schemas import ExpectationAnswer, Language, RequestAnswer, TimelineEntry
from api.services import Services
from api.words import category_name, department_name, timeline_line
from db import histories, requests
from db.attachments import Attachment
from db.histories import History
from db.requests import StoredRequest
from domain.lifecycle import Action, allowed_actions, next_urging
from domain.masking import masked
from domain.policy import Policy
from domain.request import CITIZEN, Event, Snapshot, State

_ANSWERED = frozenset({State.RESOLVED, State.CLOSED})


async def standing_of(services: Services, own: StoredRequest, language: Language) -> RequestAnswer:
    """The citizen's view of the request; of one that was merged, with what the city does with its parent."""
    now = services.now()
    history = await histories.read(services.pool, own.id)
    snapshot = history.snapshot
    parent = None if own.erased_at else await followed_by(services, snapshot)
    answered = parent.snapshot if parent else snapshot
    events = _public(history, parent)
    policy = await policy_of(services, snapshot)
    expected = await services.expectations.of(policy, snapshot, history.events, now)
    reply_id = answered.reply if answered.state in _ANSWERED else None
    text_ids = text_ids_of(events, reply_id, snapshot.question)
    words = history.words(services.keys, text_ids)
    if parent is not None:
        words |= await _words_to_another(services, parent, text_ids, language)
    return RequestAnswer(
        reference=own.reference,
        state=snapshot.state,
        parent_state=as_followed(answered.state) if parent else None,
        title=requests.told(services.keys, own).title,
        category=snapshot.category,
        category_name=category_name(policy, snapshot.category, language) if snapshot.category else None,
        department=snapshot.department,
        department_name=department_name(policy, snapshot.department, language) if snapshot.department else None,
        submitted_at=own.submitted_at,
        due_at=answered.due_at,
        expected_at=expected.at if expected else None,
        expectation=ExpectationAnswer.model_validate(expected, from_attributes=True) if expected else None,
        outcome=snapshot.outcome,
        solved=snapshot.solved,
        satisfied=snapshot.satisfied,
        reply=words.get(UUID(reply_id)) if reply_id else None,
        question=words.get(UUID(snapshot.question)) if snapshot.question else None,
        answer_due_at=snapshot.answer_due_at,
        review_on=answered.hold_review_on if answered.state is State.ON_HOLD else None,
        next_urge_at=_next_urge_at(snapshot, now),
        erasure_demanded_at=own.erasure_demanded_at,
        erased_at=own.erased_at,
        may=[] if own.erased_at else await _may(services, policy, history),
        timeline=[_entry(policy, event, words, language) for event in events],
        attachments=[attachment_answer("requests", own.reference, each) for each in _pictures(history, parent)],
    )


async def _may(services: Services, policy: Policy, history: History) -> list[str]:
    """What can be said now; not again what is said once and on its way."""
    snapshot = history.snapshot
    possible = [*citizen_may(policy, snapshot, services.now())]
    if Action.ANSWER in possible and answer_id(snapshot) in history.texts_sealed:
        possible.remove(Action.ANSWER)
    if Action.RATE in possible and not await can_still_judge(services, snapshot, services.now()):
        possible.remove(Action.RATE)
    return [str(action) for action in possible]


def _public(history: History, parent: History | None) -> list[Event]:
    """The lines that the citizen reads; those of the parent that everybody reads stand among them by their time."""
    own = [event for event in history.events if event.public]
    if parent is None:
        return own
    return sorted([*own, *filter(told_to_followers, parent.events)], key=lambda event: event.at)


async def _words_to_another(
    services: Services, parent: History, text_ids: Sequence[UUID], language: Language
) -> dict[UUID, str]:
    """What was written to the citizen of the parent, without what is personal in it, and without that citizen's name."""
    stored = await requests.by_id(services.pool, UUID(parent.snapshot.request_id))
    name = requests.contact(services.keys, stored).name if stored else None
    known = (name,) if name else ()
    said = parent.words(services.keys, text_ids)
    return {text_id: masked(text, language, of_office=True, known=known) for text_id, text in said.items()}


def _pictures(history: History, parent: History | None) -> list[Attachment]:
    return [*shown_to_citizen(history.events, history.pictures), *(pictures_of_answer(parent) if parent else ())]


def _next_urge_at(snapshot: Snapshot, now: datetime) -> datetime | None:
    """From when the request may be urged again; None where it may be now, or where nothing is open any more."""
    again_at = next_urging(snapshot) if snapshot.is_open else None
    return again_at if again_at is not None and again_at > now else None


def citizen_may(policy: Policy, snapshot: Snapshot, now: datetime) -> Iterator[Action]:
    """What the citizen can do with the request now, in the order of the table."""
    for action in allowed_actions(snapshot, CITIZEN, now):
        is_too_late = action is Action.REOPEN and not can_reopen(policy, snapshot, now)
        if action in CITIZEN_ACTIONS and not is_too_late:
            yield action


def text_ids_of(events: Iterable[Event], *others: str | None) -> list[UUID]:
    """The texts that these events name, and these others, each once."""
    named = (*(event.text for event in events), *others)
    return [UUID(text_id) for text_id in dict.fromkeys(named) if text_id]


def _entry(policy: Policy, event: Event, words: Mapping[UUID, str], language: Language) -> TimelineEntry:
    said = words.get(UUID(event.text)) if event.text else None
    return TimelineEntry(at=event.at, kind=event.action, text=timeline_line(policy, event, language), said=said)
