"""Taking a staff action: may this person see and do it, is the body right, and what does the workflow say.

The read model refuses quickly what is plainly not possible; the workflow, which owns the truth, has the last word.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Header, Path, Request
from pydantic import ConfigDict

from api.actions import ATTACHMENTS, EXAMPLES, PARTS, STAFF_ACTIONS, StaffAction, needs_picture, wrong_code
from api.body import read_json
from api.citizens import Reference
from api.documented import problems
from api.engine import OutcomeUnknown, take_action
from api.errors import DATABASE_DOWN, FieldsInvalid
from api.fields import Answer, Body
from api.reopening import policy_of
from api.services import Services, Wired
from api.signed_in import SignedIn, Staff
from api.validation import FieldError
from api.visible import find_visible, require_not_erased
from db import answered, attachments, texts
from domain.errors import NotAllowed, Refusal, Unknown
from domain.lifecycle import Action, permit
from domain.policy import Policy
from domain.references import parse_reference
from domain.request import Snapshot, State
from policies.store import NoPolicy

router = APIRouter(prefix="/staff/requests", tags=["staff"])

_ADD_FIRST = "Add it with POST /api/v1/staff/requests/{reference}/attachments, and send the id that this gives."


class ActionAnswer(Answer):
    """The new state, and the number of the event in the timeline."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reference": "2611-4829-13704", "state": "in_progress", "sequence": 4}]}
    )

    reference: str
    state: State
    sequence: int


_BODIES = {
    "requestBody": {
        "description": "The fields of the action; `may` of GET /requests/{reference} lists them.",
        "content": {
            "application/json": {
                "schema": {"anyOf": [wanted.body.model_json_schema() for wanted in STAFF_ACTIONS.values()]},
                "examples": {
                    action.value: {"summary": action.value, "value": example} for action, example in EXAMPLES.items()
                },
            }
        },
    }
}


