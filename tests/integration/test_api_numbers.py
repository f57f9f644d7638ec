"""The numbers over the interface and on their page: a link behind every count, and a list of as many requests behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from api.pages.page import WORDS
from api.schemas import Language
from domain.rates import Figure
from tests.integration.test_api_console import a_page, signed_in, titles
from tests.integration.test_api_pages import Form
from tests.interface import Interface, an_interface, problem
from tests.lives import Life, live

OCTOBER = {"from": "2026-10-01", "to": "2026-10-31"}
NOVEMBER = {"from": "2026-11-01", "to": "2026-11-30"}

LIVES = (
    # 23:30 on the last day of October, and 00:30 on the first of November, in the city.
    Life("praised", datetime(2026, 10, 31, 15, 30, tzinfo=UTC), "housing", "0 assign; .1 accept; .5 contact; 2 resolve; 3 rate yes 5"),
    Life("silence", datetime(2026, 10, 31, 16, 30, tzinfo=UTC), "housing", "0 assign; .1 accept; .5 contact; 2 resolve; 9 close"),
    Life("forgotten", datetime(2026, 11, 4, 2, 0, tzinfo=UTC), "housing", "0 assign; 1 contact_overdue"),
    Life("forgotten elsewhere", datetime(2026, 11, 5, 2, 0, tzinfo=UTC), "health", "0 assign; 1 contact_overdue", category="clinic", district=None),
    Life("a secret", datetime(2026, 11, 6, 2, 0, tzinfo=UTC), "health", "0 assign; 1 contact_overdue", category="clinic", confidential=True),
    Life("nobody's", datetime(2026, 11, 7, 2, 0, tzinfo=UTC), "housing", "0 triage", district=None),
)  # fmt: skip


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url) as running:
        for role in ("supervisor", "dispatcher", "admin", "caller"):
            await running.employ(role, role)
        await running.employ("handler", "handler", departments=["housing"])
        await running.employ("doctor", "handler", departments=["health"])
        for life in LIVES:
            await live(running.services.pool, running.services.keys, life)
        yield running


async def rows(interface: Interface, username: str = "supervisor", **asked: str) -> dict[str | None, dict[str, Any]]:
    """The rows of November by part."""
    answer = await interface.as_staff(username, "/rates", params=NOVEMBER | asked)
    assert answer.status_code == 200, answer.text
    return {row["part"]: row for row in answer.json()["rows"]}


async def listed(interface: Interface, username: str, link: str, limit: int = 2) -> list[str]:
    """What the list behind a link holds, page by page."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        answer = await interface.as_staff(
            username, urlsplit(link).path.removeprefix("/api/v1/staff"), params=asked | cursor | {"limit": str(limit)}
        )
        assert answer.status_code == 200, answer.text
        found += [row["title"] for row in answer.json()["requests"]]
        if answer.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": answer.json()["next_cursor"]}


@pytest.mark.parametrize("by", ["city", "department", "category", "district", "day", "week", "month"])
@pytest.mark.parametrize("username", ["supervisor", "admin", "handler", "doctor"])
async def test_every_count_has_a_link_to_as_many_requests(interface: Interface, username: str, by: str) -> None:
    found = await rows(interface, username, by=by)
    assert found
    answer = await interface.as_staff(username, "/rates", params=NOVEMBER | {"by": by})
    for row in (*found.values(), answer.json()["whole"]):
        assert row["lists"].keys() == {*Figure}
        for figure, link in row["lists"].items():
            assert len(await listed(interface, username, link)) == row[figure]


async def test_list_behind_a_figure_names_its_requests(interface: Interface) -> None:
    by_department = await rows(interface, by="department")
    assert list(by_department) == ["health", "housing", None]
    assert await listed(interface, "supervisor", by_department["health"]["lists"]["no_response"]) == ["a secret", "forgotten elsewhere"]  # fmt: skip
    assert await listed(interface, "supervisor", by_department["housing"]["lists"]["submitted"]) == ["forgotten", "silence"]  # fmt: skip
    assert await listed(interface, "supervisor", by_department[None]["lists"]["submitted"]) == ["nobody's"]
    (narrowed,) = (await rows(interface, by="month", category="street_light", district="middle")).values()
    assert await listed(interface, "supervisor", narrowed["lists"]["no_response"]) == ["forgotten"]


@pytest.mark.parametrize(
    ("username", "count"), [("supervisor", 5), ("dispatcher", 5), ("admin", 4), ("handler", 2), ("doctor", 2)]
)
async def test_numbers_are_of_what_the_person_may_see(interface: Interface, username: str, count: int) -> None:
    assert (await rows(interface, username))[None]["submitted"] == count


