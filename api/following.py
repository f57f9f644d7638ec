"""What the citizen of a merged request sees of the one that it was merged into: what the city did and said, and no more.

Nothing of the other citizen: not their words, not their contact, not what was asked of them, and no key to their request.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from starlette.responses import Response

from api.errors import NOT_FOUND_DETAIL
from api.pictures import picture_of, shown_to_citizen
from api.services import Services
from db import histories, views
from db.attachments import Attachment
from db.histories import History
from db.requests import StoredRequest
from domain.errors import Unknown
from domain.lifecycle import Action
from domain.request import Event, Snapshot, State

_BETWEEN_OTHERS = frozenset({
    Action.SUBMIT, Action.MERGE, Action.UNMERGE, Action.CONTACT, Action.ASK_CITIZEN, Action.ANSWER, Action.RECORD_CALL,
    Action.CLOSE, Action.ERASE,
})  # fmt: skip
"""What the city does with the one who asked first, and what would be wrong if it were said to anybody else."""


async def followed_by(services: Services, snapshot: Snapshot) -> History | None:
    """The request that this one follows; None where it follows none."""
    if snapshot.state is not State.MERGED or snapshot.parent is None:
        return None
    parent = await views.snapshot_by_reference(services.pool, snapshot.parent)
    return await histories.read(services.pool, UUID(parent.request_id)) if parent else None


def told_to_followers(event: Event) -> bool:
    """Whether everybody who reported the matter reads this line."""
    return event.public and event.actor_kind != "citizen" and event.action not in _BETWEEN_OTHERS


def pictures_of_answer(parent: History) -> list[Attachment]:
    """The photos that came with the answers to the parent: those of its citizen are theirs alone."""
    return [picture for picture in shown_to_citizen(parent.events, parent.pictures) if picture.is_of_staff]


def as_followed(state: State) -> State:
    """The parent's state in words for everybody: a question to the one who asked first is work in progress."""
    return State.IN_PROGRESS if state is State.AWAITING_CITIZEN else state


async def picture_for_citizen(services: Services, own: StoredRequest, attachment_id: UUID) -> Response:
    """A picture that the citizen is shown, of the own request or of the answer that it shares. Raises Unknown for all
    others, also for what staff keep for themselves: whoever has its id, from wherever, has no right to it yet."""
    history = await histories.read(services.pool, own.id)
    parent = None if own.erased_at else await followed_by(services, history.snapshot)
    if _is_among(shown_to_citizen(history.events, history.pictures), attachment_id):
        return await picture_of(services, own.id, attachment_id)
    if parent is not None and _is_among(pictures_of_answer(parent), attachment_id):
        return await picture_of(services, UUID(parent.snapshot.request_id), attachment_id)
    raise Unknown(NOT_FOUND_DETAIL)


def _is_among(pictures: Iterable[Attachment], attachment_id: UUID) -> bool:
    return any(picture.id == attachment_id for picture in pictures)
