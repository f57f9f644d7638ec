"""How a page is put together: the words of its language, the template, and the headers that keep its address a secret."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Header, Query, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.citizens import preferred_language
from api.errors import Problem
from api.schemas import Language
from api.services import Services, Wired
from domain.policy import Policy, in_language

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_LENGTHS: dict[Language, tuple[str, str, str]] = {"zh": ("天", "小时", "分钟"), "en": (" d", " h", " min")}
# Not strftime: its month names follow the machine's locale.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip

WORDS: dict[Language, dict[str, Any]] = {
    "zh": tomllib.loads((_FOLDER / "texts.zh.toml").read_text(encoding="utf-8")),
    "en": tomllib.loads((_FOLDER / "texts.en.toml").read_text(encoding="utf-8")),
}


async def _page_language(
    services: Wired,
    accept_language: Annotated[str, Header()] = "",
    lang: Annotated[str, Query(max_length=10)] = "",
) -> Language:
    offered = (await services.policies.active()).city.languages
    return preferred_language(lang or accept_language, offered)


PageLanguage = Annotated[Language, Depends(_page_language)]
"""The language that the page was asked in, by its switch or else by the reader's program."""


def chosen_language(sent: str, asked: Language) -> Language:
    """The language that a form carries along, or else the one that the page was asked in."""
    return "en" if sent == "en" else "zh" if sent == "zh" else asked


async def page(
    services: Services, template: str, language: Language, here: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """The rendered page. `here` is its own address, for the switch of languages."""
    policy = await services.policies.active()
    return _rendered(policy, template, language, here, status, values)


async def staff_page(
    services: Services, template: str, language: Language, here: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """The same for staff. Their forms must tell where they were sent from, and their addresses hold no key."""
    answer = await page(services, template, language, here, status=status, **values)
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _rendered(
    policy: Policy | None, template: str, language: Language, here: str, status: int, values: Mapping[str, Any]
) -> HTMLResponse:
    words = WORDS[language]
    html = _TEMPLATES.get_template(template).render(
        **{"standing": None, "mistakes": (), "sees_numbers": False, **values},
        words=words,
        language=language,
        other="en" if language == "zh" else "zh",
        here=here,
        style=Markup(_STYLE),  # nosec B704 - our own style sheet, from a file of this package
        city=in_language(policy.city.name, language) if policy else words["common"]["product"],
        phone=policy.city.phone if policy else None,
    )
    return HTMLResponse(html, status, _HEADERS)


def problem_page(request: Request, problem: Problem) -> Response:
    """A refusal for a person with a browser; it needs no database. Staff without a session are asked to sign in."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    language = preferred_language(asked, ("zh", "en"))
    if problem.code == "unauthorized":
        return RedirectResponse(f"/staff/sign-in?next={quote(request.url.path)}&lang={language}", 303)
    sentences = WORDS[language]["problem"]
    sentence = sentences.get(problem.code, sentences["other"]).format(incident=problem.incident or "")
    response = _rendered(None, "problem.html", language, "/", problem.status, {"sentence": sentence})
    response.headers.update(problem.headers or {})
    return response


def clock_of(policy: Policy, language: Language) -> Any:
    """Writes an instant as the city's clocks show it."""
    zone = ZoneInfo(policy.zone)

    def write(at: datetime) -> str:
        local = at.astimezone(zone)
        return f"{day_of(local.date(), language)}{' ' if language == 'zh' else ', '}{local:%H:%M}"

    return write


def days_of(policy: Policy, language: Language) -> Callable[[datetime], str]:
    """Writes the day on which an instant lies in the city."""
    zone = ZoneInfo(policy.zone)
    return lambda at: day_of(at.astimezone(zone).date(), language)


def day_of(day: date, language: Language) -> str:
    """A day in words."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def month_of(day: date, language: Language) -> str:
    """The month in which that day lies."""
    return f"{day.year}年{day.month}月" if language == "zh" else f"{_MONTHS[day.month - 1]} {day.year}"


def length_of(seconds: int, language: Language) -> str:
    """A length of time in days and hours, the smaller part left out where it says nothing."""
    hours, minutes = divmod(max(0, seconds) // 60, 60)
    days, hours = divmod(hours, 24)
    units = _LENGTHS[language]
    parts = [f"{number}{unit}" for number, unit in zip((days, hours, minutes), units, strict=True) if number]
    return " ".join(parts[:2]) or f"0{units[-1]}"
