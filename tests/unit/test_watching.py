"""What is counted, what a span may say, which request a log line names, and when nothing of it is wanted."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.providers.port import Accepted, Answer, Message, Permanent, Temporary
from activities.relay import Delivery, InboxRow
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


def a_record(action: str = "auto_assign") -> Record:
    event = Event(1, AT + timedelta(seconds=3), action, "system", "x", State.RECEIVED, State.ASSIGNED, public=True)
    return Record(Snapshot("id", "2611-4829-13705", AT), (Entry(event),))


@pytest.mark.parametrize(
    ("label", "action", "done", "counted"),
    [
        ("the system assigns", "auto_assign", Recorded(0), {"system": 1.0, "staff": 0.0}),
        ("a person assigns", "assign", Recorded(0), {"system": 0.0, "staff": 1.0}),
        ("it goes on to another", "reassign", Recorded(0), {"system": 0.0, "staff": 0.0}),
        (
            "it stood there before",
            "auto_assign",
            Recorded(0, stands=a_record().snapshot),
            {"system": 0.0, "staff": 0.0},
        ),
    ],
)
def test_assignment_is_timed_from_the_submission_and_once(
    label: str, action: str, done: Recorded, counted: dict[str, float]
) -> None:
    figures = WorkerFigures()
    count_recorded(figures, a_record(action), done)

    for who, number in counted.items():
        assert value(figures, "huisheng_time_to_assign_seconds_count", by=who) == number, label
        assert value(figures, "huisheng_time_to_assign_seconds_sum", by=who) == 3 * number, label


def test_event_that_assigns_nobody_is_counted_alone() -> None:
    figures = WorkerFigures()
    count_recorded(figures, a_record("escalate"), Recorded(0))

    assert value(figures, "huisheng_events_total", action="escalate", by="system") == 1
    assert value(figures, "huisheng_time_to_assign_seconds_count", by="system") == 0


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
