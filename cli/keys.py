"""`huisheng keys`: another key for personal data, while the system runs."""

from __future__ import annotations

import asyncio

import click

from cli.database import opened, plainly
from cli.keys_used import used_command
from db import places
from db.pool import Pool
from db.rotation import STORES, Store, rotate
from db.sealing import KeyRing
from settings import Settings

MOST_PASSES = 5


@click.group()
def keys() -> None:
    """Seal personal data with another key."""


keys.add_command(used_command)


@keys.command("rotate")
def rotate_command() -> int:
    """Seal everything anew that an older key of HUISHENG_KEYS has sealed, with the first one.

    Before: put the new key in front and restart API and workers, so that they seal with it. It can be stopped and started
    again at any time.
    """
    settings = Settings.from_environment()
    ring = KeyRing.from_text(settings.keys)
    with plainly("What was done is kept; start again."):
        return asyncio.run(_rotate(settings, ring))


async def _rotate(settings: Settings, ring: KeyRing) -> int:
    async with opened(settings, "keys") as pool:
        for _ in range(MOST_PASSES):
            found: list[tuple[int, list[str]]] = [(await places.seal_clear_places(pool, ring), [])]
            found += [await _through(pool, ring, store) for store in STORES]
            broken = [sentence for _, sentences in found for sentence in sentences]
            # Not: none was written. Whose row changed between reading and writing still stands under the older key.
            if not any(stale for stale, _ in found):
                return _told(ring, broken)
    click.echo(
        "Some rows still stand under an older key, which something goes on sealing with: restart API and workers, then start this"
        " again.",
        err=True,
    )
    return 1


def _told(ring: KeyRing, broken: list[str]) -> int:
    """What is to be done next."""
    if broken:
        click.echo("\n".join(["These cannot be opened and stay as they are:", *broken]), err=True)
        return 1
    click.echo(f"Everything in the database is sealed with key {ring.first}.")
    if ring.others:
        click.echo(
            f"Temporal's histories stay as they are: keep the others ({', '.join(ring.others)}) in HUISHENG_KEYS until "
            f"`huisheng keys used` says that none needs them."
        )
    return 0


async def _through(pool: Pool, ring: KeyRing, store: Store) -> tuple[int, list[str]]:
    """One pass through a table: in how many rows it found something of an older key, and what could not be opened."""
    stale = anew = 0
    broken: list[str] = []
    after = store.before_the_first
    while True:
        step = await rotate(pool, ring, store, after)
        stale += step.stale
        anew += step.anew
        broken += step.broken
        if step.after is None:
            break
        after = step.after
    if anew:
        click.echo(f"{store.table}: {anew} rows sealed anew.")
    return stale, broken
