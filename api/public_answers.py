"""Answers to others that may spare a citizen the asking: the released ones on the like of what is about to be sent.

Nothing of a draft is stored or logged. How alike two texts are is told to nobody: whoever could read a score could feel
their way, word by word, to what another citizen wrote.
"""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field

from api.callers import counted_address
from api.citizens import AskedLanguage
from api.documented import problems
from api.errors import FieldsInvalid, TooMany
from api.fields import Answer, Body, Code, Name, Text
from api.schemas import Language
from api.services import Services, Wired
from api.words import category_name
from classifier.dangers import classifier_of
from db import released_answers, throttles
from db.released_answers import PublicAnswer
from domain.masking import masked
from domain.policy import Policy
from domain.releasing import kept_back
from domain.request import Result

router = APIRouter(prefix="/similar-answers", tags=["citizens"])

ASKED_WITHIN = timedelta(minutes=10)
ASKED_OF_ADDRESS = 30
"""Each asking opens up to five hundred texts: a fifteenth of a second of one core."""


class DraftBody(Body):
    """What a citizen is about to send."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "description": "The street lamp in front of our building has been dark since Monday.",
                    "category": "street_light",
                    "place": "Wener Road",
                }
            ]
        }
    )

    description: Text
    category: Code | None = Field(None, description="One of GET /categories, if the citizen knows it.")
    place: Name = Field(
        None, description="As in the location of a request; of answers as like, those there come first."
    )


class SimilarAnswer(Answer):
    """How the city answered somebody else, without what that person wrote, and with personal data masked."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "category": "street_light",
                    "category_name": "Street light out",
                    "reply": "The lamp was repaired this morning.",
                    "outcome": "solved",
                    "answered_on": "2026-11-19",
                    "took_days": 2,
                }
            ]
        }
    )

    category: str
    category_name: str
    reply: str
    outcome: Result | None = Field(description="What the department says it achieved.")
    answered_on: date
    took_days: int = Field(description="Days from the submission to the answer, rounded up.")


class SimilarAnswers(Answer):
    """The most alike first; empty where nothing is like it."""

    answers: list[SimilarAnswer]


@router.post(
    "", summary="Answers to the like, before sending",
    responses=problems("invalid", "malformed", "too_many", "too_large", "unsupported_media_type"),
)  # fmt: skip
async def read_similar_answers(
    body: DraftBody, request: Request, services: Wired, language: AskedLanguage
) -> SimilarAnswers:
    """Up to three released answers on a matter told alike. Nothing is stored, and nothing is sent to anybody."""
    return await similar_answers(services, body, counted_address(request), language)


async def similar_answers(services: Services, draft: DraftBody, address: str, language: Language) -> SimilarAnswers:
    """The same for a form. Raises FieldsInvalid for a category that is none, and TooMany."""
    policy = await services.policies.active()
    if draft.category is not None and not policy.has_category(draft.category):
        raise FieldsInvalid.of(
            "category", "There is no such category.", "Choose one of GET /api/v1/categories, or leave it out."
        )
    await _allow(services, address)
    if await asyncio.to_thread(_needs_a_person, policy, draft):
        return SimilarAnswers(answers=[])
    found = await released_answers.public(services.pool, draft.category, kept_back(policy), services.now())
    alike = await asyncio.to_thread(found.alike, services.keys, draft.description, draft.place)
    return SimilarAnswers(answers=[_shown(policy, each, language) for each in alike])


async def _allow(services: Services, address: str) -> None:
    wait = await throttles.count(
        services.pool, services.keys, f"similar:address:{address}", ASKED_OF_ADDRESS, ASKED_WITHIN, services.now()
    )
    if wait is not None:
        raise TooMany("This was asked for too often. Please wait before you try again.", wait)


def _needs_a_person(policy: Policy, draft: DraftBody) -> bool:
    """Whoever writes of a danger shall send it, and not read what became of another one."""
    if draft.category in kept_back(policy):
        return True
    told = classifier_of(policy).classify(draft.description, "", draft.category)
    return told.danger or told.sensitive


def _shown(policy: Policy, each: PublicAnswer, language: Language) -> SimilarAnswer:
    took = each.resolved_at - each.submitted_at
    return SimilarAnswer(
        category=each.category,
        category_name=category_name(policy, each.category, language),
        reply=masked(each.reply, language, of_office=True, known=each.citizens),
        outcome=each.result,
        answered_on=each.resolved_at.astimezone(ZoneInfo(policy.zone)).date(),
        took_days=max(-(-took // timedelta(days=1)), 1),
    )
