"""The requests as staff see them: the list of those they may see, and the whole of one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.attachments import UPLOAD, AttachmentsAnswer, receive_images
from api.citizens import AskedLanguage, Reference
from api.cursors import read_cursor, write_cursor
from api.documented import problems
from api.dossier import dossier_of, is_overdue
from api.errors import FieldsInvalid
from api.fields import Body
from api.intake import take_in
from api.looks import looked
from api.pictures import picture_of
from api.requests import IdempotencyKey
from api.schemas import Language
from api.services import Services, Wired
from api.signed_in import SignedIn, Staff
from api.staff_schemas import (
    FullRequestAnswer,
    OnBehalfBody,
    QuickLogBody,
    RequestRow,
    RequestsAnswer,
    TakenDownAnswer,
)
from api.validation import FieldError
from api.visible import find_visible
from db import tasks, views
from db.audit import Seen
from db.requests import QuickLog
from db.tasks import Task
from db.views import Filter, Listed, Page
from domain.audit import Kind
from domain.references import parse_reference
from domain.request import Channel, Role, State

router = APIRouter(prefix="/staff/requests", tags=["staff"])

MOST_ROWS = 100
_NOT_WITH_TASKS = ("state", "overdue", "escalated", "assignee", "q")


class ListQuery(Body):
    """What a list is narrowed to; everything together."""

    state: list[State] | None = Field(None, description="May be repeated.")
    department: str | None = None
    category: str | None = None
    district: str | None = None
    overdue: bool | None = None
    escalated: bool | None = Field(None, description="At escalation level 1 or more.")
    assignee: str | None = Field(None, description="The id of a member of staff, or me.")
    waiting_for: Task | None = Field(
        None,
        description="What somebody is to do: call the citizen, decide on an extension or a hold, or do a co-handler's part. "
        "Goes with department, category and district.",
    )
    q: str | None = Field(None, max_length=100, description="A reference, or words of title and description.")
    cursor: str | None = None
    limit: int = Field(25, ge=1, le=MOST_ROWS)


@router.get("", summary="List requests", responses=problems("invalid", "unauthorized"))
async def list_requests(services: Wired, signed_in: Staff, asked: Annotated[ListQuery, Query()]) -> RequestsAnswer:
    """The newest first; only what this person may see. With `waiting_for`, what should be done first."""
    if asked.waiting_for is not None:
        return await _waiting(services, signed_in, asked, asked.waiting_for)
    if asked.q and (reference := parse_reference(asked.q)):
        return await _only(services, signed_in, reference)
    page = await views.listed(
        services.pool,
        services.keys,
        signed_in.sight,
        _filter(signed_in, asked),
        services.now(),
        after=read_cursor(asked.cursor),
        limit=asked.limit,
        words=tuple((asked.q or "").split()),
    )
    return await answer_of(services, signed_in, page)


async def _waiting(services: Services, signed_in: SignedIn, asked: ListQuery, task: Task) -> RequestsAnswer:
    mistakes = [
        FieldError(name, "This does not go with waiting_for.", "Leave it out.")
        for name in _NOT_WITH_TASKS
        if getattr(asked, name) is not None
    ]
    if mistakes:
        raise FieldsInvalid(mistakes)
    page = await tasks.waiting(
        services.pool,
        services.keys,
        task,
        signed_in.sight,
        _filter(signed_in, asked),
        after=read_cursor(asked.cursor),
        limit=asked.limit,
    )
    return await answer_of(services, signed_in, page)


async def answer_of(services: Services, signed_in: SignedIn, page: Page) -> RequestsAnswer:
    """A page of a list, as this person is shown it."""
    await looked(services, signed_in, Seen(Kind.LIST, count=len(page.requests)))
    rows = [_row_of(line, services.now()) for line in page.requests]
    return RequestsAnswer(requests=rows, next_cursor=write_cursor(page.next_position) if page.next_position else None)


def _filter(signed_in: SignedIn, asked: ListQuery) -> Filter:
    return Filter(
        states=tuple(asked.state) if asked.state else None,
        departments=(asked.department,) if asked.department else None,
        category=asked.category,
        district=asked.district,
        overdue=asked.overdue,
        escalated=asked.escalated,
        assignee=_assignee(signed_in, asked.assignee),
    )


async def _only(services: Services, signed_in: SignedIn, reference: str) -> RequestsAnswer:
    """The one request with that reference, if there is one and this person may see it."""
    line = await views.listed_by_reference(services.pool, services.keys, signed_in.sight, reference)
    if line is None:
        return RequestsAnswer(requests=[], next_cursor=None)
    await looked(services, signed_in, Seen(Kind.LIST, reference))
    return RequestsAnswer(requests=[_row_of(line, services.now())], next_cursor=None)


def _row_of(line: Listed, now: datetime) -> RequestRow:
    snapshot = line.snapshot
    shown = {name: getattr(snapshot, name) for name in RequestRow.model_fields if name not in ("title", "overdue")}
    return RequestRow(title=line.title, overdue=is_overdue(snapshot, now), **shown)


def _assignee(signed_in: SignedIn, asked: str | None) -> UUID | None:
    if asked is None or asked == "me":
        return signed_in.account.id if asked else None
    try:
        return UUID(asked)
    except ValueError:
        raise FieldsInvalid.of("assignee", "This is not the id of a member of staff.", "Use an id, or me.") from None


@router.post(
    "", status_code=201, summary="Submit on a citizen's behalf",
    responses=problems("invalid", "malformed", "unauthorized", "forbidden", "idempotency_conflict"),
)  # fmt: skip
async def submit_on_behalf(
    body: OnBehalfBody,
    services: Wired,
    signed_in: Staff,
    response: Response,
    language: AskedLanguage,
    idempotency_key: IdempotencyKey = None,
) -> TakenDownAnswer:
    """For somebody on the phone or at the counter. The citizen gets the receipt as if they had sent it themselves."""
    signed_in.require_role(Role.DISPATCHER, Role.SUPERVISOR, Role.HANDLER)
    answer = await _take_in(services, signed_in, body, language, idempotency_key)
    response.headers["Location"] = f"/api/v1/staff/requests/{answer.reference}"
    return answer


@router.post(
    "/quick-log", status_code=201, summary="Put a small matter on file that was settled on the spot",
    responses=problems("invalid", "malformed", "unauthorized", "forbidden", "idempotency_conflict"),
)  # fmt: skip
async def log_quickly(
    body: QuickLogBody,
    services: Wired,
    signed_in: Staff,
    response: Response,
    language: AskedLanguage,
    idempotency_key: IdempotencyKey = None,
) -> TakenDownAnswer:
    """Submitted, resolved and closed in one step, and counted apart. Handlers log for their own departments."""
    signed_in.require_role(Role.DISPATCHER, Role.SUPERVISOR, Role.HANDLER)
    await _check_department(services, signed_in, body.department)
    settled = QuickLog(body.department, body.category, body.outcome, body.done)
    answer = await _take_in(services, signed_in, body, language, idempotency_key, settled)
    response.headers["Location"] = f"/api/v1/staff/requests/{answer.reference}"
    return answer


async def _take_in(
    services: Services,
    signed_in: SignedIn,
    body: OnBehalfBody | QuickLogBody,
    language: Language,
    key: str | None,
    settled: QuickLog | None = None,
) -> TakenDownAnswer:
    receipt = await take_in(
        services,
        body,
        language=language,
        key=key,
        channel=Channel(body.channel),
        submitted_by=signed_in.account.id,
        quick_log=settled,
    )
    answer = TakenDownAnswer.model_validate(receipt, from_attributes=True)
    if body.contact is not None and body.contact.phone is not None:
        return answer.model_copy(update={"token": None, "status_url": None})  # nosec B105 - none is given
    await looked(services, signed_in, Seen(Kind.REQUEST, answer.reference))
    return answer


async def _check_department(services: Services, signed_in: SignedIn, department: str) -> None:
    """Raises FieldsInvalid for one that the policy does not know or that is not the person's own."""
    sight = signed_in.sight
    known = [each.code for each in (await services.policies.active()).departments]
    mine = [code for code in known if sight.everything or code in sight.departments]
    if department not in mine:
        raise FieldsInvalid.of(
            "department", "This is no department that you may log for.", f"Choose one of: {', '.join(sorted(mine))}."
        )


