"""Sealing anew, with the first key of the ring, what older keys have sealed, while everything else goes on.

Batch after batch along the ids; a value is replaced only if it is still the one that was opened. Whoever stops in the middle
begins again: what the first key has sealed already is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from db import models
from db.places import place_index, place_of
from db.pool import Database
from db.sealing import KeyRing, SealBroken
from db.statements import Statement, load

_QUERIES = load("rotation")

_PHONE_INDEX = "phone_index"
_PLACE_INDEX = "place_index"
_FIRST_ID = UUID(int=0)


def _by_id(table: str, column: str, row: asyncpg.Record) -> str:
    return f"{table}.{column.removesuffix('_sealed')}:{row['id']}"


def _by_instant(table: str, column: str, row: asyncpg.Record) -> str:
    return models.reason_place(row["activated_at"])


@dataclass(frozen=True, slots=True)
class Store:
    """A table with sealed columns; `place` is where the value of a column of a row is sealed to."""

    table: str
    read: Statement
    write: Statement
    columns: tuple[str, ...]
    before_the_first: UUID | int = _FIRST_ID
    at_once: int = 500
    place: Callable[[str, str, asyncpg.Record], str] = _by_id


STORES = (
    Store(
        "requests", _QUERIES["sealed_requests"], _QUERIES["reseal_requests"],
        (
            "title_sealed", "description_sealed", "contact_sealed", "address_sealed", "token_sealed", "place_sealed",
            _PHONE_INDEX, _PLACE_INDEX,
        ),
    ),
    Store("texts", _QUERIES["sealed_texts"], _QUERIES["reseal_texts"], ("body_sealed",)),
    Store("attachments", _QUERIES["sealed_attachments"], _QUERIES["reseal_attachments"], ("image_sealed",), at_once=20),
    Store("outbox", _QUERIES["sealed_outbox"], _QUERIES["reseal_outbox"], ("recipient_sealed", "text_sealed")),
    Store("topics", _QUERIES["sealed_topics"], _QUERIES["reseal_topics"], ("words_sealed",)),
    Store("staff", _QUERIES["sealed_staff"], _QUERIES["reseal_staff"], ("phone_sealed",)),
    Store(
        "erasure_demands", _QUERIES["sealed_erasure_demands"], _QUERIES["reseal_erasure_demands"], ("reason_sealed",)
    ),
    Store(
        "classifier_activations", _QUERIES["sealed_classifier_activations"], _QUERIES["reseal_classifier_activations"],
        ("reason_sealed",), before_the_first=0, place=_by_instant,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """What a batch came to: where the next one begins (None at the end); how many rows were looked at, how many held what an
    older key had sealed, and how many of these were sealed anew (fewer, where one changed meanwhile); what could not be opened."""

    after: UUID | int | None
    rows: int
    stale: int
    anew: int
    broken: tuple[str, ...]


async def rotate(database: Database, keys: KeyRing, store: Store, after: UUID | int) -> Step:
    """Seals one batch anew, that after this id."""
    rows = await store.read.rows(database, after=after, most=store.at_once)
    changes, broken = [], []
    for row in rows:
        try:
            if (values := _anew(keys, store, row)) is not None:
                changes.append((row, values))
        except SealBroken as error:
            broken.append(error.message)
    anew = await _write(database, store, changes) if changes else 0
    return Step(rows[-1]["id"] if len(rows) == store.at_once else None, len(rows), len(changes), anew, tuple(broken))


async def _write(
    database: Database, store: Store, changes: list[tuple[asyncpg.Record, dict[str, bytes | None]]]
) -> int:
    columns: dict[str, Any] = {"ids": [row["id"] for row, _ in changes]}
    for column in store.columns:
        columns[column] = [values[column] for _, values in changes]
        columns[f"{column}_before"] = [row[column] for row, _ in changes]
    return await store.write.run(database, **columns)


def _anew(keys: KeyRing, store: Store, row: asyncpg.Record) -> dict[str, bytes | None] | None:
    """The values as they shall stand; None where they stand so. Raises SealBroken."""
    values = {column: _value(keys, store, column, row) for column in store.columns}
    return values if any(values[column] != row[column] for column in store.columns) else None


def _value(keys: KeyRing, store: Store, column: str, row: asyncpg.Record) -> bytes | None:
    before: bytes | None = row[column]
    if not before:
        return before  # never given, or erased
    if column == _PHONE_INDEX:
        return _phone_index(keys, store, row)
    if column == _PLACE_INDEX:
        return place_index(keys, place_of(keys, row))
    if keys.is_current(before):
        return before
    place = store.place(store.table, column, row)
    return keys.seal_bytes(place, keys.open_bytes(place, before))


def _phone_index(keys: KeyRing, store: Store, row: asyncpg.Record) -> bytes | None:
    """Of the number in the contact, by the first key."""
    before: bytes = row[_PHONE_INDEX]
    sealed: bytes | None = row["contact_sealed"]
    if sealed is None:
        return before
    phone = json.loads(keys.open(store.place(store.table, "contact_sealed", row), sealed)).get("phone")
    return keys.phone_index(phone) if phone else before
