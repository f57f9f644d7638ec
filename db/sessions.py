"""Sessions of the staff. The database keeps only the hash of a token: who reads the table cannot sign in with it."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.pool import Database
from db.sealing import token_hash
from db.staff import Account, account_from
from db.statements import load

_QUERIES = load("staff")

_TOKEN_BYTES = 32


class Session(NamedTuple):
    """A session by a name that opens nothing."""

    name: str
    created_at: datetime
    expires_at: datetime


async def open_session(database: Database, account: Account, now: datetime, lasts: timedelta) -> str | None:
    """Signs in; the token that it gives is kept nowhere else. None where the account was closed or has another password
    than when it was read: a change of password shuts out also whoever is just coming in with the old one."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    opened = await _QUERIES["open_session"].run(
        database, token_hash=token_hash(token), staff_id=account.id, password_hash=account.password_hash,
        created_at=now, expires_at=now + lasts,
    )  # fmt: skip
    return token if opened else None


async def find(database: Database, token: str, now: datetime) -> Account | None:
    """Whose session the token opens; None when it has ended or the account was closed."""
    row = await _QUERIES["account_of_session"].row(database, token_hash=token_hash(token), now=now)
    return account_from(row) if row else None


async def open_of(database: Database, staff_id: UUID, now: datetime) -> list[Session]:
    """The sessions of that person that have not ended, the newest first."""
    return [Session(**row) for row in await _QUERIES["sessions_of"].rows(database, staff_id=staff_id, now=now)]


def name_of(token: str) -> str:
    """What the session of that token is called."""
    return token_hash(token)[:8].hex()


async def revoke(database: Database, staff_id: UUID, name: str) -> bool:
    """Ends that session at once; False where the person has none of that name."""
    return await _QUERIES["close_session_named"].run(database, staff_id=staff_id, name=name) > 0


async def revoke_all(database: Database, staff_id: UUID) -> int:
    """Ends all sessions of that person at once, and says how many there were."""
    return await _QUERIES["close_sessions"].run(database, staff_id=staff_id)


async def close(database: Database, token: str) -> None:
    """Signs out; the token stops working at once."""
    await _QUERIES["close_session"].run(database, token_hash=token_hash(token))
