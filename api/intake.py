"""How a submission becomes a stored request: the checks that need the policy, the idempotency key, and the receipt.

This is the path that must bear a city in a storm: one transaction, no Temporal, nothing read from disk.
"""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import UUID

from api.errors import FieldsInvalid
from api.schemas import ContactBody, Language, LocationBody, NewRequestBody, SubmittedAnswer
from api.services import Services
from db.requests import Contact, Idempotency, NewRequest, QuickLog, submit
from domain.request import Channel, State

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


async def take_in(
    services: Services,
    body: NewRequestBody,
    *,
    language: Language,
    key: str | None,
    channel: Channel | None = None,
    submitted_by: UUID | None = None,
    quick_log: QuickLog | None = None,
) -> SubmittedAnswer:
    """Stores the request and answers with the receipt; the same key and body get the same receipt again.

    A point outside the city is taken like any other: where it belongs is for a person to say, not for a form.
    Raises FieldsInvalid, and IdempotencyConflict where the key came with another body before.
    """
    await _check_category(services, body)
    new = _new_request(body, channel or Channel(body.channel), language, submitted_by, key)
    new = replace(new, quick_log=quick_log)
    submitted = await submit(services.pool, services.keys, new, services.now())
    return SubmittedAnswer(
        reference=submitted.reference,
        token=submitted.token,
        state=State.RECEIVED,
        submitted_at=submitted.submitted_at,
        status_url=services.status_url(submitted.reference, submitted.token),
    )


def _new_request(
    body: NewRequestBody, channel: Channel, language: Language, submitted_by: UUID | None, key: str | None
) -> NewRequest:
    contact, location = body.contact or ContactBody(), body.location or LocationBody()
    return NewRequest(
        description=body.description,
        channel=channel,
        language=body.language or language,
        title=body.title,
        category=body.category,
        contact=Contact(contact.name, contact.phone, contact.email),
        address=location.address,
        place=location.place,
        lat=location.lat,
        long=location.long,
        confidential=body.confidential,
        submitted_by=submitted_by,
        idempotency=_idempotency(key, body, submitted_by),
    )


async def _check_category(services: Services, body: NewRequestBody) -> None:
    if body.category is not None and not (await services.policies.active()).has_category(body.category):
        raise FieldsInvalid.of(
            "category", "There is no such category.", "Choose one of GET /api/v1/categories, or leave it out."
        )


def _idempotency(key: str | None, body: NewRequestBody, submitted_by: UUID | None) -> Idempotency | None:
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise FieldsInvalid.of(
            "Idempotency-Key",
            "This header is empty, too long or not plain.",
            "Use 1 to 200 letters, digits and signs of ASCII.",
        )
    # Each member of staff has keys of their own, apart from those of citizens.
    return Idempotency(f"{submitted_by or 'citizen'}:{key}", body.model_dump_json().encode())
