"""The codec endpoint of the Temporal UI: its browser sends payloads here to be opened or sealed (docs/decisions/0027).

Who may: an admin with a session. The cookie of a session counts only from a page of the Temporal UI that the settings name
(HUISHENG_TEMPORAL_UI_URL); Temporal's own command line brings the token itself. Every opening is on the record of looks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from api.documented import problems
from api.errors import Malformed, TooLarge, UnsupportedMedia, problem_for, rendered
from api.looks import looked
from api.services import Services, Wired
from api.signed_in import COOKIE, SignedIn, session_of
from db.audit import Seen
from db.sealing import SealBroken
from domain.audit import Kind
from domain.errors import Forbidden
from domain.request import Role
from workflows.sealed_payloads import SealedPayloads, is_sealed

router = APIRouter(prefix="/codec", tags=["codec"])

MOST_PAYLOADS = 1000
_PREFLIGHT_SECONDS = "600"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "payloads": {"type": "array", "maxItems": MOST_PAYLOADS, "items": {"type": "object"}}
                    },
                    "example": {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "InllcyI="}]},
                }
            }
        },
    }
}
_RESPONSES = {
    **problems("malformed", "unauthorized", "forbidden", "too_large", "unsupported_media_type"),
    200: {"content": {"application/json": {"schema": {"type": "object"}}}},
}

Change = Callable[[Services, SignedIn, list[Payload]], Awaitable[list[Payload]]]


@router.post(
    "/decode", summary="Open payloads", openapi_extra=_BODY, responses=_RESPONSES, response_class=Response
)  # fmt: skip
async def decode(request: Request, services: Wired) -> Response:
    """Payloads of Temporal as JSON, opened. What is not sealed, or not by a key of ours, comes back as it was."""
    return await _answered(request, services, _opened)


@router.post(
    "/encode", summary="Seal payloads", openapi_extra=_BODY, responses=_RESPONSES, response_class=Response
)  # fmt: skip
async def encode(request: Request, services: Wired) -> Response:
    """Payloads of Temporal as JSON, sealed: what an admin types into a signal stands sealed in the history too."""
    return await _answered(request, services, _sealed)


@router.options("/{what}", include_in_schema=False)
async def preflight(what: str, request: Request, services: Wired) -> Response:
    """What the browser asks before; of all pages only those of the Temporal UI get a yes."""
    asking = _origin(request)
    allowed = asking is not None and asking == _ui(services)
    return _for_the_ui(Response(status_code=204 if allowed else 403), request, services)


async def _answered(request: Request, services: Services, change: Change) -> Response:
    """Whatever comes of it, with the headers that let the Temporal UI read it: also why not."""
    try:
        signed_in = await _admin(request, services)
        payloads = Payloads(payloads=await change(services, signed_in, await _payloads(request)))
        answer = Response(MessageToJson(payloads, indent=None), media_type="application/json")
    except Exception as error:
        answer = rendered(problem_for(error))
    return _for_the_ui(answer, request, services)


async def _admin(request: Request, services: Services) -> SignedIn:
    """Raises Unauthorized and Forbidden."""
    origin = _origin(request)
    if origin is not None and origin != _ui(services):
        raise Forbidden("Payloads are opened for the Temporal UI alone; the settings name its address.")
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else None
    if token is None and origin is not None:
        token = request.cookies.get(COOKIE)
    signed_in = await session_of(services, token, request)
    signed_in.require_role(Role.ADMIN)
    return signed_in


async def _payloads(request: Request) -> list[Payload]:
    """Raises UnsupportedMedia, Malformed and TooLarge."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("Please send JSON, with the header Content-Type: application/json.")
    try:
        payloads = Parse(await request.body(), Payloads(), ignore_unknown_fields=True).payloads
    except (ParseError, ValueError, RecursionError):
        # The words of the library repeat what was sent.
        raise Malformed("The body is not a JSON object with the payloads of Temporal.") from None
    if len(payloads) > MOST_PAYLOADS:
        raise TooLarge(f"More than {MOST_PAYLOADS} payloads, the most that this address takes at once.")
    return list(payloads)


async def _opened(services: Services, signed_in: SignedIn, payloads: list[Payload]) -> list[Payload]:
    await looked(services, signed_in, Seen(Kind.PAYLOADS, count=sum(map(is_sealed, payloads))))
    codec = SealedPayloads(services.keys)

    def opened(payload: Payload) -> Payload:
        try:
            return codec.opened(payload)
        except SealBroken:
            return payload  # the others can still be read

    return [opened(each) for each in payloads]


async def _sealed(services: Services, signed_in: SignedIn, payloads: list[Payload]) -> list[Payload]:
    codec = SealedPayloads(services.keys)
    return [each if is_sealed(each) else codec.sealed(each) for each in payloads]


def _origin(request: Request) -> str | None:
    return request.headers.get("origin")


def _ui(services: Services) -> str:
    parts = urlsplit(services.settings.temporal_ui_url)
    return f"{parts.scheme}://{parts.netloc}"


def _for_the_ui(answer: Response, request: Request, services: Services) -> Response:
    answer.headers["Vary"] = "Origin"
    answer.headers["Cache-Control"] = "no-store"
    if _origin(request) == _ui(services):
        answer.headers.update({
            "Access-Control-Allow-Origin": _ui(services),
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "content-type, x-namespace, authorization, authorization-extras",
            "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        })  # fmt: skip
    return answer
