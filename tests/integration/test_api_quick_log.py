"""The quick log: a small matter that staff settled on the spot, on file in one step and counted apart (PROCESS.md section 1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from supervision.temporal import TemporalServer
from tests.conftest import FreshDatabase
from tests.integration.test_api_actions import a_worker, eventually
from tests.interface import Interface, an_interface

SETTLED = {
    "description": "A branch lay across the path.",
    "category": "street_light",
    "department": "housing",
    "outcome": "solved",
    "done": "Carried away at once.",
    "contact": {"phone": "13800138000"},
    "channel": "staff",
    "language": "en",
}


@pytest.fixture(scope="module")
async def interface(fresh_database: FreshDatabase, temporal_server: TemporalServer) -> AsyncIterator[Interface]:
    url, address = fresh_database(), temporal_server.address
    async with an_interface(url, address, real_time=True) as running, a_worker(url, address):
        await running.employ("handler", "handler", departments=["housing"])
        await running.employ("supervisor", "supervisor")
        await running.employ("caller", "caller")
        yield running


async def logged(interface: Interface, username: str = "handler", **changes: Any) -> Any:
    address = "/api/v1/staff/requests/quick-log"
    return await interface.http.post(address, json={**SETTLED, **changes}, headers=await interface.sign_in(username))


async def test_small_matter_is_submitted_resolved_and_closed_in_one_step(interface: Interface) -> None:
    answer = await logged(interface)
    assert answer.status_code == 201, answer.text
    reference = answer.json()["reference"]

    async def is_closed() -> bool:
        return bool((await interface.as_staff("supervisor", f"/requests/{reference}")).json()["state"] == "closed")

    await eventually(is_closed)
    full = (await interface.as_staff("supervisor", f"/requests/{reference}")).json()
    assert [event["action"] for event in full["timeline"]] == ["submit", "quick_log"]
    assert (full["outcome"], full["department"], full["reply"]) == ("solved", "housing", "Carried away at once.")
    assert [notice["kind"] for notice in full["notices"]] == ["quick_logged"]
    assert "reopen" not in [entry["action"] for entry in full["may"]]


async def test_quick_log_is_counted_apart(interface: Interface) -> None:
    await logged(interface)

    async def is_counted() -> bool:
        whole = (await interface.as_staff("supervisor", "/rates")).json()["whole"]
        return bool(whole["quick_logged"] >= 1 and whole["submitted"] == 0)

    await eventually(is_counted)
    whole = (await interface.as_staff("supervisor", "/rates")).json()["whole"]
    others = (
        "submitted",
        "assigned",
        "answered",
        "solved",
        "no_reply",
        "no_response",
        "slow_response",
        "wrong_response",
    )
    assert [whole[name] for name in others] == [0] * len(others)
    behind = (
        await interface.http.get(whole["lists"]["quick_logged"], headers=await interface.sign_in("supervisor"))
    ).json()
    assert len(behind["requests"]) == whole["quick_logged"]


@pytest.mark.parametrize(
    ("label", "changes", "field"),
    [
        ("a department of others", {"department": "health"}, "department"),
        ("an unknown department", {"department": "nowhere"}, "department"),
        ("an unknown category", {"category": "nothing"}, "category"),
        ("nothing was solved", {"outcome": "not_solved"}, "outcome"),
        ("nothing was done", {"done": " "}, "done"),
    ],
)
async def test_wrong_quick_log_is_refused_with_its_field(
    interface: Interface, label: str, changes: dict[str, Any], field: str
) -> None:
    answer = await logged(interface, **changes)
    assert answer.status_code == 422, label
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_caller_logs_nothing(interface: Interface) -> None:
    assert (await logged(interface, "caller")).status_code == 403
