"""Who a member of staff is, by the session's token: as a Bearer header for programs, as a cookie for pages.

A cookie comes along with every request of the browser, also one that another site made it send. So what changes
anything needs, with the cookie, an Origin header that names this site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.callers import client_address, is_loopback
from api.errors import Unauthorized
from api.services import Services, Wired
from db import sessions
from db.staff import Account
from domain.errors import Forbidden
from domain.policy import Policy
from domain.request import Actor, Role
from domain.visibility import Sight

COOKIE = "huisheng_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_BEARER = HTTPBearer(scheme_name="staff", description="The token of POST /api/v1/sessions.", auto_error=False)
_COOKIE = APIKeyCookie(
    name=COOKIE, scheme_name="staff page", description="The same token, for pages.", auto_error=False
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member of staff in this request: who it is towards the domain, what they may see, and from where they ask."""

    account: Account
    token: str
    actor: Actor
    sight: Sight
    address: str

    def require_role(self, *roles: Role) -> None:
        """Raises Forbidden unless the person has one of these roles."""
        if not frozenset(roles) & frozenset(self.actor.roles):
            needed = " or ".join(role.replace("_", " ") for role in roles)
            raise Forbidden(f"This needs the role {needed}.")


def actor_of(account: Account, policy: Policy) -> Actor:
    """The account as the domain knows a person. Departments that the policy has dropped count for nothing."""
    own = [place.department for place in account.departments if policy.has_department(place.department)]
    heads = [
        place.department for place in account.departments if place.lead and policy.has_department(place.department)
    ]
    led = dict.fromkeys(code for head in heads for code in policy.below(head))
    return Actor("staff", str(account.id), tuple(Role(role) for role in account.roles), tuple(own), tuple(led))


async def _signed_in(
    request: Request,
    services: Wired,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    cookie: Annotated[str | None, Depends(_COOKIE)],
) -> SignedIn:
    if bearer is None and cookie and request.method not in _SAFE_METHODS:
        require_own_origin(request, services)
    return await session_of(services, bearer.credentials if bearer else cookie, request)


async def session_of(services: Services, token: str | None, request: Request) -> SignedIn:
    """Whose session that is; raises Unauthorized."""
    account = await sessions.find(services.pool, token, services.now()) if token else None
    if account is None or token is None or not account_works(services, account, request):
        raise Unauthorized("Please sign in: there is no session, or it has ended.")
    actor = actor_of(account, await services.policies.active())
    return SignedIn(account, token, actor, Sight.of(actor), client_address(request))


Staff = Annotated[SignedIn, Depends(_signed_in)]
"""The member of staff who sent this request; without one the answer is 401."""


def account_works(services: Services, account: Account, request: Request) -> bool:
    """Whether the account may be used from there: a demonstration account only on the machine that demonstrates."""
    if not account.active:
        return False
    return not account.demo or (services.settings.demo and is_loopback(client_address(request)))


def require_own_origin(request: Request, services: Services) -> None:
    """Raises Forbidden for what another site made the browser send."""
    own = {request.headers.get("host"), urlsplit(services.settings.public_url).netloc}
    origin = _host_of(request.headers.get("origin", ""))
    if not origin or origin not in own:
        raise Forbidden("This was not sent by a page of this site, so nothing was done.")


def _host_of(origin: str) -> str:
    """With the port, as the header Host has it; empty where that is no address at all."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
