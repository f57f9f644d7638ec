"""The citizen's side of a request: sending it, following it, and everything that can be said about it afterwards.

What a citizen sends is stored before it is answered and delivered to the workflow afterwards, so nothing here needs
Temporal.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from api.citizens import AskedLanguage, OwnRequest
from api.documented import problems
from api.intake import take_in
from api.messages import send_message
from api.schemas import (
    AcceptedAnswer,
    NewRequestBody,
    OptionalTextBody,
    RateBody,
    RequestAnswer,
    SubmittedAnswer,
    TextBody,
)
from api.services import Wired
from api.standing import standing_of
from domain.lifecycle import Action

router = APIRouter(prefix="/requests", tags=["citizens"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        description="A word of your choice; the same key and body again give the same answer and no second request."
    ),
]


@router.post(
    "", status_code=201, response_model=SubmittedAnswer, summary="Submit a request",
    responses=problems("invalid", "malformed", "idempotency_conflict", "too_large", "unsupported_media_type"),
)  # fmt: skip
async def submit_request(
    body: NewRequestBody, services: Wired, language: AskedLanguage, idempotency_key: IdempotencyKey = None
) -> Response:
    """Stores what the citizen says and gives the reference and the key to it. This works while Temporal is down."""
    answer = await take_in(services, body, language=language, key=idempotency_key)
    headers = {"Location": f"/api/v1/requests/{answer.reference}"}
    return Response(answer.model_dump_json(), 201, headers, "application/json")


@router.get("/{reference}", response_model=RequestAnswer, summary="Look up a request", responses=problems("not_found"))
async def read_request(own: OwnRequest, services: Wired, language: AskedLanguage) -> RequestAnswer:
    """Where it stands, who has it, by when, and what the citizen may do now."""
    return await standing_of(services, own, language)


_WITHOUT_WORDS = OptionalTextBody()
_MESSAGE_PROBLEMS = problems("invalid", "malformed", "not_found", "not_allowed", "too_large", "unsupported_media_type")


@router.post("/{reference}/supplement", status_code=202, summary="Add to the request", responses=_MESSAGE_PROBLEMS)
async def supplement(body: TextBody, own: OwnRequest, services: Wired) -> AcceptedAnswer:
    """More about it, for whoever has the request."""
    return await send_message(services, own, Action.SUPPLEMENT, body.text)


@router.post("/{reference}/answer", status_code=202, summary="Answer a question", responses=_MESSAGE_PROBLEMS)
async def answer(body: TextBody, own: OwnRequest, services: Wired) -> AcceptedAnswer:
    """The answer to the department's question."""
    return await send_message(services, own, Action.ANSWER, body.text)


@router.post("/{reference}/urge", status_code=202, summary="Urge", responses=_MESSAGE_PROBLEMS)
async def urge(own: OwnRequest, services: Wired, body: OptionalTextBody = _WITHOUT_WORDS) -> AcceptedAnswer:
    """Once a day. The second time the lead of the department hears of it, the third time the supervision centre."""
    return await send_message(services, own, Action.URGE, body.text)


@router.post("/{reference}/withdraw", status_code=202, summary="Withdraw", responses=_MESSAGE_PROBLEMS)
async def withdraw(own: OwnRequest, services: Wired, body: OptionalTextBody = _WITHOUT_WORDS) -> AcceptedAnswer:
    """The matter is settled or no longer wanted."""
    return await send_message(services, own, Action.WITHDRAW, body.text)


@router.post("/{reference}/rate", status_code=202, summary="Rate the answer", responses=_MESSAGE_PROBLEMS)
async def rate(body: RateBody, own: OwnRequest, services: Wired) -> AcceptedAnswer:
    """Whether it is solved and how satisfied you are. "no" sends it back to be done again."""
    payload: dict[str, str | int] = {"solved": body.solved, "satisfied": body.satisfied}
    return await send_message(services, own, Action.RATE, body.text, payload)


@router.post("/{reference}/reopen", status_code=202, summary="Ask to have it done again", responses=_MESSAGE_PROBLEMS)
async def reopen(own: OwnRequest, services: Wired, body: OptionalTextBody = _WITHOUT_WORDS) -> AcceptedAnswer:
    """For a request that was resolved or closed a short time ago and is not solved."""
    return await send_message(services, own, Action.REOPEN, body.text)
