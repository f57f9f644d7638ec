"""What waits for a caller, a dispatcher, a supervisor or a co-handler: the lists, over HTTP and as pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.pages.page import WORDS
from tests.integration.test_api_console import a_page, signed_in, titles
from tests.interface import Interface, Submitted, an_interface, problem

TASKS = ("call", "extension", "hold", "co_handling")


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        for name in ("dispatcher", "supervisor", "caller"):
            await running.employ(name, name)
        await running.employ("handler", "handler", departments=["housing"])
        await running.employ("doctor", "handler", departments=["health"])
        yield running


async def waits(interface: Interface, title: str, state: str, **columns: Any) -> Submitted:
    request = await interface.submit(title=title)
    await interface.move(request, state, **{"department": "housing", "category": "street_light", **columns})
    return request


def a_part(department: str, due_at: datetime, state: str = "asked", number: int = 1) -> dict[str, Any]:
    task = "0199c0de-5a1e-7c3b-9d55-2f4a8b6c1e70"
    return {
        "number": number, "department": department, "state": state, "task": task,
        "due_at": due_at.isoformat(), "settled_at": None,
    }  # fmt: skip


async def helped(interface: Interface, title: str, *parts: dict[str, Any], **columns: Any) -> Submitted:
    asked = [part["department"] for part in parts if part["state"] == "asked"]
    return await waits(interface, title, "in_progress", co_handlers=[*parts], co_departments=asked, **columns)


async def a_full_house(interface: Interface) -> None:
    now = interface.clock()
    for hours, title in ((1, "called last"), (3, "called first"), (2, "called second")):
        await waits(interface, title, "resolved", call_wanted_at=now - timedelta(hours=hours))
    for days, title in ((2, "second"), (1, "first")):
        due = {"due_at": now + timedelta(days=days)}
        await waits(interface, f"more time {title}", "in_progress", extension_asked_by="x", extension_days=5, **due)
        await waits(interface, f"hold {title}", "in_progress", hold_asked_by="x", **due)
        done = a_part("north_street", now - timedelta(days=days), "done")
        asked = a_part("health", due["due_at"], number=2)
        await helped(interface, f"help {title}", done, asked, due_at=now + timedelta(days=9 - days))
    await waits(interface, "nothing waits", "in_progress")
    await helped(interface, "help done", a_part("health", now, "done"))


async def listed(interface: Interface, username: str, **asked: Any) -> list[str]:
    answer = await interface.as_staff(username, "/requests", params=asked)
    assert answer.status_code == 200, answer.text
    return [row["title"] for row in answer.json()["requests"]]


@pytest.mark.parametrize(
    ("username", "task", "expected"),
    [
        ("caller", "call", ["called first", "called second", "called last"]),
        ("dispatcher", "extension", ["more time first", "more time second"]),
        ("supervisor", "hold", ["hold first", "hold second"]),
        ("doctor", "co_handling", ["help first", "help second"]),
        ("supervisor", "co_handling", ["help first", "help second"]),
        ("handler", "extension", ["more time first", "more time second"]),
        ("doctor", "extension", []),
    ],
)
async def test_each_task_list_has_what_is_to_be_done_first_first(
    interface: Interface, username: str, task: str, expected: list[str]
) -> None:
    await a_full_house(interface)

    assert await listed(interface, username, waiting_for=task) == expected


async def test_a_task_list_is_read_page_by_page(interface: Interface) -> None:
    await a_full_house(interface)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"waiting_for": "call", "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await interface.as_staff("caller", "/requests", params=asked)).json()
        found += [row["title"] for row in page["requests"]]
        cursor = page["next_cursor"]

    assert found == ["called first", "called second", "called last"]


async def test_a_task_list_is_narrowed_by_department_category_and_district_alone(interface: Interface) -> None:
    now = interface.clock()
    await waits(interface, "ours", "resolved", call_wanted_at=now)
    await waits(
        interface, "theirs", "resolved", call_wanted_at=now, department="health", category="clinic", district="middle"
    )

    assert await listed(interface, "caller", waiting_for="call", department="health") == ["theirs"]
    assert await listed(interface, "caller", waiting_for="call", category="street_light") == ["ours"]
    assert await listed(interface, "caller", waiting_for="call", district="middle") == ["theirs"]
    wrong = {"waiting_for": "call", "q": "x", "overdue": True, "state": "resolved"}
    refused = problem(await interface.as_staff("caller", "/requests", params=wrong), 422, "invalid")
    assert {error["field"] for error in refused["errors"]} == {"q", "overdue", "state"}
    problem(await interface.as_staff("caller", "/requests", params={"waiting_for": "tea"}), 422, "invalid")


@pytest.mark.parametrize(
    ("username", "tasks"),
    [
        ("caller", ["call"]),
        ("dispatcher", ["extension"]),
        ("supervisor", ["extension", "hold"]),
        ("doctor", ["co_handling"]),
    ],
)
async def test_the_console_leads_everybody_to_their_own_tasks(
    interface: Interface, username: str, tasks: list[str]
) -> None:
    await a_full_house(interface)
    browser = await signed_in(interface, username)
    html = await a_page(browser, "/staff?lang=en")

    assert [task for task in TASKS if f"/staff?task={task}&amp;" in html] == tasks
    for task in tasks:
        shown = await a_page(browser, f"/staff?task={task}&lang=en")
        assert titles(shown) == await listed(interface, username, waiting_for=task)
        assert WORDS["en"]["task_means"][task] in shown


async def test_a_long_task_list_goes_on_on_the_next_page(interface: Interface) -> None:
    for number in range(30):
        await waits(
            interface, f"call {number:02}", "resolved", call_wanted_at=interface.clock() + timedelta(minutes=number)
        )
    browser = await signed_in(interface, "caller")
    first = await a_page(browser, "/staff?task=call&lang=en")
    following = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    found = titles(first) + titles(await a_page(browser, following))

    assert found == [f"call {number:02}" for number in range(30)]
