"""The whole of one request, for the staff who work on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from api.errors import NOT_FOUND_DETAIL
from api.looks import looked
from api.pictures import attachment_answer
from api.possible import may_of
from api.proceedings import Told, people_of_process, proceedings_of, text_ids_of_process
from api.proposals import proposal_answer
from api.reopening import policy_of
from api.schemas import Language
from api.services import Services
from api.signed_in import SignedIn
from api.staff_schemas import (
    ContactAnswer,
    DeadlinesAnswer,
    EventAnswer,
    FullRequestAnswer,
    LocationAnswer,
    MayAnswer,
    NoticeAnswer,
)
from api.standing import text_ids_of
from api.whereabouts import whereabouts_answer
from db import attachments, notice_history, requests, staff, texts, timeline, views
from db.audit import Seen
from db.requests import Contact, StoredRequest
from db.views import beginning
from domain.audit import Kind
from domain.errors import Unknown
from domain.request import OPEN, PAUSED, Event, Role, Snapshot
from workflows.contract import workflow_id

_RUNNING = OPEN - PAUSED


async def dossier_of(
    services: Services, signed_in: SignedIn, snapshot: Snapshot, language: Language
) -> FullRequestAnswer:
    """Everything that is known of the request, and what this person may do with it now."""
    request_id = UUID(snapshot.request_id)
    stored = await requests.by_id(services.pool, request_id)
    if stored is None:
        raise Unknown(NOT_FOUND_DETAIL)
    with_contact = _speaks_to_citizen(signed_in, snapshot)
    has_contact = with_contact and stored.contact_sealed is not None
    await looked(services, signed_in, Seen(Kind.CONTACT if has_contact else Kind.REQUEST, snapshot.reference))
    events = await timeline.events(services.pool, request_id)
    told = await _told(services, snapshot, events)
    pictures = await attachments.list_of(services.pool, request_id)
    sent = await notice_history.of_request(services.pool, request_id)
    now = services.now()
    return FullRequestAnswer(
        **_facts(snapshot),
        **_as_sent(services, stored, with_contact=with_contact),
        assignee=told.name(snapshot.assignee),
        overdue=is_overdue(snapshot, now),
        reply=told.text(snapshot.reply),
        deadlines=DeadlinesAnswer.model_validate(snapshot, from_attributes=True),
        **dict(proceedings_of(snapshot, events, told, await _followers(services, signed_in, snapshot))),
        timeline=[_event(event, told) for event in events],
        proposal=proposal_answer(await services.policies.active(), snapshot, events, language),
        whereabouts=whereabouts_answer(await services.policies.active(), snapshot, events, language),
        notices=[NoticeAnswer.model_validate(asdict(notice)) for notice in sent],
        attachments=[attachment_answer("staff/requests", snapshot.reference, picture) for picture in pictures],
        may=[] if stored.erased_at else await _may(services, signed_in, snapshot),
        erased_at=stored.erased_at,
        temporal_url=_temporal_url(services, snapshot.reference),
    )


async def _may(services: Services, signed_in: SignedIn, snapshot: Snapshot) -> list[MayAnswer]:
    policy, in_force = await policy_of(services, snapshot), await services.policies.active()
    return may_of(policy, in_force, snapshot, signed_in.actor, services.now())


async def _followers(services: Services, signed_in: SignedIn, snapshot: Snapshot) -> list[str]:
    """The references of what was merged into it, as far as this person may see it."""
    found = await views.followers(services.pool, snapshot.reference) if snapshot.followers else []
    return [each.reference for each in found if signed_in.sight.covers(each)]


async def _told(services: Services, snapshot: Snapshot, events: Sequence[Event]) -> Told:
    """All texts and names that the dossier needs, read at one go each."""
    named = text_ids_of(events, snapshot.reply, *text_ids_of_process(snapshot))
    people = (*(event.actor_id for event in events), snapshot.assignee, *people_of_process(snapshot, events))
    return Told(
        words=await texts.read_many(services.pool, services.keys, named),
        people=await staff.names(services.pool, _staff_ids(people)),
    )


def is_overdue(snapshot: Snapshot, now: datetime) -> bool:
    """Whether the deadline has passed while the clocks run; before an assignment, that of the next step."""
    due_at = snapshot.due_at or snapshot.accept_due_at
    return snapshot.state in _RUNNING and due_at is not None and due_at < now


_SHOWN = (
    "reference", "state", "confidential", "category", "department", "district", "urgency", "escalation_level", "urge_count",
    "return_count", "rework_count", "triage_reason", "binding", "submitted_at", "assigned_at", "accepted_at", "contacted_at",
    "resolved_at", "closed_at", "result", "solved", "satisfied", "outcome", "policy_version",
)  # fmt: skip


def _facts(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in _SHOWN}


def _speaks_to_citizen(signed_in: SignedIn, snapshot: Snapshot) -> bool:
    """Not whoever sees the request as a co-handler alone: the lead department speaks to the citizen (PROCESS.md row 19)."""
    return signed_in.sight.everything or Role.HANDLER in signed_in.actor.roles_towards(snapshot.department)


def _as_sent(services: Services, stored: StoredRequest, *, with_contact: bool) -> dict[str, Any]:
    told = requests.told(services.keys, stored)
    person = told.contact if with_contact else Contact()
    return {
        "title": told.title or beginning(told.description),
        "description": told.description,
        "channel": stored.channel,
        "language": stored.language,
        "given_category": stored.given_category,
        "contact": ContactAnswer(name=person.name, phone=person.phone, email=person.email),
        "location": LocationAnswer(
            lat=stored.lat, long=stored.long, datum=stored.datum, address=told.address, place=told.place
        ),
    }


def _staff_ids(ids: Iterable[str | None]) -> list[UUID]:
    found = []
    for text in {text for text in ids if text}:
        try:
            found.append(UUID(text))
        except ValueError:
            continue  # an admin in the Temporal UI has a name instead of an account
    return found


def _event(event: Event, told: Told) -> EventAnswer:
    return EventAnswer(
        sequence=event.sequence,
        at=event.at,
        action=event.action,
        actor_kind=event.actor_kind,
        actor=told.name(event.actor_id),
        state_before=event.state_before,
        state=event.state,
        public=event.public,
        text=told.text(event.text),
        facts=event.facts,
    )


def _temporal_url(services: Services, reference: str) -> str:
    settings = services.settings
    return (
        f"{settings.temporal_ui_url}/namespaces/{quote(settings.temporal_namespace)}/workflows/{workflow_id(reference)}"
    )
