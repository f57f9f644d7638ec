"""Every answer that is a no: which status belongs to which code, and how it looks as application/problem+json (RFC 9457).

HuishengError (domain/errors.py)
  Refusal
    NotAllowed, Forbidden, Invalid, Unknown, EngineUnavailable     the domain's own
    FieldsInvalid       invalid, with every field that is wrong
    Malformed           invalid: the body cannot be read at all
    Unauthorized        unauthorized
    IdempotencyConflict idempotency_conflict
    TooMany             too_many
    TooLarge            too_large
    UnsupportedMedia    unsupported_media_type
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, cast

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from api.naming import name_reference
from api.validation import FieldError, field_errors, is_malformed, is_wrong_media_type
from domain.errors import EngineUnavailable, HuishengError, Invalid, Refusal

logger = structlog.get_logger(__name__)


class FieldsInvalid(Invalid):
    """One or more fields are missing or wrong; all of them are named at once."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(_count(len(errors)))
        self.errors = list(errors)

    @classmethod
    def of(cls, field: str, reason: str, mend: str = "") -> FieldsInvalid:
        return cls([FieldError(field, reason, mend)])


class Malformed(Invalid):
    """The body cannot be read at all."""


class Unauthorized(Refusal):
    """No session, or none that is still good."""

    code = "unauthorized"


class IdempotencyConflict(Refusal):
    """The Idempotency-Key was used before, with another body."""

    code = "idempotency_conflict"


class TooMany(Refusal):
    """Tried too often; `retry_after_seconds` says when to try again."""

    code = "too_many"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TooLarge(Refusal):
    """More than the interface takes."""

    code = "too_large"


class UnsupportedMedia(Refusal):
    """Not a kind of content that the interface takes."""

    code = "unsupported_media_type"


@dataclass(frozen=True)
class Kind:
    status: int
    title: str


KINDS = {
    "invalid": Kind(422, "Some fields are missing or wrong"),
    "malformed": Kind(400, "The request cannot be read"),
    "not_found": Kind(404, "Nothing found here"),
    "method_not_allowed": Kind(405, "This address does not take that method"),
    "not_allowed": Kind(409, "Not possible in the present state"),
    "forbidden": Kind(403, "Your role or department does not allow this"),
    "unauthorized": Kind(401, "Please sign in"),
    "idempotency_conflict": Kind(409, "The Idempotency-Key was used for something else"),
    "engine_unavailable": Kind(503, "The engine does not answer; please try again"),
    "unavailable": Kind(503, "The service is not available; please try again"),
    "overloaded": Kind(503, "Too much at once; please try again"),
    "too_many": Kind(429, "Too many tries"),
    "too_slow": Kind(408, "It came too slowly; please try again"),
    "too_large": Kind(413, "Too large"),
    "unsupported_media_type": Kind(415, "This kind of content is not accepted"),
    "internal": Kind(500, "Something went wrong on our side"),
}
CODES = tuple(code for code in KINDS if code != "malformed")
"""The stable codes. A body that cannot be read has the code "invalid" and the status 400."""

_CODE_OF_STATUS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
}
_UNAVAILABLE_RETRY_SECONDS = "5"
_ENGINE_RETRY_SECONDS = "10"
NOT_FOUND_DETAIL = "There is nothing at this address, or it is not for you. Please check the reference and the link."


@dataclass(frozen=True)
class Problem:
    """What every error body says; `kind` picks status and title."""

    kind: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] | None = None
    incident: str | None = None

    @property
    def status(self) -> int:
        return KINDS[self.kind].status

    @property
    def title(self) -> str:
        return KINDS[self.kind].title

    @property
    def code(self) -> str:
        return "invalid" if self.kind == "malformed" else self.kind

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"urn:huisheng:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "errors": [asdict(error) for error in self.errors],
        }
        return body | ({"incident": self.incident} if self.incident else {})


def problem_of(error: HuishengError) -> Problem:
    """The problem that an expected refusal makes."""
    if isinstance(error, FieldsInvalid):
        return Problem("invalid", error.message, tuple(error.errors))
    if isinstance(error, Malformed):
        return Problem("malformed", error.message)
    if isinstance(error, Invalid):
        field = error.facts.get("field")
        return Problem("invalid", error.message, (FieldError(field, error.message),) if field else ())
    if isinstance(error, TooMany):
        return Problem(error.code, error.message, headers={"Retry-After": str(error.retry_after_seconds)})
    if isinstance(error, EngineUnavailable):
        return Problem(error.code, error.message, headers={"Retry-After": _ENGINE_RETRY_SECONDS})
    if isinstance(error, Unauthorized):
        return Problem(error.code, error.message, headers={"WWW-Authenticate": 'Bearer realm="huisheng"'})
    return Problem(error.code if error.code in KINDS else "not_allowed", error.message)


