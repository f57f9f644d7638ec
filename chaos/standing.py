"""What must hold of every request whatever people were told: its state, its timeline, its run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from chaos import clocks
from chaos.found import Check, Found, given
from chaos.load import Played
from chaos.waiting import SLACK
from db.proof import Happening
from domain.lifecycle import Action, rows_of
from domain.policy import Policy
from domain.request import TERMINAL, Snapshot, State


def calm(found: Found) -> Check:
    check = Check("nothing waits any more: no message, no first look, no notice")
    check.expect(found.unfinished == 0, f"{found.unfinished} still wait")
    return check


def right_ends(played: Played, found: Found) -> Check:
    check = Check("every request has reached a right state")
    for reference, ends in played.ends.items():
        snapshot = found.snapshots.get(reference)
        stands = (snapshot.state.value, snapshot.outcome.value if snapshot.outcome else None) if snapshot else None
        check.expect(stands in ends, f"{reference} is {stands}, right would be {sorted(ends, key=str)}")
    return check


def timelines(found: Found) -> Check:
    """Events run from 1 without a gap, each begins where the one before ended, in the order of time, by the table of moves."""
    check = Check("every timeline is whole, and every move in it is one of the table")
    for reference, snapshot in found.snapshots.items():
        for fault in _faults_of(snapshot, found.events.get(reference, ())):
            check.differences.append(f"{reference}: {fault}")
        check.compared += len(found.events.get(reference, ()))
    return check


def words(found: Found) -> Check:
    check = Check("every text that an event names is there", sum(map(len, found.events.values())))
    return given(check, (f"{reference} event {sequence} ({action})" for reference, sequence, action in found.wordless))


def _faults_of(snapshot: Snapshot, events: Sequence[Happening]) -> Iterator[str]:
    numbers = [event.sequence for event in events]
    if numbers != list(range(1, snapshot.sequence + 1)):
        yield f"the events are numbered {numbers}, the last one is said to be {snapshot.sequence}"
    for one, next_ in pairwise(events):
        if next_.state_before != one.state:
            yield f"event {next_.sequence} begins in {next_.state_before}, not in {one.state}"
        if next_.at < one.at:
            yield f"event {next_.sequence} ({next_.action}) is {one.at - next_.at} before the one before it"
    if events and (events[-1].state, events[-1].at) != (snapshot.state, snapshot.updated_at):
        yield f"the last event says {events[-1].state} at {events[-1].at}, the snapshot {snapshot.state} at {snapshot.updated_at}"
    for event in events:
        if not _is_allowed(event):
            yield f"no row lets {event.action} lead from {event.state_before} to {event.state}"


def _is_allowed(event: Happening) -> bool:
    if event.action not in set(Action):
        return event.state == event.state_before
    return any(_fits(event, row.sources, row.targets) for row in rows_of(Action(event.action)))


def _fits(event: Happening, sources: frozenset[State], targets: frozenset[State]) -> bool:
    if event.state_before is None:
        return not sources and event.state in targets
    stays = not targets or event.action == Action.ESCALATE
    return event.state_before in sources and (event.state in targets or (stays and event.state == event.state_before))


def runs(found: Found) -> Check:
    check = Check("every request has its run, and no task of it ever failed")
    for reference in found.snapshots:
        run = found.runs[reference]
        check.expect(run.is_running or run.is_completed, f"the run of {reference} is {run.status}")
        for failure in run.failures:
            check.differences.append(f"a task of {reference} failed: {failure}")
    return check


def over(found: Found) -> Check:
    """The last timer of every life has fired."""
    check = Check("every run that has nothing more to wait for is over")
    for reference, snapshot in found.snapshots.items():
        if is_over(snapshot, found.policy_of(snapshot), found.read_at - SLACK):
            check.expect(found.runs[reference].is_completed, f"the run of {reference} ({snapshot.state}) goes on")
    return check


def is_over(snapshot: Snapshot, policy: Policy | None, now: datetime) -> bool:
    """Whether nobody can do anything more with the request."""
    if snapshot.state not in TERMINAL or snapshot.state is State.MERGED:
        return False
    until = clocks.over_at(snapshot, policy) if policy else None
    return until is None or until < now
