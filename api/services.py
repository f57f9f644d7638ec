"""What every address of the interface works with, put together once when the program starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from activities.sending import NoticeSender
from api.expectations import Expectations
from api.passwords import Passwords
from db.pool import Pool
from db.sealing import KeyRing
from policies.store import PolicyStore
from settings import Settings
from watching.figures import InterfaceFigures
from watching.stored import StoredFigures


def no_trace() -> None:
    """The trace in hand where none are made."""


def system_clock() -> datetime:
    """The one place where the interface asks what time it is."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """`temporal` connects at its first call, so that the interface takes requests while Temporal is down. `trace` gives the
    trace in hand, for the relay to go on with."""

    settings: Settings
    pool: Pool
    keys: KeyRing
    policies: PolicyStore
    temporal: Client
    sender: NoticeSender
    passwords: Passwords
    expectations: Expectations
    now: Callable[[], datetime]
    figures: InterfaceFigures
    stored: StoredFigures
    trace: Callable[[], str | None] = no_trace

    def status_url(self, reference: str, token: str) -> str:
        """The page behind the link in an SMS."""
        return f"{self.settings.public_url}/r/{reference}/{token}"


async def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


Wired = Annotated[Services, Depends(_services)]
