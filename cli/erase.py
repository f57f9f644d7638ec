"""`huisheng erase`: an admin has the personal data of a request erased, with a reason that is kept, and sees what waits."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cli.database import on_database
from cli.looks import looked
from cli.reference import REFERENCE
from db import erasure, requests
from db.audit import Seen
from db.pool import Pool
from db.sealing import KeyRing
from domain.audit import Kind
from domain.retention import Because, Wait
from settings import Settings

_WAITS = {
    Wait.OPEN: "It is not over yet. The demand is kept, and carried out within an hour after it is.",
    Wait.WITH_PARENT: "It was merged into one that is not over. The demand is kept, and carried out when that one is over.",
}
_SOON = "Something of it is just being delivered. The demand is kept, and carried out within the hour."


@click.command()
@click.argument("reference", type=REFERENCE)
@click.option("--reason", required=True, help="Why, for the file: who asked, and on what ground. Kept encrypted.")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
def erase(reference: str, reason: str, yes: bool) -> None:
    """Erase the personal data of the request REFERENCE: at once if it is over, otherwise as soon as it is."""
    if not reason.strip():
        raise click.BadParameter("please say why: it is the proof of what was asked for.", param_hint="--reason")
    if not yes:
        click.confirm(f"The personal data of {reference} will be gone for good. Go on?", abort=True)
    keys = KeyRing.from_text(Settings.from_environment().keys)
    click.echo(on_database("erase", lambda pool: _erase(pool, keys, reference, reason.strip())))


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
