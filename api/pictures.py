"""The pictures of a request: which of them its citizen sees, and how one is answered."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from starlette.responses import Response

from api.errors import NOT_FOUND_DETAIL
from api.schemas import AttachmentAnswer
from api.services import Services
from db import attachments
from db.attachments import Attachment
from domain.errors import Unknown
from domain.lifecycle import Action
from domain.request import Event


def shown_to_citizen(history: Iterable[Event], pictures: Iterable[Attachment]) -> list[Attachment]:
    """The citizen's own, and those of each answer that the citizen has been given, if need be after its review."""
    of_answer: list[str] = []
    given: set[str] = set()
    for event in history:
        if event.action == Action.RESOLVE:
            of_answer = event.facts.get("attachment_ids", "").split()
        if event.public and event.action in (Action.RESOLVE, Action.APPROVE):
            given.update(of_answer)
    return [picture for picture in pictures if not picture.is_of_staff or str(picture.id) in given]


def attachment_answer(address: str, reference: str, picture: Attachment) -> AttachmentAnswer:
    """`address` is the part of the interface whose readers follow the link: requests or staff/requests."""
    return AttachmentAnswer(
        id=picture.id,
        submitted_by="staff" if picture.is_of_staff else "citizen",
        content_type=picture.content_type,
        submitted_at=picture.created_at,
        url=f"/api/v1/{address}/{reference}/attachments/{picture.id}",
    )


async def picture_of(services: Services, request_id: UUID, attachment_id: UUID) -> Response:
    """Raises Unknown where the request has no such picture."""
    found = await attachments.read(services.pool, services.keys, request_id, attachment_id)
    if found is None:
        raise Unknown(NOT_FOUND_DETAIL)
    headers = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(found.data, 200, headers, found.content_type)
