"""Traces: whether this process makes any, what a span may say, and how one trace goes from HTTP through the inbox to the run.

The standard variables of OpenTelemetry decide (OTEL_EXPORTER_OTLP_ENDPOINT and its like). Where none names a receiver nothing
is made: the libraries are not even imported. A caller's own trace is not taken over: anybody can send such a header.

A run may last for months. So its spans are those of the Temporal SDK's TracingInterceptor, which are complete at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from db.statements import FOLDER, load
from settings import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from temporalio.client import Interceptor

_RECEIVERS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"

SAID = frozenset({
    "http.request.method", "http.route", "http.response.status_code", "huisheng.reference", "huisheng.message",
    "db.system.name", "db.operation.name", "error.type", "temporalWorkflowID", "temporalRunID", "temporalActivityID",
})  # fmt: skip
"""All that a span may say. Whatever else a library writes down, an exception's text first of all, can hold personal data."""


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the variables name a receiver and nothing switches traces off."""
    is_off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return not is_off and any(environment.get(name) for name in _RECEIVERS)


class Tracing:
    """What makes spans in this process. `begin` it once."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("huisheng")
        self._written = TraceContextTextMapPropagator()
        self._statements = _names_of_statements()

    @classmethod
    def begin(cls, service: str, environment: Mapping[str, str] = os.environ) -> Tracing | None:
        """None where no traces are wanted. Raises SettingsError for a protocol that this program does not speak."""
        if not is_wanted(environment):
            return None
        protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _SPOKEN)
        if protocol != _SPOKEN:
            raise SettingsError(
                [f"OTEL_EXPORTER_OTLP_PROTOCOL is wrong: this program speaks {_SPOKEN}, commonly on port 4318."]
            )
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        named = {} if environment.get("OTEL_SERVICE_NAME") else {"service.name": service}
        provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        provider.add_span_processor(_processor())
        return cls(provider)

    def end(self) -> None:
        """Sends what is left."""
        self._provider.shutdown()

    def interceptor(self) -> Interceptor:
        """For the Temporal client; workers that use the client have it too."""
        from temporalio.contrib.opentelemetry import TracingInterceptor

        return TracingInterceptor(self._tracer)

    @contextmanager
    def request(self, method: str) -> Iterator[Callable[[str, int], None]]:
        """The span of a request to the interface; the body is to say by which route it was answered, and how."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        with self._tracer.start_as_current_span(
            method, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            span.set_attribute("http.request.method", method)

            def answered(route: str, status: int) -> None:
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(Status(StatusCode.ERROR))

            yield answered

    @contextmanager
    def delivery(self, trace: str | None, kind: str, reference: str) -> Iterator[None]:
        """The span of a message that the relay brings to its run: it goes on with the trace under which it came."""
        from opentelemetry.trace import SpanKind

        parent = self._written.extract({"traceparent": trace}) if trace else None
        with self._tracer.start_as_current_span(
            f"relay {kind}", parent, SpanKind.CONSUMER, {"huisheng.message": kind, "huisheng.reference": reference}
        ):
            yield

    def written(self) -> str | None:
        """The span in hand as a W3C traceparent; None outside of any."""
        carrier: dict[str, str] = {}
        self._written.inject(carrier)
        return carrier.get("traceparent")

    def trace_id(self) -> str | None:
        from opentelemetry.trace import format_trace_id, get_current_span

        context = get_current_span().get_span_context()
        return format_trace_id(context.trace_id) if context.is_valid else None

    def note_query(self, query: Any) -> None:
        """A span for a statement that has ended, within the span in hand: its name, and never a value."""
        from opentelemetry.trace import SpanKind, get_current_span

        if not get_current_span().get_span_context().is_valid:
            return  # nobody's: the relay looking for messages, a sweep
        name = self._statements.get(query.query, "statement")
        ended = time.time_ns()
        span = self._tracer.start_span(
            name,
            kind=SpanKind.CLIENT,
            start_time=ended - int(query.elapsed * 1e9),
            attributes={"db.system.name": "postgresql", "db.operation.name": name},
        )
        if query.exception is not None:
            span.set_attribute("error.type", type(query.exception).__qualname__)
        span.end(ended)


def _processor() -> Any:
    """Sends spans to the receiver, a batch at a time and from a thread of its own, each cut down to what may be said."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Plain(SpanExporter):
        def __init__(self) -> None:
            self._exporter = OTLPSpanExporter()

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return self._exporter.export([plain(span) for span in spans])

        def shutdown(self) -> None:
            self._exporter.shutdown()  # type: ignore[no-untyped-call]

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return self._exporter.force_flush(timeout_millis)

    return BatchSpanProcessor(Plain())


def plain(span: ReadableSpan) -> ReadableSpan:
    """The span without anything that could hold what a citizen wrote: events, which hold exceptions, and unknown attributes."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name in SAID},
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _names_of_statements() -> dict[str, str]:
    """By the SQL as asyncpg gets it: the subject and name of each statement, as in "inbox.claim"."""
    return {
        statement.sql: f"{file.stem}.{statement.name}"
        for file in sorted(FOLDER.glob("*.sql"))
        for statement in load(file.stem).values()
    }
