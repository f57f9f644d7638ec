"""The pages of the staff: the open requests that a person may see, and one of them with a form for whatever may be done.

What is shown and done is the interface's own; here it only becomes a page.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.actions import CHOICES_FROM, STAFF_ACTIONS
from api.actions_route import perform
from api.citizens import Reference
from api.dossier import dossier_of
from api.errors import FieldsInvalid, TooLarge, UnsupportedMedia, problem_of
from api.pages.page import WORDS, PageLanguage, clock_of, day_of, length_of, staff_page
from api.rates import SEE_NUMBERS
from api.schemas import Language
from api.services import Services, Wired
from api.signed_in import SignedIn, Staff
from api.similar import beside
from api.staff_requests import ListQuery, add_staff_attachments, list_requests
from api.staff_schemas import EventAnswer, RequestRow
from api.staff_views import read_policy
from api.validation import FieldError
from api.visible import find_visible
from db.tasks import Task
from domain.errors import Refusal, Unknown
from domain.facts import fact_words, moment
from domain.lifecycle import Action
from domain.policy import Policy
from domain.request import OPEN, Role, State

router = APIRouter(prefix="/staff")

_WHOSE = {
    Task.CALL: frozenset({Role.CALLER}),
    Task.EXTENSION: frozenset({Role.DISPATCHER, Role.SUPERVISOR}),
    Task.HOLD: frozenset({Role.SUPERVISOR}),
    Task.CO_HANDLING: frozenset({Role.HANDLER}),
}
"""Whose list each is: of the roles that the table of transitions lets do it."""

_WHOLE = re.compile("-?[0-9]{1,6}")
_TOLD = ("department", "co_department", "category", "target", "reason_name")
"""The facts that the timeline tells besides what was written."""


@router.get("")
async def show_requests(
    services: Wired,
    signed_in: Staff,
    language: PageLanguage,
    state: State | Literal[""] = "",
    department: str = "",
    task: Task | None = None,
    late: bool = True,
    cursor: str | None = None,
    done: Action | None = None,
) -> HTMLResponse:
    """The overdue ones first, then the others; `late` says to which of them the cursor belongs. Or what waits for a task."""
    if task is None:
        states = [State(state)] if state else [each for each in State if each in OPEN]
        narrowed = ListQuery(state=states, department=department or None, cursor=cursor)
        rows, following = await _page_of(services, signed_in, narrowed, late)
    else:
        narrowed = ListQuery(waiting_for=task, department=department or None, cursor=cursor)
        found = await list_requests(services, signed_in, narrowed)
        rows, following = found.requests, {"cursor": found.next_cursor} if found.next_cursor else None
    asked = (("state", "" if task else state), ("department", department), ("task", task))
    kept = {name: value for name, value in asked if value}
    policy = await services.policies.active()
    mine = [each.code for each in policy.departments if signed_in.sight.everything or each.code in signed_in.sight.departments]  # fmt: skip
    return await staff_page(
        services, "requests.html", language, "/staff",
        **await shared(services, signed_in, language), rows=rows, states=[each for each in State if each in OPEN],
        mine=mine, state=state, department=department, done=done, task=task,
        following=following and urlencode({**kept, **following, "lang": language}),
    )  # fmt: skip


async def _page_of(
    services: Services, signed_in: SignedIn, narrowed: ListQuery, late: bool
) -> tuple[list[RequestRow], dict[str, str] | None]:
    """A page of the list, and what leads to the next one."""
    rows: list[RequestRow] = []
    if late:
        found = await list_requests(services, signed_in, narrowed.model_copy(update={"overdue": True}))
        if found.next_cursor:
            return found.requests, {"late": "1", "cursor": found.next_cursor}
        rows, narrowed = found.requests, narrowed.model_copy(update={"cursor": None})
    others = await list_requests(services, signed_in, narrowed.model_copy(update={"overdue": False}))
    following = {"late": "0", "cursor": others.next_cursor} if others.next_cursor else None
    return [*rows, *others.requests], following


@router.get("/requests/{reference}")
async def show_request(
    reference: Reference, services: Wired, signed_in: Staff, language: PageLanguage, done: Action | None = None
) -> HTMLResponse:
    return await _request(services, signed_in, reference, language, done=done)


@router.post("/requests/{reference}/attachments")
async def add_photos_of_staff(
    reference: Reference, request: Request, services: Wired, signed_in: Staff, language: PageLanguage
) -> Response:
    try:
        await add_staff_attachments(reference, request, services, signed_in)
    except (FieldsInvalid, TooLarge, UnsupportedMedia):
        return await _request(services, signed_in, reference, language, status=422, mistakes=("images",))
    return RedirectResponse(f"/staff/requests/{reference}?lang={language}#photos", 303)


@router.post("/requests/{reference}/actions/{action}")
async def take_by_form(
    reference: Reference,
    action: Annotated[Action, Path()],
    request: Request,
    services: Wired,
    signed_in: Staff,
    language: PageLanguage,
) -> Response:
    """Ends at the request again, with what was done, or with the reason why not and what was written still there."""
    form = await request.form()
    sent = _sent(action, form)
    # A second click sends the same once more; what was written anew after going back is another action.
    key = f"page:{form.get('key')}:{json.dumps(sent, sort_keys=True)}" if form.get("key") else None
    try:
        await perform(services, signed_in, reference, action, sent, key)
    except Unknown:
        raise
    except Refusal as refusal:
        return await _refused(services, signed_in, reference, language, action, sent, refusal)
    return RedirectResponse(f"{await _after(services, signed_in, reference)}?done={action}&lang={language}", 303)


def _sent(action: Action, form: FormData) -> dict[str, Any]:
    """The body that the interface takes for the action, of what was filled in. Raises FieldsInvalid for a file in its place."""
    files = [name for name, value in form.multi_items() if not isinstance(value, str)]
    if files:
        raise FieldsInvalid([FieldError(name, "This is a file.", "Write it as text.") for name in files])
    wanted = STAFF_ACTIONS.get(action)
    read: Mapping[str, Any] = {"attachments": form.getlist, "boolean": form.__contains__}
    given = {spec.name: read.get(spec.type, form.get)(spec.name) for spec in (wanted.fields if wanted else ())}
    numbers = {spec.name for spec in (wanted.fields if wanted else ()) if spec.type == "number"}
    return {name: _number(value) if name in numbers else value for name, value in given.items() if value}


def _number(written: Any) -> Any:
    """What is no number stays as it was written, and is told as a mistake."""
    return int(written) if isinstance(written, str) and _WHOLE.fullmatch(written.strip()) else written


async def _refused(
    services: Services, signed_in: SignedIn, reference: str, language: Language, action: Action, sent: Mapping[str, Any],
    refusal: Refusal,
) -> HTMLResponse:  # fmt: skip
    problem = problem_of(refusal)
    mistakes = [mistake.field.partition(".")[0] for mistake in problem.errors]
    return await _request(
        services, signed_in, reference, language,
        status=problem.status, tried=action, sent=sent, mistakes=list(dict.fromkeys(mistakes)),
        refused=None if mistakes else problem,
    )  # fmt: skip


async def _after(services: Services, signed_in: SignedIn, reference: str) -> str:
    """The request, or the list where it is no longer this person's to see."""
    try:
        await find_visible(services, signed_in, reference)
    except Unknown:
        return "/staff"
    return f"/staff/requests/{reference}"


