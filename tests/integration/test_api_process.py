"""What a request waits for and who takes part in it, as staff read it, and what each of them may do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.pages.page import WORDS
from db import read_model, texts, views
from domain.record import Entry, Record
from domain.request import Event
from tests.city import a_city
from tests.conftest import FreshDatabase
from tests.integration.test_api_console import a_page, signed_in
from tests.integration.test_api_pages import Form
from tests.interface import Interface, Submitted, an_interface, problem

PEOPLE: dict[str, tuple[str, list[str], list[str]]] = {
    "dispatcher": ("dispatcher", [], []),
    "supervisor": ("supervisor", [], []),
    "caller": ("caller", [], []),
    "admin": ("admin", [], []),
    "handler": ("handler", ["housing"], []),
    "lead": ("handler", [], ["housing"]),
    "doctor": ("handler", ["health"], []),
    "street": ("handler", ["north_street", "health"], []),
}


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url) as running:
        for name, (role, departments, leads) in PEOPLE.items():
            await running.employ(name, role, departments=departments, leads=leads)
        yield running


async def in_state(interface: Interface, state: str, **columns: Any) -> Submitted:
    request = await interface.submit(title=columns.pop("title", "Dark lamp"))
    await interface.move(request, state, **{"department": "housing", "category": "street_light", **columns})
    return request


async def a_text(interface: Interface, request: Submitted, body: str) -> UUID:
    services = interface.services
    row = await interface.row("select id from requests where reference = $1", request.reference)
    return await texts.keep(services.pool, services.keys, row["id"], body, interface.clock())


async def id_of(interface: Interface, username: str) -> str:
    found: UUID = await interface.services.pool.fetchval("select id from staff where username = $1", username)
    return str(found)


async def has(interface: Interface, request: Submitted, action: str, text: UUID | None = None, **facts: str) -> None:
    """Appends an event to the timeline."""
    pool = interface.services.pool
    found = await views.snapshot_by_reference(pool, request.reference)
    assert found is not None
    event = Event(
        found.sequence + 1,
        interface.clock(),
        action,
        "staff",
        "",
        None,
        found.state,
        False,
        str(text) if text else None,
        facts,
    )
    await read_model.record(
        pool, Record(replace(found, sequence=event.sequence), (Entry(event),)), None, interface.clock()
    )


async def full(interface: Interface, request: Submitted, username: str = "lead") -> dict[str, Any]:
    answer = await interface.as_staff(username, f"/requests/{request.reference}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def may(interface: Interface, request: Submitted, username: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The actions by name, with their fields by name."""
    entries = (await full(interface, request, username))["may"]
    return {entry["action"]: {field["name"]: field for field in entry["fields"]} for entry in entries}


def a_part(department: str, state: str, task: UUID, number: int = 1) -> dict[str, Any]:
    due_at = "2026-11-27T09:30:00+00:00"
    return {
        "number": number,
        "department": department,
        "state": state,
        "task": str(task),
        "due_at": due_at,
        "settled_at": None,
    }


async def helped(interface: Interface, *parts: tuple[str, str], **columns: Any) -> Submitted:
    """A request in progress with these departments and the states of their parts."""
    request = await in_state(interface, "in_progress")
    task = await a_text(interface, request, "Please lay the cable.")
    kept = [a_part(department, state, task, number) for number, (department, state) in enumerate(parts, start=1)]
    asked = list(dict.fromkeys(department for department, state in parts if state == "asked"))
    await interface.move(request, "in_progress", co_handlers=kept, co_departments=asked, **columns)
    return request


# What is shown


async def test_a_question_is_shown_with_until_when_it_waits(interface: Interface) -> None:
    request = await in_state(interface, "awaiting_citizen")
    question, now = await a_text(interface, request, "Which lamp?"), interface.clock()
    await interface.move(
        request, "awaiting_citizen", question=question, paused_at=now, answer_due_at=now + timedelta(days=5), paused_seconds=7200
    )  # fmt: skip
    shown = await full(interface, request)

    assert shown["question"] == {
        "text": "Which lamp?", "asked_at": "2026-11-23T01:00:00Z", "answer_due_at": "2026-11-28T01:00:00Z",
    }  # fmt: skip
    assert (shown["paused_at"], shown["paused_seconds"]) == ("2026-11-23T01:00:00Z", 7200)


