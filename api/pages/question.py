"""The page behind the one-time link of a question: the question, a form for its answer, and nothing else of the request.

The key in the link is derived from the question, so it opens that one question while it is open. Whatever else is
tried (a wrong key, a request that there is not, a question that is answered) gets one and the same page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.callers import counted_address
from api.errors import TooMany
from api.messages import has_answered, send_message
from api.pages.page import PageLanguage, clock_of, page
from api.schemas import Language, TextBody
from api.services import Services, Wired
from db import requests, texts, throttles, views
from db.questions import is_answer_token
from db.requests import StoredRequest
from domain.errors import NotAllowed
from domain.lifecycle import Action
from domain.references import parse_reference

router = APIRouter(prefix="/q/{reference}/{token}")

WRONG_LINKS = 30
WRONG_WITHIN = timedelta(hours=1)
"""So often an address may try a link that opens nothing."""

Reference = Annotated[str, Path()]
Token = Annotated[str, Path()]


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """An open question, and the request that it belongs to."""

    own: StoredRequest
    question: str
    answer_due_at: datetime | None


@router.get("")
async def show_question(
    reference: Reference, token: Token, request: Request, services: Wired, language: PageLanguage, said: str = ""
) -> HTMLResponse:
    if said:
        # For whoever has just answered; it says nothing of any request.
        return await page(services, "answered.html", language, _address(reference, token))
    asked = await _asked(services, request, reference, token)
    return await _form(services, language, _address(reference, token), asked)


@router.post("")
async def answer_question(
    reference: Reference, token: Token, request: Request, services: Wired, language: PageLanguage
) -> Response:
    """Takes one answer; then the link opens nothing any more."""
    asked = await _asked(services, request, reference, token)
    address = _address(reference, token)
    if asked is None:
        return await _form(services, language, address, None)
    text = (await request.form()).get("text")
    written = text if isinstance(text, str) else ""  # a file says nothing
    try:
        body = TextBody(text=written)
    except ValidationError:
        return await _form(services, language, address, asked, written=written, mistakes=("text",))
    try:
        await send_message(services, asked.own, Action.ANSWER, body.text)
    except NotAllowed:
        return await _form(services, language, address, None)
    return RedirectResponse(f"{address}?lang={language}&said=1", 303)


def _address(reference: str, token: str) -> str:
    return f"/q/{reference}/{token}"


async def _asked(services: Services, request: Request, reference: str, token: str) -> Asked | None:
    """The question that this link opens, if it is open. Raises TooMany where wrong ones are tried."""
    key = f"question:address:{counted_address(request)}"
    wait = await throttles.wait_of(services.pool, services.keys, key, WRONG_LINKS, services.now())
    if wait is not None:
        raise TooMany("Too many links that open nothing were tried. Please wait before you try again.", wait)
    asked = await _open_question(services, reference, token)
    if asked is None:
        await throttles.count(services.pool, services.keys, key, WRONG_LINKS, WRONG_WITHIN, services.now())
    return asked


async def _open_question(services: Services, reference: str, token: str) -> Asked | None:
    written = parse_reference(reference)
    snapshot = await views.snapshot_by_reference(services.pool, written) if written else None
    if snapshot is None or snapshot.question is None or not is_answer_token(services.keys, snapshot.question, token):
        return None
    own = await requests.by_id(services.pool, UUID(snapshot.request_id))
    words = await texts.read_many(services.pool, services.keys, [UUID(snapshot.question)])
    question = words.get(UUID(snapshot.question))
    if own is None or own.erased_at is not None or question is None or await has_answered(services, snapshot):
        return None
    return Asked(own, question, snapshot.answer_due_at)


async def _form(
    services: Services, language: Language, address: str, asked: Asked | None, *, written: str = "",
    mistakes: tuple[str, ...] = (),
) -> HTMLResponse:  # fmt: skip
    policy = await services.policies.active()
    return await page(
        services, "question.html", language, address,
        status=404 if asked is None else 422 if mistakes else 200,
        asked=asked, written=written, mistakes=mistakes, at=clock_of(policy, language),
    )  # fmt: skip