async def test_caller_is_shown_no_numbers(interface: Interface) -> None:
    problem(await interface.as_staff("caller", "/rates"), 403, "forbidden")
    problem(await interface.as_staff("caller", "/rates/requests", params={"figure": "solved"}), 403, "forbidden")
    anonymous = await interface.http.get("/api/v1/staff/rates/requests", params={"figure": "solved"})
    problem(anonymous, 401, "unauthorized")


async def test_month_begins_at_midnight_of_the_city(interface: Interface) -> None:
    both = {"from": "2026-10-01", "to": "2026-11-30", "by": "month"}
    answer = (await interface.as_staff("supervisor", "/rates", params=both)).json()
    assert [(row["part"], row["submitted"]) for row in answer["rows"]] == [("2026-10-01", 1), ("2026-11-01", 5)]
    assert (await interface.as_staff("supervisor", "/rates", params=OCTOBER)).json()["rows"][0]["solved"] == 1
    days = await rows(interface, by="day")
    assert [*days] == ["2026-11-01", "2026-11-04", "2026-11-05", "2026-11-06", "2026-11-07"]
    assert [*await rows(interface, by="week")] == ["2026-10-26", "2026-11-02"]


async def test_all_rows_together_are_the_whole(interface: Interface) -> None:
    whole = (await rows(interface))[None]
    for by in ("department", "category", "district", "day", "week", "month"):
        answer = await interface.as_staff("supervisor", "/rates", params=NOVEMBER | {"by": by})
        assert answer.json()["whole"] == whole
    nothing = (await interface.as_staff("supervisor", "/rates", params={"to": "2020-01-31"})).json()
    assert (nothing["rows"], nothing["whole"]["submitted"], nothing["whole"]["response_rate"]) == ([], 0, None)