async def test_a_hold_is_shown_as_asked_for_and_as_it_lasts(interface: Interface) -> None:
    request = await in_state(interface, "in_progress")
    reason, lead = await a_text(interface, request, "Dug up until spring."), await id_of(interface, "lead")
    await interface.move(
        request, "in_progress", hold_asked_by=lead, hold_reason=reason, hold_review_on=date(2027, 3, 1)
    )
    asked = {"asked_by": "Lead", "reason": "Dug up until spring.", "review_on": "2027-03-01", "since": None}
    assert (await full(interface, request))["hold"] == asked

    await interface.move(request, "on_hold", hold_asked_by=None, paused_at=interface.clock())
    await has(interface, request, "approve_hold", reason, asked_by=lead, review_on="2027-03-01")
    assert (await full(interface, request))["hold"] == asked | {"since": "2026-11-23T01:00:00Z"}


async def test_an_extension_is_shown_with_who_asked_and_when_it_was_granted(interface: Interface) -> None:
    request = await in_state(interface, "in_progress")
    reason, lead = await a_text(interface, request, "A new post."), await id_of(interface, "lead")
    await interface.move(request, "in_progress", extension_asked_by=lead, extension_reason=reason, extension_days=5)
    asked = {"asked_by": "Lead", "days": 5, "reason": "A new post.", "granted_at": None}
    assert (await full(interface, request))["extension"] == asked

    await interface.move(request, "in_progress", extension_asked_by=None, extended_at=interface.clock())
    await has(interface, request, "grant_extension", reason, asked_by=lead, days="5")
    assert (await full(interface, request))["extension"] == asked | {"granted_at": "2026-11-23T01:00:00Z"}


async def test_lead_and_co_handler_read_the_parts_with_task_and_note(interface: Interface) -> None:
    request = await helped(interface, ("north_street", "done"), ("health", "asked"))
    note = await a_text(interface, request, "The cable lies.")
    await has(interface, request, "finish_co_handling", note, co_department="north_street", number="1")
    for username in ("lead", "doctor"):
        done, asked = (await full(interface, request, username))["co_handlers"]
        assert (done["department"], done["state"], done["note"]) == ("north_street", "done", "The cable lies.")
        assert (asked["department"], asked["state"], asked["task"]) == ("health", "asked", "Please lay the cable.")
        assert (asked["due_at"], asked["note"]) == ("2026-11-27T09:30:00Z", None)


async def test_only_who_speaks_to_the_citizen_is_told_how(interface: Interface) -> None:
    request = await helped(interface, ("health", "asked"))
    phones = {name: (await full(interface, request, name))["contact"]["phone"] for name in PEOPLE if name != "street"}

    assert {name for name, phone in phones.items() if phone is None} == {"doctor"}
    assert "8613800000001" not in await a_page(
        await signed_in(interface, "doctor"), f"/staff/requests/{request.reference}"
    )


async def test_parent_and_followers_name_each_other(interface: Interface) -> None:
    parent, child = await in_state(interface, "assigned", followers=2), await in_state(interface, "merged")
    hidden = await interface.submit(confidential=True)
    await interface.move(child, "merged", parent=parent.reference, parent_state="assigned")
    await interface.move(hidden, "merged", parent=parent.reference, department="health")

    assert (await full(interface, parent))["followers"] == [child.reference]
    assert set((await full(interface, parent, "supervisor"))["followers"]) == {child.reference, hidden.reference}
    assert (await full(interface, child))["parent"] == {"reference": parent.reference, "state": "assigned"}


async def test_a_call_that_is_wanted_is_shown_with_its_tries(interface: Interface) -> None:
    request = await in_state(interface, "resolved", call_wanted_at=interface.clock(), call_count=2)

    assert (await full(interface, request, "caller"))["call"] == {"wanted_at": "2026-11-23T01:00:00Z", "tries": 2}


