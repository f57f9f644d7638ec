"""Histories with their payloads opened, or sealed, as a test wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from google.protobuf.message import Message
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory

from db.sealing import KeyRing
from workflows.sealed_payloads import SealedPayloads, is_sealed, payloads_in

KEYS_OF_NOBODY = KeyRing.from_text("test:" + "C" * 43 + "=")
"""With the id of a key that is held, and of no use."""


def opened(history: WorkflowHistory, keys: KeyRing) -> WorkflowHistory:
    """The same history, in clear."""
    codec, copy = SealedPayloads(keys), _copy(history)
    for event in copy.events:
        for payload in payloads_in(event):
            payload.CopyFrom(codec.opened(payload))
    return copy


def resealed(history: WorkflowHistory, keys: KeyRing, ring_of: Callable[[int], KeyRing | None]) -> WorkflowHistory:
    """The same history, as other keys would have sealed it, event by event; in clear where there is none."""
    codec, copy = SealedPayloads(keys), _copy(history)
    for place, event in enumerate(copy.events):
        ring = ring_of(place)
        for payload in filter(is_sealed, payloads_in(event)):
            clear = codec.opened(payload)
            payload.CopyFrom(SealedPayloads(ring).sealed(clear) if ring else clear)
    return copy


def readable(history: WorkflowHistory, keys: KeyRing) -> str:
    """All that whoever holds the keys can read there."""
    return b"\n".join(event.SerializeToString() for event in opened(history, keys).events).decode(errors="replace")


def in_clear(history: WorkflowHistory) -> list[bytes]:
    """What stands in payloads that are not sealed, but for what Temporal itself writes there or has to read."""
    return [
        payload.data
        for event in history.events
        for payload in payloads_in(event)
        if not is_sealed(payload) and payload.metadata.get("type") is None
    ]


def failures_in(message: Message) -> Iterator[Failure]:
    """Every failure that a message tells of, with what caused it."""
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for each in value if field.is_repeated else (value,):
            if isinstance(each, Failure):
                yield each
            yield from failures_in(each)


def _copy(history: WorkflowHistory) -> WorkflowHistory:
    events = History.FromString(History(events=history.events).SerializeToString()).events
    return WorkflowHistory(history.workflow_id, list(events))
