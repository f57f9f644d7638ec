"""The numbers over the interface: the three rates and the three failures, and the list of requests behind each count.

A person's numbers count the requests that the person may see, and no others; so does each list.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from api.cursors import read_cursor
from api.documented import problems
from api.errors import FieldsInvalid
from api.fields import Answer, Body, Code
from api.services import Services, Wired
from api.signed_in import SignedIn, Staff
from api.staff_requests import MOST_ROWS, answer_of
from api.staff_schemas import RequestsAnswer
from db import rates
from db.rates import Grouping, Scope
from domain.rates import Counts, Figure, together
from domain.request import Role

router = APIRouter(prefix="/staff/rates", tags=["staff"])

LISTS = "/api/v1/staff/rates/requests"
SEE_NUMBERS = (Role.SUPERVISOR, Role.DISPATCHER, Role.ADMIN, Role.HANDLER)
USUAL_DAYS = 30
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


class _Period(NamedTuple):
    """From the beginning of the first day to the end of the last, in the city's time."""

    first_on: date
    last_on: date
    zone: str


class RatesQuery(Body):
    """Which requests are counted, and by what they are told apart; everything together."""

    model_config = ConfigDict(populate_by_name=True)

    first_on: date | None = Field(None, alias="from", description="The first day of submission.")
    last_on: date | None = Field(
        None, alias="to", description="The last day of submission, included; today by default."
    )
    by: Grouping = Grouping.CITY
    department: Code | None = None
    category: Code | None = None
    district: Code | None = None


class CountedQuery(RatesQuery):
    """A figure of the numbers. Without `part`, the requests that belong to none."""

    figure: Figure
    part: Code | None = Field(None, description="As the row of the numbers names it.")
    cursor: str | None = None
    limit: int = Field(25, ge=1, le=MOST_ROWS)


class RatesRow(Answer):
    """The three rates of one part, and the counts they are made of. A rate of nothing is null.

    `part` is a code, or the first day of a day, week or month; null for the whole city and where none is known.
    `lists` has the address of the requests behind each count.
    """

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
    quick_logged: int
    response_rate: float | None
    resolution_rate: float | None
    satisfaction_rate: float | None
    lists: dict[Figure, str]


class RatesAnswer(Answer):
    """Of the requests submitted from the first day to the last, both included, in the city's time. `whole` is all rows
    together.
    """

    first_on: date
    last_on: date
    by: Grouping
    rows: list[RatesRow]
    whole: RatesRow


@router.get(
    "",
    summary="The three rates and the three failures",
    responses=problems("invalid", "unauthorized", "forbidden"),
)
async def read_rates(services: Wired, signed_in: Staff, asked: Annotated[RatesQuery, Query()]) -> RatesAnswer:
    """Of the requests that this person may see; by default of the last thirty days."""
    signed_in.require_role(*SEE_NUMBERS)
    period = await _period(services, asked)
    found = await rates.counts(services.pool, asked.by, _scope(signed_in, asked, period), services.now())
    return RatesAnswer(
        first_on=period.first_on,
        last_on=period.last_on,
        by=asked.by,
        rows=[_row(asked, period, counts) for counts in found],
        whole=_row(asked.model_copy(update={"by": Grouping.CITY}), period, together(found)),
    )


@router.get(
    "/requests",
    summary="The requests behind a figure",
    responses=problems("invalid", "unauthorized", "forbidden"),
)
async def read_counted(services: Wired, signed_in: Staff, asked: Annotated[CountedQuery, Query()]) -> RequestsAnswer:
    """As many as the figure says, the newest first, as the rows of the list of requests."""
    signed_in.require_role(*SEE_NUMBERS)
    period = await _period(services, asked)
    page = await rates.counted(
        services.pool,
        services.keys,
        asked.figure,
        asked.by,
        asked.part,
        _scope(signed_in, asked, period),
        services.now(),
        after=read_cursor(asked.cursor),
        limit=asked.limit,
    )
    return await answer_of(services, signed_in, page)


async def _period(services: Services, asked: RatesQuery) -> _Period:
    """As it was asked for, or the thirty days until the last. Raises FieldsInvalid."""
    zone = (await services.policies.active()).zone
    last_on = asked.last_on or services.now().astimezone(ZoneInfo(zone)).date()
    _check("to", last_on)
    first_on = asked.first_on or last_on - timedelta(days=USUAL_DAYS - 1)
    _check("from", first_on)
    if first_on > last_on:
        raise FieldsInvalid.of("from", "The period ends before it begins.", "Let from be the earlier day.")
    return _Period(first_on, last_on, zone)


def _check(field: str, day: date) -> None:
    if not _FIRST_DAY <= day <= _LAST_DAY:
        mend = f"Choose a day from {_FIRST_DAY} to {_LAST_DAY}."
        raise FieldsInvalid.of(field, "There are no requests of that time.", mend)


def _scope(signed_in: SignedIn, asked: RatesQuery, period: _Period) -> Scope:
    return Scope(
        from_at=_midnight(period.first_on, period.zone),
        to_at=_midnight(period.last_on + timedelta(days=1), period.zone),
        zone=period.zone,
        sight=signed_in.sight,
        department=asked.department,
        category=asked.category,
        district=asked.district,
    )


def _midnight(on: date, zone: str) -> datetime:
    return datetime.combine(on, time(), ZoneInfo(zone))


def _row(asked: RatesQuery, period: _Period, counts: Counts) -> RatesRow:
    return RatesRow(
        part=counts.part,
        response_rate=counts.response_rate,
        resolution_rate=counts.resolution_rate,
        satisfaction_rate=counts.satisfaction_rate,
        lists={figure: f"{LISTS}?{_behind(asked, period, figure, counts.part)}" for figure in Figure},
        **{figure.value: counts.of(figure) for figure in Figure},
    )


def _behind(asked: RatesQuery, period: _Period, figure: Figure, part: str | None) -> str:
    """The parameters that ask for the list behind that figure of that part, in the same period and scope."""
    told = {
        "figure": figure,
        "by": asked.by,
        "part": part,
        "from": period.first_on,
        "to": period.last_on,
        "department": asked.department,
        "category": asked.category,
        "district": asked.district,
    }
    return urlencode({name: str(value) for name, value in told.items() if value is not None})
