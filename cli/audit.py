"""`huisheng audit`: who looked at whose personal data, and whether the record of it is whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click

from cli.database import on_database
from cli.reference import REFERENCE
from db import audit as kept
from db import staff
from db.audit import Shown, Verdict
from db.pool import Pool
from domain.audit import Head, Look

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
    verdict = on_database("audit", lambda pool: kept.verify(pool, head))
    if verdict.fault:
        click.echo(f"The record of looks is not whole. {verdict.fault}", err=True)
        return 1
    click.echo(f"The record of looks is whole: {verdict.head.position} rows. It ends at {verdict.head}")
    if waiting := _waiting(verdict, datetime.now(UTC)):
        click.echo(waiting, err=True)
    return 0


@audit.command()
@click.option("--reference", type=REFERENCE, help="The looks at this request.")
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

    async def find(pool: Pool) -> list[Shown]:
        who = await _who(pool, username) if username else f"machine:{machine}" if machine else None
        return await kept.shown(pool, reference=reference, who=who, most=limit)

    found = on_database("audit", find)
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


async def _who(pool: Pool, username: str) -> str:
    account = await staff.by_username(pool, username)
    if account is None:
        raise click.ClickException(f"There is no account {username}. `huisheng staff list` shows those there are.")
    return f"staff:{account.id}"
