"""`huisheng db`: bring the database to this program's version, or say how far it is."""

from __future__ import annotations

import asyncio

import asyncpg
import click

from cli.database import plainly
from db import migrations
from settings import Settings


@click.group()
def db() -> None:
    """Bring the database to this program's version."""


@db.command()
def migrate() -> None:
    """Apply the migrations that are not applied yet."""
    with plainly():
        found = migrations.migrate(Settings.from_environment().database_url)
    latest = migrations.known_versions()[-1]
    if found.pending:
        click.echo(f"Applied {', '.join(found.pending)}. The database is at version {latest}.")
    elif found.unknown:
        click.echo(
            f"Nothing to do: the database is at version {found.version}, newer than this program's {latest}, which works "
            "with it."
        )
    else:
        click.echo(f"Nothing to do: the database is at version {found.version}.")


@db.command()
def status() -> None:
    """Say which migrations are applied; the exit code is 1 unless the database fits this program."""
    with plainly():
        found = asyncio.run(_status(Settings.from_environment().database_url))
    click.echo(f"The database is at version {found.version}; this program needs {migrations.known_versions()[-1]}.")
    if found.pending:
        raise click.ClickException(f"Not applied yet: {', '.join(found.pending)}. Run `huisheng db migrate`.")
    if found.has_left_us_behind:
        raise click.ClickException(
            f"Programs older than {found.oldest_program} cannot work with it any more. Install the newer program."
        )
    if found.unknown:
        click.echo("It is newer than this program, which can work with it.")


async def _status(database_url: str) -> migrations.Status:
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        return await migrations.status(connection)
    finally:
        await connection.close()
