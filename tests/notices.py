"""Builders of notices and providers for tests of sending."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from activities.providers.port import Accepted, Answer, Message
from activities.sending import NoticeSender
from db.notices import NoticeState
from db.pool import Database, Pool
from db.sealing import KeyRing
from domain.policy import Policy, Texts
from tests.city import a_city
from tests.rows import SUNDAY_NOON, a_member_of_staff

PUBLIC_URL = "https://city.example"


class OnePolicy:
    """The same policy for every version."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    async def active(self) -> Policy:
        return self.policy

    async def version(self, version: str) -> Policy:
        return self.policy


def a_city_saying(text: str, kind: str = "assigned", **missing: str) -> Policy:
    """The small city with that SMS in both languages."""
    texts = Texts({kind: {"sms": text}}, {"assigned": "assigned"}, {}, missing)
    return a_city(texts={"zh": texts, "en": texts})


class Gateway:
    """A stranger that does with each message what `then` says, and remembers what it was given."""

    name = "gateway"
    prompt = False

    def __init__(self, then: Callable[[Message], Awaitable[Answer]] | None = None) -> None:
        self.sent: list[Message] = []
        self.asked = asyncio.Event()
        self.then = then

    async def send(self, message: Message) -> Answer:
        self.sent.append(message)
        self.asked.set()
        return await self.then(message) if self.then else Accepted()

    async def close(self) -> None: ...

    def answer(self, *answers: Answer) -> None:
        """One message each; the last answer is for all that follow."""
        left = list(answers)

        async def next_answer(message: Message) -> Answer:
            return left.pop(0) if len(left) > 1 else left[0]

        self.then = next_answer

    def fall_silent(self) -> None:
        """Takes messages and never answers: what the process that sends sees as long as it lives."""

        async def never(message: Message) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

        self.then = never

    @property
    def notices(self) -> list[UUID]:
        return [message.notice_id for message in self.sent]


def a_sender(pool: Pool, keys: KeyRing, provider: Any, policy: Policy | None = None, **options: Any) -> NoticeSender:
    return NoticeSender(pool, keys, OnePolicy(policy or a_city()), provider, PUBLIC_URL, **options)


async def an_owed_notice(database: Database, request_id: UUID, **changes: Any) -> UUID:
    """A notice to the citizen, owed by the request's second event unless told otherwise."""
    values: dict[str, Any] = {
        "id": uuid4(),
        "request_id": request_id,
        "sequence": 2,
        "kind": "assigned",
        "recipient": "citizen",
        "channel": "sms",
        "language": "en",
        "facts": {"department": "housing", "category": "street_light", "state": "assigned"},
        "urgent": False,
        "not_before": None,
        "state": NoticeState.OWED,
        "created_at": SUNDAY_NOON,
    } | changes
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await database.execute(f"insert into notices ({', '.join(values)}) values ({places})", *values.values())
    return UUID(str(values["id"]))


async def owed_notices(database: Database, request_id: UUID, count: int, **changes: Any) -> list[UUID]:
    """That many, each owed by an event of its own."""
    return [await an_owed_notice(database, request_id, sequence=number, **changes) for number in range(1, count + 1)]


async def a_handler_with_phone(database: Database, keys: KeyRing, phone: str) -> UUID:
    """A member of staff named "handler" who can be sent an SMS."""
    staff_id = await a_member_of_staff(database, "handler", ["handler"])
    sealed = keys.seal(f"staff.phone:{staff_id}", phone)
    await database.execute("update staff set phone_sealed = $2 where id = $1", staff_id, sealed)
    return staff_id


async def notice_row(database: Database, notice_id: UUID) -> dict[str, Any]:
    row = await database.fetchrow("select * from notices where id = $1", notice_id)
    assert row is not None
    return dict(row)


async def attempts_of(database: Database, notice_id: UUID) -> list[dict[str, Any]]:
    rows = await database.fetch("select * from attempts where notice_id = $1 order by number", notice_id)
    return [dict(row) for row in rows]


async def let_grace_pass(database: Database, notice_id: UUID, by: timedelta = timedelta(minutes=10)) -> None:
    """Moves what was tried into the past."""
    await database.execute(
        "update attempts set started_at = started_at - $2::interval where notice_id = $1", notice_id, by
    )
