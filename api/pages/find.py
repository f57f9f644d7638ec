"""The way back to a request for whoever has lost the link: reference, phone number, and a code by SMS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.contact import parse_phone
from api.look_up import CODE_LASTS, ask_for_code, exchange_code
from api.pages.page import PageLanguage, chosen_language, page
from api.schemas import CodeBody, Language, TokenBody
from api.services import Services, Wired
from domain.errors import Invalid, Unknown

router = APIRouter(prefix="/find")

Field = Annotated[str, Form(max_length=100)]
_MINUTES = int(CODE_LASTS.total_seconds() // 60)


@router.get("")
async def show_find(services: Wired, language: PageLanguage) -> HTMLResponse:
    return await _form(services, language, "", "")


@router.post("")
async def find_by_phone(
    services: Wired,
    request: Request,
    language: PageLanguage,
    reference: Field = "",
    phone: Field = "",
    lang: Field = "",
) -> Response:
    """Answers the same whether or not there is such a request."""
    language = chosen_language(lang, language)
    if not _is_phone(phone):
        return await _form(services, language, reference, phone, mistakes=("phone",))
    await ask_for_code(reference, CodeBody(phone=phone), request, services)
    return await _form(services, language, reference, phone, minutes=_MINUTES)


@router.post("/code")
async def open_by_code(
    services: Wired,
    request: Request,
    language: PageLanguage,
    reference: Field = "",
    phone: Field = "",
    code: Annotated[str, Form(max_length=20)] = "",
    lang: Field = "",
) -> Response:
    """Ends at the page of the request."""
    language = chosen_language(lang, language)
    try:
        body = TokenBody(phone=parse_phone(phone), code=code)
        found = await exchange_code(reference, body, request, services)
    except (Invalid, Unknown):
        return await _form(services, language, reference, phone, minutes=_MINUTES, mistakes=("code",))
    return RedirectResponse(f"/r/{found.reference}/{found.token}?lang={language}", 303)


def _is_phone(phone: str) -> bool:
    try:
        parse_phone(phone)
    except Invalid:
        return False
    return True


async def _form(
    services: Services,
    language: Language,
    reference: str,
    phone: str,
    *,
    minutes: int = 0,
    mistakes: Sequence[str] = (),
) -> HTMLResponse:
    given = {"reference": reference, "phone": phone}
    return await page(
        services, "find.html", language, "/find",
        status=422 if mistakes else 200, given=given, minutes=minutes, mistakes=mistakes,
    )  # fmt: skip
