"""What is counted, what a span may say, which request a log line names, and when nothing of it is wanted."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx2
import pytest
import structlog
import uvloop
from fastapi import FastAPI, Request, Response
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.providers.port import Accepted, Answer, Message, Permanent, Temporary
from activities.relay import Delivery, InboxRow
from api import errors
from api.access_log import AccessLog
from cli.logs import _Json
from domain.errors import EngineUnavailable
from domain.record import Entry, Record, Recorded
from domain.request import Event, Snapshot, State
from settings import Settings, SettingsError
from tests.unit.test_settings import ENOUGH
from watching.figures import InterfaceFigures, WorkerFigures
from watching.tracing import Tracing, is_wanted, plain
from watching.work import WatchedActivities, count_recorded, counted, watched_delivery

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def value(figures: WorkerFigures | InterfaceFigures, name: str, **labels: str) -> float | None:
    return figures.registry.get_sample_value(name, labels)


def a_record(
    action: str = "auto_assign",
    by: str = "system",
    before: State = State.RECEIVED,
    state: State = State.ASSIGNED,
    **of_snapshot: Any,
) -> Record:
    at = AT + timedelta(seconds=3)
    event = Event(1, at, action, by, "x", before, state, public=True)
    return Record(Snapshot("id", "2611-4829-13705", AT, **{"due_from": at} | of_snapshot), (Entry(event),))


NOBODY = {"system": 0.0, "staff": 0.0}
SYSTEM, STAFF = NOBODY | {"system": 1.0}, NOBODY | {"staff": 1.0}
IN_TRIAGE, IN_DEPARTMENT = {"before": State.TRIAGE}, {"before": State.ASSIGNED}
DAYS_AGO: dict[str, Any] = {"due_from": AT - timedelta(days=5)}


@pytest.mark.parametrize(
    ("label", "record", "done", "counted"),
    [
        ("the system assigns", a_record(), Recorded(0), SYSTEM),
        ("the system assigns what has waited for days", a_record(**DAYS_AGO), Recorded(0), SYSTEM),
        ("a dispatcher assigns", a_record("assign", "staff", **IN_TRIAGE), Recorded(0), STAFF),
        ("a dispatcher assigns and calls it so", a_record("reassign", "staff", **IN_TRIAGE), Recorded(0), STAFF),
        ("it is escalated out of triage", a_record("escalate", **IN_TRIAGE), Recorded(0), SYSTEM),
        ("a department has returned it", a_record("assign", "staff", **IN_TRIAGE, return_count=1), Recorded(0), NOBODY),
        ("it is on its own again", a_record("assign", "staff", **IN_TRIAGE, **DAYS_AGO), Recorded(0), NOBODY),
        ("it goes on to another", a_record("reassign", "staff", **IN_DEPARTMENT), Recorded(0), NOBODY),
        ("it is done again", a_record("reopen", "citizen", before=State.RESOLVED), Recorded(0), NOBODY),
        ("it goes to triage", a_record("to_triage", state=State.TRIAGE), Recorded(0), NOBODY),
        ("it stood there before", a_record(), Recorded(0, stands=a_record().snapshot), NOBODY),
    ],
)  # fmt: skip
def test_first_department_is_timed_from_the_submission_and_once(
    label: str, record: Record, done: Recorded, counted: dict[str, float]
) -> None:
    figures = WorkerFigures()
    count_recorded(figures, record, done)

    for who, number in counted.items():
        assert value(figures, "huisheng_time_to_assign_seconds_count", by=who) == number, label
        assert value(figures, "huisheng_time_to_assign_seconds_sum", by=who) == 3 * number, label


def test_event_that_assigns_nobody_is_counted_alone() -> None:
    figures = WorkerFigures()
    count_recorded(figures, a_record("urge", "citizen", IN_DEPARTMENT["before"]), Recorded(0))

    assert value(figures, "huisheng_events_total", action="urge", by="citizen") == 1
    assert value(figures, "huisheng_time_to_assign_seconds_count", by="staff") == 0


class _Activity(ActivityInboundInterceptor):
    """Stands for the activity itself, and notes what its log lines would name."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self.named = dict(structlog.contextvars.get_contextvars())
        return Recorded(0)


@pytest.mark.parametrize(
    ("run", "named"),
    [("request-2611-4829-13705", {"reference": "2611-4829-13705"}), ("retention-2026-11-22", {})],
)
async def test_activity_logs_under_the_reference_of_its_request(run: str, named: dict[str, str]) -> None:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_id=run)
    inside = _Activity()
    watched = WatchedActivities(WorkerFigures()).intercept_activity(inside)

    async def work() -> Any:
        with structlog.contextvars.bound_contextvars():
            structlog.contextvars.clear_contextvars()
            given = ExecuteActivityInput(fn=work, args=[a_record()], executor=None, headers={})
            return await watched.execute_activity(given)

    await environment.run(work)
    assert inside.named == named