# What may be done


@pytest.mark.parametrize(
    ("username", "state", "columns", "actions"),
    [
        ("handler", "in_progress", {}, {"contact", "progress", "ask_citizen", "add_co_handler", "resolve", "escalate"}),
        ("lead", "in_progress", {"return_until": "past"}, {"contact", "progress", "ask_citizen", "add_co_handler", "resolve", "escalate", "request_extension", "request_hold"}),
        ("lead", "in_progress", {"extension_asked_by": "x", "hold_asked_by": "x", "return_until": "past"}, {"contact", "progress", "ask_citizen", "add_co_handler", "resolve", "escalate"}),
        ("dispatcher", "in_progress", {"extension_asked_by": "x"}, {"transfer", "reassign", "reclassify", "set_urgency", "grant_extension", "refuse_extension"}),
        ("supervisor", "in_progress", {"hold_asked_by": "x"}, {"transfer", "reassign", "reclassify", "set_urgency", "approve_hold", "refuse_hold", "escalate"}),
        ("supervisor", "on_hold", {}, {"resume", "escalate"}),
        ("caller", "resolved", {}, {"record_call"}),
        ("admin", "in_progress", {}, {"adopt_policy"}),
        ("dispatcher", "merged", {}, {"unmerge"}),
        ("dispatcher", "triage", {"return_count": 1}, {"decline", "transfer", "assign", "refer", "reassign", "reclassify", "set_urgency", "merge"}),
        ("dispatcher", "triage", {"followers": 1}, {"decline", "transfer", "assign", "reassign", "reclassify", "set_urgency"}),
    ],
)  # fmt: skip
async def test_who_may_do_what_where(
    interface: Interface, username: str, state: str, columns: dict[str, Any], actions: set[str]
) -> None:
    past = interface.clock() - timedelta(hours=1)
    request = await in_state(
        interface, state, **{name: past if value == "past" else value for name, value in columns.items()}
    )

    assert (await may(interface, request, username)).keys() == actions


async def test_nobody_decides_what_they_asked_for_themselves(interface: Interface) -> None:
    supervisor = await id_of(interface, "supervisor")
    request = await in_state(interface, "in_progress", extension_asked_by=supervisor, hold_asked_by=supervisor)

    decides = {"grant_extension", "refuse_extension", "approve_hold", "refuse_hold"}
    assert decides.isdisjoint(await may(interface, request, "supervisor"))


async def test_a_co_handler_is_offered_what_is_the_co_handlers_alone(interface: Interface) -> None:
    request = await helped(interface, ("health", "asked"))
    offered = await may(interface, request, "doctor")

    assert offered.keys() == {"progress", "finish_co_handling", "return_co_handling"}
    assert offered["progress"].keys() == {"note"}
    assert offered["finish_co_handling"].keys() == {"note"}
    problem(await interface.act("doctor", request, "resolve", {"outcome": "solved", "reply": "x"}), 403, "forbidden")
    assert "public" in (await may(interface, request, "lead"))["progress"]


async def test_help_is_asked_of_departments_that_do_not_have_the_request(interface: Interface) -> None:
    request = await helped(interface, ("health", "asked"))
    field = (await may(interface, request, "handler"))["add_co_handler"]["department"]

    assert (field["choices"], field["choices_from"]) == (["city", "north_street"], "departments")


@pytest.mark.parametrize(
    ("parent_state", "offered"), [("in_progress", True), ("closed", True), ("declined", False), ("transferred", False)]
)
async def test_separating_is_offered_as_long_as_the_run_follows(
    interface: Interface, parent_state: str, offered: bool
) -> None:
    request = await in_state(interface, "merged", parent="2611-4829-13704", parent_state=parent_state)

    assert ("unmerge" in await may(interface, request, "dispatcher")) is offered


async def test_whoever_works_for_two_that_help_says_for_which(interface: Interface) -> None:
    request = await helped(interface, ("health", "asked"), ("north_street", "asked"))
    field = (await may(interface, request, "street"))["finish_co_handling"]["department"]

    assert (field["choices"], field["required"]) == (["health", "north_street"], True)


