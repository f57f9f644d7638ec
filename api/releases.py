"""Releasing an answer for everybody: who may, and how everybody would read it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict

from api.citizens import AskedLanguage, Reference
from api.documented import problems
from api.fields import Answer
from api.looks import looked
from api.schemas import Language
from api.services import Services, Wired
from api.signed_in import SignedIn, Staff
from api.visible import find_visible
from db import released_answers
from db.audit import Seen
from domain.audit import Kind
from domain.errors import Forbidden, NotAllowed
from domain.masking import masked
from domain.releasing import require_releasable
from domain.request import Role, Snapshot
from domain.retention import ERASED

router = APIRouter(prefix="/staff/requests", tags=["staff"])

_RELEASING = frozenset({Role.DISPATCHER, Role.SUPERVISOR})


class ReleaseAnswer(Answer):
    """Whether the answer is released, and how everybody would read it: read it before you release it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "2611-4829-13704",
                    "released_at": "2026-11-22T08:15:30.123456Z",
                    "reply_as_shown": "The lamp was repaired this morning.",
                }
            ]
        }
    )

    reference: str
    released_at: datetime | None
    reply_as_shown: str | None


_PROBLEMS = problems("unauthorized", "forbidden", "not_found", "not_allowed")


@router.get("/{reference}/release", summary="How everybody would read the answer", responses=_PROBLEMS)
async def read_release(
    reference: Reference, services: Wired, signed_in: Staff, language: AskedLanguage
) -> ReleaseAnswer:
    """Whether the answer is shown to citizens who write of the like, and with what in it masked."""
    return await _standing(services, signed_in, await find_visible(services, signed_in, reference), language)


@router.post("/{reference}/release", summary="Release the answer for everybody", responses=_PROBLEMS)
async def release_answer(
    reference: Reference, services: Wired, signed_in: Staff, language: AskedLanguage
) -> ReleaseAnswer:
    """Citizens who write of the like are shown the answer, masked, without the request. A later answer is not released."""
    snapshot = await find_visible(services, signed_in, reference)
    _require_may_release(signed_in, snapshot)
    request_id = UUID(snapshot.request_id)
    answer = await released_answers.standing(services.pool, services.keys, request_id)
    if answer.is_erased:
        raise NotAllowed(ERASED, state=snapshot.state)
    require_releasable(await services.policies.active(), snapshot, was_sensitive=answer.was_sensitive)
    assert answer.reply_id is not None
    await released_answers.release(services.pool, request_id, answer.reply_id, signed_in.account.id, services.now())
    return await _standing(services, signed_in, snapshot, language)


@router.delete("/{reference}/release", summary="Take the release back", responses=_PROBLEMS)
async def withdraw_answer(
    reference: Reference, services: Wired, signed_in: Staff, language: AskedLanguage
) -> ReleaseAnswer:
    """Nobody is shown the answer any more. Who released it and who took it back is kept."""
    snapshot = await find_visible(services, signed_in, reference)
    _require_may_release(signed_in, snapshot)
    await released_answers.withdraw(services.pool, UUID(snapshot.request_id), signed_in.account.id, services.now())
    return await _standing(services, signed_in, snapshot, language)


def _require_may_release(signed_in: SignedIn, snapshot: Snapshot) -> None:
    """Raises Forbidden for whoever does not answer for what the department says in public."""
    leads = snapshot.department is not None and snapshot.department in signed_in.actor.led
    if not leads and not _RELEASING & frozenset(signed_in.actor.roles):
        raise Forbidden("This needs a lead of the department, a dispatcher or a supervisor.")


async def _standing(services: Services, signed_in: SignedIn, snapshot: Snapshot, language: Language) -> ReleaseAnswer:
    answer = await released_answers.standing(services.pool, services.keys, UUID(snapshot.request_id))
    await looked(services, signed_in, Seen(Kind.REQUEST, snapshot.reference, int(answer.reply is not None)))
    shown = masked(answer.reply, language, of_office=True, known=answer.citizens) if answer.reply is not None else None
    return ReleaseAnswer(reference=snapshot.reference, released_at=answer.released_at, reply_as_shown=shown)
