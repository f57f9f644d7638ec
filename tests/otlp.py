"""A receiver of traces for tests: takes what the OTLP exporter sends over HTTP, and keeps the spans."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Received:
    """One span; `trace`, `id` and `parent` in hexadecimal digits, `links` as pairs of trace and id."""

    name: str
    service: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    links: tuple[tuple[str, str], ...] = ()


@dataclass
class Receiver:
    """`raw` is all that ever came, as it came."""

    address: str = ""
    spans: list[Received] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)

    def wait_for(self, what: Callable[[list[Received]], object], seconds: float = 120) -> list[Received]:
        """The spans, as soon as they are as wanted."""
        deadline = time.monotonic() + seconds
        while not what(self.spans):
            assert time.monotonic() < deadline, [span.name for span in self.spans]
            time.sleep(0.05)
        return list(self.spans)

    def take(self, body: bytes) -> None:
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"]
            for scope in resource.scope_spans:
                self.spans.extend(_received(service, span) for span in scope.spans)


def _received(service: str, span: Span) -> Received:
    attributes = {each.key: each.value.string_value or str(each.value.int_value) for each in span.attributes}
    links = tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links)
    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    return Received(span.name, service, *ids, attributes, links)


@contextmanager
def a_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    receiver.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
