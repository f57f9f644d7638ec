"""What a citizen may say about a request, and how it is stored so that the workflow hears of it whatever happens."""

from __future__ import annotations

from uuid import UUID, uuid5

from api.reopening import require_judging_time, require_reopening_time
from api.schemas import AcceptedAnswer
from api.services import Services
from db import texts, views
from db.requests import MessageKind, StoredRequest, add_message
from domain.errors import NotAllowed, Unknown
from domain.lifecycle import Action, permit
from domain.request import CITIZEN, Snapshot
from domain.retention import ERASED

_KINDS = {
    Action.SUPPLEMENT: MessageKind.SUPPLEMENTED,
    Action.URGE: MessageKind.URGED,
    Action.WITHDRAW: MessageKind.WITHDRAWN,
    Action.RATE: MessageKind.RATED,
    Action.REOPEN: MessageKind.REOPENED,
    Action.ANSWER: MessageKind.ANSWERED,
}
CITIZEN_ACTIONS = tuple(_KINDS)
"""What a citizen can do with a request of theirs."""

_ANSWERED = (
    "You have answered this question already. Thank you; whoever works on it has your answer, or will in a moment."
)


async def send_message(
    services: Services,
    own: StoredRequest,
    action: Action,
    text: str | None,
    payload: dict[str, str | int] | None = None,
) -> AcceptedAnswer:
    """Stores the message for delivery. Raises NotAllowed where the state, as the read model knows it, forbids it.

    The workflow judges again when it hears of it; what comes too late then stays in the timeline.
    """
    now = services.now()
    if own.erased_at is not None:
        raise NotAllowed(ERASED)
    snapshot = await views.snapshot(services.pool, own.id)
    permit(snapshot, action, CITIZEN, now)
    if action is Action.REOPEN:
        await require_reopening_time(services, snapshot, now)
    if action is Action.RATE:
        await require_judging_time(services, snapshot, now)
    text_id = answer_id(snapshot) if action is Action.ANSWER else None
    try:
        await add_message(
            services.pool, services.keys, own.id, _KINDS[action], payload or {}, text, now,
            text_id=text_id, trace=services.trace(),
        )  # fmt: skip
    except Unknown:
        raise NotAllowed(ERASED if text_id is None else _ANSWERED, state=snapshot.state) from None
    return AcceptedAnswer(state=snapshot.state, accepted_at=now)


async def has_answered(services: Services, snapshot: Snapshot) -> bool:
    """Whether the open question has its answer already, on its way to whoever asked."""
    text_id = answer_id(snapshot)
    return text_id is not None and bool(await texts.read_many(services.pool, services.keys, [text_id]))


def answer_id(snapshot: Snapshot) -> UUID | None:
    """The id that the text of an answer to the open question has: always the same, so that it is answered once."""
    return uuid5(UUID(snapshot.question), "answer") if snapshot.question else None
