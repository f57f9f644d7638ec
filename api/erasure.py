"""A citizen's demand that their personal data be erased: met at once where the request is over, kept for then where not.

The demand is one durable row and needs no Temporal (docs/decisions/0012).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from fastapi import APIRouter, Response
from pydantic import ConfigDict

from api.citizens import OwnRequest
from api.documented import problems
from api.errors import TooMany
from api.fields import Answer
from api.services import Services, Wired
from db import erasure, throttles
from db.requests import StoredRequest
from domain.retention import Because, Wait

router = APIRouter(prefix="/requests", tags=["citizens"])
logger = structlog.get_logger(__name__)

DEMANDS_WITHIN = timedelta(hours=1)
DEMANDS_OF_REQUEST = 10

_DONE = "Your personal data was erased. What is left is the reference, the category, the dates and the outcome."
_WAITS = {
    Wait.OPEN: (
        "We have your demand and erase your personal data as soon as the request is over. Whoever works on it needs them"
        " until then; if you do not want to wait, withdraw the request."
    ),
    Wait.WITH_PARENT: (
        "We have your demand and erase your personal data as soon as the request is over that yours was joined with."
    ),
}
_SOON = "We have your demand and erase your personal data within the hour."


class ErasureAnswer(Answer):
    """The demand is kept. `erased_at` says when it was met; until then `detail` says what it waits for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "2611-4829-13704",
                    "demanded_at": "2026-11-22T08:15:30.123456Z",
                    "erased_at": "2026-11-22T08:15:30.123456Z",
                    "detail": _DONE,
                }
            ]
        }
    )

    reference: str
    demanded_at: datetime | None
    erased_at: datetime | None
    detail: str


@router.post(
    "/{reference}/erase", summary="Demand that your personal data be erased",
    responses={**problems("not_found", "too_many"), 202: {"model": ErasureAnswer, "description": "Kept until it is over"}},
)  # fmt: skip
async def demand_erasure(own: OwnRequest, services: Wired, response: Response) -> ErasureAnswer:
    """Erased at once where the request is over; else as soon as it is, and the demand is kept for then. It cannot be
    undone, and ends the right to have the request reopened."""
    answer = await demand(services, own)
    response.status_code = 200 if answer.erased_at else 202
    return answer


async def demand(services: Services, own: StoredRequest) -> ErasureAnswer:
    """Keeps the demand and meets it where that is possible now. Raises TooMany."""
    now = services.now()
    wait_seconds = await throttles.count(
        services.pool, services.keys, f"erase:{own.id}", DEMANDS_OF_REQUEST, DEMANDS_WITHIN, now
    )
    if wait_seconds is not None:
        raise TooMany("This was asked for too often. Please wait before you try again.", wait_seconds)
    if own.erased_at is not None:
        return ErasureAnswer(
            reference=own.reference, demanded_at=own.erasure_demanded_at, erased_at=own.erased_at, detail=_DONE
        )
    kept = await erasure.demand(services.pool, services.keys, own.id, Because.CITIZEN, None, now)
    wait = await erasure.meet_demand(services.pool, own.id, kept.demanded_by, now)
    logger.info("erasure_demanded", reference=own.reference, wait=wait)
    return ErasureAnswer(
        reference=own.reference,
        demanded_at=kept.demanded_at,
        erased_at=None if wait else now,
        detail=_WAITS.get(wait, _SOON) if wait else _DONE,
    )
