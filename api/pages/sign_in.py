"""The page where staff sign in, and the way out; the session is the one of the interface, kept in its cookie."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.errors import TooMany, Unauthorized
from api.pages.page import PageLanguage, chosen_language, staff_page
from api.schemas import Language
from api.services import Services, Wired
from api.sessions import SessionBody, sign_in, sign_out
from api.signed_in import COOKIE, Staff, require_own_origin

router = APIRouter(prefix="/staff")

Field = Annotated[str, Form()]
_OWN_PAGE = re.compile(r"/staff(/numbers|/requests/[0-9A-Za-z-]{1,20})?")
"""Where signing in may lead to: never to another site."""


@router.get("/sign-in")
async def show_sign_in(
    services: Wired, language: PageLanguage, wanted: Annotated[str, Query(alias="next")] = "/staff"
) -> HTMLResponse:
    return await _form(services, language, wanted)


@router.post("/sign-in")
async def sign_in_by_form(
    request: Request,
    services: Wired,
    language: PageLanguage,
    username: Field = "",
    password: Field = "",
    wanted: Annotated[str, Form(alias="next")] = "/staff",
    lang: Field = "",
) -> Response:
    """Ends at the page that the person wanted to see."""
    require_own_origin(request, services)
    language = chosen_language(lang, language)
    answer = RedirectResponse(f"{_own_page(wanted)}?lang={language}", 303)
    try:
        await sign_in(SessionBody(username=username.strip(), password=password), request, answer, services)
    except (ValidationError, Unauthorized):
        return await _form(services, language, wanted, username, "wrong_password", 401)
    except TooMany:
        return await _form(services, language, wanted, username, "too_many", 429)
    return answer


@router.post("/sign-out")
async def sign_out_by_form(signed_in: Staff, services: Wired, language: PageLanguage) -> Response:
    await sign_out(signed_in, services)
    answer = RedirectResponse(f"/staff/sign-in?lang={language}", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _own_page(wanted: str) -> str:
    found = _OWN_PAGE.match(wanted)
    return found[0] if found else "/staff"


async def _form(
    services: Services, language: Language, wanted: str, username: str = "", problem: str = "", status: int = 200
) -> HTMLResponse:
    return await staff_page(
        services, "sign_in.html", language, "/staff/sign-in",
        status=status, wanted=_own_page(wanted), username=username, problem=problem, who=None,
    )  # fmt: skip
