"""Whether two requests may become one: asked of the read model, because each request knows only itself."""

from __future__ import annotations

from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from db import views
from db.pool import Database
from domain.errors import Invalid
from domain.followed import Followed, standing_of
from domain.references import parse_reference
from domain.request import OPEN, Snapshot, State


class MergingActivities:
    """Looks; the runs of the two requests settle it between them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def find_parent(self, request_id: str, reference: str) -> Followed:
        """Where that request stands. Fails for good, with the type `invalid`, where nothing may be merged into it."""
        mine = await views.snapshot(self._database, UUID(request_id))
        parent = await views.snapshot_by_reference(self._database, parse_reference(reference) or "")
        objection = _objection(mine, parent)
        if objection is not None or parent is None:
            raise ApplicationError(
                objection or "",
                {"field": "parent"},
                type=Invalid.code,
                non_retryable=True,
                category=ApplicationErrorCategory.BENIGN,
            )
        return standing_of(parent)


def _objection(mine: Snapshot, parent: Snapshot | None) -> str | None:
    if parent is None:
        return "There is no request with that reference. Check it, with its hyphens or without."
    if parent.request_id == mine.request_id:
        return "A request cannot be merged into itself."
    if parent.state is State.MERGED:
        return f"That request was itself merged into {parent.parent}: choose that one."
    if parent.state not in OPEN | {State.RESOLVED}:
        return f"That request is {parent.state}: only one that is still being dealt with can be joined."
    if mine.confidential != parent.confidential:
        return "A confidential request and one that is not stay apart."
    return None
