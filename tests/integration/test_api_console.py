"""The pages of the staff, used as a browser uses them: a session in a cookie, forms of this site, no JavaScript."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from api.actions import STAFF_ACTIONS
from api.pages.page import WORDS
from api.schemas import Language
from domain.lifecycle import Action
from domain.request import OPEN, State
from policies.checks.texts import TIMELINE_KINDS
from tests.city import a_category, a_city
from tests.integration.test_api_citizens import a_picture
from tests.integration.test_api_pages import BROWSER, Form
from tests.interface import PASSWORD, Interface, Submitted, an_interface

OWN = {"Origin": "http://localhost"}
PEOPLE: dict[str, dict[str, Any]] = {
    "dispatcher": {"roles": ["dispatcher"]},
    "supervisor": {"roles": ["supervisor"]},
    "handler": {"roles": ["handler"], "departments": ["housing"]},
    "lead": {"roles": ["handler"], "leads": ["housing"]},
    "doctor": {"roles": ["handler"], "departments": ["health"]},
}


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    categories = (a_category("street_light", "housing"), a_category("pothole", "housing", photo_required=True))
    async with an_interface(shared_database_url, policy=a_city(categories=categories)) as running:
        for name, person in PEOPLE.items():
            await running.employ(name, *person["roles"], departments=person.get("departments", ()), leads=person.get("leads", ()))  # fmt: skip
        yield running


@pytest.fixture(autouse=True)
async def nothing_left_over(interface: Interface) -> None:
    await interface.services.pool.execute("delete from throttles")
    await interface.services.pool.execute("delete from requests")


def a_browser(interface: Interface, **headers: str) -> httpx2.AsyncClient:
    return interface.from_address("127.0.0.1", headers=BROWSER | OWN | headers)


async def signed_in(interface: Interface, username: str) -> httpx2.AsyncClient:
    """A browser in which that person has signed in by the form."""
    browser = a_browser(interface)
    fields = Form((await browser.get("/staff/sign-in?lang=en")).text).forms["/staff/sign-in"]
    answer = await browser.post("/staff/sign-in", data=fields | {"username": username, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return browser


async def a_page(browser: httpx2.AsyncClient, address: str, status: int = 200) -> str:
    answer = await browser.get(address)
    assert answer.status_code == status, answer.text
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert "http://" not in answer.text
    return answer.text


async def in_state(interface: Interface, state: str, **columns: Any) -> Submitted:
    request = await interface.submit(title=columns.pop("title", "Dark <lamp>"))
    await interface.move(request, state, **{"department": "housing", "category": "street_light", **columns})
    return request


def titles(html: str) -> list[str]:
    return re.findall(r'<a href="/staff/requests/[^"]+" dir="auto">([^<]+)</a>', html)


async def test_the_link_of_an_sms_leads_through_the_sign_in_to_the_request(interface: Interface) -> None:
    request = await in_state(interface, "assigned")
    browser = a_browser(interface)
    refused = await browser.get(f"/staff/requests/{request.reference}?lang=en")
    assert refused.status_code == 303
    form = Form((await browser.get(refused.headers["location"])).text)
    fields = form.forms["/staff/sign-in"] | {"username": "handler", "password": PASSWORD}
    let_in = await browser.post("/staff/sign-in", data=fields)

    assert let_in.headers["location"] == f"/staff/requests/{request.reference}?lang=en"
    html = await a_page(browser, let_in.headers["location"])
    assert "Dark &lt;lamp&gt;" in html
    assert WORDS["en"]["standing"]["assigned"] in html


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example", "/staff@elsewhere", "/find"])
async def test_signing_in_leads_to_no_other_place(interface: Interface, wanted: str) -> None:
    sent = {"username": "handler", "password": PASSWORD, "next": wanted}
    answer = await a_browser(interface).post("/staff/sign-in?lang=en", data=sent)

    assert answer.headers["location"] == "/staff?lang=en"


@pytest.mark.parametrize(
    ("sent", "status"),
    [({"username": "handler", "password": "wrong"}, 401), ({"username": "", "password": ""}, 401)],
)
async def test_a_wrong_password_is_told_on_the_form(interface: Interface, sent: dict[str, str], status: int) -> None:
    answer = await a_browser(interface).post("/staff/sign-in?lang=en", data=sent)

    assert answer.status_code == status
    assert WORDS["en"]["problem"]["wrong_password"] in answer.text
    assert "set-cookie" not in answer.headers


async def test_whoever_guesses_must_wait(interface: Interface) -> None:
    sent = {"username": "handler", "password": "wrong"}
    answers = [await a_browser(interface).post("/staff/sign-in?lang=en", data=sent) for _ in range(11)]

    assert answers[-1].status_code == 429
    assert WORDS["en"]["problem"]["too_many"] in answers[-1].text


async def test_signing_out_ends_the_session(interface: Interface) -> None:
    browser = await signed_in(interface, "handler")
    cookie = browser.cookies["huisheng_session"]
    assert (await browser.post("/staff/sign-out")).status_code == 303
    answer = await browser.get("/staff", headers={"Cookie": f"huisheng_session={cookie}"})

    assert answer.headers["location"].startswith("/staff/sign-in")


async def test_another_site_can_make_nobody_act(interface: Interface) -> None:
    request = await in_state(interface, "assigned")
    browser = await signed_in(interface, "handler")
    for origin in ("https://elsewhere.example", "null", ""):
        address = f"/staff/requests/{request.reference}/actions/accept"
        assert (await browser.post(address, headers={"Origin": origin})).status_code == 403
        assert (await browser.post("/staff/sign-out", headers={"Origin": origin})).status_code == 403
        assert (await browser.post("/staff/sign-in", headers={"Origin": origin})).status_code == 403


async def test_the_list_has_the_overdue_ones_first_on_however_many_pages(interface: Interface) -> None:
    past, ahead = interface.clock() - timedelta(hours=1), interface.clock() + timedelta(days=1)
    for number in range(30):
        await in_state(interface, "assigned", title=f"late {number}", due_at=past)
    for number in range(30):
        await in_state(interface, "in_progress", title=f"in time {number}", due_at=ahead)
    browser = await signed_in(interface, "handler")
    found, address = [], "/staff?lang=en"
    while address:
        html = await a_page(browser, address)
        found += titles(html)
        further = re.search(r'<a rel="next" href="([^"]+)"', html)
        address = further[1].replace("&amp;", "&") if further else ""

    assert {title.rpartition(" ")[0] for title in found[:30]} == {"late"}
    assert {title.rpartition(" ")[0] for title in found[30:]} == {"in time"}
    assert len(found) == len(set(found)) == 60


async def test_the_list_shows_what_the_person_may_see_and_is_narrowed_by_its_form(interface: Interface) -> None:
    await in_state(interface, "assigned", title="ours")
    await in_state(interface, "in_progress", title="ours in work")
    await in_state(interface, "assigned", title="theirs", department="health")
    await in_state(interface, "closed", title="over")
    handler, dispatcher = await signed_in(interface, "handler"), await signed_in(interface, "dispatcher")

    assert set(titles(await a_page(handler, "/staff"))) == {"ours in work", "ours"}
    assert set(titles(await a_page(handler, "/staff?state=assigned&department="))) == {"ours"}
    assert titles(await a_page(handler, "/staff?department=health")) == []
    assert set(titles(await a_page(dispatcher, "/staff"))) == {"theirs", "ours in work", "ours"}
    assert set(titles(await a_page(dispatcher, "/staff?department=health"))) == {"theirs"}
    assert "department" not in Form(await a_page(handler, "/staff")).options
    assert "health" in Form(await a_page(dispatcher, "/staff")).options["department"]
    assert (await handler.get("/staff?state=lost")).status_code == 422


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("username", ["dispatcher", "supervisor", "lead"])
async def test_the_page_has_a_form_for_each_action_that_is_possible(
    interface: Interface, username: str, language: str, state: State
) -> None:
    request = await in_state(interface, state, due_at=interface.clock())
    browser = await signed_in(interface, username)
    form = Form(await a_page(browser, f"/staff/requests/{request.reference}?lang={language}"))
    may = (await interface.as_staff(username, f"/requests/{request.reference}")).json()["may"]
    prefix, suffix = f"/staff/requests/{request.reference}/actions/", f"?lang={language}"
    offered = {a.removeprefix(prefix).removesuffix(suffix) for a in form.forms if a.startswith(prefix)}

    assert offered == {entry["action"] for entry in may}
    for entry in may:
        fields = {field["name"] for field in entry["fields"] if field["type"] != "attachments"}
        assert form.forms[f"{prefix}{entry['action']}{suffix}"].keys() >= fields
    assert set(form.ids) <= form.labels
    assert len(set(form.ids)) == len(form.ids)
    assert any("/attachments" in address for address in form.forms) is (state in OPEN)


async def proposed(interface: Interface, state: str, action: str, facts: dict[str, str]) -> Submitted:
    """A request with that proposal in its timeline."""
    columns = {"department": None, "triage_reason": facts["reason"]} if state == "triage" else {}
    request = await in_state(interface, state, **columns)
    row = await interface.row("select id from requests where reference = $1", request.reference)
    await interface.services.pool.execute(
        "insert into events (request_id, sequence, at, action, actor_kind, actor_id, state, public, facts) "
        "values ($1, 2, $2, $3, 'system', '', $4, false, $5)",
        row["id"], interface.clock(), action, state, facts,
    )  # fmt: skip
    return request


DECLINE = {"reason": "out_of_scope", "proposal": "decline", "proposal_reason_code": "court", "proposal_why": "words"}
SHARED = {
    "reason": "two_departments", "proposal": "co_handler", "proposal_department": "housing", "proposal_co_department": "health",
    "proposal_category": "street_light", "proposal_co_category": "pothole", "proposal_why": "close",
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("facts", "action", "shown", "sent"),
    [
        (DECLINE, "decline", ["A court decides this", "Go to the court"], {"reason_code": "court"}),
        (DECLINE | {"proposal_category": "pothole"}, "decline", ["Go to the court", "pothole"], {"reason_code": "court"}),
        (SHARED, "assign", ["Housing", "Health"],
         {"department": "housing", "category": "street_light", "co_department": "health", "co_task": "pothole"}),
    ],
)  # fmt: skip
async def test_what_is_proposed_is_taken_with_one_button(
    interface: Interface, language: Language, facts: dict[str, str], action: str, shown: list[str], sent: dict[str, str]
) -> None:
    request = await proposed(interface, "triage", "to_triage", facts)
    browser = await signed_in(interface, "dispatcher")
    html = await a_page(browser, f"/staff/requests/{request.reference}?lang={language}")

    assert WORDS[language]["proposal"][facts["proposal"]] in html
    assert WORDS[language]["triage"][facts["reason"]] in html
    section = html.split(WORDS[language]["proposal"][facts["proposal"]])[1].split("</form>")[0]
    assert all(words in section for words in shown)
    address = f"/staff/requests/{request.reference}/actions/{action}?lang={language}"
    fields = Form(section + "</form>").forms[address]
    assert {name: value for name, value in fields.items() if name != "key"} == sent


@pytest.mark.parametrize(
    ("facts", "zh", "en"),
    [
        (DECLINE | {"proposal_because": "words"}, "来信中的用词属于“A court decides this”", "Words of the message speak for “A court decides this”"),
        (SHARED | {"proposal_because": "close", "proposal_sure": "0.48", "proposal_nearly": "0.40"},
         "（48%），其次是“", "” (48%), then “"),
        (SHARED | {"proposal_because": "part"}, "来信中有一部分明显属于“", "A part of the message is surely about “"),
        (DECLINE, '<span lang="en">words</span>', '<span lang="en">words</span>'),
        (DECLINE | {"proposal_because": "a_newer_one"}, '<span lang="en">words</span>', '<span lang="en">words</span>'),
    ],
)  # fmt: skip
async def test_why_it_is_proposed_is_said_in_the_readers_language_and_as_it_was_kept_before_there_were_codes(
    interface: Interface, facts: dict[str, str], zh: str, en: str
) -> None:
    request = await proposed(interface, "triage", "to_triage", facts)
    browser = await signed_in(interface, "dispatcher")
    for language, sentence in (("zh", zh), ("en", en)):
        assert sentence in await a_page(browser, f"/staff/requests/{request.reference}?lang={language}")
    told = (await interface.as_staff("dispatcher", f"/requests/{request.reference}")).json()["proposal"]
    assert told["because"] == (facts.get("proposal_because") if "words" not in zh else None)


async def test_the_lead_sees_what_is_proposed_and_the_one_who_may_has_the_button(interface: Interface) -> None:
    request = await proposed(interface, "assigned", "auto_assign", SHARED)
    button = WORDS["en"]["proposal_take"]["co_handler"]
    for username, may in (("lead", False), ("dispatcher", True)):
        html = await a_page(await signed_in(interface, username), f"/staff/requests/{request.reference}?lang=en")
        assert WORDS["en"]["proposal"]["co_handler"] in html
        assert (button in html) is may


@pytest.mark.parametrize("action", ["assign", "reclassify", "return_request"])
async def test_a_proposal_that_was_answered_is_gone(interface: Interface, action: str) -> None:
    request = await proposed(interface, "triage", "to_triage", DECLINE)
    row = await interface.row("select id from requests where reference = $1", request.reference)
    await interface.services.pool.execute(
        "insert into events (request_id, sequence, at, action, actor_kind, actor_id, state, public, facts) "
        "values ($1, 3, $2, $3, 'staff', '', 'triage', false, '{}')",
        row["id"], interface.clock(), action,
    )  # fmt: skip
    full = (await interface.as_staff("dispatcher", f"/requests/{request.reference}")).json()
    assert full["proposal"] is None


async def test_a_request_of_others_is_not_there(interface: Interface) -> None:
    request = await in_state(interface, "assigned")
    browser = await signed_in(interface, "doctor")

    assert (await browser.get(f"/staff/requests/{request.reference}")).status_code == 404
    assert (await browser.post(f"/staff/requests/{request.reference}/actions/accept")).status_code == 404


@pytest.mark.parametrize(
    ("action", "sent", "status", "words"),
    [
        ("accept", {}, 409, ("problem", "not_allowed")),
        ("assign", {"department": "housing"}, 409, ("problem", "not_allowed")),
        ("return_request", {"reason": "x", "department": "health"}, 403, ("problem", "forbidden")),
        ("resolve", {"outcome": "solved", "reply": "Done <b>at last</b>."}, 503, ("problem", "engine_unavailable")),
        ("resolve", {"outcome": "solved", "reply": " "}, 422, ("mend", "reply")),
        ("escalate", {}, 422, ("mend", "reason")),
    ],
)
async def test_what_cannot_be_done_is_told_with_what_was_written_still_there(
    interface: Interface, action: str, sent: dict[str, str], status: int, words: tuple[str, str]
) -> None:
    request = await in_state(interface, "in_progress")
    browser = await signed_in(interface, "handler")
    answer = await browser.post(f"/staff/requests/{request.reference}/actions/{action}?lang=en", data=sent)

    assert answer.status_code == status
    assert WORDS["en"][words[0]][words[1]] in answer.text
    if action == "resolve" and status == 503:
        assert "Done &lt;b&gt;at last&lt;/b&gt;." in answer.text


async def test_photos_are_added_and_then_named_in_the_answer(interface: Interface) -> None:
    request = await in_state(interface, "in_progress", category="pothole")
    browser = await signed_in(interface, "handler")
    address = f"/staff/requests/{request.reference}"
    answer = {"outcome": "solved", "reply": "Filled."}
    refused = await browser.post(f"{address}/actions/resolve?lang=en", data=answer)
    assert WORDS["en"]["mend"]["attachments"] in refused.text

    sent = [("images", ("x.jpg", a_picture(), "image/jpeg"))]
    assert (await browser.post(f"{address}/attachments", files=sent)).status_code == 303
    html = await a_page(browser, f"{address}?lang=en")
    (photo,) = re.findall(r'name="attachments" value="([^"]+)"', html)
    assert (await browser.get(re.findall(r'src="([^"]+)"', html)[0])).headers["content-type"] == "image/jpeg"
    taken = await browser.post(f"{address}/actions/resolve?lang=en", data=answer | {"attachments": photo})
    assert taken.status_code == 503
    wrong = await browser.post(f"{address}/attachments?lang=en", files=[("images", ("x.jpg", b"no photo", "image/jpeg"))])  # fmt: skip
    assert wrong.status_code == 422
    assert WORDS["en"]["mend"]["images"] in wrong.text


def test_the_words_name_every_action_state_and_choice() -> None:
    for words in WORDS.values():
        assert set(words["action"]) == set(TIMELINE_KINDS)
        assert set(words["standing"]) == {state.value for state in State}
        for action in STAFF_ACTIONS.values():
            for field in action.fields:
                assert field.name in words["field"]
                assert set(field.choices) <= set(words["choice"])
        assert {Action.ACCEPT, Action.RESOLVE} <= set(words["action"])
