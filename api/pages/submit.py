"""The form to send a request, and the answers to others that may spare sending it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.callers import counted_address
from api.categories import describe
from api.errors import FieldsInvalid, TooMany
from api.fields import MAX_NAME_CHARACTERS
from api.intake import take_in
from api.pages.page import PageLanguage, chosen_language, day_of, page
from api.public_answers import DraftBody, SimilarAnswer, similar_answers
from api.schemas import CategoryAnswer, Language, NewRequestBody
from api.services import Services, Wired
from api.validation import field_errors
from domain.request import Channel

router = APIRouter()

_EMPTY = {"description": "", "place": "", "phone": "", "name": "", "category": "", "confidential": ""}

Field = Annotated[str, Form()]


@router.get("/")
async def show_form(services: Wired, language: PageLanguage) -> HTMLResponse:
    return await _form(services, language, _EMPTY, ())


@router.post("/")
async def submit_form(
    request: Request,
    services: Wired,
    language: PageLanguage,
    description: Field = "",
    place: Field = "",
    phone: Field = "",
    name: Field = "",
    category: Field = "",
    confidential: Field = "",
    lang: Field = "",
    key: Field = "",
    look: Field = "",
) -> Response:
    """Ends at the page of the request. The key of the form keeps a second click from sending it twice.

    With `look` nothing is sent: the form comes back with the answers to the like.
    """
    language = chosen_language(lang, language)
    given = {
        "description": description, "place": place, "phone": phone, "name": name, "category": category,
        "confidential": confidential,
    }  # fmt: skip
    try:
        if look:
            return await _form(services, language, given, (), await _similar(services, given, request, language))
        receipt = await take_in(
            services, _body(given), language=language, key=f"form-{key}" if key else None, channel=Channel.WEB
        )
    except FieldsInvalid as error:
        return await _form(services, language, given, [mistake.field for mistake in error.errors])
    return RedirectResponse(f"/r/{receipt.reference}/{receipt.token}?lang={language}", 303)


def _body(given: dict[str, str]) -> NewRequestBody:
    sent: dict[str, Any] = {
        "description": given["description"],
        "category": given["category"] or None,
        "location": {"address": given["place"]},
        "contact": {"phone": given["phone"], "name": given["name"]},
        "confidential": bool(given["confidential"]),
    }
    try:
        return NewRequestBody.model_validate(sent)
    except ValidationError as error:
        raise FieldsInvalid(list(field_errors(error.errors(include_url=False, include_input=False)))) from None


async def _similar(
    services: Services, given: dict[str, str], request: Request, language: Language
) -> list[SimilarAnswer] | None:
    """None for whoever has asked too often: what they have written so far is not lost for that. Raises FieldsInvalid."""
    body = _body(given)
    draft = DraftBody(description=body.description, category=body.category, place=given["place"][:MAX_NAME_CHARACTERS])
    try:
        return (await similar_answers(services, draft, counted_address(request), language)).answers
    except TooMany:
        return None


async def _form(
    services: Services,
    language: Language,
    given: dict[str, str],
    mistakes: Sequence[str],
    similar: Sequence[SimilarAnswer] | None = None,
) -> HTMLResponse:
    policy = await services.policies.active()
    described = [describe(policy, category, language) for category in policy.categories]
    return await page(
        services, "submit.html", language, "/",
        status=422 if mistakes else 200, given=given, mistakes=mistakes, groups=_grouped(described),
        key=secrets.token_urlsafe(16), similar=similar, day=day_of,
    )  # fmt: skip


def _grouped(categories: Iterable[CategoryAnswer]) -> list[tuple[str, list[CategoryAnswer]]]:
    groups: dict[str, list[CategoryAnswer]] = {}
    for category in categories:
        groups.setdefault(category.group, []).append(category)
    return list(groups.items())
