"""`huisheng read-model`: the read model compared with the histories of the runs, and remade where it differs."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import click
from temporalio.client import Client
from temporalio.service import RPCError

from cli.database import opened, plainly
from cli.reference import REFERENCE
from db import retelling
from db.pool import Pool
from db.retelling import Kept
from db.sealing import KeyRing
from domain.retelling import Standing, differences, retell
from settings import Settings
from workflows.connection import connect
from workflows.recapture import CannotReplay, fetch, recapture

SHOWN = 5
"""So many differences of a request are named; one that is lost altogether has hundreds."""
TRIES = 8
PAUSE_SECONDS = 0.25
"""A request that is being worked on is looked at again; usually its task is done within this."""


class Found(StrEnum):
    """What became of one request."""

    SAME = "same"
    DIFFERS = "differs"
    REBUILT = "rebuilt"
    NOT_KEPT = "not_kept"  # Temporal keeps its run no longer
    AT_WORK = "at_work"  # it did not stand still
    UNREADABLE = "unreadable"  # this program does not go through its history


_PLURALS = {
    Found.SAME: "as the histories say",
    Found.DIFFERS: "not as the histories say",
    Found.REBUILT: "rebuilt",
    Found.NOT_KEPT: "whose runs Temporal keeps no longer, left as they are",
    Found.AT_WORK: "being worked on, left as they are; run this again",
    Found.UNREADABLE: "whose histories this program cannot go through, left as they are",
}


@dataclass
class Rebuilding:
    """Compares request after request; with `write`, remakes what differs. `say` gets a line for each that is not as it should be."""

    pool: Pool
    client: Client
    write: bool
    say: Callable[[str], None]
    counts: Counter[Found] = field(default_factory=Counter)

    async def look_at(self, kept: Kept) -> None:
        try:
            found = await self._found(kept)
        except CannotReplay as error:
            self.say(f"{kept.reference}: {error.message}")
            found = Found.UNREADABLE
        self.counts[found] += 1

    async def _found(self, kept: Kept) -> Found:
        for _ in range(TRIES):
            found = await retelling.standing(self.pool, kept.id)
            ought, is_at_work = await self._ought(kept, found)
            if ought is None:
                return Found.NOT_KEPT
            if ought == found:
                return Found.SAME
            if not is_at_work and await self._stood_still(kept, found, ought):
                self.say(f"{kept.reference}: {_in_short(list(differences(found, ought)))}")
                return Found.REBUILT if self.write else Found.DIFFERS
            await asyncio.sleep(PAUSE_SECONDS)
            (kept,) = await retelling.by_references(self.pool, [kept.reference])
        return Found.AT_WORK

    async def _stood_still(self, kept: Kept, found: Standing, ought: Standing) -> bool:
        """Whether it still stood as it was found; then, if that is wanted, it stands as it ought to now."""
        if self.write:
            return await retelling.replace(self.pool, kept, found, ought, datetime.now(UTC))
        return await retelling.still_stands(self.pool, kept, found)

    async def _ought(self, kept: Kept, found: Standing) -> tuple[Standing | None, bool]:
        """What ought to stand, and whether more may come at any moment."""
        life = await fetch(self.client, kept.reference)
        if life is None:
            return (retell(kept.first, [], found, None) if kept.is_waiting else None), False
        told = await recapture(life, self.client.data_converter)
        if not life.is_whole and not told:
            return None, False
        return retell(kept.first, told, found, kept.erased), life.is_at_work or any(not each.recorded for each in told)

    def summary(self) -> str:
        total = sum(self.counts.values())
        parts = [f"{self.counts[each]:,} {words}" for each, words in _PLURALS.items() if self.counts[each]]
        return f"{total:,} {'request' if total == 1 else 'requests'}: {', '.join(parts) or 'nothing to do'}."


def _in_short(differing: list[str]) -> str:
    more = len(differing) - SHOWN
    return "; ".join([*differing[:SHOWN], *([f"and {more} more"] if more > 0 else [])])


@click.group(name="read-model")
def read_model() -> None:
    """Check or remake the read model from the histories of the runs."""


@read_model.command()
@click.argument("references", nargs=-1, type=REFERENCE, metavar="[REFERENCE]...")
@click.option("--check", is_flag=True, help="Only compare; the exit code is 1 where something differs.")
def rebuild(references: tuple[str, ...], check: bool) -> int:
    """Remake events and snapshots from the histories in Temporal, of all requests or of those with these REFERENCEs.

    The system may go on meanwhile. Only what differs is written; no notice is owed again, and texts, photos and contact
    data, which no history holds, stay untouched.
    """
    settings = Settings.from_environment()
    with plainly():
        try:
            rebuilding = asyncio.run(_rebuild(settings, list(references), write=not check))
        except RPCError as error:
            raise click.ClickException(
                f"Temporal does not answer ({error.status.name}). What was rebuilt so far stays; run this again."
            ) from error
    click.echo(rebuilding.summary())
    return 1 if rebuilding.counts[Found.DIFFERS] or rebuilding.counts[Found.UNREADABLE] else 0


async def _rebuild(settings: Settings, references: list[str], *, write: bool) -> Rebuilding:
    async with opened(settings, "read-model", size=2) as pool:
        client = await connect(settings.temporal_address, KeyRing.from_text(settings.keys))
        rebuilding = Rebuilding(pool, client, write, click.echo)
        number, chosen = await _chosen(pool, references)
        with click.progressbar(length=number, label="Requests", file=sys.stderr) as progress:
            async for kept in chosen:
                await rebuilding.look_at(kept)
                progress.update(1)
        return rebuilding


async def _chosen(pool: Pool, references: list[str]) -> tuple[int, AsyncIterator[Kept]]:
    """How many requests, and each of them. Raises ClickException for a reference that there is not."""
    if not references:
        return await retelling.number(pool), retelling.requests(pool)
    found = await retelling.by_references(pool, references)
    unknown = sorted({*references} - {kept.reference for kept in found})
    if unknown:
        raise click.ClickException(f"There is no request {', '.join(unknown)}.")
    return len(found), _each(found)


async def _each(found: list[Kept]) -> AsyncIterator[Kept]:
    for kept in found:
        yield kept
