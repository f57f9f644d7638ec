"""Who may act as the citizen of a request: whoever holds its token.

An unknown reference and a wrong token get the same answer after the same work, so that nobody can find out which
references exist.
"""

from __future__ import annotations

import hmac
from typing import Annotated

import structlog
from fastapi import Depends, Header, Path
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import NOT_FOUND_DETAIL
from api.schemas import Language
from api.services import Services, Wired
from db import requests
from db.requests import StoredRequest
from db.sealing import token_hash
from domain.errors import Unknown
from domain.references import parse_reference

_BEARER = HTTPBearer(
    scheme_name="citizen", description="The token that came with the receipt of the request.", auto_error=False
)
_NO_TOKEN = b"\0" * 32

Reference = Annotated[str, Path(description="With or without hyphens.", examples=["2611-4829-13704"])]


async def find_for_citizen(services: Services, reference: str, token: str) -> StoredRequest:
    """The request, for whoever holds its token. Raises Unknown for everybody else."""
    written = parse_reference(reference)
    stored = await requests.find(services.pool, written) if written else None
    if stored is None:
        hmac.compare_digest(_NO_TOKEN, token_hash(token))
    elif stored.accepts(token):
        structlog.contextvars.bind_contextvars(reference=stored.reference)
        return stored
    raise Unknown(NOT_FOUND_DETAIL)


async def _own_request(
    services: Wired,
    reference: Reference,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> StoredRequest:
    return await find_for_citizen(services, reference, credentials.credentials if credentials else "")


OwnRequest = Annotated[StoredRequest, Depends(_own_request)]
"""The request in the address, for the citizen who sent it."""


async def _language(services: Wired, accept_language: Annotated[str, Header()] = "") -> Language:
    return preferred_language(accept_language, (await services.policies.active()).city.languages)


AskedLanguage = Annotated[Language, Depends(_language)]
"""Chinese or English, as the reader's program asks for; the city's first language where it asks for neither."""


def preferred_language(accept_language: str, offered: tuple[str, ...]) -> Language:
    """The offered language that the header (RFC 9110, section 12.5.4) gives the greatest weight."""
    weighed = sorted(
        (_weighed(entry) for entry in accept_language[:500].split(",") if entry.strip()),
        reverse=True,
        key=lambda each: each[0],
    )
    for weight, tag in weighed:
        if weight > 0 and tag in offered:
            return "en" if tag == "en" else "zh"
    return "en" if offered[:1] == ("en",) else "zh"


def _weighed(entry: str) -> tuple[float, str]:
    tag, _, parameter = entry.partition(";")
    try:
        weight = float(parameter.partition("=")[2]) if parameter else 1.0
    except ValueError:
        weight = 0.0
    return weight, tag.strip().lower().partition("-")[0]
