"""`huisheng policy requests | move | holidays`: which requests stand under which version, and moving them on purpose."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

import click

import db.policies
from cli.adopting import Adopted, Mover, touched_by_calendar
from cli.database import on_database
from cli.reference import REFERENCE
from db.pool import Pool
from db.sealing import KeyRing
from domain.policy import Policy, from_plain
from settings import Settings
from workflows.connection import connect

_REASON = click.option("--reason", required=True, help="Why, for the timeline of each request. Kept encrypted.")


@click.command()
@click.option("--version", help="Name the requests under this version instead of counting all.")
def requests(version: str | None) -> None:
    """Say how many open requests stand under which version."""
    if version is not None:
        for reference in on_database("policy", lambda pool: db.policies.references_under(pool, version)):
            click.echo(reference)
        return
    counted = on_database("policy", db.policies.in_flight, size=2)
    active = on_database("policy", db.policies.active_version, size=2)
    for each, number in counted:
        click.echo(f"{each}  {number} {'request' if number == 1 else 'requests'}{'  active' if each == active else ''}")
    if not counted:
        click.echo("No open request stands under any version yet.")


@click.command()
@click.argument("references", nargs=-1, type=REFERENCE, metavar="[REFERENCE]...")
@click.option("--from", "from_version", help="All open requests under this version.")
@click.option("--to", "to_version", help="Another version than the one in force.")
@_REASON
def move(references: tuple[str, ...], from_version: str | None, to_version: str | None, reason: str) -> int:
    """Move requests in flight to the policy in force: their dates are planned anew, and an event says so."""
    if bool(references) == bool(from_version):
        raise click.UsageError("Name either the requests or, with --from, the version whose requests you mean.")
    return on_database(
        "policy", lambda pool: _move(pool, list(references), from_version, to_version, _said(reason)), size=2
    )


@click.command()
@_REASON
@click.option("--dry-run", is_flag=True, help="Only say which due dates would move.")
def holidays(reason: str, dry_run: bool) -> int:
    """Apply the calendar of the policy in force to all requests in flight, and say which due dates moved."""
    return on_database("policy", lambda pool: _holidays(pool, _said(reason), dry_run), size=2)


async def _move(
    pool: Pool, references: list[str], from_version: str | None, to_version: str | None, reason: str
) -> int:
    policy = await _policy(pool, to_version)
    chosen = references or await db.policies.references_under(pool, from_version or "")
    if not chosen:
        click.echo("No open request stands under this version. `huisheng policy requests` lists the versions.")
        return 0
    mover = await _mover(pool, reason)
    return _report([each async for each in _told(mover, chosen, policy)], policy)


async def _told(mover: Mover, references: list[str], policy: Policy) -> AsyncIterator[Adopted]:
    """Each one said as soon as it is done: there may be many."""
    async for adopted in mover.move(references, policy.version):
        click.echo(_line(adopted, policy.zone))
        yield adopted


async def _holidays(pool: Pool, reason: str, dry_run: bool) -> int:
    active = await _policy(pool, None)
    mover = None if dry_run else await _mover(pool, reason)
    done: list[Adopted] = []
    # Looked for first: whoever is moved stands under another version from then on.
    for version, snapshot, due_at in [each async for each in touched_by_calendar(pool, active)]:
        found = Adopted(snapshot.reference, snapshot.due_at, due_at)
        if mover is not None:
            found = await mover.moved(snapshot, version)
        click.echo(_line(found, active.zone))
        done.append(found)
    if dry_run:
        click.echo(f"{len(done)} due dates would move. Nothing was changed.")
        return 0
    return _report(done, active)


def _report(done: list[Adopted], policy: Policy) -> int:
    stayed = sum(each.stays is not None for each in done)
    moved = sum(each.stays is None and each.due_before != each.due_after for each in done)
    click.echo(f"{len(done) - stayed} moved to another version, {moved} due dates with it; {stayed} stay as they were.")
    return 1 if stayed else 0


def _line(adopted: Adopted, zone: str) -> str:
    if adopted.stays is not None:
        return f"{adopted.reference}  stays: {adopted.stays}"
    before, after = _at(adopted.due_before, zone), _at(adopted.due_after, zone)
    return f"{adopted.reference}  due {before}" + (" as before" if before == after else f" -> {after}")


def _at(moment: datetime | None, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if moment else "none"


def _said(reason: str) -> str:
    if not reason.strip():
        raise click.BadParameter("please say why: the citizens concerned will read it.", param_hint="--reason")
    return reason.strip()


async def _policy(pool: Pool, version: str | None) -> Policy:
    wanted = version or await db.policies.active_version(pool)
    content = await db.policies.content_of(pool, wanted) if wanted else None
    if content is None:
        known = "There is no such version; `huisheng policy versions` lists them."
        raise click.ClickException(known if version else "No policy is active. Load one: huisheng policy load DIR")
    return from_plain(content, wanted)


def _my_name() -> str:
    """Who is at the keyboard, for the timeline; a container may not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "admin"


async def _mover(pool: Pool, reason: str) -> Mover:
    settings = Settings.from_environment()
    keys = KeyRing.from_text(settings.keys)
    return Mover(pool, keys, await connect(settings.temporal_address, keys), _my_name(), reason)