def a_row() -> InboxRow:
    return InboxRow(1, UUID(int=1), "2611-4829-13705", "submitted", {}, datetime.now(UTC), 1)


@pytest.mark.parametrize(
    ("ending", "outcome", "arrived"),
    [
        (Delivery.DELIVERED, "delivered", 1.0),
        (Delivery.REFUSED, "refused", 1.0),
        (EngineUnavailable("away"), "engine_unavailable", 0.0),
        (ValueError("what a citizen wrote"), "failed", 0.0),
    ],
)
async def test_each_delivery_is_counted_by_its_ending(
    ending: Delivery | Exception, outcome: str, arrived: float
) -> None:
    async def deliver(row: InboxRow) -> Delivery:
        if isinstance(ending, Exception):
            raise ending
        return ending

    figures = WorkerFigures()
    watched = watched_delivery(deliver, figures, None)
    if isinstance(ending, Exception):
        with pytest.raises(type(ending)):
            await watched(a_row())
    else:
        assert await watched(a_row()) == ending

    assert value(figures, "huisheng_relay_deliveries_total", kind="submitted", outcome=outcome) == 1
    assert value(figures, "huisheng_relay_delivery_seconds_count") == arrived


class _Gateway:
    name = "gateway"

    def __init__(self, answer: Answer, *, prompt: bool = False) -> None:
        self._answer = answer
        self.prompt = prompt

    async def send(self, message: Message) -> Answer:
        return self._answer

    async def finish(self, messages: object) -> None:
        """Keeps them."""

    async def close(self) -> None:
        """Has nothing open."""


@pytest.mark.parametrize("answer", [Accepted(), Temporary("busy"), Permanent("no such number")])
async def test_each_message_to_a_provider_is_counted_by_the_answer(answer: Answer) -> None:
    figures = WorkerFigures()
    message = Message(UUID(int=1), UUID(int=2), "+8613800000001", "text", "zh")
    assert await counted(_Gateway(answer), figures).send(message) == answer

    outcome = type(answer).__name__.lower()
    assert value(figures, "huisheng_notices_total", provider="gateway", outcome=outcome) == 1


async def test_a_prompt_provider_stays_one_and_what_it_keeps_is_counted() -> None:
    figures = WorkerFigures()
    provider: Any = counted(_Gateway(Accepted(), prompt=True), figures)
    await provider.finish([1, 2, 3])

    assert provider.prompt
    assert value(figures, "huisheng_notices_total", provider="gateway", outcome="accepted") == 3


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SERVICE_NAME": "huisheng"}, False),
    ],
)
def test_traces_are_made_only_for_a_receiver(environment: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environment) == wanted
    if not wanted:
        assert Tracing.begin("huisheng-api", environment) is None


def test_a_protocol_that_is_not_spoken_is_one_plain_sentence() -> None:
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(SettingsError, match="http/protobuf"):
        Tracing.begin("huisheng-api", told)


def test_span_leaves_without_exceptions_and_attributes_that_nobody_has_allowed() -> None:
    span = TracerProvider().get_tracer("test").start_span("work", attributes={"http.route": "/r", "http.url": "secret"})
    span.record_exception(ValueError("secret"))
    span.set_attribute("db.statement", "secret")
    span.end()
    assert isinstance(span, ReadableSpan)
    told = plain(span)

    assert dict(told.attributes or {}) == {"http.route": "/r"}
    assert told.events == ()
    assert "secret" not in told.to_json()
    assert told.get_span_context() == span.get_span_context()


async def test_span_of_an_unexpected_error_tells_its_route_its_status_and_that_it_failed() -> None:
    async def fail(reference: str) -> None:
        raise ValueError(f"secret {reference}")

    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    app = FastAPI()
    app.add_api_route("/lamps/{reference}", fail)
    errors.install(app)
    tracing, logged_under = Tracing(provider), list[str | None]()

    def answer_logging(request: Request, error: Exception) -> Response:
        logged_under.append(tracing.trace_id())
        return errors.answer_to(request, error)

    app.add_middleware(AccessLog, figures=InterfaceFigures(), tracing=tracing, answer=answer_logging)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
        with structlog.testing.capture_logs():
            answer = await http.get("/lamps/2611-4829-13705")

    (span,) = spans.get_finished_spans()
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert logged_under == [f"{span.context.trace_id:032x}"]
    assert span.name == "GET /lamps/{reference}"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET", "http.route": "/lamps/{reference}", "http.response.status_code": 500,
    }  # fmt: skip
    assert span.status.status_code is StatusCode.ERROR
    assert "secret" not in plain(span).to_json()