async def test_period_is_the_last_thirty_days_unless_asked_for(interface: Interface) -> None:
    answer = (await interface.as_staff("supervisor", "/rates")).json()
    assert (answer["first_on"], answer["last_on"]) == ("2026-10-25", "2026-11-23")
    until = (await interface.as_staff("supervisor", "/rates", params={"to": "2026-11-10"})).json()
    assert (until["first_on"], until["last_on"]) == ("2026-10-12", "2026-11-10")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"to": "0001-01-01"}, "to"),
        ({"from": "2026-02-30"}, "from"),
        ({"by": "speed"}, "by"),
        ({"departments": "housing"}, "departments"),
        ({"figure": "fastest"}, "figure"),
        ({"figure": "solved", "cursor": "x"}, "cursor"),
        ({"figure": "solved", "limit": "0"}, "limit"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_field(
    interface: Interface, asked: Mapping[str, str], field: str
) -> None:
    path = "/rates/requests" if "figure" in asked else "/rates"
    body = problem(await interface.as_staff("supervisor", path, params=asked), 422, "invalid")
    assert body["errors"][0]["field"] == field


async def test_part_that_never_was_has_an_empty_list(interface: Interface) -> None:
    for by, part in (("month", "next"), ("department", "'; drop"), ("city", "housing"), ("district", "")):
        asked = {"figure": "submitted", "by": by, "part": part}
        assert (await interface.as_staff("supervisor", "/rates/requests", params=asked)).json()["requests"] == []


# The page


@pytest.fixture
async def browser(interface: Interface) -> httpx2.AsyncClient:
    await interface.services.pool.execute("delete from throttles")
    return await signed_in(interface, "supervisor")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("by", ["city", "department", "category", "district", "day", "week", "month"])
async def test_page_has_a_list_behind_every_count(browser: httpx2.AsyncClient, by: str, language: Language) -> None:
    html = await a_page(browser, f"/staff/numbers?lang={language}&by={by}&from=2026-11-01&to=2026-11-30&district=")
    links = re.findall(r'<td><a href="([^"]+)">(\d+)</a></td>', html)
    assert len(links) >= 5
    for link, number in links:
        page = await a_page(browser, link.replace("&amp;", "&"))
        assert len(titles(page)) == int(number)
    form = Form(html)
    assert set(form.ids) <= form.labels
    assert WORDS[language]["figure"]["resolution_rate"] in html


async def test_page_of_the_parts_ends_with_all_together(browser: httpx2.AsyncClient) -> None:
    html = await a_page(browser, "/staff/numbers?lang=en&by=department&from=2026-11-01&to=2026-11-30")
    heads = re.findall(r'<th scope="row">([^<]+)</th>', html)
    assert heads == ["Housing", "Health", "None", "All together"]
    (foot,) = re.findall(r"<tfoot>(.*?)</tfoot>", html, re.DOTALL)
    assert re.findall(r">(\d+)</a>", foot)[:2] == ["5", "4"]
    assert "25.0%" in foot
    assert "–" in foot


async def test_form_keeps_what_was_chosen(browser: httpx2.AsyncClient) -> None:
    html = await a_page(browser, "/staff/numbers?lang=en&by=month&from=2026-10-01&to=2026-11-30&department=health")
    form = Form(html)
    assert form.forms["/staff/numbers"]["lang"] == "en"
    assert 'value="2026-10-01"' in html
    assert re.findall(r'<option value="(\w+)" selected', html) == ["month", "health"]
    assert "November 2026" in html
    link = re.findall(r'<td><a href="([^"]+)">', html)[0].replace("&amp;", "&")
    counted = await a_page(browser, link)
    assert "<p>1 October 2026 – 30 November 2026</p>" in counted
    back = re.findall(r'<a href="(/staff/numbers\?[^"]+)"', counted)[-1].replace("&amp;", "&")
    assert parse_qs(urlsplit(back).query) == {
        "by": ["month"], "from": ["2026-10-01"], "to": ["2026-11-30"], "department": ["health"], "lang": ["en"],
    }  # fmt: skip


@pytest.mark.parametrize(("asked", "word"), [("from=2026-11-02&to=2026-11-01", "from"), ("by=speed", "by"), ("to=soon", "to")])  # fmt: skip
async def test_mistake_in_the_form_is_told_over_the_usual_period(
    browser: httpx2.AsyncClient, asked: str, word: str
) -> None:
    html = await a_page(browser, f"/staff/numbers?lang=en&{asked}", status=422)
    assert WORDS["en"]["mend"][word] in html
    assert 'value="2026-10-25"' in html


async def test_page_says_that_there_is_nothing(browser: httpx2.AsyncClient) -> None:
    for address in (
        "/staff/numbers?lang=en&to=2020-01-31",
        "/staff/numbers/requests?lang=en&figure=solved&to=2020-01-31",
    ):
        assert WORDS["en"]["numbers"]["empty"] in await a_page(browser, address)
    assert (await browser.get("/staff/numbers/requests?lang=en")).status_code == 422


async def test_long_list_goes_on_from_page_to_page(interface: Interface, browser: httpx2.AsyncClient) -> None:
    at = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    for number in range(30):
        life = Life(f"many {number}", at + timedelta(minutes=number), "housing", "0 assign")
        await live(interface.services.pool, interface.services.keys, life)
    address = "/staff/numbers/requests?lang=en&figure=no_response&by=city&from=2026-03-02&to=2026-03-02"
    found: list[str] = []
    while address:
        html = await a_page(browser, address)
        found += titles(html)
        further = re.search(r'<a rel="next" href="([^"]+)"', html)
        address = further[1].replace("&amp;", "&") if further else ""
    assert found == [f"many {number}" for number in reversed(range(30))]


async def test_numbers_stand_in_the_menu_of_those_who_may_see_them(interface: Interface) -> None:
    await interface.services.pool.execute("delete from throttles")
    handler, caller = await signed_in(interface, "handler"), await signed_in(interface, "caller")
    assert '<a href="/staff/numbers?lang=en">' in await a_page(handler, "/staff?lang=en")
    assert "/staff/numbers" not in await a_page(caller, "/staff?lang=en")
    assert (await caller.get("/staff/numbers")).status_code == 403
    html = await a_page(handler, "/staff/numbers?lang=en&by=department&from=2026-11-01&to=2026-11-30")
    assert re.findall(r'<th scope="row">([^<]+)</th>', html) == ["Housing", "All together"]
    assert "department" not in Form(html).options


async def test_signing_in_leads_to_the_numbers(interface: Interface) -> None:
    await interface.services.pool.execute("delete from throttles")
    browser = interface.from_address("127.0.0.1", headers={"Accept": "text/html", "Origin": "http://localhost"})
    sent_away = await browser.get("/staff/numbers?lang=en")
    assert "next=/staff/numbers" in sent_away.headers["location"]
    fields = Form((await browser.get(sent_away.headers["location"])).text).forms["/staff/sign-in"]
    assert fields["next"] == "/staff/numbers"


def test_words_name_every_figure_and_grouping() -> None:
    rates = {"response_rate", "resolution_rate", "satisfaction_rate"}
    for words in WORDS.values():
        assert words["figure"].keys() == words["figure_means"].keys() == {*Figure} | rates
        assert words["grouping"].keys() == {"city", "department", "category", "district", "day", "week", "month"}
