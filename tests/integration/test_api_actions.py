"""Staff and citizens over HTTP with the whole engine behind it: a real Temporal, the real worker and its relay."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import worker
from supervision.temporal import TemporalServer
from tests.conftest import FreshDatabase
from tests.integration.test_api_citizens import a_picture
from tests.interface import Interface, Submitted, an_interface, problem, settings_for


@pytest.fixture(scope="module")
async def interface(fresh_database: FreshDatabase, temporal_server: TemporalServer) -> AsyncIterator[Interface]:
    """One system for all tests of this file, at the real time; each test has a request of its own."""
    url, address = fresh_database(), temporal_server.address
    async with an_interface(url, address, real_time=True) as running, a_worker(url, address):
        await running.employ("dispatcher", "dispatcher")
        await running.employ("supervisor", "supervisor")
        await running.employ("handler", "handler", departments=["housing"])
        await running.employ("lead", "handler", leads=["housing"])
        await running.employ("clinic", "handler", departments=["health"])
        yield running


class a_worker:  # noqa: N801
    """The worker of the program, in this process."""

    def __init__(self, database_url: str, temporal_address: str) -> None:
        self._settings = settings_for(database_url, temporal_address)
        self._stop = asyncio.Event()

    async def __aenter__(self) -> None:
        self._running = asyncio.create_task(worker.run(self._settings, self._stop))

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await self._running


async def eventually(look: Callable[[], Awaitable[bool]], seconds: float = 120.0) -> None:
    async with asyncio.timeout(seconds):
        while not await look():  # noqa: ASYNC110 (nobody could set an event)
            await asyncio.sleep(0.05)


async def assigned(interface: Interface, **changes: Any) -> Submitted:
    """A request that the engine has sent to a department."""
    request = await interface.submit(**changes)
    await eventually(lambda: in_state(interface, request, "assigned"))
    return request


async def in_state(interface: Interface, request: Submitted, *states: str) -> bool:
    return (await interface.look_up(request))["state"] in states


async def done(interface: Interface, username: str, request: Submitted, action: str, **body: Any) -> dict[str, Any]:
    answer = await interface.act(username, request, action, body)
    assert answer.status_code == 200, answer.text
    taken: dict[str, Any] = answer.json()
    return taken


async def test_a_request_travels_from_the_receipt_to_the_rating(interface: Interface) -> None:
    request = await assigned(interface, language="en")
    assert (await done(interface, "handler", request, "accept"))["state"] == "in_progress"
    await done(interface, "handler", request, "contact", how="phone", note="Will come on Tuesday.")
    await done(interface, "handler", request, "progress", note="The part is ordered.", public=True)
    await done(interface, "handler", request, "progress", note="Ask the depot.", public=False)
    taken = await done(interface, "handler", request, "resolve", outcome="solved", reply="Repaired this morning.")
    assert taken["state"] == "resolved"

    standing = await interface.look_up(request)
    assert standing["reply"] == "Repaired this morning."
    assert (standing["department"], standing["department_name"]) == ("housing", "Housing")
    assert (standing["category"], standing["category_name"]) == ("street_light", "street light")
    assert standing["may"] == ["rate", "reopen"]
    said = [entry["said"] for entry in standing["timeline"]]
    assert "The part is ordered." in said
    assert "Ask the depot." not in said
    assert all(entry["text"] for entry in standing["timeline"])

    assert (await interface.tell(request, "rate", solved="yes", satisfied=5, text="Thank you.")).status_code == 202
    await eventually(lambda: in_state(interface, request, "closed"))
    assert (await interface.look_up(request))["outcome"] == "solved"


async def test_staff_read_all_of_it(interface: Interface) -> None:
    request = await assigned(
        interface, description="The street light is out. 😡", contact={"phone": "13800000001", "name": "Li"}
    )
    await done(interface, "handler", request, "accept")
    full = (await interface.as_staff("handler", f"/requests/{request.reference}")).json()

    assert full["description"] == "The street light is out. 😡"
    assert full["contact"] == {"name": "Li", "phone": "+8613800000001", "email": None}
    assert [event["action"] for event in full["timeline"]] == ["submit", "auto_assign", "accept"]
    assert full["timeline"][-1]["actor"] == "Handler"
    assert full["assignee"] == "Handler"
    assert {notice["kind"] for notice in full["notices"]} >= {"receipt", "assigned"}
    receipt = next(notice for notice in full["notices"] if notice["kind"] == "receipt")
    assert receipt["state"] == "sent"
    assert [attempt["outcome"] for attempt in receipt["attempts"]] == ["accepted"]
    assert full["temporal_url"].endswith(f"/workflows/request-{request.reference}")
    assert full["deadlines"]["due_at"]


async def test_the_photos_of_an_answer_reach_the_citizen_when_it_is_approved(interface: Interface) -> None:
    request = await assigned(interface)
    await done(interface, "handler", request, "accept")
    address = f"/api/v1/staff/requests/{request.reference}/attachments"
    files = [("images", (f"{number}.jpg", a_picture(), "image/jpeg")) for number in range(2)]
    added = await interface.http.post(address, files=files, headers=await interface.sign_in("handler"))
    shown, kept_back = (picture["id"] for picture in added.json()["attachments"])
    taken = await done(
        interface,
        "handler",
        request,
        "resolve",
        outcome="not_solved",
        reply="It must wait.",
        attachments=[shown, shown],
    )
    assert taken["state"] == "in_review"
    assert (await interface.look_up(request))["attachments"] == []

    await done(interface, "dispatcher", request, "approve")
    assert [picture["id"] for picture in (await interface.look_up(request))["attachments"]] == [shown]
    full = (await interface.as_staff("handler", f"/requests/{request.reference}")).json()
    (resolved,) = [event for event in full["timeline"] if event["action"] == "resolve"]
    assert resolved["facts"] == {"outcome": "not_solved", "attachments": "1", "attachment_ids": shown}
    assert kept_back in {picture["id"] for picture in full["attachments"]}


async def test_a_dispatcher_sends_a_request_from_triage_to_a_department(interface: Interface) -> None:
    request = await interface.submit(description="Something is strange here.")
    await eventually(lambda: in_state(interface, request, "triage"))
    taken = await done(interface, "dispatcher", request, "assign", department="health", category="clinic")

    assert taken["state"] == "assigned"
    problem(await interface.act("handler", request, "accept"), 404, "not_found")
    assert (await done(interface, "clinic", request, "accept"))["state"] == "in_progress"


async def in_triage(interface: Interface, description: str) -> tuple[Submitted, dict[str, Any]]:
    """A request that the rules sent to a person, and what the dispatcher is shown as proposed."""
    request = await interface.submit(description=description)
    await eventually(lambda: in_state(interface, request, "triage"))
    full = (await interface.as_staff("dispatcher", f"/requests/{request.reference}?lang=en")).json()
    return request, full["proposal"]


async def test_a_proposal_of_two_departments_is_taken_in_one_action(interface: Interface) -> None:
    request, proposed = await in_triage(interface, "The street light or the clinic.")
    assert (proposed["kind"], proposed["action"], proposed["name"]) == ("co_handler", "assign", "Health")
    assert proposed["fields"] == {
        "department": "housing", "category": "street_light", "co_department": "health", "co_task": "clinic",
    }  # fmt: skip
    for _ in range(2):  # the same key again does nothing twice
        answer = await interface.act("dispatcher", request, "assign", proposed["fields"], key="once")
        assert answer.status_code == 200, answer.text

    full = (await interface.as_staff("lead", f"/requests/{request.reference}")).json()
    (helper,) = full["co_handlers"]
    assert (full["state"], full["department"], full["proposal"]) == ("assigned", "housing", None)
    assert (helper["department"], helper["state"], helper["task"]) == ("health", "asked", "clinic")


@pytest.mark.parametrize(
    ("helper", "field"),
    [
        ({"co_department": "health"}, "co_task"),
        ({"co_task": "Look at it."}, "co_department"),
        ({"co_department": "housing", "co_task": "Look at it."}, "co_department"),
        ({"co_department": "moon", "co_task": "Look at it."}, "co_department"),
    ],
)
async def test_a_second_department_that_cannot_be_asked_leaves_the_request_in_triage(
    interface: Interface, helper: dict[str, str], field: str
) -> None:
    request, _ = await in_triage(interface, "Something is strange here.")
    body = {"department": "housing", "category": "street_light", **helper}
    refused = problem(await interface.act("dispatcher", request, "assign", body), 422, "invalid")

    assert [mistake["field"] for mistake in refused["errors"]] == [field]
    assert await in_state(interface, request, "triage")


async def test_a_decline_is_proposed_with_its_route_and_confirmed_by_a_person(interface: Interface) -> None:
    request, proposed = await in_triage(interface, "My lawsuit is going on.")
    assert (proposed["kind"], proposed["action"], proposed["fields"]) == (
        "decline",
        "decline",
        {"reason_code": "court"},
    )
    assert (proposed["name"], proposed["route"], proposed["category"]) == (
        "A court decides this",
        "Go to the court",
        None,
    )

    assert (await done(interface, "dispatcher", request, "decline", **proposed["fields"]))["state"] == "declined"
    full = (await interface.as_staff("dispatcher", f"/requests/{request.reference}")).json()
    assert full["proposal"] is None


async def test_a_decline_that_would_lose_a_part_of_ours_says_so(interface: Interface) -> None:
    request, proposed = await in_triage(interface, "The street light is out, and my lawsuit is going on.")
    assert (proposed["kind"], proposed["category"]) == ("decline", "street_light")
    assigned = await done(interface, "dispatcher", request, "assign", department="housing", category="street_light")

    assert assigned["state"] == "assigned"
    full = (await interface.as_staff("lead", f"/requests/{request.reference}")).json()
    assert full["proposal"] is None


async def test_a_place_outside_the_city_is_taken_and_sent_to_a_person(interface: Interface) -> None:
    request = await interface.submit(location={"lat": 10.0, "long": 10.0})
    await eventually(lambda: in_state(interface, request, "triage"))
    full = (await interface.as_staff("dispatcher", f"/requests/{request.reference}")).json()

    assert full["triage_reason"] == "outside_city"


async def test_what_a_citizen_says_reaches_the_workflow_in_order(interface: Interface) -> None:
    request = await assigned(interface)
    for text in ("first", "second", "third"):
        answer = await interface.tell(request, "supplement", text=text)
        assert answer.status_code == 202
        assert answer.json()["state"] == "assigned"
    assert (await interface.tell(request, "urge")).status_code == 202

    async def heard() -> bool:
        return bool((await interface.look_up(request))["timeline"][-1]["kind"] == "urge")

    await eventually(heard)
    timeline = (await interface.look_up(request))["timeline"]
    assert [entry["said"] for entry in timeline if entry["kind"] == "supplement"] == ["first", "second", "third"]
    problem(await interface.tell(request, "urge"), 409, "not_allowed")


async def test_an_action_with_a_key_is_taken_once(interface: Interface) -> None:
    request = await assigned(interface)
    first = await interface.act("handler", request, "accept", key="accept-once")
    second = await interface.act("handler", request, "accept", key="accept-once")

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    problem(await interface.act("handler", request, "accept"), 409, "not_allowed")
    problem(await interface.act("handler", request, "accept", key="another"), 409, "not_allowed")


async def test_of_two_people_who_accept_at_once_one_is_told_no(interface: Interface) -> None:
    request = await assigned(interface)
    await interface.sign_in("handler")
    await interface.sign_in("lead")
    answers = await asyncio.gather(*(interface.act(name, request, "accept") for name in ("handler", "lead") * 2))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_a_text_of_a_refused_action_is_marked_and_shown_to_nobody(interface: Interface) -> None:
    request = await assigned(interface)
    await interface.move(request, "in_progress", department="housing", sequence=2)  # the read model is wrong
    refused = await interface.act("handler", request, "resolve", {"outcome": "solved", "reply": "A premature answer."})

    problem(refused, 409, "not_allowed")
    kept = await interface.services.pool.fetch(
        "select refused_at from texts join requests on requests.id = request_id where reference = $1", request.reference
    )
    assert [row["refused_at"] is not None for row in kept] == [True]
    full = await interface.as_staff("supervisor", f"/requests/{request.reference}")
    assert full.status_code == 200
    assert "premature" not in full.text + json.dumps(await interface.look_up(request))


async def test_a_matter_that_is_over_takes_no_more_actions(interface: Interface) -> None:
    request = await assigned(interface)
    await done(interface, "dispatcher", request, "transfer", target="next_city", reason="It is theirs.")
    await eventually(lambda: run_is_over(interface, request))
    problem(await interface.act("dispatcher", request, "transfer", {"target": "next_city"}), 409, "not_allowed")


async def run_is_over(interface: Interface, request: Submitted) -> bool:
    handle = interface.services.temporal.get_workflow_handle(f"request-{request.reference}")
    described = await handle.describe()
    return described.close_time is not None


async def test_a_supervisor_orders_a_reopening_and_it_is_reviewed(interface: Interface) -> None:
    request = await assigned(interface)
    await done(interface, "handler", request, "accept")
    await done(interface, "handler", request, "resolve", outcome="solved", reply="Done.")
    assert (await done(interface, "supervisor", request, "reopen", text="The photo shows another lamp."))[
        "state"
    ] == "assigned"
    await done(interface, "handler", request, "accept")
    assert (await done(interface, "handler", request, "resolve", outcome="solved", reply="Really."))[
        "state"
    ] == "in_review"
    assert (await interface.look_up(request))["reply"] is None

    assert (await done(interface, "dispatcher", request, "send_back", reason="Not clear."))["state"] == "in_progress"
    await done(interface, "handler", request, "resolve", outcome="solved", reply="Lamp 7 was replaced.")
    assert (await done(interface, "dispatcher", request, "approve"))["state"] == "resolved"
    assert (await interface.look_up(request))["reply"] == "Lamp 7 was replaced."
