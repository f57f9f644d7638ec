"""Where somebody is signed in, and ending that from elsewhere: one's own sessions, and for an admin those of anybody."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field

from api.documented import problems
from api.errors import NOT_FOUND_DETAIL
from api.fields import Answer
from api.services import Services, Wired
from api.signed_in import SignedIn, Staff
from db import sessions, staff
from db.staff import Account
from domain.errors import Unknown
from domain.request import Role

router = APIRouter(prefix="/staff/sessions", tags=["sessions"])

Username = Annotated[
    str | None, Query(max_length=100, description="Somebody else's, for admins; one's own by default.")
]


class OpenSession(Answer):
    """A session by a name that opens nothing; `current` is the one that asks."""

    session: str
    created_at: datetime
    expires_at: datetime
    current: bool


class OpenSessionsAnswer(Answer):
    """All that have not ended, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "username": "lamps",
                    "sessions": [
                        {
                            "session": "5f2c9a7be01d4388",
                            "created_at": "2026-11-22T08:00:00Z",
                            "expires_at": "2026-11-22T20:00:00Z",
                            "current": True,
                        }
                    ],
                }
            ]
        }
    )

    username: str
    sessions: list[OpenSession]


class EndedAnswer(Answer):
    """How many sessions were ended."""

    ended: int = Field(ge=0)


@router.get(
    "", summary="Where am I signed in?", responses=problems("invalid", "unauthorized", "forbidden", "not_found")
)
async def read_sessions(services: Wired, signed_in: Staff, username: Username = None) -> OpenSessionsAnswer:
    """One's own sessions, or for an admin those of a member of staff."""
    whose = await _whose(services, signed_in, username)
    mine = sessions.name_of(signed_in.token)
    found = await sessions.open_of(services.pool, whose.id, services.now())
    return OpenSessionsAnswer(
        username=whose.username,
        sessions=[
            OpenSession(session=each.name, created_at=each.created_at, expires_at=each.expires_at, current=each.name == mine)
            for each in found
        ],
    )  # fmt: skip


@router.delete(
    "", summary="Sign out everywhere", responses=problems("invalid", "unauthorized", "forbidden", "not_found")
)
async def end_all_sessions(services: Wired, signed_in: Staff, username: Username = None) -> EndedAnswer:
    """All of them stop working at once, this one too."""
    whose = await _whose(services, signed_in, username)
    return EndedAnswer(ended=await sessions.revoke_all(services.pool, whose.id))


@router.delete(
    "/{session}", status_code=204, summary="End one session",
    responses=problems("invalid", "unauthorized", "forbidden", "not_found"),
)  # fmt: skip
async def end_session(session: str, services: Wired, signed_in: Staff, username: Username = None) -> Response:
    """It stops working at once."""
    whose = await _whose(services, signed_in, username)
    if not await sessions.revoke(services.pool, whose.id, session):
        raise Unknown(NOT_FOUND_DETAIL)
    return Response(status_code=204)


async def _whose(services: Services, signed_in: SignedIn, username: str | None) -> Account:
    """Raises Forbidden for who is no admin before it looks whether there is such an account."""
    if username is None or username.lower() == signed_in.account.username:
        return signed_in.account
    signed_in.require_role(Role.ADMIN)
    account = await staff.by_username(services.pool, username)
    if account is None:
        raise Unknown(NOT_FOUND_DETAIL)
    return account
