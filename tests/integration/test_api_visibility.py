"""Who sees which request and who may act on it: roles and departments, over HTTP, without an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.request import Role, State
from tests.interface import Interface, Submitted, an_interface, problem

STAFF = {
    # name: roles, departments, led
    "housing_handler": ((Role.HANDLER,), ("housing",), ()),
    "housing_lead": ((Role.HANDLER,), (), ("housing",)),
    "street_handler": ((Role.HANDLER,), ("north_street",), ()),
    "health_handler": ((Role.HANDLER,), ("health",), ()),
    "city_lead": ((Role.HANDLER,), (), ("city",)),
    "dispatcher": ((Role.DISPATCHER,), (), ()),
    "supervisor": ((Role.SUPERVISOR,), (), ()),
    "caller": ((Role.CALLER,), (), ()),
    "admin": ((Role.ADMIN,), (), ()),
    "nobody": ((), (), ()),
}
A_REFERENCE = "2611-4829-13704"
EVERYWHERE = {"city_lead", "dispatcher", "supervisor", "caller", "admin"}
REQUESTS = {
    # department, confidential: who sees it
    ("housing", False): EVERYWHERE | {"housing_handler", "housing_lead"},
    ("north_street", False): EVERYWHERE | {"housing_lead", "street_handler"},
    ("health", False): EVERYWHERE | {"health_handler"},
    (None, False): {"dispatcher", "supervisor", "caller", "admin"},
    ("housing", True): {"housing_handler", "housing_lead", "city_lead", "dispatcher", "supervisor"},
    (None, True): {"dispatcher", "supervisor"},
}


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url) as running:
        for name, (roles, departments, leads) in STAFF.items():
            await running.employ(name, *roles, departments=departments, leads=leads)
        yield running


async def test_each_member_of_staff_finds_exactly_what_they_may_see(interface: Interface) -> None:
    references = {}
    for department, confidential in REQUESTS:
        submitted = await interface.submit(confidential=confidential)
        await interface.move(submitted, "assigned" if department else "triage", department=department)
        references[submitted.reference] = (department, confidential)

    for name in STAFF:
        seen = {references[reference] for reference in references if name in REQUESTS[references[reference]]}
        listed = (await interface.as_staff(name, "/requests", params={"limit": 100})).json()["requests"]
        assert {references[row["reference"]] for row in listed if row["reference"] in references} == seen, name
        for reference, request in references.items():
            answer = await interface.as_staff(name, f"/requests/{reference}")
            assert answer.status_code == (200 if request in seen else 404), (name, request)
            found = (await interface.as_staff(name, "/requests", params={"q": reference})).json()["requests"]
            assert len(found) == (1 if request in seen else 0), (name, request)


async def texts_of(interface: Interface, request: Submitted) -> int:
    count: int = await interface.services.pool.fetchval(
        "select count(*) from texts join requests on requests.id = request_id where reference = $1 and refused_at is null",
        request.reference,
    )
    return count


async def in_state(interface: Interface, state: State, department: str | None = "housing") -> Submitted:
    request = await interface.submit()
    await interface.move(request, state, department=department)
    return request


@pytest.mark.parametrize(
    ("name", "action", "state", "status", "code"),
    [
        pytest.param("housing_handler", "accept", State.ASSIGNED, 503, "engine_unavailable", id="its handler may accept"),
        pytest.param("housing_lead", "accept", State.ASSIGNED, 503, "engine_unavailable", id="its lead may accept"),
        pytest.param("city_lead", "accept", State.ASSIGNED, 503, "engine_unavailable", id="so may a lead above"),
        pytest.param("health_handler", "accept", State.ASSIGNED, 404, "not_found", id="another's handler does not see it"),
        pytest.param("street_handler", "accept", State.ASSIGNED, 404, "not_found", id="nor one of a department below"),
        pytest.param("dispatcher", "accept", State.ASSIGNED, 403, "forbidden", id="a dispatcher sees it but does not accept"),
        pytest.param("admin", "accept", State.ASSIGNED, 403, "forbidden", id="an admin looks on"),
        pytest.param("caller", "accept", State.ASSIGNED, 403, "forbidden", id="a caller looks on"),
        pytest.param("housing_handler", "accept", State.IN_PROGRESS, 409, "not_allowed", id="not twice"),
        pytest.param("housing_handler", "return_request", State.ASSIGNED, 403, "forbidden", id="only a lead returns"),
        pytest.param("supervisor", "decline", State.TRIAGE, 503, "engine_unavailable", id="a supervisor stands in"),
        pytest.param("dispatcher", "merge", State.TRIAGE, 503, "engine_unavailable", id="a dispatcher may merge"),
        pytest.param("dispatcher", "merge", State.IN_PROGRESS, 409, "not_allowed", id="but not what is worked on"),
        pytest.param("caller", "record_call", State.RESOLVED, 503, "engine_unavailable", id="a caller may record a call"),
        pytest.param("supervisor", "record_call", State.RESOLVED, 503, "engine_unavailable", id="a supervisor stands in for one"),
        pytest.param("dispatcher", "record_call", State.RESOLVED, 403, "forbidden", id="nobody else records one"),
        pytest.param("admin", "adopt_policy", State.ASSIGNED, 422, "invalid", id="a version that there is not"),
        pytest.param("supervisor", "adopt_policy", State.ASSIGNED, 403, "forbidden", id="only an admin moves it to another version"),
        pytest.param("dispatcher", "submit", State.TRIAGE, 409, "not_allowed", id="an action of the system"),
        pytest.param("dispatcher", "explode", State.TRIAGE, 422, "invalid", id="an action that does not exist"),
    ],
)  # fmt: skip
async def test_who_may_do_what(
    interface: Interface, name: str, action: str, state: State, status: int, code: str
) -> None:
    bodies = {
        "return_request": {"reason": "x", "department": "health"},
        "decline": {"reason_code": "court"},
        "merge": {"parent": A_REFERENCE},
        "record_call": {"result": "no_answer"},
        "adopt_policy": {"version": "moon", "reason": "x"},
    }
    request = await in_state(interface, state)
    answer = await interface.act(name, request, action, bodies.get(action))

    problem(answer, status, code)


async def test_a_refusal_names_the_state_and_the_reason(interface: Interface) -> None:
    request = await in_state(interface, State.RESOLVED)
    refused = problem(await interface.act("housing_handler", request, "accept"), 409, "not_allowed")

    assert "resolved" in refused["detail"]


@pytest.mark.parametrize(
    ("action", "state", "body", "fields"),
    [
        pytest.param("assign", State.TRIAGE, {}, {"department", "category"}, id="nothing"),
        pytest.param("assign", State.TRIAGE, {"department": "moon", "category": "moon"}, {"department", "category"}, id="unknown codes"),
        pytest.param("assign", State.TRIAGE, {"department": "housing", "category": "clinic", "urgency": "soon"}, {"urgency"}, id="no choice"),
        pytest.param("decline", State.TRIAGE, {"reason_code": "bored"}, {"reason_code"}, id="an unknown reason"),
        pytest.param("transfer", State.TRIAGE, {"target": "mars"}, {"target"}, id="an unknown target"),
        pytest.param("reassign", State.ASSIGNED, {"department": "health", "reason": " "}, {"reason"}, id="a blank reason"),
        pytest.param("reassign", State.ASSIGNED, {"department": "health", "reason": "\u0000"}, {"reason"}, id="a control character"),
        pytest.param("set_urgency", State.ASSIGNED, {"urgency": "danger", "reason": "x" * 4001}, {"reason"}, id="too long a reason"),
        pytest.param("decide", State.ADJUDICATION, {"decision": "assign", "reason": "x"}, {"department"}, id="a decision without its department"),
        pytest.param("decide", State.ADJUDICATION, {"decision": "decline", "reason": "x"}, {"reason_code"}, id="a decision without its reason"),
        pytest.param("escalate", State.IN_PROGRESS, {}, {"reason"}, id="an escalation without a reason"),
        pytest.param("reopen", State.RESOLVED, {"text": 5}, {"text"}, id="a number for a text"),
        pytest.param("reopen", State.RESOLVED, {"note": "x"}, {"note"}, id="an unknown field"),
    ],
)  # fmt: skip
async def test_a_wrong_field_of_an_action_is_named(
    interface: Interface, action: str, state: State, body: dict[str, object], fields: set[str]
) -> None:
    request = await in_state(interface, state)
    answer = await interface.act("supervisor", request, action, body)

    assert {error["field"] for error in problem(answer, 422, "invalid")["errors"]} == fields
    assert await texts_of(interface, request) == 0


async def test_unknown_codes_are_answered_with_the_choices(interface: Interface) -> None:
    request = await in_state(interface, State.TRIAGE)
    answer = await interface.act("dispatcher", request, "transfer", {"target": "mars"})

    assert "next_city" in problem(answer, 422, "invalid")["errors"][0]["mend"]


async def test_what_a_person_may_do_is_told_with_the_fields_it_needs(interface: Interface) -> None:
    request = await in_state(interface, State.IN_PROGRESS)
    may = (await interface.as_staff("housing_handler", f"/requests/{request.reference}")).json()["may"]

    asked = {"contact", "progress", "ask_citizen", "add_co_handler", "resolve", "escalate"}
    assert {entry["action"] for entry in may} == asked
    (resolve,) = [entry["fields"] for entry in may if entry["action"] == "resolve"]
    assert resolve[0]["name"] == "outcome"
    assert resolve[0]["choices"] == ["solved", "partly_solved", "explained", "not_solved"]
    assert resolve[1] == {"name": "reply", "type": "text", "required": True, "choices": None, "choices_from": None}


async def test_a_caller_without_work_may_do_nothing(interface: Interface) -> None:
    request = await in_state(interface, State.ASSIGNED)

    assert (await interface.as_staff("caller", f"/requests/{request.reference}")).json()["may"] == []


async def test_while_the_engine_is_down_an_action_does_nothing_and_says_when_to_come_back(interface: Interface) -> None:
    request = await in_state(interface, State.IN_PROGRESS)
    body = {"outcome": "solved", "reply": "Repaired."}
    answer = await interface.act("housing_handler", request, "resolve", body)

    problem(answer, 503, "engine_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.elapsed.total_seconds() < 3
    assert await texts_of(interface, request) == 0
