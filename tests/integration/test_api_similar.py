"""Likely duplicates, precedents and past answers over HTTP and on the page of a request: what is told, and to whom."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from api.pages.page import WORDS
from db import texts
from domain.request import Role, State
from tests.city import a_city
from tests.integration.test_api_pages import BROWSER, Form
from tests.interface import PASSWORD, Interface, Submitted, an_interface, problem

OWN = {"Origin": "http://localhost"}
TEXT = "The manhole cover at the crossing of Willow Road and Mill Lane is broken and clatters under every car, day and night."
OTHER_TEXT = "The restaurant below us lets its smoke out at night, nobody in the house can open a window any more."
HERE, NEAR = {"lat": 28.2001, "long": 112.9001}, {"lat": 28.2002, "long": 112.9002}
ADDRESSES = ("candidates", "precedents", "past-answers")


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url, policy=a_city()) as running:
        await running.employ("dispatcher", Role.DISPATCHER)
        await running.employ("supervisor", Role.SUPERVISOR)
        await running.employ("caller", Role.CALLER)
        await running.employ("admin", Role.ADMIN)
        await running.employ("handler", Role.HANDLER, departments=["housing"])
        await running.employ("doctor", Role.HANDLER, departments=["health"])
        yield running


@pytest.fixture(autouse=True)
async def nothing_left_over(interface: Interface) -> None:
    await interface.services.pool.execute("delete from throttles")
    await interface.services.pool.execute("delete from requests")


async def a_request(interface: Interface, state: str, phone: str = "13800000001", **columns: Any) -> Submitted:
    """Sent and brought to that state; by default of the department of housing."""
    sent = {
        "description": columns.pop("description", TEXT),
        "location": columns.pop("location", None),
        "title": columns.pop("title", None),
        "confidential": columns.pop("confidential", False),
        "contact": {"phone": phone},
    }
    request = await interface.submit(**{name: value for name, value in sent.items() if value is not None})
    has_none = state in (State.RECEIVED, State.TRIAGE)
    values = {"department": None if has_none else "housing", "category": "street_light"}
    await interface.move(request, state, **(values | columns))
    return request


async def told(interface: Interface, username: str, request: Submitted, what: str) -> list[dict[str, Any]]:
    answer = await interface.as_staff(username, f"/requests/{request.reference}/{what}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["answers" if what == "past-answers" else what]
    return rows


async def decide(interface: Interface, request: Submitted, staff_id: UUID) -> None:
    """Housing returned it to health; a supervisor gave it to health for good."""
    pool, keys = interface.services.pool, interface.services.keys
    row = await interface.row("select id from requests where reference = $1", request.reference)
    reason = await texts.keep(pool, keys, row["id"], "Covers belong to <health>.", interface.clock())
    returned = {"previous_department": "housing", "proposed": "health"}
    decided = {"decision": "assign", "department": "health"}
    for sequence, action, actor, text, facts in (
        (2, "return_request", "", None, returned),
        (3, "decide", str(staff_id), reason, decided),
    ):
        await pool.execute(
            "insert into events (request_id, sequence, at, action, actor_kind, actor_id, state, public, text_id, facts) "
            "values ($1, $2, $3, $4, 'staff', $5, 'assigned', true, $6, $7)",
            row["id"], sequence, interface.clock(), action, actor, text, facts,
        )  # fmt: skip


async def answered(interface: Interface, reply: str, **columns: Any) -> Submitted:
    """A request that was answered and rated."""
    request = await a_request(
        interface, "closed", resolved_at=interface.clock(), result="solved", solved="yes", satisfied=4, **columns
    )
    row = await interface.row("select id from requests where reference = $1", request.reference)
    pool, keys = interface.services.pool, interface.services.keys
    text = await texts.keep(pool, keys, row["id"], reply, interface.clock())
    await pool.execute("update snapshots set reply = $2 where reference = $1", request.reference, text)
    return request


async def supervisor_id(interface: Interface) -> UUID:
    row = await interface.row("select id from staff where username = 'supervisor'")
    found: UUID = row["id"]
    return found


# --- candidates -----------------------------------------------------------------------------------------------------


async def test_dispatcher_is_told_the_likely_duplicates_with_score_and_reasons(interface: Interface) -> None:
    twin = await a_request(interface, "in_progress", location=NEAR, title="Cover broken", phone="13800000002")
    interface.clock.pass_(timedelta(hours=36))
    asked = await a_request(interface, "triage", location=HERE, title="Cover broken")
    interface.clock.pass_(timedelta(hours=-36))
    (row,) = await told(interface, "dispatcher", asked, "candidates")
    reasons = row.pop("reasons")
    score = row.pop("score")
    row.pop("submitted_at")
    assert row == {
        "reference": twin.reference, "title": "Cover broken", "category": "street_light", "department": "housing",
        "state": "in_progress", "confidential": False,
    }  # fmt: skip
    assert 0.9 < score <= 1
    assert 10 < reasons.pop("metres") < 20
    assert reasons == {
        "text": 1.0, "days": 1.5, "same_address": False, "same_place": False, "same_sender": False, "same_category": True,
    }  # fmt: skip


async def test_the_same_citizen_writing_again_is_said(interface: Interface) -> None:
    await a_request(interface, "assigned", description=OTHER_TEXT)
    asked = await a_request(interface, "triage")
    (row,) = await told(interface, "dispatcher", asked, "candidates")
    assert row["reasons"]["same_sender"] is True


async def test_name_of_a_district_makes_no_two_requests_near(interface: Interface) -> None:
    await a_request(interface, "assigned", "13800000002", description=OTHER_TEXT, location={"place": "Middle"})
    asked = await a_request(interface, "triage", location={"place": "Middle"})
    assert await told(interface, "dispatcher", asked, "candidates") == []


async def test_window_may_be_chosen_within_a_year(interface: Interface) -> None:
    asked = await a_request(interface, "triage")
    address = f"/requests/{asked.reference}/candidates"
    assert (await interface.as_staff("dispatcher", address, params={"days": 365})).status_code == 200
    for days in ("0", "366", "soon"):
        problem(await interface.as_staff("dispatcher", address, params={"days": days}), 422, "invalid")


@pytest.mark.parametrize("what", ADDRESSES)
@pytest.mark.parametrize(
    ("username", "statuses"),
    [
        ("dispatcher", (200, 200, 200)),
        ("supervisor", (200, 200, 200)),
        ("caller", (403, 403, 200)),
        ("admin", (403, 403, 200)),
        ("handler", (403, 403, 200)),
        ("doctor", (403, 403, 404)),
    ],
)
async def test_who_is_told_what(interface: Interface, username: str, statuses: tuple[int, ...], what: str) -> None:
    asked = await a_request(interface, "assigned")
    answer = await interface.as_staff(username, f"/requests/{asked.reference}/{what}")
    assert answer.status_code == statuses[ADDRESSES.index(what)]


@pytest.mark.parametrize("what", ADDRESSES)
async def test_unknown_request_and_nobody(interface: Interface, what: str) -> None:
    problem(await interface.as_staff("dispatcher", f"/requests/2611-0000-00000/{what}"), 404, "not_found")
    problem(await interface.http.get(f"/api/v1/staff/requests/2611-0000-00000/{what}"), 401, "unauthorized")


# --- precedents -----------------------------------------------------------------------------------------------------


async def test_dispatcher_is_told_what_was_decided_on_the_like(interface: Interface) -> None:
    earlier = await a_request(interface, "closed", department="health")
    await decide(interface, earlier, await supervisor_id(interface))
    await decide(interface, await a_request(interface, "closed", category="clinic", department="health", description=OTHER_TEXT), await supervisor_id(interface))  # fmt: skip
    asked = await a_request(interface, "triage")
    (row,) = await told(interface, "dispatcher", asked, "precedents")
    assert row == {
        "reference": earlier.reference, "decided_at": row["decided_at"], "decided_by": "Supervisor", "decision": "assign",
        "department": "health", "reason_code": None, "category": "street_light", "contested_by": ["housing", "health"],
        "reason": "Covers belong to <health>.", "score": 1.0,
        "reasons": {"text": 1.0, "same_category": True, "same_departments": False},
    }  # fmt: skip


# --- past answers ---------------------------------------------------------------------------------------------------


async def test_handler_is_told_how_their_department_answered_the_like(interface: Interface) -> None:
    earlier = await answered(interface, "The cover was replaced.")
    await answered(interface, "Another department's words.", department="health")
    await answered(interface, "Confidential, and another department's.", department="health", confidential=True)
    asked = await a_request(interface, "in_progress")
    (row,) = await told(interface, "handler", asked, "past-answers")
    assert (row["reference"], row["reply"], row["text"]) == (earlier.reference, "The cover was replaced.", 1.0)
    assert (row["result"], row["solved"], row["satisfied"]) == ("solved", "yes", 4)
    assert len(await told(interface, "supervisor", asked, "past-answers")) == 3
    assert len(await told(interface, "caller", asked, "past-answers")) == 2


# --- the page -------------------------------------------------------------------------------------------------------


async def signed_in(interface: Interface, username: str) -> httpx2.AsyncClient:
    browser = interface.from_address("127.0.0.1", headers=BROWSER | OWN)
    fields = Form((await browser.get("/staff/sign-in?lang=en")).text).forms["/staff/sign-in"]
    answer = await browser.post("/staff/sign-in", data=fields | {"username": username, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return browser


async def the_page(interface: Interface, username: str, request: Submitted, language: str = "en") -> str:
    browser = await signed_in(interface, username)
    answer = await browser.get(f"/staff/requests/{request.reference}?lang={language}")
    assert answer.status_code == 200, answer.text
    return answer.text


def shown_on(html: str) -> set[str]:
    return set(re.findall(r'<h2 id="(candidates|precedents|past-answers)">', html))


@pytest.mark.parametrize(
    ("username", "state", "parts"),
    [
        ("dispatcher", "triage", {"candidates", "precedents"}),
        ("supervisor", "adjudication", {"precedents"}),
        ("dispatcher", "assigned", {"candidates", "past-answers"}),
        ("dispatcher", "in_progress", {"past-answers"}),
        ("dispatcher", "closed", set()),
        ("handler", "assigned", {"past-answers"}),
        ("handler", "in_progress", {"past-answers"}),
        ("handler", "adjudication", set()),
    ],
)
async def test_page_shows_what_helps_at_that_moment(
    interface: Interface, username: str, state: str, parts: set[str]
) -> None:
    await a_request(interface, "assigned", "13800000002")
    await answered(interface, "The cover was replaced.")
    await decide(interface, await a_request(interface, "closed", department="health"), await supervisor_id(interface))
    asked = await a_request(interface, state)
    assert shown_on(await the_page(interface, username, asked)) == parts


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_page_tells_reasons_and_escapes_what_was_written(interface: Interface, language: str) -> None:
    twin = await a_request(interface, "assigned", "13800000002", location=NEAR, title="<b>Cover</b>")
    await decide(interface, await a_request(interface, "closed", department="health"), await supervisor_id(interface))
    html = await the_page(interface, "dispatcher", await a_request(interface, "triage", location=HERE), language)
    words = WORDS["zh" if language == "zh" else "en"]
    assert words["candidates"]["metres"].format(metres="15") in html
    assert words["candidates"]["same_day"] in html
    assert twin.reference in html
    assert "&lt;b&gt;Cover&lt;/b&gt;" in html
    assert "Covers belong to &lt;health&gt;." in html


async def test_page_without_anything_alike_has_no_such_part(interface: Interface) -> None:
    assert shown_on(await the_page(interface, "dispatcher", await a_request(interface, "triage"))) == set()


@pytest.mark.parametrize("confidential", [False, True])
async def test_page_offers_to_merge_into_what_is_as_confidential(interface: Interface, confidential: bool) -> None:
    twins = {
        each: await a_request(interface, "assigned", "13800000002", location=NEAR, confidential=each)
        for each in (False, True)
    }
    asked = await a_request(interface, "triage", location=HERE, confidential=confidential)
    html = await the_page(interface, "dispatcher", asked)
    shown = set(re.findall(r'<a href="/staff/requests/([^?"]+)\?', html))
    parents = re.findall(r'<input type="hidden" name="parent" value="([^"]+)">', html)
    assert {twin.reference for twin in twins.values()} <= shown
    assert parents == [twins[confidential].reference]


async def test_merging_by_the_button_is_the_action_of_that_name(interface: Interface) -> None:
    twin = await a_request(interface, "assigned", "13800000002", location=NEAR)
    asked = await a_request(interface, "triage", location=HERE)
    browser = await signed_in(interface, "dispatcher")
    address = f"/staff/requests/{asked.reference}"
    html = (await browser.get(f"{address}?lang=en")).text
    assert f'action="{address}/actions/merge?lang=en"' in html
    # No engine runs here: that it is asked for shows that what the button sends is complete.
    answer = await browser.post(f"{address}/actions/merge?lang=en", data={"parent": twin.reference})
    assert answer.status_code == 503, answer.text
