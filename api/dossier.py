"""The whole of one request, for the staff who work on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from api.actions import STAFF_ACTIONS, needs_picture
from api.errors import NOT_FOUND_DETAIL
from api.reopening import can_reopen, policy_of
from api.services import Services
from api.signed_in import SignedIn
from api.staff_schemas import (
    ContactAnswer,
    DeadlinesAnswer,
    EventAnswer,
    FieldAnswer,
    FullRequestAnswer,
    LocationAnswer,
    MayAnswer,
    NoticeAnswer,
)
from api.standing import attachment_answer, text_ids_of
from db import attachments, notice_history, requests, staff, texts, timeline
from db.requests import StoredRequest
from db.views import beginning
from domain.errors import Unknown
from domain.lifecycle import Action, allowed_actions
from domain.policy import Policy
from domain.request import OPEN, PAUSED, Actor, Event, Snapshot
from workflows.contract import workflow_id

_RUNNING = OPEN - PAUSED


async def dossier_of(services: Services, signed_in: SignedIn, snapshot: Snapshot) -> FullRequestAnswer:
    """Everything that is known of the request, and what this person may do with it now."""
    request_id = UUID(snapshot.request_id)
    stored = await requests.by_id(services.pool, request_id)
    if stored is None:
        raise Unknown(NOT_FOUND_DETAIL)
    events = await timeline.events(services.pool, request_id)
    words = await texts.read_many(services.pool, services.keys, text_ids_of(events, snapshot.reply))
    people = await staff.names(services.pool, _staff_ids((*(event.actor_id for event in events), snapshot.assignee)))
    pictures = await attachments.list_of(services.pool, request_id)
    sent = await notice_history.of_request(services.pool, request_id)
    now = services.now()
    return FullRequestAnswer(
        **_facts(snapshot),
        **_as_sent(services, stored),
        assignee=_name_of(snapshot.assignee, people),
        overdue=is_overdue(snapshot, now),
        reply=words.get(UUID(snapshot.reply)) if snapshot.reply else None,
        deadlines=DeadlinesAnswer.model_validate(snapshot, from_attributes=True),
        timeline=[_event(event, words, people) for event in events],
        notices=[NoticeAnswer.model_validate(asdict(notice)) for notice in sent],
        attachments=[attachment_answer("staff/requests", snapshot.reference, picture) for picture in pictures],
        may=may_of(await policy_of(services, snapshot), snapshot, signed_in.actor, now),
        temporal_url=_temporal_url(services, snapshot.reference),
    )


def is_overdue(snapshot: Snapshot, now: datetime) -> bool:
    """Whether the deadline has passed while the clocks run; before an assignment, that of the next step."""
    due_at = snapshot.due_at or snapshot.accept_due_at
    return snapshot.state in _RUNNING and due_at is not None and due_at < now


def may_of(policy: Policy, snapshot: Snapshot, actor: Actor, now: datetime) -> list[MayAnswer]:
    """The actions that this person may take now, with what each asks for."""
    open_to_actor = [action for action in allowed_actions(snapshot, actor, now) if action in STAFF_ACTIONS]
    return [
        MayAnswer(
            action=action,
            fields=[
                FieldAnswer(
                    name=field.name,
                    type=field.type,
                    required=field.required or (field.type == "attachments" and needs_picture(policy, snapshot)),
                    choices=list(field.choices) or None,
                    choices_from=field.choices_from,
                )
                for field in STAFF_ACTIONS[action].fields
            ],
        )
        for action in open_to_actor
        if action is not Action.REOPEN or can_reopen(policy, snapshot, now)
    ]


_SHOWN = (
    "reference", "state", "confidential", "category", "department", "district", "urgency", "escalation_level", "urge_count",
    "return_count", "rework_count", "triage_reason", "binding", "submitted_at", "assigned_at", "accepted_at", "contacted_at",
    "resolved_at", "closed_at", "result", "solved", "satisfied", "outcome", "policy_version",
)  # fmt: skip


def _facts(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in _SHOWN}


def _as_sent(services: Services, stored: StoredRequest) -> dict[str, Any]:
    told = requests.told(services.keys, stored)
    person = told.contact
    return {
        "title": told.title or beginning(told.description),
        "description": told.description,
        "channel": stored.channel,
        "language": stored.language,
        "given_category": stored.given_category,
        "contact": ContactAnswer(name=person.name, phone=person.phone, email=person.email),
        "location": LocationAnswer(lat=stored.lat, long=stored.long, address=told.address, place=stored.place),
    }


def _staff_ids(ids: Iterable[str | None]) -> list[UUID]:
    found = []
    for text in {text for text in ids if text}:
        try:
            found.append(UUID(text))
        except ValueError:
            continue  # an admin in the Temporal UI has a name instead of an account
    return found


def _name_of(actor_id: str | None, people: Mapping[UUID, str]) -> str | None:
    if not actor_id:
        return None
    try:
        return people.get(UUID(actor_id))
    except ValueError:
        return actor_id


def _event(event: Event, words: Mapping[UUID, str], people: Mapping[UUID, str]) -> EventAnswer:
    return EventAnswer(
        sequence=event.sequence,
        at=event.at,
        action=event.action,
        actor_kind=event.actor_kind,
        actor=_name_of(event.actor_id, people),
        state_before=event.state_before,
        state=event.state,
        public=event.public,
        text=words.get(UUID(event.text)) if event.text else None,
        facts=event.facts,
    )


def _temporal_url(services: Services, reference: str) -> str:
    settings = services.settings
    return (
        f"{settings.temporal_ui_url}/namespaces/{quote(settings.temporal_namespace)}/workflows/{workflow_id(reference)}"
    )
