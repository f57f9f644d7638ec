"""`huisheng keys`: another key for personal data, while the system runs."""

from __future__ import annotations

import asyncio

import asyncpg
import click

from db.migrations import require_version
from db.pool import Pool, open_pool
from db.rotation import STORES, Store, rotate
from db.sealing import KeyRing
from domain.errors import HuishengError
from settings import Settings

MOST_PASSES = 5


@click.group()
def keys() -> None:
    """Seal personal data with another key."""


@keys.command("rotate")
def rotate_command() -> int:
    """Seal everything anew that an older key of HUISHENG_KEYS has sealed, with the first one.

    Before: put the new key in front and restart API and workers, so that they seal with it. It can be stopped and started
    again at any time.
    """
    settings = Settings.from_environment()
    ring = KeyRing.from_text(settings.keys)
    try:
        return asyncio.run(_rotate(settings.database_url, ring))
    except HuishengError as error:
        raise click.ClickException(error.message) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise click.ClickException(
            f"The database that DATABASE_URL names cannot be used ({type(error).__name__}). What was done is kept; start again."
        ) from error


async def _rotate(database_url: str, ring: KeyRing) -> int:
    async with open_pool(database_url, size=1, application_name="huisheng-keys") as pool:
        await require_version(pool)
        for _ in range(MOST_PASSES):
            counted = [await _through(pool, ring, store) for store in STORES]
            broken = [sentence for _, sentences in counted for sentence in sentences]
            if not any(anew for anew, _ in counted):
                return _told(ring, broken)
    click.echo("Something goes on sealing with an older key: restart API and workers, then start this again.", err=True)
    return 1


def _told(ring: KeyRing, broken: list[str]) -> int:
    """What is to be done next."""
    if broken:
        click.echo("\n".join(["These cannot be opened and stay as they are:", *broken]), err=True)
        return 1
    others = f" The others ({', '.join(ring.others)}) can be taken out of HUISHENG_KEYS." if ring.others else ""
    click.echo(f"Everything is sealed with key {ring.first}.{others}")
    return 0


async def _through(pool: Pool, ring: KeyRing, store: Store) -> tuple[int, list[str]]:
    """One pass through a table: how many rows were sealed anew, and what could not be opened."""
    anew = 0
    broken: list[str] = []
    after = store.before_the_first
    while True:
        step = await rotate(pool, ring, store, after)
        anew += step.anew
        broken += step.broken
        if step.after is None:
            break
        after = step.after
    if anew:
        click.echo(f"{store.table}: {anew} rows sealed anew.")
    return anew, broken
