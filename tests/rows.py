"""Builders of what stands in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from db import requests
from db.pool import Database
from db.requests import Contact, MessageKind, NewRequest, Submitted
from db.sealing import KeyRing
from domain.request import Channel

SUNDAY_NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""A Sunday, 12:00 in the demonstration city."""

PHONE = "+8613800000001"


def a_new_request(**changes: Any) -> NewRequest:
    values: dict[str, Any] = {
        "description": "The street light before our door is out.",
        "channel": Channel.WEB,
        "language": "en",
        "contact": Contact(name="A Citizen", phone=PHONE),
    }
    return NewRequest(**(values | changes))


async def a_submitted_request(
    database: Database, keys: KeyRing, now: datetime = SUNDAY_NOON, **changes: Any
) -> Submitted:
    return await requests.submit(database, keys, a_new_request(**changes), now)


async def an_urging(database: Database, keys: KeyRing, request_id: UUID, now: datetime = SUNDAY_NOON) -> int:
    """The inbox id of a message that follows the submission."""
    return await requests.add_message(database, keys, request_id, MessageKind.URGED, {}, None, now)


async def a_member_of_staff(
    database: Database,
    username: str,
    roles: Sequence[str],
    *,
    departments: Sequence[str] = (),
    led: Sequence[str] = (),
    phone: bool = True,
    language: str = "zh",
    active: bool = True,
) -> UUID:
    staff_id = uuid4()
    await database.execute(
        "insert into staff (id, username, name, password_hash, roles, phone_sealed, language, active) "
        "values ($1, $2, $2, 'none', $3, $4, $5, $6)",
        staff_id, username, list(roles), b"sealed" if phone else None, language, active,
    )  # fmt: skip
    for department in {*departments, *led}:
        await database.execute(
            "insert into staff_departments values ($1, $2, $3)", staff_id, department, department in led
        )
    return staff_id
