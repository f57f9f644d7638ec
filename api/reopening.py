"""Until when a closed request may be reopened, and a merged one judged: as long as its run waits for that (PROCESS.md rows 28, 31)."""

from __future__ import annotations

from datetime import datetime

from api.services import Services
from db import views
from domain.errors import NotAllowed
from domain.planning import plan_feedback
from domain.policy import Policy
from domain.request import Snapshot, State
from policies.store import NoPolicy

_OVER = "The time in which this request could be reopened has passed. Please send a new request."
_JUDGED = "The time in which the answer could be rated has passed. Please send a new request if it is not solved."


async def policy_of(services: Services, snapshot: Snapshot) -> Policy:
    """The policy that the request was assigned under; the one in force as long as it has none."""
    if snapshot.policy_version is not None:
        try:
            return await services.policies.version(snapshot.policy_version)
        except NoPolicy:
            pass  # dropped from the database by hand: today's policy is better than no answer
    return await services.policies.active()


def can_reopen(policy: Policy, snapshot: Snapshot, now: datetime) -> bool:
    """Whether time allows it. What a supervisor closed by decision is over at once."""
    if snapshot.state is not State.CLOSED:
        return True
    return snapshot.resolved_at is not None and now <= plan_feedback(policy, snapshot.resolved_at).reopen_until


async def require_reopening_time(services: Services, snapshot: Snapshot, now: datetime) -> None:
    """Raises NotAllowed once it is too late."""
    if not can_reopen(await policy_of(services, snapshot), snapshot, now):
        raise NotAllowed(_OVER, state=snapshot.state)


async def require_judging_time(services: Services, snapshot: Snapshot, now: datetime) -> None:
    """Raises NotAllowed for a merged request whose parent has been closed for so long that nobody waits any more."""
    if not await can_still_judge(services, snapshot, now):
        raise NotAllowed(_JUDGED, state=snapshot.state)


async def can_still_judge(services: Services, snapshot: Snapshot, now: datetime) -> bool:
    """Whether time allows a rating. Of a merged request it is that of its parent, whatever its own state says."""
    if snapshot.state is not State.MERGED or snapshot.parent is None:
        return True
    parent = await views.snapshot_by_reference(services.pool, snapshot.parent)
    return parent is None or can_reopen(await policy_of(services, parent), parent, now)
