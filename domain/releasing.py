"""Which answers may be shown to others than the citizen who got them, once a person has released them."""

from __future__ import annotations

from domain.errors import NotAllowed
from domain.lifecycle import SATISFIED_FROM
from domain.policy import Policy
from domain.request import Result, Snapshot, Solved, State, Urgency

_ANSWERED = frozenset({State.RESOLVED, State.CLOSED})


def require_releasable(policy: Policy, snapshot: Snapshot, *, was_sensitive: bool) -> None:
    """Raises NotAllowed with the reason where the answer is not for everybody, whoever would release it."""
    reason = _reason_against(policy, snapshot, was_sensitive)
    if reason is not None:
        raise NotAllowed(f"This answer cannot be released: {reason}.", state=snapshot.state)


def kept_back(policy: Policy) -> tuple[str, ...]:
    """The categories of which no answer is ever shown to others."""
    return tuple(each.code for each in policy.categories if each.sensitive or each.urgency is Urgency.DANGER)


def _reason_against(policy: Policy, snapshot: Snapshot, was_sensitive: bool) -> str | None:
    if snapshot.state not in _ANSWERED or snapshot.reply is None:
        return "the citizen has not had one yet"
    if snapshot.confidential:
        return "the request is confidential"
    if snapshot.urgency is Urgency.DANGER:
        return "the request was about a danger"
    if was_sensitive or snapshot.category in kept_back(policy):
        return "the request is about a sensitive matter"
    if snapshot.result is Result.NOT_SOLVED or snapshot.solved is Solved.NO:
        return "it solved nothing"
    if snapshot.satisfied is not None and snapshot.satisfied < SATISFIED_FROM:
        return "its citizen was not satisfied with it"
    return None