@router.post(
    "/{reference}/actions/{action}", summary="Take an action", openapi_extra=_BODIES,
    responses=problems(
        "invalid", "malformed", "unauthorized", "forbidden", "not_found", "not_allowed", "engine_unavailable",
        "too_large", "unsupported_media_type",
    ),
)  # fmt: skip
async def act(
    reference: Reference,
    action: Annotated[Action, Path(description="As in PROCESS.md.")],
    request: Request,
    services: Wired,
    signed_in: Staff,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> ActionAnswer:
    """Done and durable when the answer is 200; refused with the reason otherwise, and then nothing has changed.

    A 503 says whether that is known. Where it is not, the same again with the same `Idempotency-Key` does nothing twice.
    """
    return await perform(services, signed_in, reference, action, await read_json(request), idempotency_key)


async def perform(
    services: Services, signed_in: SignedIn, reference: str, action: Action, sent: Any, key: str | None
) -> ActionAnswer:
    """Takes the action with the body that was sent, once for the same `key`. Raises a Refusal."""
    try:
        snapshot = await find_visible(services, signed_in, reference)
    except Unknown:
        # Whoever has passed a request on may see it no more, and asks again because the answer to that was lost.
        if taken := await _taken_before(services, signed_in, reference, action, key):
            return taken
        raise
    await require_not_erased(services, snapshot)
    wanted = STAFF_ACTIONS.get(action)
    if key is None or wanted is None:
        # A repeated action would be refused here because of its own success, so that the workflow must answer it.
        permit(snapshot, action, signed_in.actor, services.now())
    if wanted is None:
        raise NotAllowed(f"'{action}' is not an action that staff take here.", state=snapshot.state)
    body = wanted.read(sent)
    check_codes(
        await services.policies.active(), wanted, body, helping=[each.department for each in snapshot.co_handlers]
    )
    if wanted.action is Action.ADOPT_POLICY:
        await _check_version(services, body)
    await check_pictures(services, snapshot, wanted, body)
    taken = await _carry_out(services, signed_in, snapshot, wanted, body, key)
    if second := _second_department(wanted, body):
        return await perform(services, signed_in, reference, Action.ADD_CO_HANDLER, second, key and f"{key}:co_handler")
    return taken


async def _taken_before(
    services: Services, signed_in: SignedIn, reference: str, action: Action, key: str | None
) -> ActionAnswer | None:
    """The answer to this very person's action with this key, if it was carried out."""
    wanted, written = STAFF_ACTIONS.get(action), parse_reference(reference)
    if key is None or wanted is None or written is None:
        return None
    return await _carried_out(services, written, _update_id(signed_in, wanted, key))


def _second_department(wanted: StaffAction, body: Any) -> dict[str, str] | None:
    """The second department that a dispatcher asks along with an assignment: an update of its own, after the first."""
    if wanted.action is not Action.ASSIGN or body.co_department is None:
        return None
    return {"department": body.co_department, "task": body.co_task}


async def _carry_out(
    services: Services, signed_in: SignedIn, snapshot: Snapshot, wanted: StaffAction, body: Body, key: str | None
) -> ActionAnswer:
    update_id = _update_id(signed_in, wanted, key)
    text_ids = await _keep_texts(services, snapshot, wanted.texts(body), update_id)
    command = wanted.build(body, signed_in.actor, text_ids)
    try:
        taken = await take_action(services.temporal, snapshot, wanted.action, command, update_id)
    except OutcomeUnknown:
        with suppress(*DATABASE_DOWN):  # who would say that nothing was stored
            if done := await _carried_out(services, snapshot.reference, update_id):
                return done
        raise  # an event may yet name the texts
    except Refusal:
        # The engine may have carried it out, lost that with a task, and asked the run once more: too late by then, perhaps.
        if done := await _carried_out(services, snapshot.reference, update_id):
            return done
        # Not deleted: a worker that was frozen in the middle of recording it may go on even now.
        await texts.refuse(services.pool, text_ids.values(), services.now())
        raise
    return ActionAnswer(reference=snapshot.reference, state=taken.state, sequence=taken.sequence)


async def _carried_out(services: Services, reference: str, update_id: str) -> ActionAnswer | None:
    """What the database shows of that very action; None where it shows nothing."""
    done = await answered.of_act(services.pool, reference, update_id)
    return ActionAnswer(reference=reference, state=done.state, sequence=done.sequence) if done else None


async def _keep_texts(services: Services, snapshot: Snapshot, given: dict[str, str], update_id: str) -> dict[str, UUID]:
    """Texts are kept before the update that names them; the same update again names the same texts."""
    request_id, now = UUID(snapshot.request_id), services.now()
    return {
        name: await texts.keep(
            services.pool, services.keys, request_id, text, now, text_id=uuid5(request_id, f"{update_id}:{name}")
        )
        for name, text in given.items()
    }


def _update_id(signed_in: SignedIn, wanted: StaffAction, key: str | None) -> str:
    """The same for the same person, action and key, and telling nothing of them."""
    if key is None:
        return f"{wanted.action}-{secrets.token_hex(16)}"
    return f"{wanted.action}-{hashlib.sha256(f'{signed_in.account.id}:{key}'.encode()).hexdigest()[:32]}"


def check_codes(policy: Policy, wanted: StaffAction, body: Body, helping: Sequence[str] = ()) -> None:
    """Raises FieldsInvalid, with the choices, for codes that the policy in force does not have.

    A department that does its part, or is done without, is one of those `helping`, in the policy still or not.
    """
    of_parts = wanted.action in PARTS
    known = {
        "department": helping if of_parts else [department.code for department in policy.departments],
        "co_department": [department.code for department in policy.departments],
        "category": [category.code for category in policy.categories],
        "reason_code": [reason.code for reason in policy.decline_reasons],
        "target": [target.code for target in policy.transfer_targets],
    }
    mistakes = [wrong_code(name, known[name]) for name, code in wanted.codes(body).items() if code not in known[name]]
    if mistakes:
        raise FieldsInvalid(mistakes)


async def _check_version(services: Services, body: Any) -> None:
    """Raises FieldsInvalid for a version of the policy that was never loaded."""
    try:
        await services.policies.version(body.version)
    except NoPolicy:
        raise FieldsInvalid.of(
            "version", "No policy of this version was ever loaded.", "`huisheng policy list` shows those there are."
        ) from None


async def check_pictures(services: Services, snapshot: Snapshot, wanted: StaffAction, body: Body) -> None:
    """Raises FieldsInvalid for a picture that staff have not added to the request, and where the category needs one."""
    named = wanted.pictures(body)
    if named is None:
        return
    if not named and needs_picture(await policy_of(services, snapshot), snapshot):
        raise FieldsInvalid.of(ATTACHMENTS, "The category asks for a photo of what was done.", _ADD_FIRST)
    kept = await attachments.list_of(services.pool, UUID(snapshot.request_id)) if named else []
    known = {picture.id for picture in kept if picture.is_of_staff}
    mistakes = [
        FieldError(ATTACHMENTS, f"Staff have added no picture {picture} to this request.", _ADD_FIRST)
        for picture in named
        if picture not in known
    ]
    if mistakes:
        raise FieldsInvalid(mistakes)
