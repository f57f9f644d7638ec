"""A citizen's demand that their personal data be erased, over HTTP and on the page; and what is left for staff to see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from api.erasure import DEMANDS_OF_REQUEST
from db import inbox
from db.inbox import Settled
from domain.retention import ERASED
from tests.conftest import FreshDatabase
from tests.integration.test_api_citizens import a_picture
from tests.interface import Interface, Submitted, an_interface, problem


@pytest.fixture(scope="module")
async def interface(fresh_database: FreshDatabase) -> AsyncIterator[Interface]:
    async with an_interface(fresh_database()) as running:
        await running.employ("supervisor", "supervisor")
        yield running


async def a_request(interface: Interface, state: str) -> Submitted:
    """Its messages have reached the run, which has brought it to that state."""
    request = await interface.submit(title="My lamp")
    rows = await inbox.claim(interface.services.pool, timedelta(seconds=30), 100)
    await inbox.settle(interface.services.pool, [Settled(row, "delivered") for row in rows])
    await interface.move(request, state, department="housing", category="street_light")
    return request


def page_of(request: Submitted) -> str:
    return f"/r/{request.reference}/{request.token}"


async def the_page(interface: Interface, request: Submitted, language: str = "en") -> str:
    return (await interface.http.get(f"{page_of(request)}?lang={language}")).text


@pytest.mark.parametrize("state", ["closed", "declined", "transferred", "withdrawn"])
async def test_demand_for_a_request_that_is_over_is_met_at_once(interface: Interface, state: str) -> None:
    request = await a_request(interface, state)
    answer = await interface.tell(request, "erase")
    assert answer.status_code == 200, answer.text
    assert answer.json()["erased_at"] == answer.json()["demanded_at"] is not None
    shown = await interface.look_up(request)
    assert (shown["title"], shown["may"], shown["attachments"]) == (None, [], [])
    assert shown["erased_at"] == answer.json()["erased_at"]
    assert (shown["state"], shown["category"], shown["department"]) == (state, "street_light", "housing")
    assert shown["timeline"][-1]["kind"] == "erase"


@pytest.mark.parametrize("state", ["received", "triage", "assigned", "in_progress", "resolved"])
async def test_demand_for_an_open_request_is_kept_and_says_what_is_possible(interface: Interface, state: str) -> None:
    request = await a_request(interface, state)
    answer = await interface.tell(request, "erase")
    assert answer.status_code == 202
    assert (answer.json()["erased_at"], "withdraw" in answer.json()["detail"]) == (None, True)
    shown = await interface.look_up(request)
    assert (shown["title"], shown["erased_at"]) == ("My lamp", None)
    assert shown["erasure_demanded_at"] == answer.json()["demanded_at"]


async def test_demand_for_a_merged_request_waits_for_the_other(interface: Interface) -> None:
    answer = await interface.tell(await a_request(interface, "merged"), "erase")
    assert (answer.status_code, "joined" in answer.json()["detail"]) == (202, True)


async def test_demand_while_a_message_is_on_its_way_is_met_a_little_later(interface: Interface) -> None:
    request = await interface.submit()
    await interface.move(request, "withdrawn")
    answer = await interface.tell(request, "erase")
    assert (answer.status_code, "within the hour" in answer.json()["detail"]) == (202, True)


async def test_demand_made_again_gets_the_same_answer(interface: Interface) -> None:
    request = await a_request(interface, "withdrawn")
    first, second = [(await interface.tell(request, "erase")).json() for _ in range(2)]
    assert first == second


async def test_demand_with_a_wrong_token_finds_nothing(interface: Interface) -> None:
    request, other = await a_request(interface, "withdrawn"), await a_request(interface, "withdrawn")
    answer = await interface.http.post(f"/api/v1/requests/{request.reference}/erase", headers=other.headers)
    problem(answer, 404, "not_found")
    assert (await interface.look_up(request))["title"] == "My lamp"


async def test_demand_is_limited(interface: Interface) -> None:
    request = await a_request(interface, "in_progress")
    for _ in range(DEMANDS_OF_REQUEST):
        assert (await interface.tell(request, "erase")).status_code == 202
    answer = await interface.tell(request, "erase")
    problem(answer, 429, "too_many")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


async def test_nothing_can_be_done_with_what_was_erased(interface: Interface) -> None:
    request = await a_request(interface, "closed")
    await interface.move(request, "closed", resolved_at=interface.clock())
    assert (await interface.look_up(request))["may"] == ["reopen"]
    await interface.tell(request, "erase")
    assert (await interface.look_up(request))["may"] == []
    for action in ("reopen", "supplement", "urge"):
        body = problem(await interface.tell(request, action, text="More."), 409, "not_allowed")
        assert body["detail"] == ERASED
    files = [("images", ("a.png", a_picture(), "image/png"))]
    address = f"/api/v1/requests/{request.reference}/attachments"
    problem(await interface.http.post(address, files=files, headers=request.headers), 409, "not_allowed")
    answer = await interface.act("supervisor", request, "reopen", {"reason": "Look again."})
    assert problem(answer, 409, "not_allowed")["detail"] == ERASED


async def test_staff_see_the_tombstone(interface: Interface) -> None:
    request = await a_request(interface, "closed")
    await interface.tell(request, "erase")
    shown = (await interface.as_staff("supervisor", f"/requests/{request.reference}")).json()
    assert (shown["description"], shown["title"], shown["may"]) == ("", "", [])
    assert shown["contact"] == {"name": None, "phone": None, "email": None}
    assert shown["erased_at"] is not None
    last = shown["timeline"][-1]
    assert (last["action"], last["actor_kind"], last["facts"]) == ("erase", "system", {"because": "citizen"})
    found = (await interface.as_staff("supervisor", "/requests?state=closed&q=lamp")).json()
    assert request.reference not in [row["reference"] for row in found["requests"]]


async def test_code_cannot_be_had_for_what_was_erased(interface: Interface) -> None:
    request = await a_request(interface, "closed")
    await interface.tell(request, "erase")
    address = f"/api/v1/requests/{request.reference}/code"
    assert (await interface.http.post(address, json={"phone": "13800000001"})).status_code == 202
    stored = await interface.row("select id from requests where reference = $1", request.reference)
    query = "select count(*) as codes from one_time_codes where request_id = $1"
    assert (await interface.row(query, UUID(str(stored["id"]))))["codes"] == 0


# The page.


async def press(interface: Interface, request: Submitted, **fields: str) -> httpx2.Response:
    return await interface.http.post(f"{page_of(request)}/erase?lang=en", data=fields, follow_redirects=True)


async def test_page_erases_only_for_whoever_is_sure(interface: Interface) -> None:
    request = await a_request(interface, "closed")
    unsure = await press(interface, request)
    assert (unsure.status_code, "Please confirm" in unsure.text) == (422, True)
    assert (await interface.look_up(request))["erased_at"] is None
    assert (await press(interface, request, sure="yes")).status_code == 200
    assert (await interface.look_up(request))["erased_at"] is not None


async def test_page_of_an_erased_request_says_so_and_offers_nothing(interface: Interface) -> None:
    request = await a_request(interface, "closed")
    done = (await press(interface, request, sure="yes")).text
    assert "Your personal data was erased on" in done
    assert "My lamp" not in done
    assert "<form" not in done.partition("<main")[2]
    assert "您的个人信息已于" in await the_page(interface, request, "zh")


async def test_page_of_an_open_request_says_that_the_demand_waits(interface: Interface) -> None:
    request = await a_request(interface, "in_progress")
    waiting = (await press(interface, request, sure="yes")).text
    assert "you asked us to erase" in waiting
    assert "My lamp" in waiting
    assert "/erase" not in waiting