@router.get("/{reference}", summary="All of a request", responses=problems("unauthorized", "not_found"))
async def read_full_request(
    reference: Reference, services: Wired, signed_in: Staff, language: AskedLanguage
) -> FullRequestAnswer:
    """The full timeline, the contact, the notices with what became of them, and what this person may do now."""
    return await dossier_of(services, signed_in, await find_visible(services, signed_in, reference), language)


@router.post(
    "/{reference}/attachments", status_code=201, summary="Add photos", openapi_extra=UPLOAD,
    responses=problems("invalid", "malformed", "unauthorized", "forbidden", "not_found", "too_large", "unsupported_media_type"),
)  # fmt: skip
async def add_staff_attachments(
    reference: Reference, request: Request, services: Wired, signed_in: Staff
) -> AttachmentsAnswer:
    """Pictures of what was found or done."""
    snapshot = await find_visible(services, signed_in, reference)
    return await receive_images(
        services, request, snapshot.reference, UUID(snapshot.request_id), f"staff:{signed_in.account.id}"
    )


@router.get(
    "/{reference}/attachments/{attachment_id}", response_class=Response, summary="A photo",
    responses=problems("unauthorized", "not_found"),
)  # fmt: skip
async def read_staff_attachment(
    reference: Reference, attachment_id: UUID, services: Wired, signed_in: Staff
) -> Response:
    """The picture itself."""
    snapshot = await find_visible(services, signed_in, reference)
    await looked(services, signed_in, Seen(Kind.PHOTO, snapshot.reference))
    return await picture_of(services, UUID(snapshot.request_id), attachment_id)
