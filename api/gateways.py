"""What SMS gateways call: Kannel's delivery reports.

Kannel signs nothing, so the address that it was given with the message carries the signature (activities/providers/kannel.py).
An unknown attempt, one of long ago, a forged signature and a report of no known type get the same 404, so that nobody learns
which attempts there are. What is reported is not signed, and cannot be: whoever has the address of an attempt can report for it,
until the final report is there or its time is over.
"""

from __future__ import annotations

import hmac
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from activities.providers import kannel
from api.documented import problems
from api.errors import NOT_FOUND_DETAIL
from api.services import Wired
from db import notices
from db.notices import Receipt
from domain.errors import Unknown

router = APIRouter(tags=["gateways"])

RECEIPTS = {
    str(kannel.DELIVERED): Receipt.DELIVERED,
    str(kannel.FAILED): Receipt.FAILED,
    str(kannel.BUFFERED): Receipt.BUFFERED,
    str(kannel.ACCEPTED): Receipt.ACCEPTED,
    str(kannel.REJECTED): Receipt.REJECTED,
}


@router.get(kannel.RECEIPTS_PATH, summary="A delivery report of Kannel", responses=problems("not_found"))
async def record_kannel_receipt(
    services: Wired,
    attempt: Annotated[str, Query(description="The attempt's id.")] = "",
    signature: Annotated[str, Query(description="Of the attempt's id, as it was given to Kannel.")] = "",
    kind: Annotated[
        str,
        Query(
            alias="type", description="1 delivered, 2 failed, 4 buffered, 8 accepted by the SMS centre, 16 rejected."
        ),
    ] = "",
) -> dict[str, str]:
    """Kannel repeats a report until the answer is 200; the same one again changes nothing."""
    attempt_id = _signed(services.settings.kannel_dlr_secret, attempt, signature)
    receipt = RECEIPTS.get(kind)
    if attempt_id is None or receipt is None:
        raise Unknown(NOT_FOUND_DETAIL)
    new = await notices.record_receipt(services.pool, attempt_id, receipt)
    if new is None:
        raise Unknown(NOT_FOUND_DETAIL)
    if new:
        services.figures.reported(receipt)
    return {"receipt": receipt}


def _signed(secret: str, attempt: str, signature: str) -> UUID | None:
    """The id, if this house signed it. Without a secret, nothing ever was."""
    try:
        attempt_id = UUID(attempt)
    except ValueError:
        return None
    expected = kannel.signature(secret, attempt_id)
    return attempt_id if secret and hmac.compare_digest(expected.encode(), signature.encode()) else None
