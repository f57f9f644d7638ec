"""How a submission becomes a stored request: the checks that need the policy, the idempotency key, and the receipt.

This is the path that must bear a city in a storm: one transaction, no Temporal, nothing read from disk.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog

from api.errors import FieldsInvalid
from api.schemas import ContactBody, Language, LocationBody, NewRequestBody, SubmittedAnswer
from api.services import Services
from db.requests import Contact, Idempotency, NewRequest, QuickLog, submit
from domain.coordinates import Datum, to_wgs84
from domain.errors import Refusal
from domain.request import Channel, State
from domain.similarity import exact_point

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
    channel = channel or Channel(body.channel)
    try:
        await _check_category(services, body)
        new = _new_request(body, channel, language, submitted_by, key)
        new = replace(new, quick_log=quick_log, **await _point(services, body.location))
        submitted = await submit(services.pool, services.keys, new, services.now(), trace=services.trace())
    except Refusal:
        services.figures.submitted(channel, "refused")
        raise
    services.figures.submitted(channel, "repeated" if submitted.repeated else "taken")
    structlog.contextvars.bind_contextvars(reference=submitted.reference)
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
        confidential=body.confidential,
        submitted_by=submitted_by,
        idempotency=_idempotency(key, body, submitted_by),
    )


async def _point(services: Services, location: LocationBody | None) -> dict[str, Any]:
    """The point in WGS-84, and what it was given in: that of the body, or else of the city."""
    if location is None or location.lat is None or location.long is None:
        return {}
    datum = location.datum or (await services.policies.active()).city.coordinates
    lat, long = to_wgs84(location.lat, location.long, datum)
    if datum is not Datum.WGS84:
        # A point so round that it stands for "somewhere in the city" must not look exact.
        digits = 7 if exact_point(location.lat, location.long) else 2
        lat, long = round(lat, digits), round(long, digits)
    return {"lat": lat, "long": long, "datum": datum}


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
    # A field that came later is left out where it was not sent, so that keys given before an upgrade stay good.
    later = {"location": {"datum"}} if body.location and body.location.datum is None else None
    return Idempotency(f"{submitted_by or 'citizen'}:{key}", body.model_dump_json(exclude=later).encode())
