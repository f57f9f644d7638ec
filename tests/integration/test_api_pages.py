"""The citizens' pages, used as an old phone uses them: links, forms, no JavaScript."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest

from api.pages.page import WORDS
from db import one_time_codes
from domain.request import Outcome, State
from tests.integration.test_api_citizens import a_picture, sent_code
from tests.interface import Interface, Submitted, an_interface

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url) as running:
        yield running


class Form(HTMLParser):
    """The forms of a page, with their fields and what stands in them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._current: dict[str, str] = {}
        self.labels: set[str] = set()
        self.ids: list[str] = []
        self.options: dict[str, list[str]] = {}
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._current = self.forms.setdefault(given["action"] or "", {})
        if tag in ("input", "textarea", "select") and given.get("name"):
            self._current[given["name"] or ""] = given.get("value") or ""
            if tag != "input" or given.get("type") in ("text", "tel", "file", "password"):
                self.ids.append(given["id"] or "")
        if tag == "select":
            self._select = given["name"] or ""
        if tag == "option":
            self.options.setdefault(self._select, []).append(given["value"] or "")
        if tag == "label" and given.get("for"):
            self.labels.add(given["for"] or "")


def address_of(request: Submitted) -> str:
    return f"/r/{request.reference}/{request.token}"


async def a_page(interface: Interface, address: str, status: int = 200, **headers: str) -> str:
    answer = await interface.http.get(address, headers=BROWSER | headers)
    assert answer.status_code == status, answer.text
    _check_secrecy(answer)
    return answer.text


def _check_secrecy(answer: httpx2.Response) -> None:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    (style,) = re.findall("<style>(.*)</style>", answer.text, re.DOTALL)
    expected = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{expected}'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text


async def post(interface: Interface, address: str, **fields: Any) -> httpx2.Response:
    return await interface.http.post(address, data=fields, headers=BROWSER)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_form_sends_a_request_and_ends_at_its_page(interface: Interface, language: str) -> None:
    html = await a_page(interface, f"/?lang={language}")
    fields = Form(html).forms["/"]
    answer = await post(
        interface, "/", **fields | {"description": "路灯坏了 مصباح 😡", "phone": "13800000001", "place": "1 Lane"}
    )

    assert answer.status_code == 303
    status = await a_page(interface, answer.headers["location"])
    assert WORDS[language]["state"]["received"] in status  # type: ignore[index]
    reference = answer.headers["location"].split("/")[2]
    row = await interface.row("select channel, language from requests where reference = $1", reference)
    assert (row["channel"], row["language"]) == ("web", language)


async def test_a_second_click_sends_nothing_twice(interface: Interface) -> None:
    fields = Form(await a_page(interface, "/")).forms["/"] | {"description": "Twice."}
    first, second = await post(interface, "/", **fields), await post(interface, "/", **fields)

    assert first.headers["location"] == second.headers["location"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"description": " "}, "description"),
        ({"description": "x\u0007"}, "description"),
        ({"description": "x", "phone": "call me"}, "contact.phone"),
        ({"description": "x", "category": "moon"}, "category"),
    ],
)
async def test_a_form_with_a_mistake_comes_back_filled_in_with_the_reason(
    interface: Interface, fields: dict[str, str], field: str
) -> None:
    answer = await post(interface, "/?lang=en", name="<b>Ann</b>", **fields)

    assert answer.status_code == 422
    assert WORDS["en"]["mend"][field] in answer.text
    assert "&lt;b&gt;Ann&lt;/b&gt;" in answer.text
    assert "<b>Ann" not in answer.text


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_page_tells_every_state_in_plain_words(interface: Interface, state: State, language: str) -> None:
    request = await interface.submit(title="Dark <lamp>")
    await interface.move(request, state, department="housing", category="clinic", due_at=interface.clock())
    html = await a_page(interface, f"{address_of(request)}?lang={language}")

    assert WORDS[language]["state"][state] in html  # type: ignore[index]
    assert "Dark &lt;lamp&gt;" in html
    assert "Housing" in html


async def test_the_page_offers_exactly_what_is_possible(interface: Interface) -> None:
    request = await interface.submit()
    address = address_of(request)

    async def offered() -> set[str]:
        forms = Form(await a_page(interface, f"{address}?lang=en")).forms
        return {action.removeprefix(f"{address}/").removesuffix("?lang=en") for action in forms}

    assert await offered() == {"supplement", "urge", "withdraw", "attachments", "erase"}
    await interface.move(request, "resolved")
    assert await offered() == {"rate", "reopen", "erase"}
    await interface.move(request, "withdrawn")
    assert await offered() == {"erase"}


