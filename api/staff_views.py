"""What staff look at beside requests and numbers: the messages that went out, and the words to choose from."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query

from api.citizens import AskedLanguage
from api.documented import problems
from api.looks import looked
from api.services import Wired
from api.signed_in import Staff
from api.staff_schemas import Choice, DepartmentChoice, OutboxAnswer, OutboxLine, PolicyAnswer
from db import outbox
from db.audit import Seen
from db.outbox import Line
from domain.audit import Kind
from domain.notices import NoticeKind
from domain.policy import in_language
from domain.request import Role

router = APIRouter(prefix="/staff", tags=["staff"])

MOST_MESSAGES = 200
_LINK = re.compile(r"(/[rq]/[0-9-]+/)[\w-]+")
_DIGITS = re.compile(r"\d{4,}")


@router.get("/outbox", summary="Messages that went out", responses=problems("unauthorized", "forbidden"))
async def read_outbox(
    services: Wired,
    signed_in: Staff,
    reference: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_MESSAGES)] = 50,
) -> OutboxAnswer:
    """What the console provider kept. The keys to requests in links, and one-time codes, are left out: they are the
    citizen's alone."""
    signed_in.require_role(Role.SUPERVISOR, Role.DISPATCHER, Role.ADMIN)
    lines = await outbox.latest(
        services.pool, services.keys, reference=reference, confidential=signed_in.sight.confidential, most=limit
    )
    await looked(services, signed_in, Seen(Kind.MESSAGES, reference, len(lines)))
    return OutboxAnswer(messages=[_message(line) for line in lines])


def _message(line: Line) -> OutboxLine:
    text = _LINK.sub(r"\1…", line.text)
    if line.kind == NoticeKind.ONE_TIME_CODE:
        text = _DIGITS.sub("…", text)
    return OutboxLine(
        sent_at=line.sent_at,
        reference=line.reference or "",
        kind=line.kind,
        recipient=line.recipient,
        to=line.to,
        parts=line.parts,
        text=text,
    )


@router.get("/policy", summary="The words that actions choose from", responses=problems("unauthorized"))
async def read_policy(services: Wired, signed_in: Staff, language: AskedLanguage) -> PolicyAnswer:
    """Departments, categories, reasons and targets of the policy in force, in the reader's language."""
    policy = await services.policies.active()

    return PolicyAnswer(
        version=policy.version,
        city=in_language(policy.city.name, language),
        departments=[
            DepartmentChoice(code=d.code, name=in_language(d.name, language), kind=d.kind, parent=d.parent)
            for d in policy.departments
        ],
        categories=[Choice(code=c.code, name=in_language(c.name, language)) for c in policy.categories],
        decline_reasons=[Choice(code=r.code, name=in_language(r.name, language)) for r in policy.decline_reasons],
        transfer_targets=[Choice(code=t.code, name=in_language(t.name, language)) for t in policy.transfer_targets],
        districts=[Choice(code=d.code, name=in_language(d.name, language)) for d in policy.districts],
    )