async def _request(
    services: Services, signed_in: SignedIn, reference: str, language: Language, *,
    status: int = 200, done: Action | None = None, tried: Action | None = None, sent: Mapping[str, Any] | None = None,
    mistakes: Sequence[str] = (), refused: Any = None,
) -> HTMLResponse:  # fmt: skip
    snapshot = await find_visible(services, signed_in, reference)
    full = await dossier_of(services, signed_in, snapshot, language)
    policy = await services.policies.active()
    return await staff_page(
        services, "request.html", language, f"/staff/requests/{full.reference}",
        **await shared(services, signed_in, language), status=status, full=full, is_open=full.state in OPEN,
        now=services.now(), day=partial(day_of, language=language), length=partial(length_of, language=language),
        details={event.sequence: _details(policy, event, language) for event in full.timeline},
        beside=await beside(services, signed_in, snapshot), may={entry.action for entry in full.may},
        done=done, tried=tried, sent=sent or {}, mistakes=mistakes, refused=refused, key=secrets.token_urlsafe(16),
    )  # fmt: skip


async def shared(services: Services, signed_in: SignedIn, language: Language) -> dict[str, Any]:
    """What all these pages need: who reads them and may see the numbers, the names of codes, and the city's clock."""
    lists = dict(await read_policy(services, signed_in, language))
    choices = {name: {each.code: each.name for each in lists[name]} for name in CHOICES_FROM.values()}
    policy = await services.policies.active()
    return {
        "who": signed_in.account.name,
        "tasks": tasks_of(signed_in),
        "sees_numbers": bool({*SEE_NUMBERS} & {*signed_in.actor.roles}),
        "choices": choices,
        "at": clock_of(policy, language),
        "briefly": partial(moment, zone=policy.zone, language=language),
    }


def tasks_of(signed_in: SignedIn) -> list[Task]:
    """The lists of what this person may do there."""
    roles = frozenset(signed_in.actor.roles)
    return [task for task, whose in _WHOSE.items() if roles & whose]


def _details(policy: Policy, event: EventAnswer, language: Language) -> str:
    words = fact_words(policy, language, event.facts)
    told = [words[name] for name in _TOLD if name in words]
    if "second_opinion" in words:
        told.append(WORDS[language]["staff"]["second_opinion"].format(category=words["second_opinion"]))
    return " · ".join(told)
