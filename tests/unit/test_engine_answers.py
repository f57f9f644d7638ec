"""What people are told where Temporal or the database fails: whether what they asked may have been done all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from starlette.requests import ClientDisconnect
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

import worker
from api.engine import CERTAIN_WITHIN_SECONDS, OutcomeUnknown, _refusal, _refusal_of_server, as_certain_as_it_is
from api.errors import problem_for
from domain.errors import EngineUnavailable, NotAllowed, Refusal
from domain.request import Snapshot, State
from workflows.contract import DECIDED, SEQUENCE

CODE = RPCStatusCode
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
AT_WORK = Snapshot("1", "2611-4829-13704", NOW, sequence=3, state=State.IN_PROGRESS, updated_at=NOW)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(CODE.UNAVAILABLE, id="the server was killed after it had taken the action"),
        pytest.param(CODE.UNKNOWN, id="the connection broke"),
        pytest.param(CODE.INTERNAL, id="the stream was reset"),
        pytest.param(CODE.ABORTED, id="the update was aborted"),
        pytest.param(CODE.DATA_LOSS, id="the disk is full"),
        pytest.param(CODE.DEADLINE_EXCEEDED, id="no answer in time"),
        pytest.param(CODE.CANCELLED, id="broken off by the client"),
    ],
)
def test_action_that_may_have_been_taken_is_never_said_to_be_undone(status: RPCStatusCode) -> None:
    refusal = _refusal_of_server(RPCError("anything", status, b""), AT_WORK)
    # Its texts are kept: an event may yet name them.
    assert isinstance(refusal, OutcomeUnknown)
    problem = problem_for(refusal)
    assert (problem.status, problem.code) == (503, "engine_unavailable")
    assert "look at the request again" in problem.detail.lower()


def test_action_that_the_server_had_no_room_for_was_not_taken() -> None:
    refusal = _refusal_of_server(RPCError("anything", CODE.RESOURCE_EXHAUSTED, b""), AT_WORK)
    assert isinstance(refusal, EngineUnavailable)
    assert not isinstance(refusal, OutcomeUnknown)
    assert "Nothing was done" in problem_for(refusal).detail


@pytest.mark.parametrize(
    ("refusal", "seconds", "is_certain"),
    [
        pytest.param(NotAllowed("Too late."), 0.02, True, id="as usual"),
        pytest.param(NotAllowed("Too late."), 3.9, True, id="slow, but of the worker that was asked first"),
        pytest.param(NotAllowed("Too late."), 4.0, False, id="of a worker that took over, perhaps"),
        pytest.param(EngineUnavailable("It has not reached the engine."), 10.3, False, id="after many attempts"),
    ],
)
def test_definite_no_is_said_only_where_no_other_worker_can_have_carried_it_out(
    refusal: Refusal, seconds: float, is_certain: bool
) -> None:
    told = as_certain_as_it_is(refusal, seconds)
    assert (told is refusal) is is_certain
    if not is_certain:
        assert isinstance(told, OutcomeUnknown)
        problem = problem_for(told)
        assert (problem.status, problem.code) == (503, "engine_unavailable")
        assert "not certain that nothing was done" in problem.detail
        assert "same Idempotency-Key" in problem.detail


def test_what_is_unknown_stays_unknown_in_its_own_words() -> None:
    unknown = OutcomeUnknown("No worker answered in time.")
    assert as_certain_as_it_is(unknown, 10.0) is unknown


def test_no_worker_takes_over_sooner_than_a_refusal_counts_as_certain() -> None:
    assert timedelta(seconds=CERTAIN_WITHIN_SECONDS) <= worker.STICKY


def test_mistake_of_ours_stays_one() -> None:
    error = RPCError("anything", CODE.INVALID_ARGUMENT, b"")
    assert _refusal_of_server(error, AT_WORK) is error


def test_caller_who_goes_away_in_the_middle_of_a_sentence_is_no_incident() -> None:
    problem = problem_for(ClientDisconnect())
    assert problem.status == 400
    assert problem.incident is None


@pytest.mark.parametrize(
    ("error", "is_certain"),
    [
        pytest.param(ConnectionRefusedError(), True, id="nobody listened"),
        pytest.param(asyncpg.CannotConnectNowError(""), True, id="it starts"),
        pytest.param(asyncpg.DiskFullError(""), True, id="the disk is full"),
        pytest.param(asyncpg.ConnectionDoesNotExistError(""), False, id="the connection broke"),
        pytest.param(asyncpg.CrashShutdownError(""), False, id="another session crashed"),
        pytest.param(TimeoutError(), False, id="no answer in time"),
        pytest.param(ConnectionResetError(), False, id="reset"),
    ],
)
def test_nothing_was_stored_is_said_only_where_it_is_known(error: Exception, is_certain: bool) -> None:
    problem = problem_for(error)
    assert (problem.status, problem.code) == (503, "unavailable")
    assert ("Nothing was stored" in problem.detail) is is_certain
    assert ("may have been stored" in problem.detail) is not is_certain


@pytest.mark.parametrize(
    ("facts", "counts"),
    [
        pytest.param({SEQUENCE: "3"}, True, id="the run knows all that the database shows"),
        pytest.param({SEQUENCE: "2"}, False, id="the run is behind and will change its mind"),
        pytest.param({SEQUENCE: "2", DECIDED: "yes"}, True, id="said of an accepted action, before the run went on"),
    ],
)
def test_refusal_counts_unless_the_run_was_behind_when_it_was_asked(facts: dict[str, str], counts: bool) -> None:
    said = ApplicationError("Too late.", {"state": "assigned"} | facts, type="not_allowed", non_retryable=True)
    refusal = _refusal(WorkflowUpdateFailedError(said), AT_WORK)
    assert isinstance(refusal, NotAllowed) is counts
    if isinstance(refusal, NotAllowed):
        assert refusal.facts == {"state": "assigned"}
    else:
        assert isinstance(refusal, EngineUnavailable)
