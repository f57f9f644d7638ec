"""What the events of a request owe, each notice against what the gateway took; and that no clock rings twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from activities.sending import GRACE, LATEST_START
from chaos.found import Check, Found, given
from chaos.gateway import Taken
from db.proof import Happening
from domain.lifecycle import Action
from domain.notices import IN_ADJUDICATION, IN_TRIAGE, OWED, REMINDERS, NoticeKind, Owed, Recipient
from domain.request import AlarmKind, State

_BEFORE_IT_IS_TAKEN = GRACE * LATEST_START + timedelta(seconds=15)
_CITIZEN, _STAFF = True, False
Side = tuple[str, bool]
"""The kind of a notice, and whether it goes to the citizen."""

_BESIDE_THE_TABLE: dict[Action, NoticeKind] = {
    Action.URGE: NoticeKind.URGED,
    Action.SUPPLEMENT: NoticeKind.SUPPLEMENTED,
    Action.RESUME: NoticeKind.RESUMED,
    Action.ADD_CO_HANDLER: NoticeKind.CO_TASK,
    Action.FINISH_CO_HANDLING: NoticeKind.CO_DONE,
    Action.RETURN_CO_HANDLING: NoticeKind.CO_RETURNED,
    Action.WAIVE_CO_HANDLING: NoticeKind.CO_WAIVED,
}
"""What staff are owed by actions that are no rows of OWED."""

_OF_PARTS = {AlarmKind.CO_REMINDED: NoticeKind.CO_REMINDER, AlarmKind.CO_ESCALATED: NoticeKind.CO_ESCALATED}
_PLANNED_ANEW = frozenset({
    Action.AUTO_ASSIGN, Action.TO_TRIAGE, Action.ASSIGN, Action.REASSIGN, Action.RETURN_REQUEST, Action.REFER, Action.DECIDE,
    Action.RESOLVE, Action.APPROVE, Action.REOPEN, Action.UNMERGE, Action.ADOPT_POLICY, Action.GRANT_EXTENSION,
})  # fmt: skip
_AGAIN_AND_AGAIN = frozenset({*_OF_PARTS, AlarmKind.HEARTBEAT})


def notices_once(found: Found) -> Check:
    check = Check("every notice went out once: not twice, and not never")
    for due in found.dues:
        is_held = due.state == "owed" and due.not_before is not None and due.not_before > found.read_at
        went = [found.taken[attempt] for attempt in due.tries if attempt in found.taken]
        times = sum(each.times for each in went)
        what = f"{due.reference}: {due.kind} of event {due.sequence} is {due.state}, and went out {times} times"
        if due.state == "delivered" and _may_go_again(went):
            check.compared += 1
            check.excused.append(what)
        else:
            right = times == 1 if due.state == "delivered" else times == 0 and (due.state == "no_address" or is_held)
            check.expect(right, what)
    known = {attempt for due in found.dues for attempt in due.tries}
    return given(
        check, (f"nobody knows of attempt {each} that the gateway took" for each in found.taken if each not in known)
    )


def _may_go_again(went: Sequence[Taken]) -> bool:
    """By the rule of activities/sending.py: the next attempt after the grace, where no receipt of the one before had come by then.

    The grace counts from when the attempt was written down, at most `_BEFORE_IT_IS_TAKEN` before the gateway has it.
    """
    return len(went) > 1 and all(
        next_.first_at - one.first_at > GRACE - _BEFORE_IT_IS_TAKEN
        and (one.reported_at is None or one.reported_at >= next_.first_at)
        and one.times == next_.times == 1
        for one, next_ in pairwise(went)
    )


def notices_owed(found: Found) -> Check:
    check = Check("every notice that an event owes is there, for the citizen or for staff, whoever is meant")
    there: defaultdict[tuple[str, int], set[Side]] = defaultdict(set)
    for due in found.dues:
        there[due.reference, due.sequence].add((due.kind, due.recipient == Recipient.CITIZEN))
    for events in found.events.values():
        for event in events:
            missing = owed_by(event) - there[event.reference, event.sequence]
            what = ", ".join(
                f"{kind} to {'the citizen' if to_citizen else 'staff'}" for kind, to_citizen in sorted(missing)
            )
            check.expect(not missing, f"{event.reference} event {event.sequence} ({event.action}): no {what}")
    return check


def owed_by(event: Happening) -> set[Side]:
    """What it owes for certain, by the tables of domain/notices.py; a danger, and news of a request that it follows, may add more."""
    if event.action in set(Action):
        return {*_sides(OWED.get((Action(event.action), State(event.state)), ())), *_beside_the_table(event)}
    if event.action == "not_applied":
        return {(NoticeKind.ANSWER_NOT_APPLIED.value, _CITIZEN)} if event.actor_kind == "citizen" else set()
    return _owed_by_clock(event) if event.action in set(AlarmKind) else set()


def _owed_by_clock(event: Happening) -> set[Side]:
    kind = AlarmKind(event.action)
    if kind in _OF_PARTS:
        return {(_OF_PARTS[kind].value, _STAFF)}
    table = {State.TRIAGE: IN_TRIAGE, State.ADJUDICATION: IN_ADJUDICATION}.get(State(event.state), REMINDERS)
    return _sides(table.get(kind, ()))


def _beside_the_table(event: Happening) -> Iterator[Side]:
    action = Action(event.action)
    if action in _BESIDE_THE_TABLE:
        yield _BESIDE_THE_TABLE[action].value, _STAFF
    if action is Action.ANSWER:
        yield (NoticeKind.ANSWERED if event.actor_kind == "citizen" else NoticeKind.UNANSWERED).value, _STAFF
    if action is Action.PROGRESS and event.public:
        yield NoticeKind.PROGRESS.value, _CITIZEN
    if action is Action.WITHDRAW and event.department:
        yield NoticeKind.WITHDRAWN.value, _STAFF
    if action is Action.REASSIGN and event.previous_department not in (None, event.department):
        yield NoticeKind.REASSIGNED_AWAY.value, _STAFF
    if action is Action.ESCALATE:
        yield NoticeKind.ESCALATED_FROM.value, _STAFF
        if event.previous_department is not None:
            yield NoticeKind.ESCALATED.value, _STAFF
            if event.department != event.previous_department:
                yield NoticeKind.NEW_TASK.value, _STAFF
                yield NoticeKind.DEPARTMENT_CHANGED.value, _CITIZEN


def _sides(owed: Sequence[Owed]) -> set[Side]:
    return {(kind.value, to is Recipient.CITIZEN) for kind, to in owed}


def rings_once(found: Found) -> Check:
    check = Check("no clock rings twice for one plan, and no level is reached twice")
    for reference, events in found.events.items():
        for rung in _rung_in_turn(events):
            for (action, level), times in rung.items():
                check.expect(times == 1, f"{reference}: {action} {level or ''} came {times} times for one plan")
    return check


def _rung_in_turn(events: Sequence[Happening]) -> Iterator[Counter[tuple[str, str | None]]]:
    """What rang for each plan of the request, one after the other."""
    rung: Counter[tuple[str, str | None]] = Counter()
    for event in events:
        if event.action in _PLANNED_ANEW:
            yield rung
            rung = Counter()
        elif event.action == Action.ESCALATE:
            rung[event.action, event.level] += 1
            if event.department != event.previous_department:
                # Who takes over has all the time again, and the levels behind it stay where they are.
                yield rung
                rung = Counter({(event.action, event.level): 1})
        elif event.action in set(AlarmKind) - _AGAIN_AND_AGAIN:
            rung[event.action, None] += 1
    yield rung
