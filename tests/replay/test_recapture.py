"""What a replay finds out again of a recorded life: every record, in order, exactly as it was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic_core import to_jsonable_python
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from domain.record import Recorded
from domain.retelling import Told
from tests.replay.record import ACTS_BY_ACTIVITY, NOW
from tests.replay.test_replay import LATER_RUNS, NAMES, the_text
from tests.town import KEYS
from workflows.connection import data_converter
from workflows.contract import Ended
from workflows.recapture import RECORD, CannotReplay, Life, recapture

CONVERTER = data_converter(KEYS)
ENDS_IN_BETWEEN = f"{ACTS_BY_ACTIVITY}/straight_and_rated"
LONGER_THAN_A_RUN = f"{NOW.name}/longer_than_a_run"


def the_history(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"request-{name}", the_text(name))


async def told_by(*histories: WorkflowHistory) -> list[Told]:
    return await recapture(Life([*histories], is_whole=True), CONVERTER)


async def decoded(payloads: Any, kind: type) -> Any:
    (value,) = await CONVERTER.decode(payloads.payloads, [kind])
    return value


@pytest.mark.parametrize("name", NAMES)
async def test_records_of_a_life_run_from_one_without_a_gap(name: str) -> None:
    told = await told_by(the_history(name))
    numbers = [entry.event.sequence for record, _ in told for entry in record.entries]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(record.snapshot.sequence == record.entries[-1].event.sequence for record, _ in told)


def says_all_of(told: Any, asked: Any) -> bool:
    """What has been added to snapshots and events since the life was recorded may stand there too."""
    if isinstance(asked, dict) and isinstance(told, dict):
        return all(name in told and says_all_of(told[name], value) for name, value in asked.items())
    if isinstance(asked, list) and isinstance(told, list):
        return len(asked) == len(told) and all(map(says_all_of, told, asked))
    return bool(told == asked)


@pytest.mark.parametrize("name", NAMES)
async def test_records_that_stand_in_the_history_are_found_again(name: str) -> None:
    """The turns of staff and clocks are recorded by a remote activity, whose argument the history holds."""
    history = the_history(name)
    asked: dict[int, Any] = {}
    answered: dict[int, Recorded] = {}
    for event in history.events:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == RECORD:
            asked[event.event_id] = await decoded(scheduled.input, dict)
        completed = event.activity_task_completed_event_attributes
        if completed.scheduled_event_id in asked:
            answered[completed.scheduled_event_id] = await decoded(completed.result, Recorded)
    told = {record.snapshot.sequence: (record, recorded) for record, recorded in await told_by(history)}
    for scheduled_id, payload in asked.items():
        answer = answered.get(scheduled_id)
        if answer is not None and answer.ahead is not None:
            continue  # it was not written
        record, recorded = told[payload["snapshot"]["sequence"]]
        assert says_all_of(to_jsonable_python(record), payload)
        assert recorded == answer


@pytest.mark.parametrize("name", NAMES)
async def test_run_that_has_ended_returns_what_the_last_record_says(name: str) -> None:
    history = the_history(name)
    last = history.events[-1]
    if last.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        return
    ended: Ended = await decoded(last.workflow_execution_completed_event_attributes.result, Ended)
    snapshot = (await told_by(history))[-1].record.snapshot
    assert (snapshot.state, snapshot.outcome) == (ended.state, ended.outcome)


def cut(name: str, before: str) -> WorkflowHistory:
    """The history as it was before its last event of that type."""
    content = json.loads(the_text(name))
    types = [event["eventType"] for event in content["events"]]
    at = len(types) - 1 - types[::-1].index(before)
    return WorkflowHistory.from_json(f"request-{name}", json.dumps({"events": content["events"][:at]}))


async def test_record_that_has_not_been_answered_is_told_without_an_answer() -> None:
    whole = await told_by(the_history(ENDS_IN_BETWEEN))
    history = cut(ENDS_IN_BETWEEN, "EVENT_TYPE_ACTIVITY_TASK_COMPLETED")
    told = await told_by(history)
    unanswered = [each for each in told if each.recorded is None]
    assert len(unanswered) == 1
    assert told == [*whole[: len(told) - 1], Told(whole[len(told) - 1].record, None)]


async def test_run_in_the_middle_of_a_task_is_at_work() -> None:
    whole = the_history(ENDS_IN_BETWEEN)
    in_between = cut(ENDS_IN_BETWEEN, "EVENT_TYPE_WORKFLOW_TASK_COMPLETED")
    assert [Life([each], is_whole=True).is_at_work for each in (whole, in_between)] == [False, True]


async def test_runs_of_one_request_are_told_one_after_the_other() -> None:
    one, other = the_history(f"{NOW.name}/withdrawn"), the_history(f"{NOW.name}/declined")
    assert await told_by(one, other) == [*await told_by(one), *await told_by(other)]


async def test_life_that_was_longer_than_a_run_is_told_without_a_gap() -> None:
    later = [name for name in LATER_RUNS if name.startswith(f"{NOW.name}/later/longer_than_a_run.")]
    assert later
    told = await told_by(*map(the_history, [LONGER_THAN_A_RUN, *later]))
    numbers = [entry.event.sequence for record, _ in told for entry in record.entries]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_history_that_does_not_fit_the_program_is_refused_in_words() -> None:
    content = json.loads(the_text(ENDS_IN_BETWEEN))
    for event in content["events"]:
        for attributes in event.values():
            if isinstance(attributes, dict) and attributes.get("activityType", {}).get("name") == RECORD:
                attributes["activityType"]["name"] = "something_else"
    history = WorkflowHistory.from_json("request-x", json.dumps(content))
    with pytest.raises(CannotReplay, match="does not fit this program"):
        await told_by(history)