async def test_only_those_that_are_waited_for_can_be_done_without(interface: Interface) -> None:
    request = await helped(interface, ("health", "asked"), ("north_street", "returned"), ("city", "done"))
    offered = await may(interface, request, "handler")
    assert offered["waive_co_handling"]["department"]["choices"] == ["health", "north_street"]

    done = await helped(interface, ("health", "done"))
    assert "waive_co_handling" not in await may(interface, done, "handler")
    assert "waive_co_handling" not in await may(interface, request, "doctor")


@pytest.mark.parametrize(("level", "assigned", "waiting"), [(0, True, True), (1, True, False), (2, False, False)])
async def test_escalating_is_offered_as_long_as_the_chain_goes_on(
    fresh_database: FreshDatabase, level: int, assigned: bool, waiting: bool
) -> None:
    city = a_city()
    chains = tuple(replace(chain, rungs=chain.rungs[: 1 if chain.code == "triage" else 2]) for chain in city.chains)
    async with an_interface(fresh_database(), policy=replace(city, chains=chains)) as other:
        await other.employ("handler", "handler", departments=["housing"])
        await other.employ("supervisor", "supervisor")
        handled = await in_state(other, "in_progress", escalation_level=level)
        undecided = await in_state(other, "triage", department=None, escalation_level=level)

        assert ("escalate" in await may(other, handled, "handler")) is assigned
        assert ("escalate" in await may(other, undecided, "supervisor")) is waiting


@pytest.mark.parametrize(("days", "offered"), [(29, True), (31, False)])
async def test_reopening_is_offered_as_long_as_its_window_is_open(
    interface: Interface, days: int, offered: bool
) -> None:
    request = await in_state(interface, "closed", resolved_at=interface.clock() - timedelta(days=days))

    assert ("reopen" in await may(interface, request, "supervisor")) is offered


# What an action takes


