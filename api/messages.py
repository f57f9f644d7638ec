"""What a citizen may say about a request, and how it is stored so that the workflow hears of it whatever happens."""

from __future__ import annotations

from api.reopening import require_reopening_time
from api.schemas import AcceptedAnswer
from api.services import Services
from db import views
from db.requests import MessageKind, StoredRequest, add_message
from domain.lifecycle import Action, permit
from domain.request import CITIZEN

_KINDS = {
    Action.SUPPLEMENT: MessageKind.SUPPLEMENTED,
    Action.URGE: MessageKind.URGED,
    Action.WITHDRAW: MessageKind.WITHDRAWN,
    Action.RATE: MessageKind.RATED,
    Action.REOPEN: MessageKind.REOPENED,
}
CITIZEN_ACTIONS = tuple(_KINDS)
"""What a citizen can do with a request of theirs today."""


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
    snapshot = await views.snapshot(services.pool, own.id)
    permit(snapshot, action, CITIZEN, now)
    if action is Action.REOPEN:
        await require_reopening_time(services, snapshot, now)
    await add_message(services.pool, services.keys, own.id, _KINDS[action], payload or {}, text, now)
    return AcceptedAnswer(state=snapshot.state, accepted_at=now)
