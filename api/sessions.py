"""Signing in and out, and what slows down whoever guesses passwords."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from api.callers import counted_address, is_loopback
from api.documented import problems
from api.errors import TooMany, Unauthorized
from api.fields import Answer, Body
from api.passwords import MAX_PASSWORD_CHARACTERS
from api.services import Services, Wired
from api.signed_in import COOKIE, Staff, account_works
from db import sessions, staff, throttles
from db.staff import Account
from domain.request import Role

router = APIRouter(prefix="/sessions", tags=["sessions"])

SESSION_LASTS = timedelta(hours=12)
FAILURES_WITHIN = timedelta(minutes=15)
FAILURES_OF_NAME = 10
"""From one address."""
FAILURES_OF_ADDRESS = 30
"""Higher than for a name: a whole office may share one address."""
FAILURES_OF_NAME_ANYWHERE = 200
"""High, for it closes the name to its owner too: nobody reaches it without twenty addresses at hand."""

_REFUSED = "There is no such account, or the password is wrong."


class SessionBody(Body):
    """A name and a password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "lamps", "password": "a long sentence"}]}  # nosec B105 - an example
    )

    username: Annotated[str, Field(min_length=1, max_length=100)]
    password: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD_CHARACTERS)]


class StaffAnswer(Answer):
    """A member of staff: roles, the departments they handle for, and which of these they lead."""

    username: str
    name: str
    roles: list[Role]
    departments: list[str]
    leads: list[str]


class SessionAnswer(Answer):
    """The token goes into the header `Authorization: Bearer ...`."""

    token: str
    expires_at: datetime
    staff: StaffAnswer


@router.post(
    "", status_code=201, summary="Sign in",
    responses=problems("invalid", "malformed", "unauthorized", "too_many"),
)  # fmt: skip
async def sign_in(body: SessionBody, request: Request, response: Response, services: Wired) -> SessionAnswer:
    """Gives a session of twelve hours, as a token and as a cookie."""
    address, name = counted_address(request), body.username.lower()
    by_address, by_both, by_name = (
        f"sign-in:address:{address}",
        f"sign-in:both:{address}:{name}",
        f"sign-in:name:{name}",
    )
    await _count_try(services, by_address, FAILURES_OF_ADDRESS)
    await _count_try(services, by_both, FAILURES_OF_NAME)
    # Only what the limits of the address let through, so that no single address can close a name to its owner.
    await _count_try(services, by_name, FAILURES_OF_NAME_ANYWHERE)
    account = await staff.by_username(services.pool, body.username)
    matches = await services.passwords.matches(account.password_hash if account else None, body.password)
    if account is None or not matches or not account_works(services, account, request):
        raise Unauthorized(_REFUSED)
    now = services.now()
    token = await sessions.open_session(services.pool, account, now, SESSION_LASTS)
    if token is None:
        raise Unauthorized(_REFUSED)
    await throttles.clear(services.pool, services.keys, by_both)
    for key in (by_address, by_name):
        await throttles.take_back(services.pool, services.keys, key)
    _set_cookie(response, services, token)
    return SessionAnswer(token=token, expires_at=now + SESSION_LASTS, staff=staff_answer(account))


@router.delete("", status_code=204, summary="Sign out", responses=problems("unauthorized", "forbidden"))
async def sign_out(signed_in: Staff, services: Wired) -> Response:
    """The token stops working at once."""
    await sessions.close(services.pool, signed_in.token)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.get("", summary="Who am I?", responses=problems("unauthorized"))
async def who_am_i(signed_in: Staff) -> StaffAnswer:
    """The member of staff whose session this is."""
    return staff_answer(signed_in.account)


def staff_answer(account: Account) -> StaffAnswer:
    return StaffAnswer(
        username=account.username,
        name=account.name,
        roles=[Role(role) for role in account.roles],
        departments=[place.department for place in account.departments],
        leads=[place.department for place in account.departments if place.lead],
    )


async def _count_try(services: Services, key: str, limit: int) -> None:
    """Counts a try before its password is looked at, so that many at the same moment count as many; success takes it
    back. Raises TooMany."""
    wait = await throttles.count(services.pool, services.keys, key, limit, FAILURES_WITHIN, services.now())
    if wait is not None:
        raise TooMany("Too many failed tries to sign in. Please wait before you try again.", wait)


def _set_cookie(response: Response, services: Services, token: str) -> None:
    is_local = is_loopback(urlsplit(services.settings.public_url).hostname or "")
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=not is_local,
    )
