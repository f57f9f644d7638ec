"""Coming back without the link: a one-time code by SMS to the number that the request was sent with.

Asking for a code says nothing of whether there is such a request, and how often one may ask and try is limited, by
request and by address. The code is six digits, good for ten minutes and for five tries.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from fastapi import APIRouter, Request

from api.callers import counted_address
from api.citizens import Reference
from api.documented import problems
from api.errors import TooMany
from api.schemas import CodeBody, CodeSentAnswer, TokenAnswer, TokenBody
from api.services import Services, Wired
from db import notices, one_time_codes, requests, throttles
from db.requests import StoredRequest
from domain.errors import Unknown
from domain.references import parse_reference

router = APIRouter(prefix="/requests", tags=["citizens"])
logger = structlog.get_logger(__name__)

CODE_LASTS = timedelta(minutes=10)
CODES_WITHIN = timedelta(hours=1)
CODES_OF_REQUEST = 3
CODES_OF_NUMBER = 6
"""Whichever requests they are for, and whether or not there are such: nobody's phone is to ring all night."""
CODES_OF_ADDRESS = 20
TRIES_OF_ADDRESS = 30
_WRONG = "The code is wrong or has expired, or there is no such request with that number. Please ask for a new code."

_sending: set[asyncio.Task[None]] = set()


@router.post(
    "/{reference}/code", status_code=202, summary="Ask for a one-time code", responses=problems("invalid", "malformed", "too_many")
)  # fmt: skip
async def ask_for_code(reference: Reference, body: CodeBody, request: Request, services: Wired) -> CodeSentAnswer:
    """If the request was sent with that number, a code goes to it. The answer is the same if not."""
    written = parse_reference(reference)
    await _allow(services, f"code:address:{counted_address(request)}", CODES_OF_ADDRESS)
    await _allow(services, f"code:number:{body.phone}", CODES_OF_NUMBER)
    await _allow(services, f"code:request:{written or reference[:20]}", CODES_OF_REQUEST)
    stored = await requests.find(services.pool, written) if written else None
    if stored is not None and stored.came_from(services.keys, body.phone):
        _begin(_send_code(services, stored))
    return CodeSentAnswer(
        detail="If the request was sent with this number, a code is on its way to it.",
        expires_in_seconds=int(CODE_LASTS.total_seconds()),
    )


@router.post(
    "/{reference}/token", summary="Exchange the code for a token",
    responses=problems("invalid", "malformed", "not_found", "too_many"),
)  # fmt: skip
async def exchange_code(reference: Reference, body: TokenBody, request: Request, services: Wired) -> TokenAnswer:
    """A new token for the request; the link that was sent before stops working."""
    await _allow(services, f"code-try:address:{counted_address(request)}", TRIES_OF_ADDRESS)
    written = parse_reference(reference)
    stored = await requests.find(services.pool, written) if written else None
    own = stored if stored is not None and stored.came_from(services.keys, body.phone) else None
    # Tried also where there is nothing to try, so that the time does not tell whether number and reference belong together.
    tried = own.id if own is not None else uuid4()
    is_right = await one_time_codes.use(services.pool, services.keys, tried, body.code.strip(), services.now())
    if own is None or not is_right:
        raise Unknown(_WRONG)
    token = await requests.replace_token(services.pool, services.keys, own.id)
    return TokenAnswer(reference=own.reference, token=token, status_url=services.status_url(own.reference, token))


async def _allow(services: Services, key: str, limit: int) -> None:
    """Counts one more; raises TooMany beyond the limit."""
    wait = await throttles.count(services.pool, services.keys, key, limit, CODES_WITHIN, services.now())
    if wait is not None:
        raise TooMany("This was asked for too often. Please wait before you try again.", wait)


def _begin(sending: Coroutine[Any, Any, None]) -> None:
    """Does it without letting the citizen's answer wait, which would tell that something is sent."""
    task = asyncio.create_task(sending)
    _sending.add(task)
    task.add_done_callback(_sending.discard)


async def _send_code(services: Services, stored: StoredRequest) -> None:
    try:
        await services.sender.send_one(await _owe_code(services, stored))
    except Exception as error:
        # What is owed the sweep of the worker sends a little later; what is not owed the citizen asks for again. Without
        # the error's text, which can hold anything.
        logger.warning("code_not_sent_at_once", error=type(error).__qualname__)


async def _owe_code(services: Services, stored: StoredRequest) -> UUID:
    code = f"{secrets.randbelow(10**6):06d}"
    now = services.now()
    await one_time_codes.keep(services.pool, services.keys, stored.id, code, now + CODE_LASTS)
    minutes = int(CODE_LASTS.total_seconds() // 60)
    return await notices.owe_code(services.pool, services.keys, stored.id, stored.language, code, minutes, now)
