"""What travels between programs of two releases: each leaves out what the other one has added."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from domain import commands as c
from domain.planned import Planned
from domain.record import Record
from domain.request import Alarm, AlarmKind, Outcome, State
from tests.builders import MONDAY_NINE, a_handler, a_plan, a_snapshot
from workflows.carried import Answered, Carried
from workflows.connection import SharedPayloadConverter
from workflows.contract import ActionTaken, CoHandling, Ended, Message, Submitted

CONVERTER = SharedPayloadConverter()
ALARM = Alarm(MONDAY_NINE, AlarmKind.HEARTBEAT)
SNAPSHOT = a_snapshot()
CARRIED = Carried(SNAPSHOT, (ALARM,), (), (), None, 7, latest=(), answered=(Answered("an-update", State.ASSIGNED, 2),))
"""Of a run that has waited for long."""

TRAVELLERS: dict[str, tuple[Any, Any]] = {
    "the input of a run": (
        Submitted,
        Submitted("id", "2611-1", MONDAY_NINE, a_handler(), carried=CARRIED, procedure=2),
    ),
    "the input of a co-handler's watch": (CoHandling, CoHandling("2611-1", 1, "housing", (ALARM,))),
    "a citizen's message": (Message, Message(7, MONDAY_NINE, text="id", by=a_handler())),
    "an action of staff": (c.Accept, c.Accept(a_handler())),
    "the answer to it": (ActionTaken, ActionTaken(State.IN_PROGRESS, 3)),
    "a plan": (Planned, a_plan()),
    "a record": (Record, Record(SNAPSHOT, ())),
    "the end of a run": (Ended, Ended(State.CLOSED, Outcome.SOLVED)),
}


def with_something_new(told: Any) -> Any:
    """Every object in it has a field more."""
    if isinstance(told, dict):
        return {name: with_something_new(item) for name, item in told.items()} | {"of_the_next_release": {"a": [1]}}
    return [with_something_new(item) for item in told] if isinstance(told, list) else told


@pytest.mark.parametrize("label", TRAVELLERS)
def test_what_a_newer_program_sends_is_read_without_what_it_added(label: str) -> None:
    kind, value = TRAVELLERS[label]
    (sent,) = CONVERTER.to_payloads([value])
    newer = Payload(metadata=sent.metadata, data=json.dumps(with_something_new(json.loads(sent.data))).encode())
    assert newer.data != sent.data
    assert CONVERTER.from_payloads([newer], [kind]) == [value]
