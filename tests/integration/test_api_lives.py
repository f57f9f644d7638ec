"""Requests that wait, are helped with, or are merged: staff and citizens over HTTP with the whole engine behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from db import outbox
from domain.policy import Policy
from supervision.temporal import TemporalServer
from tests.city import a_city
from tests.conftest import FreshDatabase
from tests.integration.test_api_actions import a_worker, assigned, done, eventually, in_state
from tests.integration.test_api_pages import BROWSER
from tests.interface import Interface, Submitted, an_interface


def a_city_with_links() -> Policy:
    """The small city, whose question brings its link."""
    city = a_city()
    texts = {
        language: replace(each, notices={**each.notices, "question": {"sms": "{reference} {answer_link}"}})
        for language, each in city.texts.items()
    }
    return replace(city, texts=texts)


@pytest.fixture(scope="module")
async def interface(fresh_database: FreshDatabase, temporal_server: TemporalServer) -> AsyncIterator[Interface]:
    """One system for all tests of this file, at the real time; each test has requests of its own."""
    url, address = fresh_database(), temporal_server.address
    async with (
        an_interface(url, address, real_time=True, policy=a_city_with_links()) as running,
        a_worker(url, address),
    ):
        for role in ("dispatcher", "supervisor", "caller"):
            await running.employ(role, role)
        await running.employ("handler", "handler", departments=["housing"])
        await running.employ("lead", "handler", leads=["housing"])
        await running.employ("doctor", "handler", departments=["health"])
        yield running


async def accepted(interface: Interface, **changes: Any) -> Submitted:
    request = await assigned(interface, language="en", **changes)
    await done(interface, "handler", request, "accept")
    return request


async def full(interface: Interface, request: Submitted, username: str = "lead") -> dict[str, Any]:
    found: dict[str, Any] = (await interface.as_staff(username, f"/requests/{request.reference}")).json()
    return found


async def the_link(interface: Interface, request: Submitted) -> str:
    """The address in the message that brought the question."""
    services = interface.services

    async def texts() -> list[str]:
        lines = await outbox.latest(services.pool, services.keys, reference=request.reference, most=50)
        return [line.text for line in lines if line.kind == "question"]

    async def has_come() -> bool:
        return bool(await texts())

    await eventually(has_come)
    (text,) = await texts()
    found = re.search(r"http://localhost(/q/\S+)", text)
    assert found
    return found[1]


async def test_a_question_is_answered_by_its_link_and_the_work_goes_on(interface: Interface) -> None:
    request = await accepted(interface)
    before = (await interface.look_up(request))["due_at"]
    await done(interface, "handler", request, "ask_citizen", question="Which of the two lamps?")
    standing = await interface.look_up(request)
    assert (standing["state"], standing["question"]) == ("awaiting_citizen", "Which of the two lamps?")
    link = await the_link(interface, request)

    assert "Which of the two lamps?" in (await interface.http.get(link, headers=BROWSER)).text
    sent = await interface.http.post(link, data={"text": "The left one."}, headers=BROWSER)
    assert sent.status_code == 303
    await eventually(lambda: in_state(interface, request, "in_progress"))
    standing = await interface.look_up(request)
    assert (standing["question"], standing["answer_due_at"]) == (None, None)
    assert "The left one." in [entry["said"] for entry in standing["timeline"]]
    assert datetime.fromisoformat(standing["due_at"]) >= datetime.fromisoformat(before)
    assert (await interface.http.get(link, headers=BROWSER)).status_code == 404


async def test_more_time_is_asked_for_and_granted_and_the_citizen_reads_why(interface: Interface) -> None:
    request = await accepted(interface)
    before = (await interface.look_up(request))["due_at"]
    await done(interface, "lead", request, "request_extension", days=3, reason="A new post has to be made.")
    waiting = await interface.as_staff("dispatcher", "/requests", params={"waiting_for": "extension"})
    assert request.reference in [row["reference"] for row in waiting.json()["requests"]]
    await done(interface, "dispatcher", request, "grant_extension")

    standing = await interface.look_up(request)
    assert datetime.fromisoformat(standing["due_at"]) > datetime.fromisoformat(before)
    assert "A new post has to be made." in [entry["said"] for entry in standing["timeline"]]
    assert (await full(interface, request))["extension"]["granted_at"]


async def test_what_the_policy_does_not_allow_is_a_wrong_field(interface: Interface) -> None:
    request = await accepted(interface)
    too_long = await interface.act("lead", request, "request_extension", {"days": 60, "reason": "x"})
    assert [error["field"] for error in too_long.json()["errors"]] == ["days"]
    too_late = await interface.act("lead", request, "request_hold", {"review_on": "2099-01-01", "reason": "x"})
    assert [error["field"] for error in too_late.json()["errors"]] == ["review_on"]
    itself = await interface.act("dispatcher", await assigned(interface), "merge", {"parent": "2611-4829-13704"})
    assert [error["field"] for error in itself.json()["errors"]] == ["parent"]


async def test_a_hold_is_approved_shown_to_the_citizen_and_ended(interface: Interface) -> None:
    request = await accepted(interface)
    review_on = (datetime.now().astimezone() + timedelta(days=60)).date().isoformat()
    await done(interface, "lead", request, "request_hold", review_on=review_on, reason="The street is dug up.")
    assert (await interface.look_up(request))["review_on"] is None
    await done(interface, "supervisor", request, "approve_hold")

    standing = await interface.look_up(request)
    assert (standing["state"], standing["review_on"]) == ("on_hold", review_on)
    assert (await full(interface, request))["hold"]["asked_by"] == "Lead"
    assert (await done(interface, "supervisor", request, "resume", reason="It is open."))["state"] == "in_progress"


async def test_a_co_handler_does_its_part_and_the_lead_answers(interface: Interface) -> None:
    request = await accepted(interface)
    assert (await interface.as_staff("doctor", f"/requests/{request.reference}")).status_code == 404
    await done(interface, "handler", request, "add_co_handler", department="health", task="Look at the mould.")
    mine = await interface.as_staff("doctor", "/requests", params={"waiting_for": "co_handling"})
    assert [row["reference"] for row in mine.json()["requests"]] == [request.reference]
    refused = await interface.act("handler", request, "resolve", {"outcome": "solved", "reply": "x"})
    assert refused.status_code == 409
    public = await interface.act("doctor", request, "progress", {"note": "x", "public": True})
    assert public.status_code == 403
    await done(interface, "doctor", request, "finish_co_handling", note="No mould is left.")

    (part,) = (await full(interface, request))["co_handlers"]
    assert (part["state"], part["note"]) == ("done", "No mould is left.")
    assert (await done(interface, "handler", request, "resolve", outcome="solved", reply="Done."))[
        "state"
    ] == "resolved"
    assert "No mould" not in str(await interface.look_up(request))


async def test_a_merged_citizen_follows_and_judges_for_themselves(interface: Interface) -> None:
    parent, child = await accepted(interface), await assigned(interface, language="en")
    await done(interface, "dispatcher", child, "merge", parent=parent.reference.replace("-", ""))
    assert (await full(interface, child))["parent"]["reference"] == parent.reference
    await done(interface, "handler", parent, "progress", note="The part is ordered.", public=True)
    standing = await interface.look_up(child)
    assert "The part is ordered." in [entry["said"] for entry in standing["timeline"]]
    await done(interface, "handler", parent, "resolve", outcome="solved", reply="Repaired.")

    async def may_rate() -> bool:
        return bool((await interface.look_up(child))["may"] == ["rate"])

    await eventually(may_rate)
    assert (await interface.look_up(child))["reply"] == "Repaired."
    assert (await full(interface, parent))["followers"] == [child.reference]
    assert (await interface.tell(child, "rate", solved="yes", satisfied=4)).status_code == 202

    async def has_rated() -> bool:
        return bool((await interface.look_up(child))["solved"] == "yes")

    await eventually(has_rated)
    assert (await interface.look_up(child))["may"] == []
    assert (await interface.look_up(parent))["solved"] is None


async def test_after_urging_the_citizen_is_told_when_it_is_possible_again(interface: Interface) -> None:
    request = await assigned(interface)
    assert (await interface.look_up(request))["next_urge_at"] is None
    await interface.tell(request, "urge")

    async def is_urged() -> bool:
        return (await interface.look_up(request))["next_urge_at"] is not None

    await eventually(is_urged)
    again_at = datetime.fromisoformat((await interface.look_up(request))["next_urge_at"])
    refused = (await interface.tell(request, "urge")).json()
    assert f"{again_at:%Y-%m-%d %H:%M} UTC" in refused["detail"]


async def test_what_a_caller_hears_counts_as_the_rating(interface: Interface) -> None:
    request = await accepted(interface)
    await done(interface, "handler", request, "resolve", outcome="solved", reply="Repaired.")
    assert (await done(interface, "caller", request, "record_call", result="no_answer"))["state"] == "resolved"
    taken = await done(interface, "caller", request, "record_call", result="answered", solved="yes", satisfied=5)

    assert taken["state"] == "closed"
    assert (await interface.look_up(request))["satisfied"] == 5
