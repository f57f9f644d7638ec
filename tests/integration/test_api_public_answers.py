"""Released answers over HTTP: who may release what, and what a citizen who has not sent anything yet is shown of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from api.pages.page import WORDS
from api.public_answers import ASKED_OF_ADDRESS
from db import erasure, texts
from domain.classification import Classifier
from domain.policy import Watch
from domain.request import Role
from domain.retention import Because
from tests.city import a_city
from tests.interface import Interface, Submitted, an_interface, problem

TEXT = "The manhole cover at the crossing of Willow Road and Mill Lane is broken and clatters under every car, day and night."
OTHER_TEXT = "The restaurant below us lets its smoke out at night, nobody in the house can open a window any more."
REPLY = "The cover was replaced; questions to 13900139000."
SHOWN = "The cover was replaced; questions to [phone]."
CITY = a_city(watches=(Watch("gas", {"en": "gas"}, {"en": ("smell of gas",)}, danger=True, category="gas_leak"),))
ASK = "/api/v1/similar-answers"


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url, policy=CITY) as running:
        await running.employ("dispatcher", Role.DISPATCHER)
        await running.employ("supervisor", Role.SUPERVISOR)
        await running.employ("caller", Role.CALLER)
        await running.employ("handler", Role.HANDLER, departments=["housing"])
        await running.employ("lead", Role.HANDLER, leads=["housing"])
        await running.employ("head_doctor", Role.HANDLER, leads=["health"])
        yield running


@pytest.fixture(autouse=True)
async def nothing_left_over(interface: Interface) -> None:
    await interface.services.pool.execute("delete from throttles")
    await interface.services.pool.execute("delete from requests")


async def answered(interface: Interface, reply: str = REPLY, **changes: Any) -> Submitted:
    """Closed two days after it was sent; the citizen was content."""
    sent = {
        "description": changes.pop("description", TEXT), "title": changes.pop("title", None),
        "confidential": changes.pop("confidential", False), "location": changes.pop("location", None),
        "contact": changes.pop("contact", None),
    }  # fmt: skip
    request = await interface.submit(**{name: value for name, value in sent.items() if value is not None})
    columns = {
        "state": "closed", "department": "housing", "category": "street_light", "result": "solved", "solved": "yes",
        "satisfied": 4, "resolved_at": interface.clock() + timedelta(hours=36), **changes,
    }  # fmt: skip
    await interface.move(request, columns.pop("state"), **columns)
    await reply_anew(interface, request, reply)
    return request


async def reply_anew(interface: Interface, request: Submitted, reply: str) -> None:
    pool, keys = interface.services.pool, interface.services.keys
    row = await interface.row("select id from requests where reference = $1", request.reference)
    text = await texts.keep(pool, keys, row["id"], reply, interface.clock())
    await pool.execute("update snapshots set reply = $2 where reference = $1", request.reference, text)


async def release(
    interface: Interface, request: Submitted, username: str = "lead", method: str = "POST"
) -> httpx2.Response:
    address = f"/api/v1/staff/requests/{request.reference}/release"
    headers = await interface.sign_in(username) | {"Accept-Language": "en"}
    return await interface.http.request(method, address, headers=headers)


async def released(interface: Interface, **changes: Any) -> Submitted:
    request = await answered(interface, **changes)
    answer = await release(interface, request)
    assert answer.status_code == 200, answer.text
    return request


async def asked(interface: Interface, description: str = TEXT, **body: Any) -> list[dict[str, Any]]:
    answer = await interface.http.post(ASK, json={"description": description} | body, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["answers"]
    return found


# --- what a citizen is shown ----------------------------------------------------------------------------------------


async def test_citizen_is_shown_the_released_answer_and_nothing_of_whoever_asked(interface: Interface) -> None:
    request = await released(interface, title="Ours in particular")
    (row,) = await asked(interface)
    assert row == {
        "category": "street_light", "category_name": "street light", "reply": SHOWN, "outcome": "solved",
        "answered_on": "2026-11-24", "took_days": 2,
    }  # fmt: skip
    answer = await interface.http.post(ASK, json={"description": TEXT})
    assert request.reference not in answer.text
    assert "Ours in particular" not in answer.text


async def test_name_of_whoever_asked_is_masked_wherever_it_stands(interface: Interface) -> None:
    contact = {"phone": "13800000001", "name": "Ada Quillfeather"}
    request = await released(interface, reply="We met Ada Quillfeather at the cover.", contact=contact)
    (row,) = await asked(interface)
    assert "Quillfeather" not in row["reply"]
    assert "Quillfeather" not in (await release(interface, request, method="GET")).text


async def test_answer_that_nobody_released_is_shown_to_nobody(interface: Interface) -> None:
    await answered(interface)
    assert await asked(interface) == []


async def test_release_that_was_taken_back_is_shown_to_nobody_and_stays_on_record(interface: Interface) -> None:
    request = await released(interface)
    answer = await release(interface, request, "dispatcher", "DELETE")
    assert (answer.status_code, answer.json()["released_at"]) == (200, None)
    assert await asked(interface) == []
    row = await interface.row("select released_by <> withdrawn_by as by_another, withdrawn_at from released_answers")
    assert row["by_another"]
    assert row["withdrawn_at"] is not None


async def test_other_matter_is_answered_with_nothing(interface: Interface) -> None:
    await released(interface)
    assert await asked(interface, OTHER_TEXT) == []
    assert await asked(interface, "Broken.") == []


async def test_only_half_alike_is_not_alike_enough(interface: Interface) -> None:
    await released(interface)
    half = "The manhole cover at the crossing of our street is missing since the roadworks began in spring, please send somebody."
    assert await asked(interface, half) == []


async def test_category_of_the_citizen_narrows_it_down(interface: Interface) -> None:
    await released(interface)
    assert len(await asked(interface, category="street_light")) == 1
    assert await asked(interface, category="clinic") == []


async def test_of_equals_the_one_at_the_place_comes_first_and_three_are_shown(interface: Interface) -> None:
    for number in range(3):
        await released(interface, reply=f"Elsewhere {number}.")
    await released(interface, reply="At the mill.", location={"place": "Old Mill"})
    for _ in range(2):
        await released(interface, reply="Elsewhere again.")
    rows = await asked(interface, place="old mill")
    assert (rows[0]["reply"], len(rows)) == ("At the mill.", 3)


@pytest.mark.parametrize(
    ("label", "columns"),
    [
        ("the citizen says it is not solved", {"solved": "no"}),
        ("the citizen was not satisfied", {"satisfied": 2}),
        ("the department solved nothing", {"result": "not_solved"}),
        ("it is being done again", {"state": "assigned"}),
        ("it was found to be a danger", {"urgency": "danger"}),
        ("its category is a sensitive one now", {"category": "child_care"}),
        ("it is confidential", {"confidential": True}),
    ],
)
async def test_what_is_judged_otherwise_since_is_not_shown(
    interface: Interface, label: str, columns: dict[str, Any]
) -> None:
    request = await released(interface)
    await interface.move(request, **({"state": "closed"} | columns))
    assert await asked(interface) == [], label


async def test_answer_whose_citizen_demands_erasure_is_not_shown(interface: Interface) -> None:
    request = await released(interface)
    row = await interface.row("select id from requests where reference = $1", request.reference)
    pool, keys = interface.services.pool, interface.services.keys
    await erasure.demand(pool, keys, row["id"], Because.CITIZEN, None, interface.clock())
    assert await asked(interface) == []


async def test_matter_that_went_to_a_person_as_sensitive_is_not_shown(interface: Interface) -> None:
    request = await released(interface)
    row = await interface.row("select id from requests where reference = $1", request.reference)
    await interface.services.pool.execute(
        "insert into events (request_id, sequence, at, action, actor_kind, actor_id, state, public, facts) "
        "values ($1, 1, $2, 'to_triage', 'system', '', 'triage', false, $3)",
        row["id"], interface.clock(), {"reason": "sensitive"},
    )  # fmt: skip
    assert await asked(interface) == []
    assert (await release(interface, request)).status_code == 409


async def test_newer_answer_is_not_released_with_the_older_one(interface: Interface) -> None:
    request = await released(interface)
    await reply_anew(interface, request, "Another one.")
    assert await asked(interface) == []
    assert (await release(interface, request)).json()["reply_as_shown"] == "Another one."
    (row,) = await asked(interface)
    assert row["reply"] == "Another one."


async def test_answer_older_than_a_year_is_not_shown(interface: Interface) -> None:
    await released(interface, resolved_at=interface.clock() - timedelta(days=366))
    assert await asked(interface) == []


async def test_whoever_writes_of_a_danger_is_shown_nothing_to_read_first(interface: Interface) -> None:
    await released(interface, description=f"{TEXT} There is a smell of gas.")
    assert Classifier.from_policy(CITY).classify(f"{TEXT} There is a smell of gas.").danger
    assert await asked(interface, f"{TEXT} There is a smell of gas.") == []
    assert await asked(interface, category="gas_leak") == []


async def test_asking_stores_nothing_and_is_slowed_down(interface: Interface) -> None:
    await released(interface)
    before = await interface.row("select count(*) as requests, (select count(*) from inbox) as inbox from requests")
    for _ in range(ASKED_OF_ADDRESS):
        await asked(interface)
    answer = await interface.http.post(ASK, json={"description": TEXT})
    problem(answer, 429, "too_many")
    assert int(answer.headers["retry-after"]) > 0
    after = await interface.row("select count(*) as requests, (select count(*) from inbox) as inbox from requests")
    assert before == after


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "description"),
        ({"description": " "}, "description"),
        ({"description": TEXT, "category": "no_such"}, "category"),
        ({"description": TEXT, "contact": {}}, "contact"),
    ],
)
async def test_wrong_field_is_named(interface: Interface, body: dict[str, Any], field: str) -> None:
    (error,) = problem(await interface.http.post(ASK, json=body), 422, "invalid")["errors"]
    assert error["field"] == field


# --- the form -------------------------------------------------------------------------------------------------------


async def the_form(interface: Interface, language: str = "en", **fields: str) -> str:
    browser = {"Accept": "text/html"}
    sent = {"description": TEXT, "lang": language, "look": "1"} | fields
    answer = await interface.http.post("/", data=sent, headers=browser)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_form_shows_the_answers_keeps_what_was_written_and_sends_nothing(
    interface: Interface, language: str
) -> None:
    await released(interface, reply="<b>Replaced</b>, call 13900139000.")
    before = await interface.row("select count(*) from requests")
    html = await the_form(interface, language, phone="13800000007")
    words = WORDS["zh" if language == "zh" else "en"]
    assert "&lt;b&gt;Replaced&lt;/b&gt;" in html
    assert "13900139000" not in html
    assert words["similar_answers"]["still"] in html
    assert TEXT in html
    assert "13800000007" in html
    assert await interface.row("select count(*) from requests") == before


async def test_form_says_where_nothing_is_like_it(interface: Interface) -> None:
    assert WORDS["en"]["similar_answers"]["none"] in await the_form(interface)


async def test_form_of_whoever_asks_too_often_comes_back_as_it_was(interface: Interface) -> None:
    for _ in range(ASKED_OF_ADDRESS):
        await asked(interface)
    html = await the_form(interface)
    assert TEXT in html
    assert 'id="similar-answers"' not in html


async def test_form_with_nothing_in_it_is_told_so(interface: Interface) -> None:
    answer = await interface.http.post("/", data={"look": "1", "lang": "en"}, headers={"Accept": "text/html"})
    assert answer.status_code == 422


# --- releasing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "status"),
    [("lead", 200), ("dispatcher", 200), ("supervisor", 200), ("handler", 403), ("caller", 403), ("head_doctor", 404)],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_who_may_release(interface: Interface, username: str, status: int, method: str) -> None:
    assert (await release(interface, await answered(interface), username, method)).status_code == status


async def test_answer_can_be_read_as_everybody_would_before_it_is_released(interface: Interface) -> None:
    request = await answered(interface)
    answer = await release(interface, request, "handler", "GET")
    assert answer.json() == {"reference": request.reference, "released_at": None, "reply_as_shown": SHOWN}
    assert await asked(interface) == []


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"state": "in_review"}, "has not had one yet"),
        ({"confidential": True}, "confidential"),
        ({"urgency": "danger"}, "danger"),
        ({"category": "child_care"}, "sensitive"),
        ({"result": "not_solved"}, "solved nothing"),
        ({"satisfied": 1}, "not satisfied"),
    ],
)
async def test_what_is_not_for_everybody_cannot_be_released(
    interface: Interface, columns: dict[str, Any], words: str
) -> None:
    refused = problem(await release(interface, await answered(interface, **columns), "supervisor"), 409, "not_allowed")
    assert words in refused["detail"]


async def test_releasing_twice_keeps_the_first(interface: Interface) -> None:
    request = await released(interface)
    first = (await release(interface, request, method="GET")).json()
    interface.clock.pass_(timedelta(hours=1))
    assert (await release(interface, request, "supervisor")).json() == first
    interface.clock.pass_(timedelta(hours=-1))
