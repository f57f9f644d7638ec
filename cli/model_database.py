"""What the commands about the classifier share: the database, the policy in force, and plain sentences for what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import asyncpg
import click

import db.policies
from classifier.examples import ExamplesUnusable
from classifier.files import ModelUnusable
from db.migrations import require_version
from db.pool import Pool, open_pool
from domain.errors import HuishengError
from domain.policy import Policy, from_plain
from settings import Settings

T = TypeVar("T")


@contextmanager
def plainly() -> Iterator[None]:
    """What can go wrong becomes a sentence."""
    try:
        yield
    except (ExamplesUnusable, ModelUnusable) as error:
        raise click.ClickException(str(error)) from None
    except HuishengError as error:
        raise click.ClickException(error.message) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise click.ClickException(
            f"The database that DATABASE_URL names cannot be used ({type(error).__name__}). "
            f"Is PostgreSQL running, and are name and password right?"
        ) from None


def run(work: Callable[[Pool], Awaitable[T]]) -> T:
    """Does the work on the database of the settings."""
    return asyncio.run(_with_database(Settings.from_environment().database_url, work))


async def active_policy(pool: Pool) -> Policy:
    """The policy in force; a sentence where there is none."""
    version = await db.policies.active_version(pool)
    content = await db.policies.content_of(pool, version) if version else None
    if content is None:
        raise click.ClickException("No policy is active. Load one: huisheng policy load DIR")
    return from_plain(content, version)


async def _with_database(database_url: str, work: Callable[[Pool], Awaitable[T]]) -> T:
    async with open_pool(database_url, size=1, application_name="huisheng-classifier") as pool:
        await require_version(pool)
        return await work(pool)
