"""Accounts of the staff: who they are, what they may do, and in which departments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from db.ids import new_id
from db.pool import Connection, Database, Pool, transaction
from db.sealing import KeyRing
from db.statements import load
from domain.errors import Unknown

_QUERIES = load("staff")


@dataclass(frozen=True, slots=True)
class Place:
    """A department that somebody handles for, perhaps as its lead."""

    department: str
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff. `demo` accounts are for the demonstration on one machine."""

    id: UUID
    username: str
    name: str
    password_hash: str = field(repr=False)
    roles: tuple[str, ...]
    departments: tuple[Place, ...]
    language: str
    active: bool
    demo: bool


@dataclass(frozen=True, slots=True, repr=False)
class NewAccount:
    """An account to be added or changed; `phone` in E.164 form."""

    username: str
    name: str
    password_hash: str
    roles: tuple[str, ...]
    departments: tuple[Place, ...] = ()
    phone: str | None = None
    language: str = "zh"
    active: bool = True
    demo: bool = False


async def save(database: Pool | Connection, keys: KeyRing, account: NewAccount, now: datetime) -> UUID:
    """Adds the account, or changes the one of that name altogether; gives its id. Names are told apart in lower case."""
    async with transaction(database) as connection:
        username = account.username.lower()
        existing = await _QUERIES["by_username"].row(connection, username=username)
        staff_id: UUID = existing["id"] if existing else new_id(now)
        await _QUERIES["save"].value(
            connection,
            id=staff_id,
            username=username,
            name=account.name,
            password_hash=account.password_hash,
            roles=list(account.roles),
            phone_sealed=keys.seal(phone_place(staff_id), account.phone) if account.phone else None,
            language=account.language,
            active=account.active,
            demo=account.demo,
        )
        await _QUERIES["leave_departments"].run(connection, staff_id=staff_id)
        await _QUERIES["join_departments"].run(
            connection,
            staff_id=staff_id,
            departments=[place.department for place in account.departments],
            leads=[place.lead for place in account.departments],
        )
    return staff_id


async def by_username(database: Database, username: str) -> Account | None:
    """The account of that name, written in whichever case, closed or not."""
    row = await _QUERIES["by_username"].row(database, username=username.lower())
    return account_from(row) if row else None


async def everybody(database: Database) -> list[Account]:
    """All accounts by name, closed ones too."""
    return [account_from(row) for row in await _QUERIES["everybody"].rows(database)]


async def names(database: Database, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What the members of staff with these ids are called."""
    return {row["id"]: row["name"] for row in await _QUERIES["names"].rows(database, ids=list(ids))}


async def set_password(database: Database, username: str, password_hash: str) -> None:
    """Changes the password; whoever is signed in is signed out. Raises Unknown."""
    staff_id = await _QUERIES["set_password"].value(database, username=username.lower(), password_hash=password_hash)
    await _sign_out_everywhere(database, staff_id)


async def set_active(database: Database, username: str, active: bool) -> None:
    """Opens or closes the account; whoever is signed in is signed out. Raises Unknown."""
    staff_id = await _QUERIES["set_active"].value(database, username=username.lower(), active=active)
    await _sign_out_everywhere(database, staff_id)


def account_from(row: asyncpg.Record) -> Account:
    members = (Place(department) for department in row["member_of"])
    leads = (Place(department, lead=True) for department in row["leads"])
    return Account(
        id=row["id"],
        username=row["username"],
        name=row["name"],
        password_hash=row["password_hash"],
        roles=tuple(row["roles"]),
        departments=(*members, *leads),
        language=row["language"],
        active=row["active"],
        demo=row["demo"],
    )


def phone_place(staff_id: UUID) -> str:
    """Where a phone number of the staff is sealed to."""
    return f"staff.phone:{staff_id}"


async def _sign_out_everywhere(database: Database, staff_id: UUID | None) -> None:
    if staff_id is None:
        raise Unknown("There is no account of that name.")
    await _QUERIES["close_sessions"].run(database, staff_id=staff_id)
