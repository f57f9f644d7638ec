"""Intake: what a citizen sends becomes durable rows in one statement, before anybody is told that it was received.

Here, and in texts and attachments, stands all personal data; whoever reads it names the key ring.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from db import inbox, texts
from db.ids import new_id
from db.places import opened_place, place_index
from db.pool import Database
from db.sealing import KeyRing, is_one_of, token_hash
from db.sent_bodies import body_hash, is_that_body
from db.statements import load
from domain.coordinates import Datum
from domain.errors import Refusal, Unknown
from domain.references import NUMBERS, make_reference
from domain.request import Channel

_QUERIES = load("requests")

_TOKEN_BYTES = 16
# Two of a month's hundred million numbers meet so seldom that a second collision in a row means a broken source of chance.
_REFERENCES_TRIED = 5


class MessageKind(StrEnum):
    """What a message in the inbox tells the workflow."""

    SUBMITTED = "submitted"
    SUPPLEMENTED = "supplemented"
    URGED = "urged"
    WITHDRAWN = "withdrawn"
    RATED = "rated"
    REOPENED = "reopened"
    ANSWERED = "answered"


class IdempotencyConflict(Refusal):
    """The same idempotency key came with another body."""

    code = "idempotency_conflict"


@dataclass(frozen=True, slots=True)
class Contact:
    """How the citizen can be reached; `phone` in E.164 form."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The key that the sender chose, and the body in a form that is equal for equal submissions."""

    key: str
    body: bytes


@dataclass(frozen=True, slots=True, repr=False)
class QuickLog:
    """A small matter that staff settled on the spot: by which department, and what was done."""

    department: str
    category: str
    outcome: str
    done: str


@dataclass(frozen=True, slots=True, repr=False)
class NewRequest:
    """What a citizen submits, checked by the interface it came through. `lat` and `long` are WGS-84; `datum` is what they
    were given in."""

    description: str
    channel: Channel
    language: str
    title: str | None = None
    category: str | None = None
    contact: Contact = Contact()
    address: str | None = None
    place: str | None = None
    lat: float | None = None
    long: float | None = None
    datum: Datum | None = None
    confidential: bool = False
    submitted_by: UUID | None = None
    idempotency: Idempotency | None = None
    quick_log: QuickLog | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The answer to a submission; `repeated` when it had been given before."""

    request_id: UUID
    reference: str
    submitted_at: datetime
    token: str = field(repr=False)
    repeated: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class StoredRequest:
    """A request as it was sent, with the personal parts still sealed; `told` opens them."""

    id: UUID
    reference: str
    submitted_at: datetime
    channel: str
    language: str
    confidential: bool
    given_category: str | None
    title_sealed: bytes | None
    description_sealed: bytes | None
    contact_sealed: bytes | None
    phone_index: bytes | None
    address_sealed: bytes | None
    place_sealed: bytes | None
    place: str | None  # in clear: from before it was sealed
    lat: float | None
    long: float | None
    datum: str | None
    token_hash: bytes
    token_sealed: bytes
    submitted_by: UUID | None
    erased_at: datetime | None
    erasure_demanded_at: datetime | None

    def accepts(self, token: str) -> bool:
        """Whether this is the citizen's token; takes the same time for every wrong one."""
        return hmac.compare_digest(self.token_hash, token_hash(token))

    def came_from(self, keys: KeyRing, phone: str) -> bool:
        """Whether it was sent with that phone number (E.164)."""
        return self.phone_index is not None and is_one_of(self.phone_index, keys.phone_indexes(phone))


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """What the citizen told, in the clear. After retention has erased it the description is empty and the rest None."""

    description: str
    title: str | None
    address: str | None
    contact: Contact
    place: str | None = None


async def submit(
    database: Database,
    keys: KeyRing,
    new: NewRequest,
    now: datetime,
    *,
    trace: str | None = None,
    draw: Callable[[int], int] = secrets.randbelow,
) -> Submitted:
    """Stores the request with its first snapshot and its message to the workflow, all or nothing.

    The same idempotency key with the same body gets the first answer again; with another body it raises
    IdempotencyConflict. `now` dates the reference too, in its own time zone. `trace` is a W3C traceparent, for the
    relay to go on with. `draw(n)` is a random number below n.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    request_id = new_id(now)
    text_id = new_id(now) if new.quick_log else None
    values = _sealed(keys, new, request_id, token) | {"text_id": text_id, "body_sealed": _done(keys, new, text_id)}
    for _ in range(_REFERENCES_TRIED):
        reference = make_reference(now.date(), draw(NUMBERS))
        values |= {
            "reference": reference,
            "submitted_at": now,
            "payload": _payload(new, reference, now, text_id),
            "trace": trace,
        }
        if await _QUERIES["submit"].value(database, **values) is not None:
            await inbox.wake(database)
            return Submitted(request_id, reference, now, token)
        if new.idempotency and (earlier := await _submitted_before(database, keys, new.idempotency)):
            return earlier
    raise RuntimeError(f"no free reference among {_REFERENCES_TRIED} random ones")


async def find(database: Database, reference: str) -> StoredRequest | None:
    """The request with that reference in its written form."""
    row = await _QUERIES["by_reference"].row(database, reference=reference)
    return StoredRequest(**row) if row else None


async def by_id(database: Database, request_id: UUID) -> StoredRequest | None:
    row = await _QUERIES["by_id"].row(database, id=request_id)
    return StoredRequest(**row) if row else None


async def add_message(
    database: Database,
    keys: KeyRing,
    request_id: UUID,
    kind: MessageKind,
    payload: dict[str, str | int],
    text: str | None,
    now: datetime,
    *,
    text_id: UUID | None = None,
    trace: str | None = None,
) -> int:
    """Queues a citizen's message for the workflow, after all earlier ones of the same request; gives its inbox id.

    `payload` holds codes and numbers; a text is sealed, kept, and named in the payload as "text". With a `text_id` of
    one's own it is queued once: another of that id raises Unknown, as does a request that there is not.
    """
    text_id = text_id or new_id(now)
    inbox_id = await _QUERIES["add_message"].value(
        database,
        request_id=request_id,
        kind=kind,
        payload=payload if text is None else {**payload, "text": text_id},
        received_at=now,
        text_id=text_id,
        body_sealed=None if text is None else keys.seal(texts.place(text_id), text),
        trace=trace,
    )
    if inbox_id is None:
        raise Unknown("There is no such request.")
    await inbox.wake(database)
    return int(inbox_id)


async def replace_token(database: Database, keys: KeyRing, request_id: UUID) -> str:
    """Gives the citizen a new token; the old one stops working."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    sealed = keys.seal(_place("token", request_id), token)
    await _QUERIES["replace_token"].run(database, id=request_id, token_hash=token_hash(token), token_sealed=sealed)
    return token


