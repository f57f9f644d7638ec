"""Pictures of a request: taking them from its citizen, and showing them to whoever may read the request."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from api.citizens import OwnRequest
from api.documented import problems
from api.errors import FieldsInvalid, TooLarge, UnsupportedMedia
from api.fields import Answer
from api.following import picture_for_citizen
from api.images import MAX_IMAGE_BYTES, MAX_IMAGES, draw_anew
from api.pictures import attachment_answer
from api.schemas import AttachmentAnswer
from api.services import Services, Wired
from db import attachments
from db.attachments import Attachment, Picture

router = APIRouter(prefix="/requests", tags=["citizens"])


UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["images"],
                    "properties": {
                        "images": {
                            "type": "array",
                            "maxItems": MAX_IMAGES,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            }
        },
    }
}


class AttachmentsAnswer(Answer):
    """What was kept."""

    attachments: list[AttachmentAnswer]


@router.post(
    "/{reference}/attachments", status_code=201, summary="Add photos", openapi_extra=UPLOAD,
    responses=problems("invalid", "malformed", "not_found", "too_large", "unsupported_media_type"),
)  # fmt: skip
async def add_attachments(own: OwnRequest, request: Request, services: Wired) -> AttachmentsAnswer:
    """At most ten to a request, each up to 10 MB, as JPEG, PNG, WebP or GIF. They are drawn anew, without the place and
    time that a phone writes into a photo."""
    return await receive_images(services, request, own.reference, own.id, "citizen")


async def receive_images(
    services: Services, request: Request, reference: str, request_id: UUID, by: str
) -> AttachmentsAnswer:
    """Reads the pictures of a form and keeps them all, or none. Raises FieldsInvalid, TooLarge, UnsupportedMedia."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMedia("Please send the pictures as multipart/form-data.")
    async with request.form(max_files=MAX_IMAGES, max_fields=0) as form:
        files = [file for file in form.getlist("images") if isinstance(file, UploadFile)]
        kept = await keep_images(services, request_id, by, files)
    address = "staff/requests" if by.startswith("staff:") else "requests"
    return AttachmentsAnswer(attachments=[attachment_answer(address, reference, picture) for picture in kept])


async def keep_images(services: Services, request_id: UUID, by: str, files: list[UploadFile]) -> list[Attachment]:
    """All of them, or none. Raises FieldsInvalid, TooLarge, UnsupportedMedia."""
    if not files:
        raise FieldsInvalid.of(
            "images", "No picture was sent.", "Send each picture as a part named images, as multipart/form-data."
        )
    drawn = [await _draw(file) for file in files]
    kept = await attachments.keep(
        services.pool, services.keys, request_id, by, drawn, services.now(), at_most=MAX_IMAGES
    )
    if kept is None:
        raise FieldsInvalid.of("images", f"A request takes at most {MAX_IMAGES} pictures.", "Leave some out.")
    return kept


async def _draw(file: UploadFile) -> Picture:
    if file.size is not None and file.size > MAX_IMAGE_BYTES:
        raise TooLarge("A picture may have at most 10 MB. Please send a smaller one.")
    return await draw_anew(await file.read())


@router.get(
    "/{reference}/attachments/{attachment_id}",
    response_class=Response,
    summary="A photo",
    responses=problems("not_found"),
)
async def read_attachment(own: OwnRequest, attachment_id: UUID, services: Wired) -> Response:
    """The picture itself."""
    return await picture_for_citizen(services, own, attachment_id)
