"""A request as a member of staff finds it: there, or, for whoever may not see it, not there."""

from __future__ import annotations

import structlog

from api.errors import NOT_FOUND_DETAIL
from api.services import Services
from api.signed_in import SignedIn
from db import requests, views
from domain.errors import NotAllowed, Unknown
from domain.references import parse_reference
from domain.request import TERMINAL, Snapshot
from domain.retention import ERASED


async def find_visible(services: Services, signed_in: SignedIn, reference: str) -> Snapshot:
    """Raises Unknown where there is no such request, or none that this person may see."""
    written = parse_reference(reference)
    snapshot = await views.snapshot_by_reference(services.pool, written) if written else None
    if snapshot is None or not signed_in.sight.covers(snapshot):
        raise Unknown(NOT_FOUND_DETAIL)
    structlog.contextvars.bind_contextvars(reference=snapshot.reference)
    return snapshot


async def require_not_erased(services: Services, snapshot: Snapshot) -> None:
    """Raises NotAllowed for a request of which only the tombstone is left: whoever reopened it would find nothing."""
    stored = await requests.find(services.pool, snapshot.reference) if snapshot.state in TERMINAL else None
    if stored is not None and stored.erased_at is not None:
        raise NotAllowed(ERASED, state=snapshot.state)
