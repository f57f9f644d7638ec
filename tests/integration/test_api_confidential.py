"""A confidential request among all others: every address of the staff, asked by everybody who may not see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.routing import Route

from api.app import create_app
from api.pages import console, numbers
from db import attachments, outbox, read_model, texts, views
from db.ids import new_id
from domain.notices import NoticeKind, Recipient, owe
from domain.record import Entry, Record
from domain.request import Event, State
from tests.builders import MONDAY_NINE
from tests.integration.test_api_citizens import a_picture
from tests.integration.test_api_pages import BROWSER
from tests.interface import Interface, Submitted, an_interface, settings_for

SECRET = "zebra stripes"
PEOPLE: dict[str, tuple[list[str], list[str], list[str]]] = {
    # name: roles, departments, led
    "handler": (["handler"], ["housing"], []),
    "lead_above": (["handler"], [], ["city"]),
    "helper": (["handler"], ["health"], []),
    "dispatcher": (["dispatcher"], [], []),
    "supervisor": (["supervisor"], [], []),
    "street_handler": (["handler"], ["north_street"], []),
    "street_lead": (["handler"], [], ["north_street"]),
    "caller": (["caller"], [], []),
    "admin": (["admin"], [], []),
    "calling_admin": (["admin", "caller"], [], []),
    "nobody": ([], [], []),
}
MAY_SEE = {"handler", "lead_above", "helper", "dispatcher", "supervisor"}

ADDRESSES: dict[str, list[dict[str, str]]] = {
    # Every GET of the staff, with what to ask for; {reference} is the confidential one, {other} a public one like it.
    "/api/v1/staff/requests": [
        {}, {"q": "zebra"}, {"q": "{reference}"}, {"department": "housing"}, {"department": "health"}, {"overdue": "true"},
        {"category": "street_light"}, {"district": "middle"}, {"escalated": "true"}, {"state": "in_progress"},
        *({"waiting_for": task} for task in ("call", "extension", "hold", "co_handling")),
        *({"waiting_for": task, "department": "housing"} for task in ("call", "extension", "hold", "co_handling")),
    ],
    "/api/v1/staff/requests/{reference}": [{}],
    "/api/v1/staff/requests/{reference}/attachments/{attachment_id}": [{}],
    "/api/v1/staff/requests/{reference}/candidates": [{}],
    "/api/v1/staff/requests/{reference}/precedents": [{}],
    "/api/v1/staff/requests/{reference}/past-answers": [{}],
    "/api/v1/staff/requests/{other}/candidates": [{}],
    "/api/v1/staff/requests/{other}/precedents": [{}],
    "/api/v1/staff/requests/{other}/past-answers": [{}],
    "/api/v1/staff/requests/{other}": [{}],
    "/api/v1/staff/rates": [{"from": "2026-11-01", "to": "2026-11-30", "by": by} for by in ("city", "department", "category")],
    "/api/v1/staff/rates/requests": [
        {"from": "2026-11-01", "to": "2026-11-30", "figure": figure} for figure in ("submitted", "assigned", "slow_response")
    ],
    "/api/v1/staff/outbox": [{}, {"reference": "{reference}"}],
    "/api/v1/staff/policy": [{}],
    "/api/v1/staff/sessions": [{}],
    "/api/v1/staff/topics": [{}],
    "/api/v1/staff/topics/{topic_id}": [{}],
    "/api/v1/staff/requests/{reference}/release": [{}],
    "/staff": [{}, {"department": "housing"}, {"department": "health"}, {"state": "in_progress"},
               *({"task": task} for task in ("call", "extension", "hold", "co_handling"))],
    "/staff/requests/{reference}": [{}],
    "/staff/requests/{other}": [{}],
    "/staff/numbers": [{"from": "2026-11-01", "to": "2026-11-30"}],
    "/staff/numbers/requests": [{"from": "2026-11-01", "to": "2026-11-30", "figure": "submitted"}],
}  # fmt: skip


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url, HUISHENG_DEMO="") as running:
        for name, (roles, departments, leads) in PEOPLE.items():
            await running.employ(name, *roles, departments=departments, leads=leads)
        yield running


def a_part() -> dict[str, Any]:
    task = "0199c0de-5a1e-7c3b-9d55-2f4a8b6c1e70"
    return {"number": 1, "department": "health", "state": "asked", "task": task, "due_at": MONDAY_NINE.isoformat(), "settled_at": None}  # fmt: skip


async def planted(interface: Interface, state: str, *, confidential: bool, title: str, **columns: Any) -> Submitted:
    """A request that stands in every list that its state allows."""
    request = await interface.submit(
        confidential=confidential, title=title, description=title, contact={"phone": "13912345678"},
        location={"place": "by the old well"},
    )  # fmt: skip
    late = MONDAY_NINE - timedelta(hours=3)
    asked = {"extension_asked_by": "x", "extension_days": 5, "hold_asked_by": "x", "escalation_level": 1}
    values = {
        "department": "housing", "category": "street_light", "district": "middle", "due_at": late, "assigned_at": late,
        "contact_due_at": late, "co_handlers": [a_part()], "co_departments": ["health"], **asked,
    }  # fmt: skip
    await interface.move(request, state, **(values | columns))
    return request


async def told(interface: Interface, request: Submitted) -> UUID:
    """Gives the request a picture, a decision with its reason, an answer, and a message that went out; the picture's id."""
    services, now = interface.services, interface.clock()
    row = await interface.row("select id from requests where reference = $1", request.reference)
    pictures = await attachments.keep(
        services.pool, services.keys, row["id"], "citizen", [("image/jpeg", a_picture())], now, at_most=9
    )
    reason = await texts.keep(services.pool, services.keys, row["id"], SECRET, now)
    snapshot = await views.snapshot(services.pool, row["id"])
    event = Event(
        9,
        now,
        "decide",
        "staff",
        "",
        None,
        snapshot.state,
        True,
        str(reason),
        {"decision": "assign", "department": "housing"},
    )
    await read_model.record(services.pool, Record(snapshot, (Entry(event),)), None, now)
    await services.pool.execute("update snapshots set reply = $2 where request_id = $1", row["id"], reason)
    notice_id = new_id(now)
    await services.pool.execute(
        "insert into notices (id, request_id, sequence, kind, recipient, channel, language, facts, urgent, state, created_at)"
        " values ($1, $2, 1, 'receipt', 'citizen', 'sms', 'en', '{}', false, 'sent', now())",
        notice_id, row["id"],
    )  # fmt: skip
    await outbox.keep(services.pool, services.keys, notice_id, "+8613912345678", f"About {request.reference}")
    assert pictures is not None
    return pictures[0].id