@pytest.mark.parametrize(
    ("username", "state", "action", "body", "fields"),
    [
        ("lead", "in_progress", "request_extension", {"days": 0, "reason": "x"}, {"days"}),
        ("lead", "in_progress", "request_extension", {"days": 61, "reason": "x"}, {"days"}),
        ("lead", "in_progress", "request_extension", {"days": "5", "reason": "x"}, {"days"}),
        ("lead", "in_progress", "request_extension", {"days": 5}, {"reason"}),
        ("lead", "in_progress", "request_hold", {"review_on": "soon", "reason": "x"}, {"review_on"}),
        ("lead", "in_progress", "request_hold", {"review_on": "2026-02-30", "reason": "x"}, {"review_on"}),
        ("handler", "in_progress", "ask_citizen", {"question": " "}, {"question"}),
        ("handler", "in_progress", "add_co_handler", {"department": "moon", "task": "x"}, {"department"}),
        ("dispatcher", "triage", "merge", {"parent": "2611-4829-13705"}, {"parent"}),
        ("dispatcher", "triage", "merge", {}, {"parent"}),
        ("caller", "resolved", "record_call", {"result": "answered"}, {"solved"}),
        ("caller", "resolved", "record_call", {"result": "answered", "solved": "yes"}, {"satisfied"}),
        ("caller", "resolved", "record_call", {"result": "answered", "solved": "yes", "satisfied": 6}, {"satisfied"}),
        ("caller", "resolved", "record_call", {"result": "asleep"}, {"result"}),
        ("admin", "assigned", "adopt_policy", {"version": "moon", "reason": "x"}, {"version"}),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_named_with_how_to_mend_it(
    interface: Interface, username: str, state: str, action: str, body: dict[str, Any], fields: set[str]
) -> None:
    request = await in_state(interface, state)
    errors = problem(await interface.act(username, request, action, body), 422, "invalid")["errors"]

    assert {error["field"] for error in errors} == fields
    assert all(error["mend"] and error["reason"] != "This is wrong." for error in errors)


async def test_a_part_is_named_by_a_department_that_helps(interface: Interface) -> None:
    request = await helped(interface, ("gone_department", "asked"), ("health", "asked"))
    waive = {"department": "housing", "reason": "x"}
    error = problem(await interface.act("handler", request, "waive_co_handling", waive), 422, "invalid")["errors"][0]
    assert "health" in error["mend"]
    assert "housing" not in error["mend"]

    # One that the policy has dropped meanwhile can still be done without: only the engine is away.
    waive = {"department": "gone_department", "reason": "x"}
    problem(await interface.act("handler", request, "waive_co_handling", waive), 503, "engine_unavailable")
    problem(
        await interface.act("doctor", request, "finish_co_handling", {"note": "x", "department": "city"}),
        422,
        "invalid",
    )


@pytest.mark.parametrize("written", ["2611-4829-13704", "2611482913704", "２６１１ 4829 13704"])
async def test_a_parent_may_be_written_as_people_write_references(interface: Interface, written: str) -> None:
    request = await in_state(interface, "triage")

    problem(await interface.act("dispatcher", request, "merge", {"parent": written}), 503, "engine_unavailable")


# The pages


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("username", ["lead", "doctor", "supervisor"])
async def test_the_page_shows_all_that_a_request_waits_for(interface: Interface, username: str, language: str) -> None:
    request = await helped(interface, ("health", "asked"), extension_days=5, extension_asked_by="x", hold_asked_by="x", hold_review_on=date(2027, 3, 1), followers=1, paused_seconds=90_000)  # fmt: skip
    child = await in_state(interface, "merged", parent=request.reference)
    browser = await signed_in(interface, username)
    html = await a_page(browser, f"/staff/requests/{request.reference}?lang={language}")
    words = WORDS[language]["staff"]  # type: ignore[index]

    for name in ("hold_wanted", "extension_wanted", "co_handlers", "followers", "paused"):
        assert (words[name] in html) is (name != "followers" or username != "doctor"), name
    assert "Please lay the cable." in html
    assert (child.reference in html) is (username != "doctor")


async def test_the_forms_send_numbers_dates_and_lines(interface: Interface) -> None:
    request = await in_state(interface, "in_progress")
    lead = await signed_in(interface, "lead")
    address = f"/staff/requests/{request.reference}"
    html = await a_page(lead, f"{address}?lang=en")
    assert 'type="number" id="request_extension-days"' in html
    assert 'type="date" id="request_hold-review_on"' in html
    for action, fields in (
        ("request_extension", {"days": "5", "reason": "A new post."}),
        ("request_hold", {"review_on": "2027-03-01", "reason": "Dug up."}),
    ):
        sent = await lead.post(f"{address}/actions/{action}?lang=en", data=fields)
        assert sent.status_code == 503, sent.text
        assert all(f'value="{value}"' in sent.text or value in sent.text for value in fields.values())
    wrong = await lead.post(f"{address}/actions/request_extension?lang=en", data={"days": "many", "reason": "x"})
    assert wrong.status_code == 422
    assert WORDS["en"]["mend"]["days"] in wrong.text
    assert 'value="many"' in wrong.text


async def test_a_caller_records_what_the_citizen_said_by_the_form(interface: Interface) -> None:
    request = await in_state(interface, "resolved", call_wanted_at=interface.clock())
    caller = await signed_in(interface, "caller")
    address = f"/staff/requests/{request.reference}"
    form = Form(await a_page(caller, f"{address}?lang=en"))
    assert form.forms[f"{address}/actions/record_call?lang=en"].keys() == {
        "key",
        "result",
        "solved",
        "satisfied",
        "note",
    }

    sent = {"result": "answered", "solved": "yes", "satisfied": "5"}
    assert (await caller.post(f"{address}/actions/record_call?lang=en", data=sent)).status_code == 503
    half = await caller.post(f"{address}/actions/record_call?lang=en", data={"result": "answered", "solved": "yes"})
    assert (half.status_code, WORDS["en"]["mend"]["satisfied"] in half.text) == (422, True)
