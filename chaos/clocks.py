"""Which clocks a request must have, told from the read model and the policy alone: what has to happen by itself, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from db.proof import Happening
from domain.deadlines import deadline
from domain.planning import plan_feedback
from domain.policy import Policy
from domain.request import PAUSED, AlarmKind, Snapshot, State

Clock = tuple[str, datetime]
"""What has to happen, and when."""


def wanted(snapshot: Snapshot, events: Sequence[Happening], policy: Policy) -> list[Clock]:
    """All that is still to happen, or should have happened: what the timeline tells of already is left out.

    Those of heartbeats and of co-handlers are not among them: nothing in the read model says when they are.
    """
    if snapshot.state is State.RESOLVED:
        return list(_after_the_answer(snapshot, events, policy))
    if snapshot.state is State.CLOSED:
        return list(_until_it_is_over(snapshot, policy))
    if snapshot.state is State.AWAITING_CITIZEN and snapshot.answer_due_at:
        return [("the citizen's time to answer ends", snapshot.answer_due_at)]
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
        yield "somebody has to accept it", snapshot.accept_due_at
    if (
        snapshot.contacted_at is None
        and snapshot.department
        and snapshot.contact_due_at
        and AlarmKind.CONTACT_OVERDUE not in rung
    ):
        yield "the citizen has to be contacted", snapshot.contact_due_at
    if snapshot.due_at and snapshot.department and snapshot.category and snapshot.service_level:
        yield from _escalation(snapshot, policy)


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
        yield f"it escalates to level {rung.level}", deadline(policy.calendar, snapshot.due_at, rung.after, level.clock)


def _after_the_answer(snapshot: Snapshot, events: Sequence[Happening], policy: Policy) -> Iterator[Clock]:
    if snapshot.resolved_at is None:
        return
    rung = _rung_since(events, snapshot.resolved_at)
    for alarm in plan_feedback(policy, snapshot.resolved_at, snapshot.reference, snapshot.category).alarms:
        if alarm.kind not in rung:
            yield alarm.name, alarm.at


def _until_it_is_over(snapshot: Snapshot, policy: Policy) -> Iterator[Clock]:
    at = over_at(snapshot, policy)
    if at is not None:
        yield "the time for reopening ends", at


def _rung_since(events: Sequence[Happening], since: datetime | None) -> set[str]:
    return {event.action for event in events if since is None or event.at >= since}
