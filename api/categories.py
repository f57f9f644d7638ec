"""What a request can be about, in plain words: for forms, and for citizens who want to know what is promised."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.citizens import AskedLanguage
from api.documented import problems
from api.errors import NOT_FOUND_DETAIL
from api.schemas import CategoriesAnswer, CategoryAnswer, Language, ServiceLevelAnswer
from api.services import Wired
from api.words import duration_in_words
from domain.errors import Unknown
from domain.policy import Category, Policy, in_language

router = APIRouter(prefix="/categories", tags=["categories"])


@router.get("", summary="All categories")
async def list_categories(services: Wired, language: AskedLanguage) -> CategoriesAnswer:
    """In the language that the Accept-Language header asks for."""
    policy = await services.policies.active()
    return CategoriesAnswer(categories=[describe(policy, category, language) for category in policy.categories])


@router.get("/{code}", summary="One category", responses=problems("not_found"))
async def read_category(
    code: Annotated[str, Path(examples=["street_light"])], services: Wired, language: AskedLanguage
) -> CategoryAnswer:
    """What to tell us, and by when we answer."""
    policy = await services.policies.active()
    if not policy.has_category(code):
        raise Unknown(NOT_FOUND_DETAIL)
    return describe(policy, policy.category(code), language)


def describe(policy: Policy, category: Category, language: Language) -> CategoryAnswer:
    level = policy.service_level(category.service_level)
    accept, contact, resolve = (
        duration_in_words(length, level.clock, language) for length in (level.accept, level.contact, level.resolve)
    )
    return CategoryAnswer(
        code=category.code,
        name=in_language(category.name, language),
        group=in_language(category.group, language),
        tell_us=in_language(category.tell_us, language),
        place_required=category.place_required,
        photo_required=category.photo_required,
        service_level=ServiceLevelAnswer(
            name=in_language(level.name, language), accept=accept, first_contact=contact, resolve=resolve
        ),
    )
