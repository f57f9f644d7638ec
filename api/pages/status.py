"""The page behind the link in an SMS: where the request stands, and what its citizen can do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.attachments import receive_images
from api.citizens import find_for_citizen
from api.erasure import demand
from api.errors import FieldsInvalid, TooLarge, UnsupportedMedia
from api.following import picture_for_citizen
from api.messages import send_message
from api.pages.page import WORDS, PageLanguage, clock_of, day_of, days_of, page
from api.schemas import Language, OptionalTextBody, RateBody, TextBody
from api.services import Services, Wired
from api.standing import standing_of
from api.validation import field_errors
from db.requests import StoredRequest
from domain.errors import NotAllowed
from domain.lifecycle import Action
from domain.request import OPEN

router = APIRouter(prefix="/r/{reference}/{token}")

_BODIES: dict[Action, type[BaseModel]] = {
    Action.SUPPLEMENT: TextBody,
    Action.URGE: OptionalTextBody,
    Action.WITHDRAW: OptionalTextBody,
    Action.RATE: RateBody,
    Action.REOPEN: OptionalTextBody,
    Action.ANSWER: TextBody,
}

_GRADE = re.compile("[0-9]{1,3}")
"""What is no number stays as it was written, and is told as a mistake."""


async def _linked(services: Wired, reference: Annotated[str, Path()], token: Annotated[str, Path()]) -> StoredRequest:
    return await find_for_citizen(services, reference, token)


async def _address(reference: Annotated[str, Path()], token: Annotated[str, Path()]) -> str:
    return f"/r/{reference}/{token}"


Linked = Annotated[StoredRequest, Depends(_linked)]
"""The request whose key stands in the address."""

Address = Annotated[str, Depends(_address)]


@router.get("")
async def show_status(
    services: Wired, own: Linked, address: Address, language: PageLanguage, said: str = ""
) -> HTMLResponse:
    return await _status(services, own, address, language, said=bool(said))


@router.get("/photos/{photo_id}")
async def show_photo(services: Wired, own: Linked, photo_id: UUID) -> Response:
    return await picture_for_citizen(services, own, photo_id)


@router.post("/attachments")
async def add_photos(
    request: Request, services: Wired, own: Linked, address: Address, language: PageLanguage
) -> Response:
    try:
        await receive_images(services, request, own.reference, own.id, "citizen")
    except (FieldsInvalid, TooLarge, UnsupportedMedia):
        return await _status(services, own, address, language, mistakes=("images",))
    return _back(address, language)


@router.post("/erase")
async def erase(request: Request, services: Wired, own: Linked, address: Address, language: PageLanguage) -> Response:
    """The page that follows says whether it is done or what it waits for."""
    if "sure" not in await request.form():
        return await _status(services, own, address, language, mistakes=["sure"])
    await demand(services, own)
    return RedirectResponse(f"{address}?lang={language}", 303)


@router.post("/{action}")
async def say(
    action: Action, request: Request, services: Wired, own: Linked, address: Address, language: PageLanguage
) -> Response:
    """What the citizen sends with one of the forms; then the page again, saying that it was received."""
    try:
        body = _read(action, dict(await request.form()))
        await _send(services, own, action, body)
    except FieldsInvalid as error:
        return await _status(services, own, address, language, mistakes=[mistake.field for mistake in error.errors])
    except NotAllowed:
        return await _status(services, own, address, language, refused=True)
    return _back(address, language)


def _read(action: Action, form: dict[str, Any]) -> BaseModel:
    kind = _BODIES.get(action)
    if kind is None:
        raise NotAllowed("This page has no such form.")
    satisfied = form.get("satisfied")
    if isinstance(satisfied, str) and _GRADE.fullmatch(satisfied):
        form["satisfied"] = int(satisfied)
    try:
        return kind.model_validate({name: form[name] for name in kind.model_fields if name in form})
    except ValidationError as error:
        raise FieldsInvalid(list(field_errors(error.errors(include_url=False, include_input=False)))) from None


async def _send(services: Services, own: StoredRequest, action: Action, body: Any) -> None:
    payload = {"solved": body.solved, "satisfied": body.satisfied} if action is Action.RATE else None
    await send_message(services, own, action, body.text, payload)


def _back(address: str, language: Language) -> RedirectResponse:
    return RedirectResponse(f"{address}?lang={language}&said=1", 303)


async def _status(
    services: Services,
    own: StoredRequest,
    address: str,
    language: Language,
    *,
    said: bool = False,
    refused: bool = False,
    mistakes: Sequence[str] = (),
) -> HTMLResponse:
    standing = await standing_of(services, own, language)
    policy = await services.policies.active()
    return await page(
        services, "status.html", language, address,
        status=409 if refused else 422 if mistakes else 200,
        standing=standing, address=address, said=said, refused=refused, mistakes=mistakes,
        state_words=WORDS[language]["state"][standing.state], is_running=(standing.parent_state or standing.state) in OPEN,
        at=clock_of(policy, language), on=days_of(policy, language), day=partial(day_of, language=language),
    )  # fmt: skip
