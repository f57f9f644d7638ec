"""What a running API and a running worker let be seen: figures, traces and logs, with no word of any citizen in them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import (
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)

from db import policies, staff
from db.pool import open_pool
from db.sealing import KeyRing
from db.staff import NewAccount, Place
from domain.lifecycle import MAX_ESCALATION_LEVEL
from domain.policy import to_plain
from domain.request import CITIZEN
from supervision.temporal import TemporalServer
from tests.city import a_city
from tests.conftest import FreshDatabase
from tests.interface import KEYS, PASSWORD, QUICK_HASH
from tests.otlp import Received, Receiver, a_receiver
from tests.promql import asked, asked_for
from tests.rows import SUNDAY_NOON
from tests.servers import free_port
from watching.schedules import Kept, ScheduleFigures
from workflows.connection import connect
from workflows.contract import REQUESTS_QUEUE, Submitted

PROJECT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-for-figures"
OF_A_CITIZEN = ("Zhang Xiulan", "13800000077", "+8613800000077", "the lamp of Zhang", "Lane of the plum trees 7")
SUBMISSION = {
    "description": "Please mend the lamp of Zhang.",
    "category": "street_light",
    "contact": {"name": "Zhang Xiulan", "phone": "13800000077"},
    "location": {"address": "Lane of the plum trees 7"},
}


@dataclass
class Watched:
    """A system that runs, with traces to `receiver`."""

    http: httpx2.Client
    worker: str
    receiver: Receiver
    logs: Path
    receipt: dict[str, Any]
    temporal: str
    database: str
    stack: AsyncExitStack

    def scrape(self, address: str, token: str = TOKEN) -> str:
        answer = httpx2.get(address, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def figures(self) -> str:
        return self.scrape(f"{self.http.base_url}/metrics") + self.scrape(self.worker)


@pytest.fixture(scope="module")
async def watched(
    fresh_database: FreshDatabase, temporal_server: TemporalServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    logs = tmp_path_factory.mktemp("watched")
    api, metrics = free_port(), free_port()
    async with AsyncExitStack() as stack:
        receiver = stack.enter_context(a_receiver())
        database = fresh_database()
        environment = {
            **os.environ,
            "DATABASE_URL": database,
            "HUISHENG_KEYS": KEYS,
            "TEMPORAL_ADDRESS": temporal_server.address,
            "HUISHENG_METRICS_TOKEN": TOKEN,
            "HUISHENG_WORKER_METRICS": f"127.0.0.1:{metrics}",
            "HUISHENG_READY_FILE": str(logs / "ready"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "PYTHONPATH": str(PROJECT),
        }
        async with open_pool(database, size=1) as pool:
            city = a_city()
            await policies.activate(pool, city.version, "Small City", to_plain(city), SUNDAY_NOON)
        for name, command in {
            "api": [sys.executable, "-m", "cli.main", "api", "--port", str(api)],
            "worker": [sys.executable, str(PROJECT / "worker.py")],
        }.items():
            output = stack.enter_context((logs / f"{name}.log").open("wb"))
            process = subprocess.Popen(command, env=environment, stderr=output)  # noqa: ASYNC220
            stack.callback(process.wait)
            stack.callback(process.terminate)
        http = stack.enter_context(httpx2.Client(base_url=f"http://127.0.0.1:{api}"))
        wait_for(lambda: (logs / "ready").exists() and answers(http), logs)
        submitted = http.post("/api/v1/requests", json=SUBMISSION)
        assert submitted.status_code == 201, submitted.text
        yield Watched(
            http,
            f"http://127.0.0.1:{metrics}/metrics",
            receiver,
            logs,
            submitted.json(),
            temporal_server.address,
            database,
            stack,
        )


def wait_for(condition: Callable[[], bool], logs: Path) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "".join(log.read_text() for log in logs.glob("*.log"))
        time.sleep(0.05)


def answers(http: httpx2.Client) -> bool:
    try:
        return http.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def names(spans: list[Received]) -> set[str]:
    return {span.name for span in spans}


def traced(watched: Watched) -> list[Received]:
    """The spans of the submission, when the worker has done its part."""
    wanted = {
        "POST /api/v1/requests",
        "relay submitted",
        "StartWorkflow:RequestWorkflow",
        "RunWorkflow:RequestWorkflow",
    }
    reference = watched.receipt["reference"]

    def of_submission(spans: list[Received]) -> list[Received]:
        trace = {span.trace for span in spans if span.attributes.get("huisheng.reference") == reference}
        return [span for span in spans if span.trace in trace]

    def is_whole(spans: list[Received]) -> bool:
        found = names(of_submission(spans))
        return wanted <= found and "RunActivity:record" in found

    return of_submission(watched.receiver.wait_for(is_whole))


def way_to(name: str, spans: list[Received]) -> list[str]:
    """The names of the spans that lead to the one with that name, the first of the trace first."""
    by_id = {span.id: span for span in spans}
    (step,) = [span for span in spans if span.name == name][:1]
    way = [step.name]
    while step.parent in by_id:
        step = by_id[step.parent]
        way.insert(0, step.name)
    return way


async def test_one_trace_goes_from_the_submission_through_the_relay_to_the_activities(watched: Watched) -> None:
    spans = traced(watched)
    started = ["POST /api/v1/requests", "relay submitted", "StartWorkflow:RequestWorkflow"]
    assert way_to("RunWorkflow:RequestWorkflow", spans) == [*started, "RunWorkflow:RequestWorkflow"]
    steps = ["StartActivity:look_and_assign", "RunActivity:look_and_assign"]
    assert way_to("RunActivity:look_and_assign", spans) == [*started, *steps]
    assert {span.service for span in spans} == {"huisheng-api", "huisheng-worker"}
    assert {"requests.submit", "read_model.record"} <= names(spans)


async def test_action_of_staff_is_traced_to_its_update_and_linked_with_what_the_run_does_for_it(
    watched: Watched,
) -> None:
    traced(watched)
    account = NewAccount("li", "Li", QUICK_HASH, ("handler",), (Place("housing"),))
    async with open_pool(watched.database, size=1) as pool:
        await staff.save(pool, KeyRing.from_text(KEYS), account, SUNDAY_NOON)
    session = watched.http.post("/api/v1/sessions", json={"username": "li", "password": PASSWORD})
    assert session.status_code == 201, session.text
    watched.http.cookies.clear()
    address = f"/api/v1/staff/requests/{watched.receipt['reference']}/actions/accept"
    done = watched.http.post(address, json={}, headers={"Authorization": f"Bearer {session.json()['token']}"})
    assert done.status_code == 200, done.text

    def linked(spans: list[Received]) -> list[Received]:
        asked = {(span.trace, span.id) for span in spans if span.name == "StartWorkflowUpdate:accept"}
        return [span for span in spans if span.name == "HandleUpdate:accept" and asked & set(span.links)]

    def is_whole(spans: list[Received]) -> bool:
        records = [span for span in spans if span.name == "RunActivity:record"]
        return bool(linked(spans)) and len(records) >= 2

    spans = watched.receiver.wait_for(is_whole)
    route = "POST /api/v1/staff/requests/{reference}/actions/{action}"
    assert way_to("StartWorkflowUpdate:accept", spans) == [route, "StartWorkflowUpdate:accept"]
    (taken,) = linked(spans)
    assert taken.service == "huisheng-worker"
    # What the run does for it stands with all else that the run does.
    steps = [span for span in spans if span.trace == taken.trace and span.name == "RunActivity:record"]
    assert len(steps) >= 2
    assert {span.trace for span in traced(watched)} == {taken.trace}


async def test_schedule_whose_last_run_is_kept_no_longer_is_known_all_the_same(watched: Watched) -> None:
    client = await connect(watched.temporal, KeyRing.from_text(KEYS))
    name = f"watched-{uuid4()}"
    # Nobody takes work from this queue.
    starts = ScheduleActionStartWorkflow("RetentionWorkflow", id=name, task_queue=name)
    every_day = ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(days=1))])
    handle = await client.create_schedule(name, Schedule(starts, every_day), trigger_immediately=True)
    watched.stack.push_async_callback(handle.delete)
    figures = ScheduleFigures(client, [name])

    async def kept(**wanted: bool) -> Kept:
        async with asyncio.timeout(60):
            while True:
                found = await figures._look(name)
                if found.last_started and found.last_went_wrong == wanted["went_wrong"]:
                    return found
                await asyncio.sleep(0.1)

    await kept(went_wrong=False)
    (action,) = (await handle.describe()).info.recent_actions
    assert isinstance(action.action, ScheduleActionExecutionStartWorkflow)
    run = client.get_workflow_handle(action.action.workflow_id)
    await run.terminate()
    assert (await kept(went_wrong=True)).next_due > 0
    execution = WorkflowExecution(workflow_id=action.action.workflow_id)
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    )
    assert (await kept(went_wrong=False)).next_due > 0


async def test_spans_hold_nothing_of_a_citizen(watched: Watched) -> None:
    page = f"/r/{watched.receipt['reference']}/{watched.receipt['token']}"
    assert watched.http.get(f"{page}?q=Zhang Xiulan").status_code == 200
    assert watched.http.get(f"/nothing/{watched.receipt['token']}").status_code == 404
    watched.receiver.wait_for(lambda spans: {"GET /r/{reference}/{token}", "GET none"} <= names(spans))
    traced(watched)

    told = bytes(watched.receiver.raw).decode("utf-8", "replace")
    assert "requests.submit" in told
    assert [word for word in (*OF_A_CITIZEN, watched.receipt["token"], KEYS, TOKEN) if word in told] == []


async def test_figures_of_both_processes_tell_of_the_submission(watched: Watched) -> None:
    traced(watched)
    page = watched.figures()

    assert 'huisheng_submissions_total{channel="api",outcome="taken"} 1.0' in page
    assert 'huisheng_relay_deliveries_total{kind="submitted",outcome="delivered"} 1.0' in page
    assert re.search(r'huisheng_events_total\{action="\w+",by="system"\} [1-9]', page)
    assert re.search(r'temporal_worker_task_slots_available\{.*worker_type="WorkflowWorker"\} [1-9]', page)
    assert 'huisheng_database_pool_connections{pool="relay",state="in_use"} 1.0' in page
    assert 'huisheng_time_to_assign_seconds_count{by="system"} 1.0' in page
    assert "huisheng_engine_up 1.0" in page
    assert "huisheng_relay_width 32.0" in page


async def test_figures_tell_that_the_worker_has_looked_for_lost_runs(watched: Watched) -> None:
    traced(watched)
    looked = re.compile(r"^huisheng_runs_looked_at_timestamp_seconds 1\.\d+e\+09$", re.MULTILINE)
    wait_for(lambda: looked.search(watched.scrape(watched.worker)) is not None, watched.logs)
    assert "huisheng_runs_found_missing 0.0" in watched.scrape(watched.worker)


async def test_every_figure_that_rules_and_dashboard_ask_for_is_there(watched: Watched) -> None:
    traced(watched)
    await fail_in_a_run_and_in_an_activity(watched)
    assert watched.http.post("/", data={}).status_code == 422  # the form's address is asked for as well

    def missing() -> set[str]:
        return asked_for() - {name for name, _ in samples(watched.figures())}

    wait_for(lambda: missing() == set(), watched.logs)
    there = samples(watched.figures())
    # No request has come so far up its chain: the test of the rules knows the highest level.
    levels = {("level", str(MAX_ESCALATION_LEVEL))}
    for wanted in asked():
        kept = [labels for name, labels in there if name == wanted.figure]
        assert all(wanted.labels <= labels.keys() for labels in kept), wanted
        for label, value in wanted.values - levels:
            assert any(re.fullmatch(value, labels[label]) for labels in kept), (wanted, label, value)


def samples(page: str) -> list[tuple[str, dict[str, str]]]:
    """Each figure with its labels."""
    found = re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", page, re.MULTILINE)
    return [(name, dict(re.findall(r'(\w+)="([^"]*)"', labels))) for name, labels in found]


async def fail_in_a_run_and_in_an_activity(watched: Watched) -> None:
    """Some figures of the SDK are there only when something has failed."""
    client = await connect(watched.temporal, KeyRing.from_text(KEYS))
    unknown = Submitted(str(uuid4()), "2611-0000-00001", datetime.now(UTC), CITIZEN)
    for name, given in (("unreadable", "no submission at all"), ("unknown", unknown)):
        run = await client.start_workflow("RequestWorkflow", given, id=f"watched-{name}", task_queue=REQUESTS_QUEUE)
        watched.stack.push_async_callback(run.terminate)


async def test_figures_hold_nothing_of_a_citizen_and_no_reference(watched: Watched) -> None:
    watched.http.get(f"/api/v1/requests/{watched.receipt['reference']}")
    watched.http.request("LOCK", "/Zhang Xiulan")
    page = watched.figures()

    assert 'route="/api/v1/requests/{reference}"' in page
    assert 'method="other",route="none"' in page
    words = (*OF_A_CITIZEN, watched.receipt["token"], watched.receipt["reference"], "LOCK")
    assert [word for word in words if word in page] == []


async def test_logs_name_the_request_and_its_trace_and_nothing_of_a_citizen(watched: Watched) -> None:
    (trace,) = {span.trace for span in traced(watched)}
    told = (watched.logs / "api.log").read_text()
    lines = [json.loads(line) for line in told.splitlines()]
    (line,) = [line for line in lines if line.get("operation") == "submit_request"]

    assert line["reference"] == watched.receipt["reference"]
    assert line["trace_id"] == trace
    told += (watched.logs / "worker.log").read_text()
    assert [word for word in (*OF_A_CITIZEN, watched.receipt["token"]) if word in told] == []
    assert all(json.loads(line)["level"] for line in (watched.logs / "worker.log").read_text().splitlines())


@pytest.mark.parametrize("token", ["", "another-token-for-figures"])
async def test_figures_are_for_who_brings_the_token(watched: Watched, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for address in (f"{watched.http.base_url}/metrics", watched.worker):
        answer = httpx2.get(address, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "huisheng_" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405)])
async def test_worker_serves_its_figures_and_nothing_else(
    watched: Watched, method: str, path: str, status: int
) -> None:
    address = watched.worker.removesuffix("/metrics") + path
    assert httpx2.request(method, address).status_code == status


def test_without_a_receiver_nothing_of_tracing_is_imported() -> None:
    program = "import sys, api.app, cli.api, worker; print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
