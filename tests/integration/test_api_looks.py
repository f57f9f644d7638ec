"""Whoever of the staff is shown personal data leaves a row in the record of looks, and nobody is shown any without one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from db import topics
from db.topics import Found
from tests.builders import MONDAY_NINE
from tests.integration.test_api_confidential import ADDRESSES, SECRET, planted, told
from tests.integration.test_api_pages import BROWSER
from tests.interface import Interface, Submitted, an_interface

PHONE = "13912345678"
ELSEWHERE = "192.0.2.7"
WITHOUT_PERSONAL_DATA = {
    "/api/v1/staff/rates", "/staff/numbers", "/api/v1/staff/policy", "/api/v1/staff/sessions",
}  # fmt: skip
PEOPLE: dict[str, tuple[list[str], list[str]]] = {
    "handler": (["handler"], ["housing"]),
    "helper": (["handler"], ["health"]),
    "dispatcher": (["dispatcher"], []),
    "supervisor": (["supervisor"], []),
    "caller": (["caller"], []),
    "admin": (["admin"], []),
}


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        for name, (roles, departments) in PEOPLE.items():
            await running.employ(name, *roles, departments=departments)
        yield running


async def a_matter(interface: Interface, state: str = "assigned") -> tuple[Submitted, UUID]:
    """A request that has everything that can be shown of one, and is behind a hot topic; and its picture."""
    called: dict[str, Any] = {"call_wanted_at": MONDAY_NINE, "resolved_at": MONDAY_NINE} if state == "closed" else {}
    request = await planted(interface, state, confidential=False, title=SECRET, **called)
    await a_topic(interface, request)
    return request, await told(interface, request)


async def a_topic(interface: Interface, request: Submitted) -> None:
    """In the words of that request."""
    services = interface.services
    request_id = await services.pool.fetchval("select id from requests where reference = $1", request.reference)
    found = Found(
        name=SECRET, places=("by the old well",), named_after=request_id, requests=(request_id,), authors=5, lately=5,
        before=0, times=None, probability=0.001, is_spike=False, facts={},
    )  # fmt: skip
    week = timedelta(days=7)
    await topics.keep(services.pool, services.keys, [found], interface.clock(), 5 * week, week)


async def topic_of(interface: Interface, request: Submitted) -> UUID:
    row = await interface.row(
        "select topic_id from topic_requests join requests on id = request_id where reference = $1", request.reference
    )
    topic_id: UUID = row["topic_id"]
    return topic_id


async def looks(interface: Interface) -> list[asyncpg.Record]:
    return await interface.services.pool.fetch(
        "select kind, reference, count, username, address, looked_at from looks"
        " left join staff on who = 'staff:' || staff.id order by looks.id"
    )


async def looks_of(interface: Interface, username: str) -> int:
    row = await interface.row(
        "select count(*) from looks join staff on who = 'staff:' || staff.id where username = $1", username
    )
    return int(row["count"])


async def asked(interface: Interface, username: str, path: str, query: dict[str, str]) -> httpx2.Response:
    headers = await interface.sign_in(username)
    cookie = {"Cookie": f"huisheng_session={interface.tokens[username]}"}
    return await interface.http.get(
        path, params=query, headers=BROWSER | cookie if path.startswith("/staff") else headers
    )


def shows(answer: httpx2.Response) -> bool:
    personal = any(word in answer.text for word in (SECRET, PHONE, "by the old well"))
    return personal or answer.headers["content-type"].startswith("image/")


async def test_whatever_shows_personal_data_leaves_a_row(interface: Interface) -> None:
    silent, shown = [], set()
    for state in ("triage", "assigned", "closed"):
        request, picture = await a_matter(interface, state)
        other, _ = await a_matter(interface, state)
        of = {
            "reference": request.reference, "other": other.reference, "attachment_id": picture,
            "topic_id": await topic_of(interface, request),
        }  # fmt: skip
        for username, (address, queries) in product(PEOPLE, ADDRESSES.items()):
            for query in queries:
                before = await looks_of(interface, username)
                words = {name: value.format(reference=request.reference) for name, value in query.items()}
                answer = await asked(interface, username, address.format(**of), words)
                if shows(answer):
                    shown.add(address)
                    if await looks_of(interface, username) == before:
                        silent.append((state, username, address, query))

    assert silent == []
    assert shown == ADDRESSES.keys() - WITHOUT_PERSONAL_DATA


ROWS: list[Any] = [
    # who, address, query: the rows it leaves
    pytest.param("handler", "/requests/{reference}", {}, [("contact", True, 1)], id="a handler reads how to reach the citizen"),
    pytest.param("helper", "/requests/{reference}", {}, [("request", True, 1)], id="a co-handler reads only the matter"),
    pytest.param("handler", "/requests/{reference}/attachments/{picture}", {}, [("photo", True, 1)], id="a photo"),
    pytest.param("dispatcher", "/requests", {}, [("list", False, 2)], id="a page of a list"),
    pytest.param("dispatcher", "/requests", {"limit": "1"}, [("list", False, 1)], id="a short page"),
    pytest.param("dispatcher", "/requests", {"q": "zebra"}, [("list", False, 2)], id="a search by words"),
    pytest.param("dispatcher", "/requests", {"q": "{reference}"}, [("list", True, 1)], id="a search by reference"),
    pytest.param("dispatcher", "/requests", {"q": "giraffe"}, [], id="a search that finds nothing"),
    pytest.param("helper", "/requests", {"waiting_for": "co_handling"}, [("list", False, 2)], id="a list of tasks"),
    pytest.param(
        "supervisor", "/rates/requests", {"figure": "submitted", "from": "2026-11-01", "to": "2026-11-30"},
        [("list", False, 2)], id="the list behind a figure",
    ),
    pytest.param("supervisor", "/rates", {}, [], id="numbers alone"),
    pytest.param("dispatcher", "/requests/{reference}/candidates", {}, [("similar", True, 1)], id="likely duplicates"),
    pytest.param("supervisor", "/outbox", {}, [("messages", False, 2)], id="messages that went out"),
    pytest.param("supervisor", "/outbox", {"reference": "{reference}"}, [("messages", True, 1)], id="those of a request"),
    pytest.param("caller", "/outbox", {}, [], id="who may not read them"),
    pytest.param("supervisor", "/topics", {}, [("list", False, 2)], id="hot topics"),
    pytest.param("supervisor", "/topics/{topic}", {}, [("list", False, 1), ("list", False, 1)], id="a topic and its requests"),
    pytest.param("dispatcher", "/topics", {}, [], id="who may not read the topics"),
    pytest.param("dispatcher", "/policy", {}, [], id="the words to choose from"),
    pytest.param("handler", "/requests/2611-4829-13704", {}, [], id="a request that there is not"),
]  # fmt: skip


@pytest.mark.parametrize(("username", "address", "query", "rows"), ROWS)
async def test_what_each_address_leaves_in_the_record(
    interface: Interface, username: str, address: str, query: dict[str, str], rows: list[tuple[str, bool, int]]
) -> None:
    request, picture = await a_matter(interface)
    await a_matter(interface)
    words = {name: value.format(reference=request.reference) for name, value in query.items()}
    path = address.format(reference=request.reference, picture=picture, topic=await topic_of(interface, request))
    await interface.as_staff(username, path, params=words)

    found = [(row["kind"], row["reference"] == request.reference, row["count"]) for row in await looks(interface)]
    assert found == rows


async def test_the_words_of_a_topic_leave_a_row_where_its_requests_are_gone(interface: Interface) -> None:
    request, _ = await a_matter(interface)
    topic = await topic_of(interface, request)
    await interface.services.pool.execute("delete from topic_requests")
    answer = await interface.as_staff("supervisor", f"/topics/{topic}")

    assert shows(answer)
    assert [row["kind"] for row in await looks(interface)] == ["list"]


async def test_a_row_says_who_looked_when_from_where(interface: Interface) -> None:
    request, _ = await a_matter(interface)
    headers = await interface.sign_in("handler")
    async with interface.from_address(ELSEWHERE) as away:
        await away.get(f"/api/v1/staff/requests/{request.reference}", headers=headers)

    (row,) = await looks(interface)
    now: datetime = interface.clock()
    assert (row["username"], row["address"], row["looked_at"]) == ("handler", ELSEWHERE, now)


async def test_a_row_holds_no_personal_data_of_the_citizen(interface: Interface) -> None:
    request, picture = await a_matter(interface)
    for path in (f"/requests/{request.reference}", f"/requests/{request.reference}/attachments/{picture}", "/outbox"):
        await interface.as_staff("dispatcher", path)
    await interface.as_staff("dispatcher", "/requests", params={"q": SECRET})
    written = str([list(row.values()) for row in await interface.services.pool.fetch("select * from looks")])

    assert request.reference in written
    assert SECRET.split()[0] not in written
    assert PHONE not in written


async def test_the_page_after_a_refused_action_is_a_look_too(interface: Interface) -> None:
    request, _ = await a_matter(interface)
    await interface.sign_in("handler")
    cookie = {"Cookie": f"huisheng_session={interface.tokens['handler']}", "Origin": "http://localhost"}
    answer = await interface.http.post(
        f"/staff/requests/{request.reference}/actions/return_request", data={"reason": ""}, headers=BROWSER | cookie
    )

    assert shows(answer)
    assert [row["kind"] for row in await looks(interface)][:1] == ["contact"]


@pytest.mark.parametrize(
    "address",
    ["/requests", "/requests/{reference}", "/requests/{reference}/attachments/{picture}", "/outbox", "/topics"],
)
async def test_nothing_is_shown_where_the_look_cannot_be_recorded(interface: Interface, address: str) -> None:
    request, picture = await a_matter(interface)
    await interface.services.pool.execute("alter table looks rename to looks_gone")
    answer = await interface.as_staff("supervisor", address.format(reference=request.reference, picture=picture))

    assert answer.status_code == 500
    assert not shows(answer)


async def test_citizens_leave_no_rows(interface: Interface) -> None:
    request, _ = await a_matter(interface)
    await interface.look_up(request)

    assert await looks(interface) == []