async def found_in(
    interface: Interface, username: str, request: Submitted, other: Submitted, picture: UUID
) -> set[str]:
    """The addresses that tell that person anything of the request, in any of its words or its number."""
    headers = await interface.sign_in(username)
    cookie = {"Cookie": f"huisheng_session={interface.tokens[username]}"}
    finds = set()
    for address, queries in ADDRESSES.items():
        path = address.format(
            reference=request.reference, other=other.reference, attachment_id=picture, topic_id=picture
        )
        for query in queries:
            asked = {name: value.format(reference=request.reference) for name, value in query.items()}
            as_page = address.startswith("/staff")
            answer = await interface.http.get(path, params=asked, headers=BROWSER | cookie if as_page else headers)
            assert answer.status_code < 500, (address, query, answer.text)
            words = answer.text.replace(f"/staff/requests/{request.reference}?", "")
            if SECRET in words or (request.reference in words and answer.status_code == 200) or answer.headers["content-type"] == "image/jpeg":  # fmt: skip
                finds.add(address)
    return finds


def test_every_address_of_the_staff_is_asked() -> None:
    app = create_app(settings_for("postgresql://nobody@nowhere/nothing"))
    told = {path for path, methods in app.openapi()["paths"].items() if "get" in methods and "/staff/" in path}
    pages = {
        route.path
        for router in (console.router, numbers.router)
        for route in router.routes
        if isinstance(route, Route) and "GET" in (route.methods or ())
    }
    assert told | pages <= set(ADDRESSES)


