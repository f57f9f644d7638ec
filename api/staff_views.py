"""What staff look at beside requests: the numbers, the messages that went out, and the words to choose from."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from api.citizens import AskedLanguage
from api.documented import problems
from api.errors import FieldsInvalid
from api.fields import Answer
from api.services import Wired
from api.signed_in import Staff
from api.staff_schemas import Choice, DepartmentChoice, OutboxAnswer, OutboxLine, PolicyAnswer
from db import outbox, rates
from db.outbox import Line
from db.rates import Grouping
from domain.notices import NoticeKind
from domain.policy import in_language
from domain.rates import Counts
from domain.request import Role

router = APIRouter(prefix="/staff", tags=["staff"])

MOST_MESSAGES = 200
USUAL_PERIOD = timedelta(days=30)
_LINK = re.compile(r"(/r/[0-9-]+/)[\w-]+")
_DIGITS = re.compile(r"\d{4,}")


class RatesRow(Answer):
    """The three rates of one part of the city, and the counts they are made of. A rate of nothing is null."""

    part: str | None
    submitted: int
    assigned: int
    contacted_in_time: int
    contact_pending: int
    answered: int
    solved: int
    satisfied: int
    no_reply: int
    no_response: int
    slow_response: int
    wrong_response: int
    response_rate: float | None
    resolution_rate: float | None
    satisfaction_rate: float | None


class RatesAnswer(Answer):
    """Of the requests submitted from the first day to the last, both included, in the city's time."""

    model_config = ConfigDict(populate_by_name=True)

    first_on: date
    last_on: date
    by: str
    rows: list[RatesRow]


@router.get(
    "/rates",
    summary="The three rates and the three failures",
    responses=problems("invalid", "unauthorized", "forbidden"),
)
async def read_rates(
    services: Wired,
    signed_in: Staff,
    first_on: Annotated[date | None, Query(alias="from")] = None,
    last_on: Annotated[date | None, Query(alias="to")] = None,
    by: Literal["city", "department", "category", "district"] = "city",
) -> RatesAnswer:
    """By default of the last thirty days."""
    signed_in.require_role(Role.SUPERVISOR, Role.DISPATCHER, Role.ADMIN, Role.HANDLER)
    zone = ZoneInfo((await services.policies.active()).zone)
    now = services.now()
    last = last_on or now.astimezone(zone).date()
    first = first_on or last - USUAL_PERIOD
    if first > last:
        raise FieldsInvalid.of("from", "The period ends before it begins.", "Let from be the earlier day.")
    from_at, to_at = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
    found = await rates.counts(services.pool, Grouping(by), from_at, to_at, now)
    return RatesAnswer(first_on=first, last_on=last, by=by, rows=[_row(counts) for counts in found])


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone)


def _row(counts: Counts) -> RatesRow:
    return RatesRow.model_validate(counts, from_attributes=True)


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
    lines = await outbox.latest(services.pool, services.keys, reference=reference, most=limit)
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
