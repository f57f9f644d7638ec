"""What Temporal is given to keep: every payload sealed, whole, before it leaves this program (docs/decisions/0026).

Inputs, results, updates, signals, queries, the markers of local activities, memos, summaries, and what failures say. Not
sealed, because Temporal reads them itself: ids, names of types and queues, search attributes. Nor is yet, where traces are made,
the header that names the trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/encrypted"
"""Under which a sealed payload stands. One under any other encoding is taken as it is: histories of before stay readable."""

_PURPOSE = "temporal payloads 1"
_PLACE = "a payload of Temporal"
"""The same for all: Temporal copies payloads from event to event and from run to run."""
_METADATA = {"encoding": ENCODING}
_TRACE = b'{"traceparent":'
"""How the header begins by which a trace goes on in a run: random ids, of nobody. It is opened where it is sealed, and will be
sealed by the release after this one: a worker of the release before fails every task of a run whose header it cannot read."""


class Ring(Protocol):
    """Keys that seal and open (db.sealing.KeyRing)."""

    def derived(self, purpose: str) -> Ring: ...
    def seal_bytes(self, place: str, plain: bytes) -> bytes: ...
    def open_bytes(self, place: str, sealed: bytes) -> bytes: ...


class SealedPayloads(PayloadCodec):
    """The codec of every client and worker. All that it does is processor time, so that it never gives way in between.

    A payload that does not open raises SealBroken: the task of that run fails and is tried again until the key is back.
    """

    def __init__(self, keys: Ring) -> None:
        self._keys = keys.derived(_PURPOSE)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [each if each.data.startswith(_TRACE) else self.sealed(each) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self.opened(each) for each in payloads]

    def sealed(self, payload: Payload) -> Payload:
        """The payload whole, so that its metadata tell nothing of it either."""
        return Payload(metadata=_METADATA, data=self._keys.seal_bytes(_PLACE, payload.SerializeToString()))

    def opened(self, payload: Payload) -> Payload:
        """Raises SealBroken."""
        return Payload.FromString(self._keys.open_bytes(_PLACE, payload.data)) if is_sealed(payload) else payload


def is_sealed(payload: Payload) -> bool:
    return payload.metadata["encoding"] == ENCODING if "encoding" in payload.metadata else False


def payloads_in(message: Message) -> Iterator[Payload]:
    """Every payload in a message of Temporal's, however deep, as a part of it that can be changed."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            each_value = value.values() if field.message_type.fields_by_name["value"].message_type else ()
        else:
            each_value = value if field.is_repeated else (value,)
        for each in each_value:
            yield from payloads_in(each)
