"""The gate before every new version of the workflow: it must go on with requests that an older one has brought so far.

Where a change is meant, `workflow.patched` keeps the old way for requests under way.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.previous.record import checksums
from tests.previous.record import recorded as recorded_by_releases
from tests.replay.changed import SendsInTheBackground, WaitsFirst
from tests.replay.lives import IN_A_QUIET_TOWN, IN_A_TOWN_WITH_A_GATEWAY, LIVES
from tests.replay.longer_lives import IN_A_QUICK_TOWN, LONGER_LIVES
from tests.replay.record import HISTORIES, NOW
from tests.town import KEYS
from tests.workflows.test_privacy import strings_in
from workflows.co_handling import CoHandlingWorkflow
from workflows.connection import data_converter
from workflows.contract import (
    CATCH_UP,
    CO_CLOCK_RANG,
    CO_SETTLED,
    ESCALATE_SIGNAL,
    FOLLOWER_CHANGED,
    KNOWN_PROCEDURES,
    PARENT_MOVED,
    PROCEDURE,
    RESOLVE_SIGNAL,
    SIGNAL_OF_INBOX,
    STAFF_UPDATES,
)
from workflows.request import RequestWorkflow


def recorded(pattern: str) -> list[str]:
    """The names of the histories in files like that, of every time."""
    return sorted(str(path.relative_to(HISTORIES).with_suffix("")) for path in HISTORIES.glob(pattern))


NAMES = recorded("*/*.json")
LATER_RUNS = recorded("*/later/*.json")
"""Of lives that were longer than one run."""
WATCHED_PARTS = recorded("*/parts/*.json")


def the_text(name: str) -> str:
    return (HISTORIES / f"{name}.json").read_text()


async def replay(name: str, defined: type = RequestWorkflow) -> None:
    """In the sandbox, with the data converter that wrote the history."""
    replayer = Replayer(workflows=[defined], data_converter=data_converter(KEYS))
    await replayer.replay_workflow(WorkflowHistory.from_json(f"request-{name}", the_text(name)))


@pytest.mark.parametrize("name", [*NAMES, *LATER_RUNS])
async def test_workflow_goes_on_with_a_life_that_was_recorded(name: str) -> None:
    await replay(name)


@pytest.mark.parametrize("name", WATCHED_PARTS)
async def test_workflow_goes_on_watching_a_part_that_was_recorded(name: str) -> None:
    await replay(name, CoHandlingWorkflow)


@pytest.mark.parametrize("changed", [WaitsFirst, SendsInTheBackground])
async def test_change_that_breaks_requests_under_way_is_found(changed: type) -> None:
    with pytest.raises(workflow.NondeterminismError):
        await replay(f"{NOW.name}/withdrawn", changed)


def test_lives_are_recorded_of_every_procedure_that_may_be_met() -> None:
    for procedure in KNOWN_PROCEDURES:
        assert list((HISTORIES / f"procedure_{procedure}").glob("*.json")), f"no life of procedure {procedure}"


def test_lives_that_a_release_has_recorded_stay_as_they_are() -> None:
    """Its runs are open: one that it has recorded goes with its procedure, and is never recorded anew."""
    known = tuple(f"procedure_{procedure}/" for procedure in KNOWN_PROCEDURES)
    released = {
        place: content for place, content in recorded_by_releases().histories.items() if place.startswith(known)
    }
    now = checksums()
    assert {place for place in released if place not in now} == set(), "gone"
    assert {place for place in released if released[place] != now[place]} == set(), "recorded anew"
    assert any(place.startswith(f"procedure_{PROCEDURE}/") for place in released)


def test_every_life_is_recorded() -> None:
    lives = (*LIVES, *LONGER_LIVES, *IN_A_TOWN_WITH_A_GATEWAY, *IN_A_QUIET_TOWN, *IN_A_QUICK_TOWN)
    assert {path.stem for path in NOW.glob("*.json")} == {life.__name__ for life in lives}


def _events() -> list[dict[str, Any]]:
    names = (*NAMES, *LATER_RUNS, *WATCHED_PARTS)
    return [event for name in names for event in json.loads(the_text(name))["events"]]


def test_recorded_lives_use_every_update_and_every_signal() -> None:
    updates, signals = set(), set()
    for event in _events():
        accepted = event.get("workflowExecutionUpdateAcceptedEventAttributes")
        signalled = event.get("workflowExecutionSignaledEventAttributes")
        if accepted:
            updates.add(accepted["acceptedRequest"]["input"]["name"])
        if signalled:
            signals.add(signalled["signalName"])
    assert updates == set(STAFF_UPDATES.values())
    between_runs = {CO_CLOCK_RANG, CO_SETTLED, FOLLOWER_CHANGED, PARENT_MOVED}
    assert signals == {*SIGNAL_OF_INBOX.values(), RESOLVE_SIGNAL, ESCALATE_SIGNAL, CATCH_UP, *between_runs}


def test_histories_tell_nothing_of_the_machine_where_they_were_recorded() -> None:
    here = (socket.gethostname(), str(Path(__file__).parents[2]), "/root", "site-packages", "identity", "stackTrace")
    for name in (*NAMES, *LATER_RUNS, *WATCHED_PARTS):
        told = "\n".join(strings_in(json.loads(the_text(name))))
        assert [trace for trace in here if trace in told] == [], name
