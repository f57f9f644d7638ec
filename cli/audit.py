"""`huisheng audit`: who looked at whose personal data, and whether the record of it is whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import asyncpg
import click

from db import audit as kept
from db import staff
from db.audit import Shown, Verdict
from db.migrations import require_version
from db.pool import Pool, open_pool
from domain.audit import Head, Look
from domain.errors import HuishengError
from domain.references import parse_reference
from settings import Settings

T = TypeVar("T")

MOST_AT_ONCE = 100_000
CHAINED_WITHIN = timedelta(minutes=1)
"""A worker chains what waits within a second; what waits for longer has no worker."""


@click.group()
def audit() -> None:
    """Show who looked at personal data, and check that no look was changed or removed."""


@audit.command()
@click.option(
    "--known", metavar="POSITION:HASH",
    help="An end of the chain that was told before, here or as `looks_chained` in the log: the chain must pass through it.",
)  # fmt: skip
def verify(known: str | None) -> int:
    """Check the whole chain; exit code 1 where it is broken, and the first place where it is."""
    head = _head(known)
    verdict = _run(lambda pool: kept.verify(pool, head))
    if verdict.fault:
        click.echo(f"The record of looks is not whole. {verdict.fault}", err=True)
        return 1
    click.echo(f"The record of looks is whole: {verdict.head.position} rows. It ends at {verdict.head}")
    if waiting := _waiting(verdict, datetime.now(UTC)):
        click.echo(waiting, err=True)
    return 0


@audit.command()
@click.option("--reference", help="The looks at this request.")
@click.option("--staff", "username", help="The looks of this member of staff.")
@click.option("--machine", help="The looks of commands, by this account of the operating system.")
@click.option(
    "--limit", type=click.IntRange(1, MOST_AT_ONCE), default=200, show_default=True, help="At most so many, the newest."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object a line.")
def show(reference: str | None, username: str | None, machine: str | None, limit: int, as_json: bool) -> None:
    """Show looks, newest last."""
    if username and machine:
        raise click.UsageError("Give --staff or --machine, not both.")
    written = _reference(reference)

    async def find(pool: Pool) -> list[Shown]:
        who = await _who(pool, username) if username else f"machine:{machine}" if machine else None
        return await kept.shown(pool, reference=written, who=who, most=limit)

    found = _run(find)
    if not found and not as_json:
        click.echo("Nobody has looked.")
    for each in found:
        click.echo(json.dumps(_told(each), ensure_ascii=False) if as_json else _line(each))


def _line(each: Shown) -> str:
    look = each.look
    what = f"{look.kind} {look.reference}" if look.reference else look.kind
    counted = f"{what} ({look.count})" if look.count != 1 else what
    who = f"{each.name} ({each.username})" if each.username else look.who
    return f"{look.looked_at:%Y-%m-%d %H:%M:%S} UTC  {counted:32}  {who:32}  {look.address}".rstrip()


def _told(each: Shown) -> dict[str, object]:
    look: Look = each.look
    return {
        "looked_at": look.looked_at.isoformat(),
        "who": look.who,
        "username": each.username,
        "kind": look.kind,
        "reference": look.reference,
        "count": look.count,
        "address": look.address,
    }


def _waiting(verdict: Verdict, now: datetime) -> str | None:
    since = verdict.waiting_since
    if since is None or now - since < CHAINED_WITHIN:
        return None
    return (
        f"{verdict.waiting} more rows wait to be chained since {since:%Y-%m-%d %H:%M} UTC, and nothing protects them until"
        " then. Is a worker running?"
    )


def _head(text: str | None) -> Head | None:
    if text is None:
        return None
    try:
        return Head.parse(text)
    except ValueError:
        raise click.BadParameter("write it as it was told, as in 1200:9f86d0…", param_hint="--known") from None


def _reference(given: str | None) -> str | None:
    written = parse_reference(given) if given else None
    if given and written is None:
        raise click.BadParameter(
            "this is no reference, its digits do not add up. A reference looks like 2611-4829-13705.",
            param_hint="--reference",
        )
    return written


async def _who(pool: Pool, username: str) -> str:
    account = await staff.by_username(pool, username)
    if account is None:
        raise click.ClickException(f"There is no account {username}. `huisheng staff list` shows those there are.")
    return f"staff:{account.id}"


def _run(work: Callable[[Pool], Awaitable[T]]) -> T:
    """Does the work on the database and turns what can go wrong there into one plain sentence."""
    try:
        return asyncio.run(_with_database(Settings.from_environment().database_url, work))
    except HuishengError as error:
        raise click.ClickException(error.message) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise click.ClickException(
            f"The database that DATABASE_URL names cannot be used ({type(error).__name__}). Is PostgreSQL running?"
        ) from error


async def _with_database(database_url: str, work: Callable[[Pool], Awaitable[T]]) -> T:
    async with open_pool(database_url, size=1, application_name="huisheng-audit") as pool:
        await require_version(pool)
        return await work(pool)
