"""The trained models of the classifier, and which of them decided from when on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from db.pool import Database
from db.statements import load
from domain.errors import Unknown

_QUERIES = load("models")


class Kept(NamedTuple):
    """One model. `activated_at` is when it last came into force; None where it never did."""

    version: str
    facts: dict[str, Any]
    stored_at: datetime
    activated_at: datetime | None


async def keep(database: Database, version: str, content: bytes, facts: Mapping[str, Any], now: datetime) -> None:
    """Keeps the model without putting it into force."""
    await _QUERIES["keep"].run(database, version=version, content=content, facts=facts, stored_at=now)


async def activate(database: Database, version: str | None, now: datetime) -> None:
    """This model decides from now on; with None the words of the policy do. Raises Unknown."""
    if version is not None and await content_of(database, version) is None:
        raise Unknown(f"There is no model {version}. `huisheng classifier list` shows those there are.")
    await _QUERIES["activate"].run(database, version=version, activated_at=now)


async def activate_previous(database: Database, now: datetime) -> str | None:
    """What decided before decides again; gives its version, None for the words of the policy. Raises Unknown.

    Once more, and it is undone: two versions change places.
    """
    latest = await _QUERIES["latest_activations"].rows(database, most=2)
    if not latest:
        raise Unknown(
            "No model was ever activated: the words of the policy decide, and there is nothing to go back to."
        )
    previous: str | None = latest[1]["version"] if len(latest) > 1 else None
    await activate(database, previous, now)
    return previous


async def active_version(database: Database) -> str | None:
    """The model that decides; None where the words of the policy do."""
    version: str | None = await _QUERIES["active_version"].value(database)
    return version


async def content_of(database: Database, version: str) -> bytes | None:
    """The model file, as it was kept."""
    content: bytes | None = await _QUERIES["content"].value(database, version=version)
    return content


async def models(database: Database) -> list[Kept]:
    """All models, the latest kept first."""
    return [Kept(**row) for row in await _QUERIES["models"].rows(database)]
