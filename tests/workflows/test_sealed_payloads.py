"""What stands in Temporal is sealed: every payload of a whole life, and what failures say."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from db.sealing import KeyRing, SealBroken
from supervision.temporal import TemporalServer
from tests.breaking import BreaksWorkflow, break_down
from tests.histories import failures_in, in_clear, readable, resealed
from tests.town import KEYS, LOST_KEYS, Request, Town, until
from workflows.connection import connect, data_converter
from workflows.request import RequestWorkflow
from workflows.sealed_payloads import SealedPayloads, is_sealed, payloads_in

OLD = KeyRing.from_text("old:" + base64.b64encode(bytes(range(32))).decode())
NEW = KeyRing.from_text("new:" + base64.b64encode(bytes(range(32, 64))).decode())
BOTH = KeyRing.from_text(
    ",".join(
        f"{name}:{base64.b64encode(bytes(key)).decode()}" for name, key in (("new", range(32, 64)), ("old", range(32)))
    )
)
SAID = "Zebedee Quillfeather"
A_PAYLOAD = Payload(metadata={"encoding": b"json/plain", "messageType": b"Secret"}, data=b'"' + SAID.encode() + b'"')


async def a_whole_life(town: Town) -> Request:
    request = await town.submit()
    await request.resolved()
    await request.rated()
    return request


async def replay(history: WorkflowHistory, keys: KeyRing) -> None:
    replayer = Replayer(
        workflows=[RequestWorkflow], data_converter=data_converter(keys), workflow_runner=UnsandboxedWorkflowRunner()
    )
    await replayer.replay_workflow(history)


async def test_every_payload_of_a_whole_life_is_sealed(town: Town) -> None:
    history = await (await a_whole_life(town)).handle.fetch_history()
    sealed = [each for event in history.events for each in payloads_in(event) if is_sealed(each)]
    assert len(sealed) > 20
    assert "street_light" in readable(history, KEYS)
    # In clear stand only the search attributes and Temporal's own notes about a local activity: ids, names, instants.
    assert [each for each in in_clear(history) if b"activity_type" not in each] == []


async def test_history_goes_on_under_the_key_that_began_it_and_under_those_that_came_after(town: Town) -> None:
    history = await (await a_whole_life(town)).handle.fetch_history()
    half = len(history.events) // 2
    sealed = resealed(history, KEYS, lambda place: OLD if place < half else NEW)
    await replay(sealed, BOTH)
    await replay(resealed(history, KEYS, lambda place: None), NEW)
    with pytest.raises(Exception, match="SealBroken"):
        await replay(sealed, NEW)


def test_same_payload_is_never_sealed_the_same_way_twice() -> None:
    codec = SealedPayloads(KEYS)
    first, second = codec.sealed(A_PAYLOAD), codec.sealed(A_PAYLOAD)
    assert first != second
    assert codec.opened(first) == codec.opened(second) == A_PAYLOAD
    assert SAID.encode() not in first.SerializeToString()
    assert b"Secret" not in first.SerializeToString(), "its metadata are sealed with it"


def test_what_was_never_sealed_passes_through() -> None:
    assert SealedPayloads(KEYS).opened(A_PAYLOAD) is A_PAYLOAD


@pytest.mark.parametrize("place", [0, 1, 2, 8, 20, -1], ids=str)
def test_changed_payload_does_not_open(place: int) -> None:
    codec = SealedPayloads(KEYS)
    sealed = codec.sealed(A_PAYLOAD)
    data = bytearray(sealed.data)
    data[place] ^= 1
    sealed.data = bytes(data)
    with pytest.raises(SealBroken):
        codec.opened(sealed)


def test_payloads_have_keys_of_their_own() -> None:
    """Whoever comes by the key of the payloads opens no column with it, and the other way round."""
    with pytest.raises(SealBroken):
        KEYS.open_bytes("a payload of Temporal", SealedPayloads(KEYS).sealed(A_PAYLOAD).data)
    assert KEYS.derived("one").keyed_hash("place", "value") != KEYS.keyed_hash("place", "value")


async def test_what_a_failure_says_is_sealed_and_comes_back(temporal_server: TemporalServer) -> None:
    client, queue = await connect(temporal_server.address, KEYS), f"breaks-{uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[BreaksWorkflow], activities=[break_down]):
        handle = await client.start_workflow(
            BreaksWorkflow.run, SAID, id=queue, task_queue=queue, memo={"who": SAID}, static_summary=SAID
        )
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    history = await handle.fetch_history()
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert SAID in cause.message
    assert cause.details == (SAID,)
    assert SAID in readable(history, KEYS)
    raw = b"".join(event.SerializeToString() for event in history.events)
    assert SAID.encode() not in raw + (await handle.describe()).raw_description.SerializeToString()
    failures = [message for event in history.events for message in failures_in(event)]
    assert {failure.message for failure in failures} == {"Encoded failure"}
    assert {failure.stack_trace for failure in failures} == {""}


class SealsHeadersToo(SealedPayloads):
    """As the release after this one will."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self.sealed(each) for each in payloads]


def seals_headers_too(client: Client) -> Client:
    config = client.config()
    config["data_converter"] = dataclasses.replace(client.data_converter, payload_codec=SealsHeadersToo(KEYS))
    return Client(**config)


@pytest.mark.parametrize("is_sealed_there", [False, True], ids=["by this release", "by the one after it"])
async def test_run_of_which_a_trace_tells_goes_on_whoever_began_it(
    temporal_server: TemporalServer, is_sealed_there: bool
) -> None:
    """All that stands in clear is the header that names the trace, and it is read where it is sealed, too."""
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    traced = await connect(
        temporal_server.address, KEYS, interceptors=[TracingInterceptor(provider.get_tracer("tests"))]
    )
    began, queue = seals_headers_too(traced) if is_sealed_there else traced, f"traced-{uuid4()}"
    async with Worker(traced, task_queue=queue, workflows=[BreaksWorkflow], activities=[break_down]):
        handle = await began.start_workflow(BreaksWorkflow.run, "", id=queue, task_queue=queue)
        assert await handle.result() == "whole"
    history = await handle.fetch_history()

    header = history.events[0].workflow_execution_started_event_attributes.header.fields["_tracer-data"]
    assert is_sealed(header) is is_sealed_there
    assert all(json.loads(each).keys() <= {"traceparent", "tracestate"} for each in in_clear(history))
    assert "traceparent" in readable(history, KEYS)
    (trace,) = {span.context.trace_id for span in spans.get_finished_spans() if span.context is not None}
    assert f"{trace:032x}" in readable(history, KEYS)
    assert {span.name for span in spans.get_finished_spans()} >= {"RunWorkflow:Breaks", "RunActivity:break_down"}


async def test_run_waits_for_a_key_that_is_missing_and_then_goes_on(temporal_server: TemporalServer) -> None:
    queue = f"waits-{uuid4()}"
    client = await connect(temporal_server.address, KEYS)
    handle = await client.start_workflow(
        BreaksWorkflow.run, "", id=queue, task_queue=queue, task_timeout=timedelta(seconds=1)
    )
    async with Worker(
        await connect(temporal_server.address, LOST_KEYS), task_queue=queue, workflows=[BreaksWorkflow], activities=[]
    ):

        async def is_tried_in_vain() -> bool:
            # The first failure stands in the history, unless the task had run out of its second before; none that follows does.
            return (await handle.describe()).raw_description.pending_workflow_task.attempt > 1

        await until(is_tried_in_vain, within=120)
    async with Worker(client, task_queue=queue, workflows=[BreaksWorkflow], activities=[break_down]):
        assert await handle.result() == "whole"