def problem_of_validation(error: RequestValidationError) -> Problem:
    """What FastAPI found wrong with a request, in plain words; never with the value that was sent."""
    if is_malformed(error.errors()):
        return Problem("malformed", "The body is not valid JSON. Please send one JSON object.")
    if is_wrong_media_type(error.errors()):
        return Problem("unsupported_media_type", "Please send JSON, with the header Content-Type: application/json.")
    errors = tuple(field_errors(error.errors()))
    return Problem("invalid", _count(len(errors)), errors)


def problem_of_http(error: HTTPException) -> Problem:
    code = _CODE_OF_STATUS.get(error.status_code)
    if code == "not_found":
        return Problem(code, NOT_FOUND_DETAIL)
    if code == "method_not_allowed":
        return Problem(code, "The documentation under /docs lists the methods of each address.", headers=error.headers)
    if code in ("too_large", "too_slow"):
        return Problem(code, error.detail, headers=error.headers)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return Problem("malformed", "The body cannot be read. Please send it as the documentation under /docs shows.")
    return Problem(code or "internal", HTTPStatus(error.status_code).phrase, headers=error.headers)


def rendered(problem: Problem) -> Response:
    headers = dict(problem.headers or {})
    return JSONResponse(problem.body(), problem.status, headers, media_type="application/problem+json")


def incident(error: Exception) -> Problem:
    """Logs an error that nobody expected, without its text, which may hold what a citizen wrote."""
    number = secrets.token_hex(4)
    logger.error("unexpected_error", incident=number, error=type(error).__qualname__, where=_place_of(error))
    return Problem("internal", f"Please try again. If it happens again, tell us the number {number}.", incident=number)


def _place_of(error: Exception) -> list[str]:
    """The last lines of our own that the error passed, innermost last."""
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if "site-packages" not in code.co_filename:
            places.append(f"{code.co_filename.rpartition('/')[2]}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return places[-4:]


def unavailable(error: Exception) -> Problem:
    logger.error("database_unavailable", error=type(error).__qualname__)
    detail = _BROKE_OFF if isinstance(error, UNCERTAIN) else "Nothing was stored. Please try again in a moment."
    return Problem("unavailable", detail, headers={"Retry-After": _UNAVAILABLE_RETRY_SECONDS})


UNCERTAIN: tuple[type[Exception], ...] = (
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
    BrokenPipeError,
    ConnectionResetError,
)
"""What is said of a connection that broke: the database may have carried out what was sent over it, and not got to say so."""
_BROKE_OFF = "The service broke off. If you sent something, it may have been stored all the same: please look before you send it again."


DATABASE_DOWN: tuple[type[Exception], ...] = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,  # no room on the disk, no memory, too many connections
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # What asyncpg says of a connection that broke while a statement was being prepared for it.
    asyncpg.InternalClientError,
)


UNWRITABLE: tuple[type[Exception], ...] = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
)
"""What comes of U+0000 wherever it stands: no text has it, and no table takes it."""


def problem_for(error: Exception) -> Problem:
    """The problem of any error at all."""
    if isinstance(error, HuishengError) and isinstance(error, Refusal):
        return problem_of(error)
    if isinstance(error, RequestValidationError):
        return problem_of_validation(error)
    if isinstance(error, HTTPException):
        return problem_of_http(error)
    if isinstance(error, ClientDisconnect):
        # Whoever called is gone and will never read this; it is no fault of ours that would wake somebody.
        return Problem("malformed", "The body broke off. Please send it once more.")
    if isinstance(error, UNWRITABLE):
        return Problem("invalid", "A word of the address or the body has a character that no text has. Leave it out.")
    if isinstance(error, DATABASE_DOWN):
        return unavailable(error)
    return incident(error)


def install(app: FastAPI, for_people: Callable[[Request, Problem], Response] | None = None) -> None:
    """Lets every error of the interface leave through this file; `for_people` draws the page for a browser."""

    async def render(request: Request, error: Exception) -> Response:
        return answer_to(request, error, for_people)

    for kind in (
        Refusal,
        RequestValidationError,
        HTTPException,
        ClientDisconnect,
        *UNWRITABLE,
        *DATABASE_DOWN,
        Exception,
    ):
        app.add_exception_handler(cast(type[Exception], kind), render)


def answer_to(
    request: Request, error: Exception, for_people: Callable[[Request, Problem], Response] | None = None
) -> Response:
    """The answer to any error at all; what is logged of it names the request that the address names."""
    name_reference(request.scope)
    return answer(request, problem_for(error), for_people)


def answer(
    request: Request, problem: Problem, for_people: Callable[[Request, Problem], Response] | None = None
) -> Response:
    """The answer that tells of it: a page for a browser, where `for_people` draws one, and else problem+json."""
    return for_people(request, problem) if for_people and _is_a_page(request) else rendered(problem)


def _is_a_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _count(number: int) -> str:
    return "One field is missing or wrong." if number == 1 else f"{number} fields are missing or wrong."
