"""`huisheng db`: bring the database to this program's version, or say how far it is."""

from __future__ import annotations

import asyncio

import asyncpg
import click

from db import migrations
from domain.errors import HuishengError
from settings import Settings

_NO_DATABASE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@click.group()
def db() -> None:
    """Bring the database to this program's version."""


@db.command()
def migrate() -> None:
    """Apply the migrations that are not applied yet."""
    try:
        found = migrations.migrate(Settings.from_environment().database_url)
    except HuishengError as error:
        raise click.ClickException(error.message) from error
    except _NO_DATABASE as error:
        raise _unreachable(error) from error
    if found.pending:
        click.echo(f"Applied {', '.join(found.pending)}. The database is at version {migrations.known_versions()[-1]}.")
    else:
        click.echo(f"Nothing to do: the database is at version {found.version}.")


@db.command()
def status() -> None:
    """Say which migrations are applied; the exit code is 1 unless the database fits this program."""
    try:
        found = asyncio.run(_status(Settings.from_environment().database_url))
    except _NO_DATABASE as error:
        raise _unreachable(error) from error
    click.echo(f"The database is at version {found.version}; this program needs {migrations.known_versions()[-1]}.")
    if found.pending:
        raise click.ClickException(f"Not applied yet: {', '.join(found.pending)}. Run `huisheng db migrate`.")
    if found.unknown:
        raise click.ClickException(
            f"Applied by a newer program: {', '.join(found.unknown)}. Install the newer program."
        )


async def _status(database_url: str) -> migrations.Status:
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        return await migrations.status(connection)
    finally:
        await connection.close()


def _unreachable(error: BaseException) -> click.ClickException:
    return click.ClickException(
        f"The database that DATABASE_URL names cannot be used ({type(error).__name__}). Is PostgreSQL running, and are "
        f"name and password right?"
    )
