"""The pages of the numbers: the rates and failures as a table with a link behind every count, and the list that it opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse

from api.errors import FieldsInvalid
from api.pages.console import shared
from api.pages.page import WORDS, PageLanguage, day_of, month_of, staff_page
from api.rates import CountedQuery, RatesAnswer, RatesQuery, RatesRow, read_counted, read_rates
from api.schemas import Language
from api.services import Services, Wired
from api.signed_in import SignedIn, Staff
from api.staff_views import read_policy
from api.validation import field_errors
from db.rates import Grouping
from domain.rates import Figure

router = APIRouter(prefix="/staff/numbers")

PAGE = "/staff/numbers"
Names = Mapping[Grouping, Mapping[str, str]]
"""What codes mean to the reader, in the order of the policy."""


Asked = TypeVar("Asked", bound=RatesQuery)


@router.get("")
async def show_numbers(request: Request, services: Wired, signed_in: Staff, language: PageLanguage) -> HTMLResponse:
    """The table of what was asked for; with a mistake in the form that of the usual period, and what is wrong."""
    mistakes: Sequence[str] = ()
    try:
        asked = _asked(RatesQuery, request)
        answer = await read_rates(services, signed_in, asked)
    except FieldsInvalid as error:
        asked, mistakes = RatesQuery(), [mistake.field for mistake in error.errors]
        answer = await read_rates(services, signed_in, asked)
    return await _numbers(services, signed_in, language, asked, answer, mistakes)


@router.get("/requests")
async def show_counted(request: Request, services: Wired, signed_in: Staff, language: PageLanguage) -> HTMLResponse:
    """The requests behind one figure, page by page."""
    asked = _asked(CountedQuery, request)
    page = await read_counted(services, signed_in, asked)
    shown = await shared(services, signed_in, language)
    part = _named(asked.part, asked.by, await _names(services, signed_in, language), language)
    following = {**_given(request), "cursor": page.next_cursor or "", "lang": language}
    return await staff_page(
        services, "counted.html", language, PAGE,
        **shown, asked=asked, part=part, rows=page.requests, day=partial(day_of, language=language),
        back=urlencode({**_given(request, leave=("figure", "part", "cursor", "limit")), "lang": language}),
        following=urlencode(following) if page.next_cursor else None,
    )  # fmt: skip


def _given(request: Request, leave: Sequence[str] = ()) -> dict[str, str]:
    """What the address asks for; a field of the form that was left empty asks for nothing."""
    return {name: value for name, value in request.query_params.items() if value and name not in ("lang", *leave)}


def _asked(kind: type[Asked], request: Request) -> Asked:
    try:
        return kind.model_validate(_given(request))
    except ValidationError as error:
        raise FieldsInvalid(list(field_errors(error.errors(include_url=False, include_input=False)))) from None


async def _numbers(
    services: Services, signed_in: SignedIn, language: Language, asked: RatesQuery, answer: RatesAnswer,
    mistakes: Sequence[str],
) -> HTMLResponse:  # fmt: skip
    shown = await shared(services, signed_in, language)
    names = await _names(services, signed_in, language)
    rows = sorted(answer.rows, key=partial(_place, [*names.get(answer.by, ())]))
    return await staff_page(
        services, "numbers.html", language, PAGE,
        **shown, status=422 if mistakes else 200, mistakes=mistakes, asked=asked, answer=answer,
        lines=[(_named(row.part, answer.by, names, language), row) for row in rows], names=names,
        figures=[*Figure], behind=partial(_behind, language),
    )  # fmt: skip


async def _names(services: Services, signed_in: SignedIn, language: Language) -> Names:
    """Those that this person may see."""
    policy = await read_policy(services, signed_in, language)
    sight = signed_in.sight
    departments = {d.code: d.name for d in policy.departments if sight.everything or d.code in sight.departments}
    return {
        Grouping.DEPARTMENT: departments,
        Grouping.CATEGORY: {each.code: each.name for each in policy.categories},
        Grouping.DISTRICT: {each.code: each.name for each in policy.districts},
    }


def _place(codes: Sequence[str], row: RatesRow) -> tuple[int, str]:
    """In the order of the policy, or of time: nobody is ranked. What the policy no longer has, and none, come last."""
    if row.part is None:
        return len(codes) + 1, ""
    return codes.index(row.part) if row.part in codes else len(codes), row.part


def _behind(language: Language, row: RatesRow, figure: Figure) -> str:
    """The page of the list behind a count."""
    return f"{PAGE}/requests?{row.lists[figure].partition('?')[2]}&lang={language}"


def _named(part: str | None, by: Grouping, names: Names, language: Language) -> str:
    """A part in the reader's words; as it is written where the policy no longer has it."""
    words = WORDS[language]
    if by is Grouping.CITY:
        return str(words["numbers"]["whole"])
    if part is None:
        return str(words["numbers"]["none_known"])
    if by in names:
        return names[by].get(part, part)
    try:
        day = date.fromisoformat(part)
    except ValueError:
        return part
    return str(words["part_of_time"][by]).format(day=day_of(day, language), month=month_of(day, language))
