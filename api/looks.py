"""Telling the record of looks what a member of staff is about to be shown (docs/decisions/0021)."""

from __future__ import annotations

from api.services import Services
from api.signed_in import SignedIn
from db import audit
from db.audit import Seen


async def looked(services: Services, signed_in: SignedIn, *seen: Seen) -> None:
    """Comes before the answer: who cannot be recorded is shown nothing. What shows nothing needs no row."""
    shown = [each for each in seen if each.count]
    await audit.record(services.pool, f"staff:{signed_in.account.id}", signed_in.address, shown, services.now())
