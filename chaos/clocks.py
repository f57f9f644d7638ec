"""Which clocks a request must have, told from the read model and the policy alone: what has to happen by itself, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from db.proof import Happening
from domain.deadlines import deadline, moment_at_fraction
from domain.pauses import plan_hold
from domain.planning import plan_feedback
from domain.policy import Policy
from domain.request import PAUSED, AlarmKind, Snapshot, State


class Clock(NamedTuple):
    """What has to happen, and when; the kind and the level are those of the alarm that does it."""

    what: str
    at: datetime
    kind: AlarmKind
    level: int | None = None


def wanted(snapshot: Snapshot, events: Sequence[Happening], policy: Policy) -> list[Clock]:
    """All that is still to happen, or should have happened: what the timeline tells of already is left out.

    Those of heartbeats, of co-handlers and of dates that were moved are not among them: these are told from the whole timeline
    (domain/retold_clocks.py).
    """
    if snapshot.state is State.RESOLVED:
        return list(_after_the_answer(snapshot, events, policy))
    if snapshot.state is State.CLOSED:
        return list(_until_it_is_over(snapshot, policy))
    if snapshot.state is State.AWAITING_CITIZEN and snapshot.answer_due_at:
        return [Clock("the citizen's time to answer ends", snapshot.answer_due_at, AlarmKind.ANSWER_OVERDUE)]
    if snapshot.state is State.ON_HOLD and snapshot.paused_at and snapshot.hold_review_on:
        plan = plan_hold(policy, snapshot.paused_at, snapshot.hold_review_on)
        return [Clock("the hold is reviewed", plan.until, AlarmKind.HOLD_REVIEW)]
    if snapshot.state in PAUSED or not snapshot.is_open:
        return []
    return list(_of_the_promise(snapshot, events, policy))


def over_at(snapshot: Snapshot, policy: Policy) -> datetime | None:
    """Until when the run of a closed request waits for being reopened; None where nothing holds it."""
    if snapshot.state is not State.CLOSED or snapshot.resolved_at is None:
        return None
    return plan_feedback(policy, snapshot.resolved_at).reopen_until


def _of_the_promise(snapshot: Snapshot, events: Sequence[Happening], policy: Policy) -> Iterator[Clock]:
    rung = _rung_since(events, snapshot.assigned_at)
    if snapshot.accepted_at is None and snapshot.accept_due_at and AlarmKind.ACCEPT_OVERDUE not in rung:
        yield Clock("somebody has to accept it", snapshot.accept_due_at, AlarmKind.ACCEPT_OVERDUE)
    if (
        snapshot.contacted_at is None
        and snapshot.department
        and snapshot.contact_due_at
        and AlarmKind.CONTACT_OVERDUE not in rung
    ):
        yield Clock("the citizen has to be contacted", snapshot.contact_due_at, AlarmKind.CONTACT_OVERDUE)
    if snapshot.due_at and snapshot.department and snapshot.category and snapshot.service_level:
        yield from _reminders(snapshot, rung, policy)
        yield from _escalation(snapshot, policy)


def _reminders(snapshot: Snapshot, rung: set[str], policy: Policy) -> Iterator[Clock]:
    """Of an assignment whose time has run without a pause and without more of it."""
    assert snapshot.due_at is not None
    assert snapshot.service_level is not None
    begun = snapshot.assigned_at
    if begun is None or begun != snapshot.due_from or snapshot.paused_seconds or snapshot.extended_at:
        return
    clock = policy.service_level(snapshot.service_level).clock
    for part, kind in zip(policy.reminders, (AlarmKind.REMIND_HALF, AlarmKind.REMIND_EIGHTY), strict=False):
        if kind not in rung:
            at = moment_at_fraction(policy.calendar, begun, snapshot.due_at, part, clock)
            yield Clock(f"a reminder at {part:.0%} of the time", at, kind)


def _escalation(snapshot: Snapshot, policy: Policy) -> Iterator[Clock]:
    """The next rung of the chain."""
    assert snapshot.due_at is not None
    assert snapshot.category is not None
    assert snapshot.service_level is not None
    level = policy.service_level(snapshot.service_level)
    above = [
        rung for rung in policy.chain(policy.category(snapshot.category).chain).rungs
        if rung.level > snapshot.escalation_level
    ]  # fmt: skip
    if above:
        rung = min(above, key=lambda each: each.level)
        at = deadline(policy.calendar, snapshot.due_at, rung.after, level.clock)
        yield Clock(f"it escalates to level {rung.level}", at, AlarmKind.ESCALATE, rung.level)


def _after_the_answer(snapshot: Snapshot, events: Sequence[Happening], policy: Policy) -> Iterator[Clock]:
    if snapshot.resolved_at is None:
        return
    rung = _rung_since(events, snapshot.resolved_at)
    for alarm in plan_feedback(policy, snapshot.resolved_at, snapshot.reference, snapshot.category).alarms:
        if alarm.kind not in rung:
            yield Clock(alarm.name, alarm.at, alarm.kind)


def _until_it_is_over(snapshot: Snapshot, policy: Policy) -> Iterator[Clock]:
    at = over_at(snapshot, policy)
    if at is not None:
        yield Clock("the time for reopening ends", at, AlarmKind.END_REOPENING)


def _rung_since(events: Sequence[Happening], since: datetime | None) -> set[str]:
    return {event.action for event in events if since is None or event.at >= since}
