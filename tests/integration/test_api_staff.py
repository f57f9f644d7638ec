"""Lists, searches, numbers and messages of the staff, over HTTP, without an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from db import outbox
from db.ids import new_id
from tests.builders import MONDAY_NINE
from tests.interface import Interface, Submitted, an_interface, problem


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        await running.employ("dispatcher", "dispatcher")
        await running.employ("supervisor", "supervisor")
        await running.employ("handler", "handler", departments=["housing"])
        yield running


async def submitted(interface: Interface, count: int) -> list[Submitted]:
    requests = []
    for number in range(count):
        requests.append(await interface.submit(title=f"number {number}"))
        interface.clock.pass_(timedelta(minutes=1))
    return requests


async def listed(interface: Interface, **parameters: Any) -> list[str]:
    answer = await interface.as_staff("dispatcher", "/requests", params=parameters)
    assert answer.status_code == 200, answer.text
    return [row["reference"] for row in answer.json()["requests"]]


async def test_pages_of_a_list_hold_each_request_once_the_newest_first(interface: Interface) -> None:
    references = [request.reference for request in await submitted(interface, 7)]
    found, cursor = [], None
    while True:
        parameters = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await interface.as_staff("dispatcher", "/requests", params=parameters)).json()
        found += [row["reference"] for row in page["requests"]]
        await interface.submit(title="came in the meantime")
        if (cursor := page["next_cursor"]) is None:
            break

    assert found == references[::-1]


async def test_a_list_is_narrowed_by_what_is_asked(interface: Interface) -> None:
    late, done, fresh = await submitted(interface, 3)
    past, ahead = MONDAY_NINE - timedelta(hours=1), MONDAY_NINE + timedelta(days=2)
    person = await interface.employ("somebody", "handler", departments=["housing"])
    await interface.move(
        late, "in_progress", department="housing", due_at=past, escalation_level=1, assignee=str(person)
    )
    await interface.move(done, "resolved", department="health", due_at=past, category="clinic")
    await interface.move(fresh, "assigned", department="housing", due_at=ahead, district="middle")
    found = {request: request.reference for request in (late, done, fresh)}

    assert await listed(interface, overdue=True) == [found[late]]
    assert await listed(interface, overdue=False) == [found[fresh], found[done]]
    assert await listed(interface, escalated=True) == [found[late]]
    assert await listed(interface, department="health") == [found[done]]
    assert await listed(interface, category="clinic") == [found[done]]
    assert await listed(interface, district="middle") == [found[fresh]]
    assert await listed(interface, assignee=str(person)) == [found[late]]
    assert await listed(interface, assignee="me") == []
    assert await listed(interface, state=["assigned", "in_progress"]) == [found[fresh], found[late]]
    assert await listed(interface, department="moon") == []


async def test_a_search_finds_words_of_title_and_description_and_references(interface: Interface) -> None:
    lamp = await interface.submit(title="Dark corner", description="The STREET lamp is out.")
    await interface.submit(description="路灯坏了，影响出行")

    assert await listed(interface, q="lamp street") == [lamp.reference]
    assert await listed(interface, q="dark") == [lamp.reference]
    assert await listed(interface, q="路灯") != []
    assert await listed(interface, q="moon") == []
    assert await listed(interface, q=lamp.reference.replace("-", "")) == [lamp.reference]


@pytest.mark.parametrize(
    "parameters",
    [{"cursor": "nonsense"}, {"cursor": "é"}, {"limit": 0}, {"limit": 101}, {"state": "lost"}, {"assignee": "x"}, {"overdue": "often"}, {"departement": "housing"}],
)  # fmt: skip
async def test_a_wrong_parameter_of_a_list_is_named(interface: Interface, parameters: dict[str, Any]) -> None:
    answer = await interface.as_staff("dispatcher", "/requests", params=parameters)

    (error,) = problem(answer, 422, "invalid")["errors"]
    assert error["field"].partition(".")[0] in parameters


async def test_a_row_without_a_title_shows_how_the_description_begins(interface: Interface) -> None:
    await interface.submit(description="The street lamp\nis out. " + "And so on. " * 50)
    (row,) = (await interface.as_staff("dispatcher", "/requests")).json()["requests"]

    assert row["title"].startswith("The street lamp is out.")
    assert len(row["title"]) <= 60


async def test_staff_submit_on_a_citizens_behalf(interface: Interface) -> None:
    headers = await interface.sign_in("dispatcher") | {"Idempotency-Key": "call-7"}
    body = {"description": "She says that the lamp is out.", "contact": {"phone": "13800000002"}}
    answers = [await interface.http.post("/api/v1/staff/requests", json=body, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    row = await interface.row("select channel, submitted_by from requests")
    assert row["channel"] == "phone"
    assert row["submitted_by"] is not None


@pytest.mark.parametrize("address", ["/api/v1/staff/requests", "/api/v1/staff/requests/quick-log"])
@pytest.mark.parametrize("contact", [None, {"phone": "13800000002"}, {"name": "Ms Wang"}], ids=str)
async def test_the_key_goes_to_the_citizens_phone_or_by_hand_with_a_row_in_the_record(
    interface: Interface, address: str, contact: dict[str, str] | None
) -> None:
    headers = await interface.sign_in("dispatcher") | {"Idempotency-Key": "call-8"}
    body: dict[str, Any] = {"description": "He says that the lamp is out.", "contact": contact}
    if address.endswith("quick-log"):
        body |= {"category": "street_light", "department": "housing", "outcome": "solved", "done": "Done."}
    answers = [(await interface.http.post(address, json=body, headers=headers)).json() for _ in range(2)]
    looks = await interface.services.pool.fetch("select kind, reference, count from looks")

    assert answers[0] == answers[1]
    by_hand = not (contact and "phone" in contact)
    assert [answers[0][name] is not None for name in ("token", "status_url")] == [by_hand, by_hand]
    assert [tuple(row) for row in looks] == [("request", answers[0]["reference"], 1)] * (2 if by_hand else 0)


async def test_a_key_of_staff_and_of_a_citizen_are_not_confused(interface: Interface) -> None:
    key = {"Idempotency-Key": "seven"}
    body = {"description": "The lamp is out.", "channel": "phone"}
    mine = await interface.http.post("/api/v1/requests", json=body, headers=key)
    theirs = await interface.http.post(
        "/api/v1/staff/requests", json=body, headers=await interface.sign_in("dispatcher") | key
    )

    assert mine.status_code == theirs.status_code == 201
    assert mine.json()["reference"] != theirs.json()["reference"]


async def test_staff_add_photos_that_staff_see(interface: Interface) -> None:
    from tests.integration.test_api_citizens import a_picture

    request = await interface.submit()
    await interface.move(request, "in_progress", department="housing")
    answer = await interface.http.post(
        f"/api/v1/staff/requests/{request.reference}/attachments",
        files=[("images", ("x.jpg", a_picture(), "image/jpeg"))],
        headers=await interface.sign_in("handler"),
    )
    assert answer.status_code == 201, answer.text
    address = answer.json()["attachments"][0]["url"]
    assert (await interface.http.get(address, headers=await interface.sign_in("dispatcher"))).status_code == 200
    problem(await interface.http.get(address), 401, "unauthorized")


async def test_the_outbox_hides_the_keys_to_requests(interface: Interface) -> None:
    request = await interface.submit()
    pool, keys = interface.services.pool, interface.services.keys
    request_id = await pool.fetchval("select id from requests")
    for kind, text in (
        ("receipt", f"See http://localhost/r/{request.reference}/{request.token}"),
        ("question", f"Answer http://localhost/q/{request.reference}/1a-B_c2"),
        ("one_time_code", "Code 123456"),
    ):
        notice_id = new_id(interface.clock())
        await pool.execute(
            "insert into notices (id, request_id, sequence, kind, recipient, channel, language, facts, urgent, state, created_at)"
            " values ($1, $2, 1, $3, 'citizen', 'sms', 'en', '{}', false, 'sent', now())",
            notice_id, request_id, kind,
        )  # fmt: skip
        await outbox.keep(pool, keys, notice_id, "+8613800000001", text)

    messages = (await interface.as_staff("supervisor", "/outbox")).json()["messages"]
    assert {message["text"] for message in messages} == {
        f"See http://localhost/r/{request.reference}/…",
        f"Answer http://localhost/q/{request.reference}/…",
        "Code …",
    }
    problem(await interface.as_staff("handler", "/outbox"), 403, "forbidden")


async def test_the_rates_count_what_citizens_said(interface: Interface) -> None:
    for solved, satisfied in (("yes", 5), ("no", 1)):
        request = await interface.submit()
        await interface.move(
            request, "closed", department="housing", assigned_at=MONDAY_NINE, contacted_at=MONDAY_NINE,
            contact_due_at=MONDAY_NINE + timedelta(hours=1), resolved_at=MONDAY_NINE, solved=solved, satisfied=satisfied,
        )  # fmt: skip
    answer = await interface.as_staff(
        "supervisor", "/rates", params={"by": "department", "from": "2026-11-01", "to": "2026-11-30"}
    )
    (row,) = answer.json()["rows"]

    assert row["part"] == "housing"
    assert row["submitted"] == 2
    assert row["resolution_rate"] == 0.5
    assert row["satisfaction_rate"] == 0.5
    early = await interface.as_staff("supervisor", "/rates", params={"from": "2026-10-01", "to": "2026-10-31"})
    assert [line["submitted"] for line in early.json()["rows"]] in ([], [0])
    turned = await interface.as_staff("supervisor", "/rates", params={"from": "2026-11-02", "to": "2026-11-01"})
    problem(turned, 422, "invalid")


async def test_the_policy_tells_what_actions_choose_from(interface: Interface) -> None:
    answer = await interface.as_staff("handler", "/policy")

    assert [entry["code"] for entry in answer.json()["departments"]] == ["city", "housing", "health", "north_street"]
    assert answer.json()["decline_reasons"] == [{"code": "court", "name": "A court decides this"}]
