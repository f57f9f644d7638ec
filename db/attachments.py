"""Pictures that were sent with a request, sealed like every other personal thing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.ids import new_id
from db.pool import Connection, Database, Pool, transaction
from db.sealing import KeyRing
from db.statements import load
from domain.errors import NotAllowed
from domain.retention import ERASED

_QUERIES = load("attachments")


class Attachment(NamedTuple):
    """A picture without its content; `submitted_by` is citizen or staff:<id>."""

    id: UUID
    submitted_by: str
    content_type: str
    created_at: datetime

    @property
    def is_of_staff(self) -> bool:
        return self.submitted_by.startswith("staff:")


class Picture(NamedTuple):
    content_type: str
    data: bytes


async def keep(
    database: Pool | Connection,
    keys: KeyRing,
    request_id: UUID,
    submitted_by: str,
    pictures: Sequence[tuple[str, bytes]],
    now: datetime,
    *,
    at_most: int,
) -> list[Attachment] | None:
    """Keeps the pictures (content type and data), all of them or none: None when the request would have more than `at_most`.

    Raises NotAllowed where the personal data of the request was erased.
    """
    kept = [Attachment(new_id(now), submitted_by, content_type, now) for content_type, _ in pictures]
    sealed = [keys.seal_bytes(_place(image.id), data) for image, (_, data) in zip(kept, pictures, strict=True)]
    async with transaction(database) as connection:
        if await _QUERIES["lock_request"].value(connection, request_id=request_id) is None:
            raise NotAllowed(ERASED)
        written = await _QUERIES["keep"].run(
            connection,
            ids=[image.id for image in kept],
            request_id=request_id,
            submitted_by=submitted_by,
            content_types=[image.content_type for image in kept],
            images_sealed=sealed,
            created_at=now,
            at_most=at_most,
        )
    return kept if written == len(kept) else None


async def list_of(database: Database, request_id: UUID) -> list[Attachment]:
    """The pictures of the request, the oldest first."""
    return [Attachment(**row) for row in await _QUERIES["list_of"].rows(database, request_id=request_id)]


async def read(database: Database, keys: KeyRing, request_id: UUID, image_id: UUID) -> Picture | None:
    """One picture of that request. Raises SealBroken."""
    row = await _QUERIES["read"].row(database, request_id=request_id, id=image_id)
    return Picture(row["content_type"], keys.open_bytes(_place(image_id), row["image_sealed"])) if row else None


def _place(image_id: UUID) -> str:
    return f"attachments.image:{image_id}"