@pytest.fixture
def record() -> Iterator[logging.LogRecord]:
    yield logging.LogRecord("temporalio.workflow", logging.WARNING, "here", 1, "Failed activation", (), None)
    structlog.contextvars.clear_contextvars()


def test_line_of_a_library_names_the_request_of_its_run(record: logging.LogRecord) -> None:
    record.temporal_workflow = {"workflow_id": "request-2611-4829-13705", "attempt": 3}
    assert json.loads(_Json(None).format(record))["reference"] == "2611-4829-13705"


def test_line_of_a_library_names_the_request_and_the_trace_in_hand(record: logging.LogRecord) -> None:
    structlog.contextvars.bind_contextvars(reference="2611-4829-13705")
    line = json.loads(_Json(lambda: "0af7651916cd43dd8448eb211c80319c").format(record))

    assert line["reference"] == "2611-4829-13705"
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


class _Kept(logging.Handler):
    """Keeps each line as it would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(_Json(None))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def kept() -> Iterator[_Kept]:
    handler, loop = _Kept(), logging.getLogger("asyncio")
    loop.addHandler(handler)
    yield handler
    loop.removeHandler(handler)


OF_A_CITIZEN = "Zhang Xiulan 13800000077"


async def _fail_in_a_task_that_nobody_waits_for() -> None:
    async def work() -> None:
        raise ValueError(OF_A_CITIZEN)

    asyncio.create_task(work())  # noqa: RUF006 - that nobody keeps it is what is tried here
    await asyncio.sleep(0.01)


async def _fail_in_a_call() -> None:
    def call(what: str) -> None:
        raise ValueError(what)

    asyncio.get_running_loop().call_soon(call, OF_A_CITIZEN)
    asyncio.get_running_loop().call_soon(partial(call, OF_A_CITIZEN))
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize(
    ("fail", "event"),
    [
        (_fail_in_a_task_that_nobody_waits_for, "Task exception was never retrieved"),
        (_fail_in_a_call, "Exception in callback"),
    ],
)
def test_line_of_the_loop_has_its_own_words_and_none_of_what_failed(
    kept: _Kept,
    loop: Callable[[], asyncio.AbstractEventLoop],
    fail: Callable[[], Coroutine[Any, Any, None]],
    event: str,
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(fail())
        gc.collect()

    told = [json.loads(line) for line in kept.lines]
    assert {(line["event"], line["error"]) for line in told} == {(event, "ValueError")}
    assert all("test_watching.py" in line["where"] for line in told)
    assert not any(word in str(kept.lines) for word in OF_A_CITIZEN.split())


@pytest.mark.parametrize(
    ("library", "message", "error", "event"),
    [
        ("asyncio", "Task was destroyed but it is pending!\ntask: <Task result='Zhang'>", None,
         "Task was destroyed but it is pending!"),
        ("asyncio", "Task <Task exception=ValueError('Zhang')> has errored out", None, "Task"),
        ("asyncio", "socket.send() raised exception.", None, "socket.send() raised exception."),
        ("uvicorn.error", "Exception in ASGI application\n", ValueError("Zhang"), "Exception in ASGI application"),
        ("another", "Failed over\nZhang", ValueError("Zhang"), "Failed over"),
    ],
)  # fmt: skip
def test_line_of_a_library_says_what_happened_and_not_to_what(
    library: str, message: str, error: Exception | None, event: str
) -> None:
    failure = (type(error), error, None) if error else None
    line = _Json(None).format(logging.LogRecord(library, logging.ERROR, "here", 1, message, (), failure))
    assert json.loads(line)["event"] == event
    assert "Zhang" not in line


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"HUISHENG_METRICS_TOKEN": "short"}, "at least 16 characters"),
        ({"HUISHENG_METRICS_TOKEN": "two words, and so on"}, "one word"),
        ({"HUISHENG_WORKER_METRICS": "9464"}, "host:"),
        ({"HUISHENG_WORKER_METRICS": "0.0.0.0:9464"}, "HUISHENG_METRICS_TOKEN must be set"),
    ],
)
def test_settings_say_what_is_wrong_with_the_address_and_the_token(told: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        Settings.from_environment(ENOUGH | told)


@pytest.mark.parametrize("address", ["127.0.0.1:9464", "[::1]:9464", "localhost:9464"])
def test_figures_of_a_worker_need_no_token_on_its_own_machine(address: str) -> None:
    assert Settings.from_environment(ENOUGH | {"HUISHENG_WORKER_METRICS": address}).worker_metrics == address