@pytest.mark.parametrize(
    ("state", "action", "fields", "kind"),
    [
        ("assigned", "supplement", {"text": "More."}, "supplemented"),
        ("assigned", "urge", {"text": ""}, "urged"),
        ("assigned", "withdraw", {"text": "Settled."}, "withdrawn"),
        ("resolved", "rate", {"solved": "partly", "satisfied": "4", "text": ""}, "rated"),
        ("resolved", "reopen", {"text": "Still dark."}, "reopened"),
    ],
)
async def test_each_form_stores_what_the_citizen_says(
    interface: Interface, state: str, action: str, fields: Mapping[str, str], kind: str
) -> None:
    request = await interface.submit()
    await interface.move(request, state, department="housing")
    answer = await post(interface, f"{address_of(request)}/{action}?lang=en", **fields)

    assert answer.status_code == 303, answer.text
    assert WORDS["en"]["status"]["said"] in await a_page(interface, answer.headers["location"])
    assert await interface.services.pool.fetchval("select kind from inbox order by id desc limit 1") == kind


async def test_what_is_not_possible_any_more_is_told_on_the_page(interface: Interface) -> None:
    request = await interface.submit()
    await interface.move(request, "withdrawn")
    answer = await post(interface, f"{address_of(request)}/urge?lang=en")

    assert answer.status_code == 409
    assert WORDS["en"]["status"]["not_possible"] in answer.text


@pytest.mark.parametrize("action", ["erase", "answer", "accept", "nonsense"])
async def test_the_page_takes_only_what_it_offers(interface: Interface, action: str) -> None:
    request = await interface.submit()
    answer = await post(interface, f"{address_of(request)}/{action}", text="x")

    assert answer.status_code in (409, 422)


async def test_a_rating_needs_both_answers(interface: Interface) -> None:
    request = await interface.submit()
    await interface.move(request, "resolved")
    answer = await post(interface, f"{address_of(request)}/rate?lang=en", solved="yes", satisfied="many")

    assert answer.status_code == 422
    assert WORDS["en"]["mend"]["satisfied"] in answer.text


async def test_photos_are_added_and_shown(interface: Interface) -> None:
    request = await interface.submit()
    address = address_of(request)
    answer = await interface.http.post(
        f"{address}/attachments", files=[("images", ("x.jpg", a_picture(), "image/jpeg"))], headers=BROWSER
    )
    assert answer.status_code == 303
    (photo,) = re.findall(r'src="([^"]+/photos/[^"]+)"', await a_page(interface, address))
    shown = await interface.http.get(photo)
    assert shown.headers["content-type"] == "image/jpeg"

    refused = await interface.http.post(
        f"{address}/attachments?lang=en", files=[("images", ("x.jpg", b"no photo", "image/jpeg"))], headers=BROWSER
    )
    assert refused.status_code == 422
    assert WORDS["en"]["mend"]["images"] in refused.text


async def test_an_outcome_and_a_rating_are_shown(interface: Interface) -> None:
    request = await interface.submit()
    for outcome in Outcome:
        await interface.move(request, "closed", outcome=outcome, solved="yes", satisfied=5)
        assert WORDS["en"]["outcome"][outcome] in await a_page(interface, f"{address_of(request)}?lang=en")


@pytest.mark.parametrize(
    "address", ["/r/2611-0000-00010/nonsense", "/r/x/y", "/nothing", "/r/2611-0000-00010/x/photos/1"]
)
async def test_a_wrong_link_is_a_page_that_tells_what_to_check(interface: Interface, address: str) -> None:
    answer = await interface.http.get(f"{address}?lang=en", headers=BROWSER)

    assert answer.status_code in (404, 422)
    _check_secrecy(answer)


async def test_a_citizen_comes_back_by_phone(interface: Interface) -> None:
    await interface.services.pool.execute("delete from throttles")
    request = await interface.submit()
    fields = Form(await a_page(interface, "/find?lang=en")).forms["/find"]
    asked = await post(interface, "/find", **fields | {"reference": request.reference, "phone": "13800000001"})
    assert asked.status_code == 200
    request_id = await interface.services.pool.fetchval(
        "select id from requests where reference = $1", request.reference
    )
    services = interface.services
    assert await sent_code(interface, request)
    await one_time_codes.keep(services.pool, services.keys, request_id, "424242", services.now().replace(year=2100))

    fields = Form(asked.text).forms["/find/code"]
    wrong = await post(interface, "/find/code", **fields | {"code": "000000"})
    assert wrong.status_code == 422
    right = await post(interface, "/find/code", **fields | {"code": "424242"})
    assert right.status_code == 303
    assert request.reference in await a_page(interface, right.headers["location"])


async def test_every_field_of_a_page_has_its_label(interface: Interface) -> None:
    request = await interface.submit()
    for address in ("/", "/find", address_of(request)):
        form = Form(await a_page(interface, address))
        assert set(form.ids) <= form.labels
        assert len(set(form.ids)) == len(form.ids)


def test_both_languages_say_the_same_things() -> None:
    def keys(table: Mapping[str, Any]) -> set[str]:
        return {f"{name}.{inner}" for name, part in table.items() if isinstance(part, dict) for inner in part}

    assert keys(WORDS["zh"]) == keys(WORDS["en"])
    assert set(WORDS["en"]["state"]) == {state.value for state in State}
    assert set(WORDS["en"]["outcome"]) == {outcome.value for outcome in Outcome}
    for name, part in WORDS["en"].items():
        if isinstance(part, dict):
            for key, words in part.items():
                assert set(re.findall(r"{\w+}", words)) == set(re.findall(r"{\w+}", WORDS["zh"][name][key]))
