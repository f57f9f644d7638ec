"""What an admin finds and does in Temporal, with the commands of the runbook, and what is not to be found there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from supervision.binaries import temporal_binary
from supervision.system import PROJECT
from tests.e2e.books import actions_of, calm, events_of, history_of
from tests.e2e.people import Caller, Receipt
from tests.e2e.system import LiveSystem, until
from workflows.connection import connect
from workflows.contract import workflow_id
from workflows.visibility import ATTRIBUTES

pytestmark = pytest.mark.e2e

IN_THE_MIDDLE = {"lat": 28.50137, "long": 112.50731}
RUNBOOK = PROJECT / "docs" / "runbook.md"

PERSONAL = {
    "description": "The street light before the house of Wilhelmina Planted is out. 路灯不亮，请联系王小花。",
    "title": "Dark since Candlemas",
    "contact": {"name": "Wilhelmina Planted", "phone": "13876543210", "email": "wilhelmina@planted.example"},
    "location": {"address": "Planted Lane 17, flat 4", "place": "Candlemas Square", **IN_THE_MIDDLE},
}
SAID = ("The Thursday lamp.", "Spoken with the neighbour Ottokar.", "Burnt again since noon.", "Thank you, Ottokar.")
TRACES = (
    "Wilhelmina", "Planted", "planted.example", "13876543210", "Candlemas", "王小花", "路灯不亮", "street light before",
    "Thursday lamp", "Ottokar", "since noon", "28.50137", "112.50731",
)  # fmt: skip


@pytest.fixture
async def temporal(live: LiveSystem) -> Client:
    return await connect(live.system.temporal_address, live.keys)


async def an_assigned_request(live: LiveSystem, caller: Caller, **changes: Any) -> Receipt:
    receipt = await caller.submit(**changes)
    await calm(live, [receipt.reference])
    return receipt


async def test_every_search_attribute_finds_the_request(live: LiveSystem, caller: Caller, temporal: Client) -> None:
    receipt = await an_assigned_request(live, caller, location=IN_THE_MIDDLE)
    wanted = {
        "Reference": f"= '{receipt.reference}'",
        "State": "= 'assigned'",
        "Department": "= 'housing'",
        "Category": "= 'street_light'",
        "District": "= 'middle'",
        "Urgency": "= 'normal'",
        "EscalationLevel": "= 0",
        "DueAt": "> '2020-01-01T00:00:00Z'",
    }
    assert wanted.keys() == {attribute.name for attribute in ATTRIBUTES}
    query = " AND ".join(f"{name} {condition}" for name, condition in wanted.items())

    async def is_found() -> bool:
        return [run.id async for run in temporal.list_workflows(query)] == [workflow_id(receipt.reference)]

    await until(is_found, what=f"that {query} finds the request")


async def test_queries_of_the_runbook_are_understood(live: LiveSystem, temporal: Client) -> None:
    table = [line for line in RUNBOOK.read_text().splitlines() if line.startswith("| ") and "`" in line]
    queries = [query for line in table for query in re.findall(r"`([A-Z]\w+ [=><IN].*?)`", line)]
    assert len(queries) >= 8
    for query in queries:
        assert (await temporal.count_workflows(query)).count >= 0, query


async def test_run_tells_where_it_stands_in_words(live: LiveSystem, caller: Caller, temporal: Client) -> None:
    receipt = await an_assigned_request(live, caller)
    assert (await caller.get_done("housing", receipt.reference, "accept")).status_code == 200
    handle = temporal.get_workflow_handle(workflow_id(receipt.reference))
    assert await (await handle.describe()).static_summary() == f"Request {receipt.reference}"
    metadata: Any = await handle.query("__temporal_workflow_metadata")
    for words in ("**in_progress**", "department: housing, accepted", "- due: 20", "| accept | staff |"):
        assert words in metadata.current_details
    names = list(summaries(await history_of(live, receipt.reference)))
    assert {
        "accept",
        "submit, auto_assign",
        "what is it about, where, and who is in charge by when",
        "accept deadline, first contact deadline",
    } <= set(names), names


def summaries(history: Any) -> Iterator[str]:
    """The names of timers and steps, and nothing that lacks one."""
    named = (
        EventType.EVENT_TYPE_TIMER_STARTED, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_MARKER_RECORDED,
    )  # fmt: skip
    for event in history.events:
        if event.event_type in named:
            assert event.user_metadata.summary.data, event
            yield event.user_metadata.summary.data.decode().strip('"')


async def test_signals_of_the_runbook_escalate_and_resolve(live: LiveSystem, caller: Caller) -> None:
    receipt = await an_assigned_request(live, caller)
    assert (await caller.get_done("housing", receipt.reference, "accept")).status_code == 200
    (block,) = (
        found for found in re.findall(r"```sh\n(.*?)```", RUNBOOK.read_text(), re.DOTALL) if "workflow signal" in found
    )
    commands = re.sub(r"request-\d{4}-\d{4}-\d{5}", workflow_id(receipt.reference), block)
    status, _, complained = await live.run("bash", "-euc", f'temporal() {{ {temporal_binary()} "$@"; }}\n{commands}')
    assert (status, complained) == (0, "")

    async def is_in_review() -> bool:
        return bool((await caller.standing(receipt))["state"] == "in_review")

    await until(is_in_review, what="that the escalated request waits for its review")
    escalated, resolved = (await events_of(live, receipt.reference))[-2:]
    assert [(each["action"], each["actor_kind"], each["actor_id"]) for each in (escalated, resolved)] == [
        ("escalate", "admin", "chen"), ("resolve", "admin", "chen"),
    ]  # fmt: skip
    assert (await caller.get_done("dispatcher", receipt.reference, "approve")).status_code == 200
    assert (await caller.standing(receipt))["reply"] == "The lamp was repaired this morning."


async def test_signal_that_the_rules_forbid_becomes_a_line_in_the_timeline(live: LiveSystem, caller: Caller) -> None:
    receipt = await an_assigned_request(live, caller)
    signal = ("workflow", "signal", "--workflow-id", workflow_id(receipt.reference), "--name", "resolve")
    too_early = '{"outcome": "solved", "reply": "Done.", "by": "chen"}'
    assert (await live.run(str(temporal_binary()), *signal, "--input", too_early))[0] == 0

    async def is_noted() -> bool:
        return (await actions_of(live, receipt.reference))[-1] == "not_applied"

    await until(is_noted, what="that the refusal stands in the timeline")
    assert (await caller.standing(receipt))["state"] == "assigned"


async def test_neither_histories_nor_logs_hold_anything_personal(live: LiveSystem, caller: Caller) -> None:
    receipt = await an_assigned_request(live, caller, **PERSONAL)
    reference = receipt.reference
    more, note, reply, thanks = SAID
    assert (await caller.tell(receipt, "supplement", text=more)).status_code == 202
    for action, body in (
        ("accept", {}),
        ("contact", {"how": "phone", "note": note}),
        ("progress", {"note": note, "public": True}),
        ("resolve", {"outcome": "solved", "reply": reply}),
    ):
        assert (await caller.get_done("housing", reference, action, **body)).status_code == 200, action
    assert (await caller.tell(receipt, "rate", solved="yes", satisfied=5, text=thanks)).status_code == 202
    assert (await caller.post("/requests", {**PERSONAL, "language": "Candlemas"})).status_code == 422
    await calm(live, [reference])
    assert (await caller.standing(receipt))["state"] == "closed"

    # Payloads stand in the events as they are, so that a trace of them would show.
    history = b"".join(event.SerializeToString() for event in (await history_of(live, reference)).events)
    assert b"auto_assign" in history
    logs = {path.name: path.read_bytes() for path in live.system.ground.logs.glob("*.log")}
    assert any(reference.encode() in log for log in logs.values())
    for trace in TRACES:
        assert trace.encode() not in history, trace
        assert [name for name, log in logs.items() if trace.encode() in log] == [], trace
        assert [name for name, log in logs.items() if receipt.token.encode() in log] == []
