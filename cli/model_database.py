"""What the commands about the classifier share: the database, the policy in force, and plain sentences for what goes wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

import db.policies
from classifier.examples import ExamplesUnusable
from classifier.files import ModelUnusable
from cli import database
from db.pool import Pool
from domain.policy import Policy, from_plain

T = TypeVar("T")


@contextmanager
def plainly() -> Iterator[None]:
    """What can go wrong becomes a sentence."""
    with database.plainly():
        try:
            yield
        except (ExamplesUnusable, ModelUnusable) as error:
            raise click.ClickException(str(error)) from None


def run(work: Callable[[Pool], Awaitable[T]]) -> T:
    """Does the work on the database of the settings."""
    return database.on_database("classifier", work)


async def active_policy(pool: Pool) -> Policy:
    """The policy in force; a sentence where there is none."""
    version = await db.policies.active_version(pool)
    content = await db.policies.content_of(pool, version) if version else None
    if content is None:
        raise click.ClickException("No policy is active. Load one: huisheng policy load DIR")
    return from_plain(content, version)
