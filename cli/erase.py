"""`huisheng erase`: an admin has the personal data of a request erased, with a reason that is kept, and sees what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg
import click

from cli.looks import looked
from db import erasure, requests
from db.audit import Seen
from db.migrations import require_version
from db.pool import Pool, open_pool
from db.sealing import KeyRing
from domain.audit import Kind
from domain.errors import HuishengError
from domain.references import parse_reference
from domain.retention import Because, Wait
from settings import Settings

T = TypeVar("T")

_WAITS = {
    Wait.OPEN: "It is not over yet. The demand is kept, and carried out within an hour after it is.",
    Wait.WITH_PARENT: "It was merged into one that is not over. The demand is kept, and carried out when that one is over.",
}
_SOON = "Something of it is just being delivered. The demand is kept, and carried out within the hour."


@click.command()
@click.argument("reference")
@click.option("--reason", required=True, help="Why, for the file: who asked, and on what ground. Kept encrypted.")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
def erase(reference: str, reason: str, yes: bool) -> None:
    """Erase the personal data of the request REFERENCE: at once if it is over, otherwise as soon as it is."""
    settings = Settings.from_environment()
    written = parse_reference(reference)
    if written is None:
        raise click.BadParameter(
            "this is no reference, its digits do not add up. A reference looks like 2611-4829-13705.",
            param_hint="REFERENCE",
        )
    if not reason.strip():
        raise click.BadParameter("please say why: it is the proof of what was asked for.", param_hint="--reason")
    if not yes:
        click.confirm(f"The personal data of {written} will be gone for good. Go on?", abort=True)
    keys = KeyRing.from_text(settings.keys)
    click.echo(_run(settings, lambda pool: _erase(pool, keys, written, reason.strip())))


async def _erase(pool: Pool, keys: KeyRing, reference: str, reason: str) -> str:
    stored = await requests.find(pool, reference)
    if stored is None:
        raise click.ClickException(f"There is no request {reference}.")
    if stored.erased_at is not None:
        return f"Nothing to do: the personal data of {reference} was erased on {stored.erased_at:%Y-%m-%d %H:%M} UTC."
    now = datetime.now(UTC)
    await looked(pool, Seen(Kind.ERASURE, reference))
    kept = await erasure.demand(pool, keys, stored.id, Because.ADMIN, reason, now)
    wait = await erasure.meet_demand(pool, stored.id, kept.demanded_by, now)
    earlier = "" if kept.demanded_at == now else _earlier(kept)
    return earlier + (_WAITS.get(wait, _SOON) if wait else f"The personal data of {reference} is erased.")


def _earlier(kept: erasure.Demand) -> str:
    by = "its citizen" if kept.demanded_by is Because.CITIZEN else "an admin"
    return f"Demanded before, by {by}, on {kept.demanded_at:%Y-%m-%d %H:%M} UTC: that demand stays. "


def _run(settings: Settings, work: Callable[[Pool], Awaitable[T]]) -> T:
    """Does the work on the database and turns what can go wrong there into one plain sentence."""
    try:
        return asyncio.run(_with_database(settings.database_url, work))
    except HuishengError as error:
        raise click.ClickException(error.message) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise click.ClickException(
            f"The database that DATABASE_URL names cannot be used ({type(error).__name__}). Is PostgreSQL running?"
        ) from error


async def _with_database(database_url: str, work: Callable[[Pool], Awaitable[T]]) -> T:
    async with open_pool(database_url, size=1, application_name="huisheng-erase") as pool:
        await require_version(pool)
        return await work(pool)
