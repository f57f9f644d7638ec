"""What must hold of every request whatever people were told: its state, its timeline, its notices, its run, its clocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from chaos import clocks
from chaos.found import Check, Found, given
from chaos.load import Played
from chaos.runs import Run
from db.proof import Happening
from domain.lifecycle import Action, rows_of
from domain.notices import IN_TRIAGE, OWED, REMINDERS, NoticeKind
from domain.policy import Policy
from domain.request import TERMINAL, AlarmKind, Snapshot, State

SLACK = timedelta(seconds=15)
"""So late a clock may ring: the machine has its hands full, and a timer counts from when Temporal has written down that it was
set, which a broken connection puts off by up to a task's ten seconds."""
_BY_A_RUNG_OR_A_MESSAGE = {Action.ESCALATE.value, Action.PROGRESS.value, "not_applied"}
_OF_MESSAGES = {Action.URGE: NoticeKind.URGED, Action.SUPPLEMENT: NoticeKind.SUPPLEMENTED}


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


def notices_once(found: Found) -> Check:
    check = Check("every notice went out once: not twice, and not never")
    for due in found.dues:
        once, times = due.state == "sent", (due.accepted, due.unclear, due.kept)
        is_held = due.state == "owed" and due.not_before is not None and due.not_before > found.read_at
        right = (
            (once and times == (1, 0, 1))
            or (due.state == "no_address" and times == (0, 0, 0))
            or (is_held and times == (0, 0, 0))
        )
        check.expect(right, f"{due.reference}: {due.kind} of event {due.sequence} is {due.state}, out {times}")
    return check


def notices_owed(found: Found) -> Check:
    check = Check("every notice that an event owes is there")
    kinds: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for due in found.dues:
        kinds[due.reference, due.sequence].add(due.kind)
    for events in found.events.values():
        for event in events:
            missing = owed_by(event) - kinds[event.reference, event.sequence]
            check.expect(
                not missing, f"{event.reference} event {event.sequence} ({event.action}): no {', '.join(missing)}"
            )
    return check


def owed_by(event: Happening) -> set[str]:
    """The kinds of notices that it owes for certain, by the tables of domain/notices.py; a rung's and a message's may differ."""
    action, state = event.action, State(event.state)
    if action in _BY_A_RUNG_OR_A_MESSAGE:
        return set()
    if action not in set(Action):
        table = IN_TRIAGE if state is State.TRIAGE else REMINDERS
        return {kind.value for kind, _ in table.get(AlarmKind(action), ())} if action in set(AlarmKind) else set()
    if Action(action) in _OF_MESSAGES:
        return {_OF_MESSAGES[Action(action)].value}
    return {kind.value for kind, _ in OWED.get((Action(action), state), ())}


def runs(found: Found) -> Check:
    check = Check("every request has its run, and no task of it ever failed")
    for reference in found.snapshots:
        run = found.runs[reference]
        check.expect(run.is_running or run.is_completed, f"the run of {reference} is {run.status}")
        for failure in run.failures:
            check.differences.append(f"a task of {reference} failed: {failure}")
    return check


def timers(found: Found) -> Check:
    check = Check("no timer is missing: what has to happen by itself has happened, or a timer waits for it")
    for reference, snapshot in found.snapshots.items():
        run, policy = found.runs[reference], found.policy_of(snapshot)
        if run.is_running and (snapshot.is_open or snapshot.state is State.RESOLVED):
            check.expect(bool(run.timers), f"{reference} is {snapshot.state} and waits for nothing")
        for at in run.timers if run.is_running else ():
            check.expect(at > found.read_at - SLACK, f"a timer of {reference} should have fired at {at}")
        if policy is not None:
            for what, at in clocks.wanted(snapshot, found.events.get(reference, ()), policy):
                check.expect(*_will_happen(reference, what, at, run, found.read_at))
    return check


def _will_happen(reference: str, what: str, at: datetime, run: Run, now: datetime) -> tuple[bool, str]:
    if at <= now:
        waits = at > now - SLACK or (run.is_completed and what.startswith("the time for reopening"))
        return waits, f"{reference}: {what} at {at}, and nothing has happened"
    waits = run.is_running and bool(run.timers) and run.timers[0] <= at + SLACK
    return waits, f"{reference}: {what} at {at}, and no timer waits for it (there are {len(run.timers)})"


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
