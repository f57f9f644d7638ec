"""The trained models of the classifier, and which of them decided from when on, by whose hand and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import asyncpg

from db.pool import Connection, Database, Pool, transaction
from db.sealing import KeyRing
from db.statements import load
from domain.errors import Unknown

_QUERIES = load("models")

REFUSED_ARE_KEPT = timedelta(weeks=8)
"""So long an admin may still put a model into force that was found worse."""


class By(StrEnum):
    """What puts a model into force: a person's command, or the retraining by itself."""

    COMMAND = "command"
    RETRAINING = "retraining"


class Because(StrEnum):
    """Why a model came into force."""

    TRAINED = "trained"  # a command trained it
    LOADED = "loaded"  # a command read it from a file
    CHOSEN = "chosen"  # a person chose it from the list
    BACK = "back"  # a person went back to it
    NO_WORSE = "no_worse"  # a comparison found it no worse


class Kept(NamedTuple):
    """One model. `activated_at` is when it last came into force; None where it never did."""

    version: str
    facts: dict[str, Any]
    stored_at: datetime
    activated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Origin:
    """By whose hand a model comes into force, and why. `account` is one of the operating system."""

    because: Because = Because.CHOSEN
    by: By = By.COMMAND
    account: str | None = None
    reason: str | None = None
    comparison: int | None = None


BY_HAND = Origin()


@dataclass(frozen=True, slots=True, repr=False)
class Activation:
    """From `activated_at` on this model decided; with None the words of the policy did."""

    id: int
    version: str | None
    activated_at: datetime
    by: By
    because: Because
    account: str | None
    comparison: int | None
    reason_sealed: bytes | None

    def reason(self, keys: KeyRing) -> str | None:
        """What a person gave as the reason. Raises SealBroken."""
        return keys.open(reason_place(self.activated_at), self.reason_sealed) if self.reason_sealed else None


async def keep(database: Database, version: str, content: bytes, facts: Mapping[str, Any], now: datetime) -> None:
    """Keeps the model without putting it into force."""
    await _QUERIES["keep"].run(database, version=version, content=content, facts=facts, stored_at=now)


async def activate(
    database: Database, version: str | None, now: datetime, origin: Origin = BY_HAND, keys: KeyRing | None = None
) -> None:
    """This model decides from now on; with None the words of the policy do. A reason takes `keys`. Raises Unknown."""
    if version is not None and await content_of(database, version) is None:
        raise Unknown(f"There is no model {version}. `huisheng classifier list` shows those there are.")
    await _QUERIES["activate"].run(
        database,
        version=version,
        activated_at=now,
        activated_by=origin.by,
        because=origin.because,
        account=origin.account,
        reason_sealed=keys.seal(reason_place(now), origin.reason) if keys and origin.reason else None,
        comparison=origin.comparison,
    )


async def go_back(
    database: Pool | Connection, keys: KeyRing, now: datetime, *, account: str | None = None, reason: str | None = None
) -> str | None:
    """What decided before decides again; gives its version, None for the words of the policy. Raises Unknown.

    Once more, and it goes back one further: what was gone back from is not come back to.
    """
    async with transaction(database) as connection:
        await _QUERIES["hold"].value(connection)
        line = _line(await activations(connection))
        if len(line) < 2:
            raise Unknown("The words of the policy decide, and there is nothing before them to go back to.")
        await activate(connection, line[-2], now, Origin(Because.BACK, account=account, reason=reason), keys)
    return line[-2]


async def activate_unless_overtaken(
    connection: Connection | Database, version: str, expected: int | None, now: datetime, origin: Origin
) -> bool:
    """Puts the model into force unless another activation has followed the `expected` one; within a transaction."""
    await _QUERIES["hold"].value(connection)
    found = await activations(connection)
    if (found[-1].id if found else None) != expected:
        return False
    await activate(connection, version, now, origin)
    return True


async def active_version(database: Database) -> str | None:
    """The model that decides; None where the words of the policy do."""
    version: str | None = await _QUERIES["active_version"].value(database)
    return version


async def activations(database: Database) -> list[Activation]:
    """All of them, the earliest first."""
    return [_activation(row) for row in await _QUERIES["activations"].rows(database)]


async def content_of(database: Database, version: str) -> bytes | None:
    """The model file, as it was kept."""
    content: bytes | None = await _QUERIES["content"].value(database, version=version)
    return content


async def models(database: Database) -> list[Kept]:
    """All models, the latest kept first."""
    return [Kept(**row) for row in await _QUERIES["models"].rows(database)]


async def forget_refused(database: Database, now: datetime) -> int:
    """Throws away what was kept for long and never decided; how many that were."""
    return await _QUERIES["forget_refused"].run(database, stored_before=now - REFUSED_ARE_KEPT)


def _line(found: Sequence[Activation]) -> list[str | None]:
    """The way to what decides now, without what was gone back from; it begins with the words of the policy."""
    line: list[str | None] = [None]
    for each in found:
        if each.because is Because.BACK:
            line.pop()
        elif each.version != line[-1]:
            line.append(each.version)
    return line


def _activation(row: asyncpg.Record) -> Activation:
    return Activation(
        id=row["id"],
        version=row["version"],
        activated_at=row["activated_at"],
        by=By(row["activated_by"]),
        because=Because(row["because"]),
        account=row["account"],
        comparison=row["comparison"],
        reason_sealed=row["reason_sealed"],
    )


def reason_place(activated_at: datetime) -> str:
    return f"classifier_activations.reason:{activated_at.isoformat()}"
