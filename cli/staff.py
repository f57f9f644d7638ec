"""`huisheng staff`: accounts of the people who work on requests."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import click

import db.policies
from api.contact import parse_phone
from api.passwords import MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS, hash_password
from cli.database import on_database
from cli.demo_accounts import demo_accounts
from db import sessions
from db import staff as accounts
from db.pool import Pool
from db.sealing import KeyRing
from db.sessions import Session
from db.staff import Account, NewAccount, Place
from domain.errors import Invalid, Unknown
from domain.policy import Policy
from domain.request import Role
from policies.store import PolicyStore
from settings import Settings

T = TypeVar("T")

ROLES = [role.value for role in (Role.DISPATCHER, Role.HANDLER, Role.SUPERVISOR, Role.CALLER, Role.ADMIN)]


@dataclass(frozen=True, slots=True)
class Office:
    """What a command works with."""

    pool: Pool
    keys: KeyRing
    policies: PolicyStore


@click.group()
def staff() -> None:
    """Add staff accounts, list them, change passwords, close them."""


_password = click.option(
    "--password", envvar="HUISHENG_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True,
    help="Asked for unless given by the environment variable HUISHENG_PASSWORD.",
)  # fmt: skip


@staff.command()
@click.argument("username")
@click.option("--name", help="The person's name as colleagues read it; the user name unless given.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="May be repeated.")
@click.option(
    "--department", "departments", multiple=True, help="A department the person handles for. May be repeated."
)
@click.option("--lead", "leads", multiple=True, help="A department the person leads. May be repeated.")
@click.option("--phone", help="For SMS.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of the SMS.")
@_password
def add(
    username: str, name: str | None, roles: tuple[str, ...], departments: tuple[str, ...], leads: tuple[str, ...],
    phone: str | None, language: str, password: str,
) -> None:  # fmt: skip
    """Add an account."""

    async def save(office: Office) -> None:
        if await accounts.by_username(office.pool, username):
            raise Invalid(f"There is an account {username} already. Change it with set-password or deactivate.")
        _check_places(await office.policies.active(), roles, (*departments, *leads))
        places = tuple(Place(code, lead=code in leads) for code in dict.fromkeys((*departments, *leads)))
        account = NewAccount(
            username,
            name or username,
            _hashed(password),
            roles,
            places,
            parse_phone(phone) if phone else None,
            language,
        )
        await accounts.save(office.pool, office.keys, account, datetime.now(UTC))

    _run(save)
    click.echo(f"Added {username.lower()}.")


@staff.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def list_accounts(as_json: bool) -> None:
    """List all accounts."""
    found = _run(lambda office: accounts.everybody(office.pool))
    if as_json:
        click.echo(json.dumps([_described(account) for account in found], ensure_ascii=False, indent=1))
        return
    for account in found:
        places = ", ".join(place.department + (" (lead)" if place.lead else "") for place in account.departments)
        closed = "" if account.active else "  closed"
        click.echo(f"{account.username:24} {account.name:24} {', '.join(account.roles):24} {places}{closed}")


@staff.command()
@click.argument("username")
@_password
def set_password(username: str, password: str) -> None:
    """Change a password; the person is signed out everywhere."""
    _run(lambda office: accounts.set_password(office.pool, username, _hashed(password)))
    click.echo(f"Changed the password of {username.lower()}.")


@staff.command()
@click.argument("username")
def deactivate(username: str) -> None:
    """Close an account; the person is signed out everywhere."""
    _run(lambda office: accounts.set_active(office.pool, username, False))
    click.echo(f"Closed {username.lower()}.")


@staff.command()
@click.argument("username")
def activate(username: str) -> None:
    """Open a closed account again."""
    _run(lambda office: accounts.set_active(office.pool, username, True))
    click.echo(f"Opened {username.lower()}.")


@staff.command("sessions")
@click.argument("username")
def list_sessions(username: str) -> None:
    """List where a person is signed in."""
    found = _run(lambda office: _sessions(office, username))
    for session in found:
        click.echo(f"{session.name}  since {session.created_at:%Y-%m-%d %H:%M}, until {session.expires_at:%H:%M} UTC")
    if not found:
        click.echo(f"{username.lower()} is signed in nowhere.")


@staff.command()
@click.argument("username")
@click.option("--session", help="Only this one, as `huisheng staff sessions` names it.")
def sign_out(username: str, session: str | None) -> None:
    """Sign a person out: everywhere, or in one session."""
    ended = _run(lambda office: _signed_out(office, username, session))
    click.echo(f"Ended {ended} {'session' if ended == 1 else 'sessions'} of {username.lower()}.")


async def _sessions(office: Office, username: str) -> list[Session]:
    return await sessions.open_of(office.pool, (await _account(office, username)).id, datetime.now(UTC))


async def _signed_out(office: Office, username: str, session: str | None) -> int:
    account = await _account(office, username)
    if session is None:
        return await sessions.revoke_all(office.pool, account.id)
    if not await sessions.revoke(office.pool, account.id, session):
        raise Unknown(
            f"{username} has no session {session}. `huisheng staff sessions {username}` shows those there are."
        )
    return 1


async def _account(office: Office, username: str) -> Account:
    account = await accounts.by_username(office.pool, username)
    if account is None:
        raise Unknown(f"There is no account {username}. `huisheng staff list` shows those there are.")
    return account


@staff.command()
@click.option("--password", envvar="HUISHENG_DEMO_PASSWORD", help="Of all of them; made up unless given.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def demo(password: str | None, as_json: bool) -> None:
    """Add the demonstration accounts: some of each kind, for every department of the policy.

    They work only with HUISHENG_DEMO=1 and only from this machine.
    """
    shown = password or secrets.token_urlsafe(9)
    hashed = _hashed(shown)

    async def save(office: Office) -> list[NewAccount]:
        wanted = demo_accounts(await office.policies.active(), hashed)
        for account in wanted:
            await accounts.save(office.pool, office.keys, account, datetime.now(UTC))
        return wanted

    added = _run(save)
    if as_json:
        click.echo(json.dumps([_shown(account, shown) for account in added], ensure_ascii=False))
        return
    click.echo(f"Added {len(added)} demonstration accounts, all with the password {shown}:")
    for account in added:
        click.echo(f"  {account.username:28} {', '.join(account.roles)}")


def _shown(account: NewAccount, password: str) -> dict[str, object]:
    return {
        "username": account.username,
        "password": password,
        "roles": list(account.roles),
        "departments": [place.department for place in account.departments],
        "lead": any(place.lead for place in account.departments),
    }


def _described(account: Account) -> dict[str, object]:
    return {
        "username": account.username,
        "name": account.name,
        "roles": list(account.roles),
        "departments": [place.department for place in account.departments],
        "leads": [place.department for place in account.departments if place.lead],
        "language": account.language,
        "active": account.active,
        "demo": account.demo,
    }


def _check_places(policy: Policy, roles: Sequence[str], departments: Sequence[str]) -> None:
    unknown = [code for code in departments if not policy.has_department(code)]
    if unknown:
        known = ", ".join(department.code for department in policy.departments)
        raise Invalid(f"The policy has no department {', '.join(unknown)}. It has: {known}.")
    if Role.HANDLER in roles and not departments:
        raise Invalid("A handler needs a department: add --department or --lead.")
    if departments and Role.HANDLER not in roles:
        raise Invalid("Only handlers belong to departments: add --role handler.")


def _hashed(password: str) -> str:
    if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
        raise click.ClickException(
            f"A password has {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} characters; a short sentence is easy to keep."
        )
    return hash_password(password)


def _run(work: Callable[[Office], Awaitable[T]]) -> T:
    """Opens the office for the work and turns what can go wrong into one plain sentence."""
    return on_database("staff", lambda pool: work(_office(pool)), size=2)


def _office(pool: Pool) -> Office:
    policies = PolicyStore(partial(db.policies.active_version, pool), partial(db.policies.content_of, pool))
    return Office(pool, KeyRing.from_text(Settings.from_environment().keys), policies)
