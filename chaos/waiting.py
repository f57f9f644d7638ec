"""Whether everything that has to happen by itself will: each promise against what the run says it waits for, and that against
Temporal's timers.

A run has one timer, for the first of its clocks. So a timer alone proves nothing of the others: each run is asked for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from chaos import clocks
from chaos.clocks import Clock
from chaos.found import Check, Found, given
from chaos.runs import Run
from domain.request import Alarm, AlarmKind, CoState, State

SLACK = timedelta(seconds=15)
"""So late a clock may ring: the machine has its hands full, and a timer counts from when Temporal has written down that it was
set, which a broken connection puts off by up to a task's ten seconds."""


def timers(found: Found) -> Check:
    check = Check("no timer is missing: what has to happen by itself has happened, or a clock of the run waits for it")
    for reference, snapshot in found.snapshots.items():
        run, policy = found.runs[reference], found.policy_of(snapshot)
        if run.is_running:
            must_wait = snapshot.is_open or snapshot.state is State.RESOLVED
            for fault in _faults_of_timers(run, must_wait, found.read_at):
                check.differences.append(f"{reference} ({snapshot.state}): {fault}")
            check.compared += 1
        if policy is not None:
            for clock in clocks.wanted(snapshot, found.events.get(reference, ()), policy):
                check.expect(*_will_happen(reference, clock, run, found.read_at))
    return check


def _faults_of_timers(run: Run, must_wait: bool, now: datetime) -> Iterator[str]:
    if run.alarms is None:
        yield "its run does not say what it waits for"
        return
    if must_wait and not run.alarms:
        yield "its run waits for nothing"
    yield from (f"a timer should have fired at {at}" for at in run.timers if at <= now - SLACK)
    first = min((alarm.at for alarm in run.alarms), default=None)
    if first is not None and first > now + SLACK and not _is_among(first, run.timers):
        yield f"no timer of Temporal's fires at {first}, when the first clock is to ring"


def _will_happen(reference: str, clock: Clock, run: Run, now: datetime) -> tuple[bool, str]:
    if clock.at <= now:
        is_over = run.is_completed and clock.kind is AlarmKind.END_REOPENING
        return clock.at > now - SLACK or is_over, f"{reference}: {clock.what} at {clock.at}, and nothing has happened"
    same = [alarm.at for alarm in run.alarms or () if _sort(alarm) == (clock.kind, clock.level)]
    waits = run.is_running and _is_among(clock.at, same)
    return waits, f"{reference}: {clock.what} at {clock.at}, and the run does not wait for it"


def clocks_of_runs(found: Found) -> Check:
    """Running or standing still: none is missing, and none is there that nothing asks for."""
    check = Check("every run waits for what its timeline and the policy say, for all of it and nothing else")
    for reference, run in found.runs.items():
        if run.is_running:
            retold = found.retold[reference]
            pairs = (("clock", run.alarms, retold.alarms), ("clock that stands still", run.stopped, retold.stopped))
            for what, waits, ought in pairs:
                differences = _differing(waits or (), ought, found.read_at)
                given(check, (f"{reference}: the {what} {each}" for each in differences))
                check.compared += len(ought)
    return check


def parts(found: Found) -> Check:
    check = Check("every part of a co-handler that is not settled is watched, to the moment")
    for reference, snapshot in found.snapshots.items():
        watched = (
            {part.number: part.alarms for part in found.retold[reference].parts} if reference in found.retold else {}
        )
        for part in snapshot.co_handlers:
            if part.state is CoState.ASKED:
                run = found.watching.get((reference, part.number), Run(None))
                ahead = [alarm.at for alarm in watched.get(part.number, ()) if alarm.at > found.read_at + SLACK]
                holds = run.is_running and (not ahead or _is_among(min(ahead), run.timers))
                check.expect(
                    holds, f"{reference}: part {part.number} is not watched ({run.status}, {len(run.timers)} timers)"
                )
    return check


def _differing(waits: Sequence[Alarm], ought: Sequence[Alarm], now: datetime) -> Iterator[str]:
    for alarm in ought:
        if not _has(waits, alarm) and abs(alarm.at - now) > SLACK:
            yield f"'{alarm.name}' of {alarm.at} is missing"
    for alarm in waits:
        # Quiet hours may have ended for a notice that a later message has sent already.
        if not _has(ought, alarm) and alarm.kind is not AlarmKind.SEND_HELD and abs(alarm.at - now) > SLACK:
            yield f"'{alarm.name}' of {alarm.at} is asked for by nothing"


def _has(alarms: Sequence[Alarm], alarm: Alarm) -> bool:
    return _is_among(alarm.at, [each.at for each in alarms if _sort(each) == _sort(alarm)])


def _sort(alarm: Alarm) -> tuple[AlarmKind, int | None]:
    return alarm.kind, alarm.rung.level if alarm.rung else None


def _is_among(moment: datetime, moments: Sequence[datetime]) -> bool:
    return any(abs(each - moment) <= SLACK for each in moments)