def told(keys: KeyRing, stored: StoredRequest) -> Told:
    """Opens what the citizen told. Raises SealBroken."""
    return Told(
        description=opened(keys, "description", stored.id, stored.description_sealed) or "",
        title=opened(keys, "title", stored.id, stored.title_sealed),
        address=opened(keys, "address", stored.id, stored.address_sealed),
        contact=contact(keys, stored),
        place=opened_place(keys, stored.id, stored.place_sealed, stored.place),
    )


def contact(keys: KeyRing, stored: StoredRequest) -> Contact:
    """Opens how the citizen can be reached. Raises SealBroken."""
    written = opened(keys, "contact", stored.id, stored.contact_sealed)
    return Contact(**json.loads(written)) if written else Contact()


def token(keys: KeyRing, stored: StoredRequest) -> str:
    """Opens the citizen's token, for a link in a notice. Raises SealBroken."""
    return keys.open(_place("token", stored.id), stored.token_sealed)


async def _submitted_before(database: Database, keys: KeyRing, idempotency: Idempotency) -> Submitted | None:
    row = await _QUERIES["submitted_before"].row(database, idempotency_key=_sha256(idempotency.key.encode()))
    if row is None:
        return None
    if not is_that_body(keys, row["idempotency_body"], idempotency.body):
        raise IdempotencyConflict(
            "This idempotency key was used before, with another body. Send the new request with a new key."
        )
    first_token = keys.open(_place("token", row["id"]), row["token_sealed"])
    return Submitted(row["id"], row["reference"], row["submitted_at"], first_token, repeated=True)


def _sealed(keys: KeyRing, new: NewRequest, request_id: UUID, token: str) -> dict[str, object]:
    """The columns of the new row, but those that depend on the reference."""

    def seal(column: str, plain: str | None) -> bytes | None:
        return None if plain is None else keys.seal(_place(column, request_id), plain)

    person = new.contact
    known = {name: value for name in ("name", "phone", "email") if (value := getattr(person, name))}
    return {
        "id": request_id,
        "channel": new.channel,
        "language": new.language,
        "confidential": new.confidential,
        "given_category": new.category,
        "title_sealed": seal("title", new.title),
        "description_sealed": seal("description", new.description),
        "contact_sealed": seal("contact", json.dumps(known, ensure_ascii=False)) if known else None,
        "phone_index": keys.phone_index(person.phone) if person.phone else None,
        "address_sealed": seal("address", new.address),
        "place_sealed": seal("place", new.place),
        "place_index": place_index(keys, new.place),
        "lat": new.lat,
        "long": new.long,
        "datum": new.datum,
        "token_hash": token_hash(token),
        "token_sealed": seal("token", token),
        "idempotency_key": _sha256(new.idempotency.key.encode()) if new.idempotency else None,
        "idempotency_body": body_hash(keys, new.idempotency.body) if new.idempotency else None,
        "submitted_by": new.submitted_by,
    }


def _done(keys: KeyRing, new: NewRequest, text_id: UUID | None) -> bytes | None:
    """What was done on the spot, sealed."""
    return keys.seal(texts.place(text_id), new.quick_log.done) if new.quick_log and text_id else None


def _payload(new: NewRequest, reference: str, now: datetime, text_id: UUID | None) -> dict[str, object]:
    """What the workflow starts with: no personal data, only what decides the way."""
    payload: dict[str, object] = {
        "reference": reference,
        "submitted_at": now,
        "channel": new.channel,
        "confidential": new.confidential,
        "located": True,  # title and description may name the place, too
        "submitted_by": new.submitted_by,
    }
    if new.quick_log is not None:
        payload["quick_log"] = {
            "department": new.quick_log.department,
            "category": new.quick_log.category,
            "outcome": new.quick_log.outcome,
            "reply": text_id,
        }
    return payload


def opened(keys: KeyRing, column: str, request_id: UUID, sealed: bytes | None) -> str | None:
    """Opens one sealed column of `requests`, named without its ending. Raises SealBroken."""
    return None if sealed is None else keys.open(_place(column, request_id), sealed)


def _place(column: str, request_id: UUID) -> str:
    return f"requests.{column}:{request_id}"


def _sha256(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()