@pytest.mark.parametrize("state", ["triage", "assigned", "in_progress", "resolved", "closed"])
async def test_nobody_else_learns_anything_of_a_confidential_request(interface: Interface, state: str) -> None:
    over: dict[str, Any] = (
        {"call_wanted_at": MONDAY_NINE, "resolved_at": MONDAY_NINE} if state in ("resolved", "closed") else {}
    )
    nobody_has_it: dict[str, Any] = (
        {"department": None, "co_handlers": [], "co_departments": []} if state == "triage" else {}
    )
    confidential = await planted(interface, state, confidential=True, title=SECRET, **(over | nobody_has_it))
    picture = await told(interface, confidential)
    other = await planted(
        interface, "assigned", confidential=False, title="zebra stripe", co_departments=[], department="north_street"
    )

    for username in PEOPLE.keys() - MAY_SEE:
        assert await found_in(interface, username, confidential, other, picture) == set(), username
    for username in MAY_SEE if state != "triage" else {"dispatcher", "supervisor"}:
        assert "/api/v1/staff/requests" in await found_in(interface, username, confidential, other, picture), username


async def test_the_numbers_of_others_do_not_count_it(interface: Interface) -> None:
    await planted(interface, "in_progress", confidential=True, title=SECRET)
    counted = {}
    for username in ("supervisor", "admin", "calling_admin"):
        answer = await interface.as_staff(username, "/rates", params={"from": "2026-11-01", "to": "2026-11-30"})
        if answer.status_code == 200:
            counted[username] = answer.json()["whole"]["submitted"]

    assert counted.pop("supervisor") == 1
    assert set(counted.values()) <= {0}


@pytest.mark.parametrize(
    "action", ["accept", "progress", "resolve", "record_call", "adopt_policy", "finish_co_handling"]
)
async def test_nobody_else_can_act_on_it_or_add_a_photo(interface: Interface, action: str) -> None:
    confidential = await planted(interface, "in_progress", confidential=True, title=SECRET)
    for username in PEOPLE.keys() - MAY_SEE:
        assert (await interface.act(username, confidential, action)).status_code == 404, username
        files = [("images", ("x.jpg", a_picture(), "image/jpeg"))]
        address = f"/api/v1/staff/requests/{confidential.reference}/attachments"
        headers = await interface.sign_in(username)
        assert (await interface.http.post(address, files=files, headers=headers)).status_code == 404, username


@pytest.mark.parametrize(("confidential", "recipients"), [(False, {"caller", "calling_admin"}), (True, {"supervisor"})])
async def test_a_call_about_it_is_asked_of_whoever_may_see_it(
    interface: Interface, confidential: bool, recipients: set[str]
) -> None:
    request = await planted(interface, "resolved", confidential=confidential, title=SECRET)
    services = interface.services
    snapshot = await views.snapshot_by_reference(services.pool, request.reference)
    assert snapshot is not None
    event = Event(9, interface.clock(), "call_wanted", "system", "", None, State.RESOLVED, False)
    notice = owe(NoticeKind.CALL_WANTED, Recipient.CALLERS, snapshot)
    await read_model.record(services.pool, Record(snapshot, (Entry(event, (notice,)),)), None, interface.clock())
    rows = await services.pool.fetch(
        "select username from notices join staff on recipient = 'staff:' || staff.id where kind = 'call_wanted'"
    )

    assert {row["username"] for row in rows} == recipients
