"""The table of transitions: who may do what in which state, what comes of it, and why.

The single place for the rules of PROCESS.md section 3; `row` is the number there. The interface, the workflow and the
tests all read this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import Forbidden, NotAllowed
from domain.request import OPEN, TERMINAL, Actor, CoState, Role, Snapshot, Solved, State, Urgency

MAX_RETURNS = 2
MAX_REWORKS = 2
MAX_ESCALATION_LEVEL = 3
MAX_QUESTIONS = 2
SATISFIED_FROM = 3
"""Of 1 to 5: three means "basically satisfied", which the hotlines count as satisfied (GB/T 33358-2016)."""


class Action(StrEnum):
    """What can happen to a request. The names are those of the interface."""

    SUBMIT = "submit"
    AUTO_ASSIGN = "auto_assign"
    TO_TRIAGE = "to_triage"
    DECLINE = "decline"
    TRANSFER = "transfer"
    ASSIGN = "assign"
    ACCEPT = "accept"
    RETURN_REQUEST = "return_request"
    REFER = "refer"
    DECIDE = "decide"
    REASSIGN = "reassign"
    RECLASSIFY = "reclassify"
    SET_URGENCY = "set_urgency"
    CONTACT = "contact"
    PROGRESS = "progress"
    ASK_CITIZEN = "ask_citizen"
    ANSWER = "answer"
    REQUEST_EXTENSION = "request_extension"
    GRANT_EXTENSION = "grant_extension"
    REFUSE_EXTENSION = "refuse_extension"
    REQUEST_HOLD = "request_hold"
    APPROVE_HOLD = "approve_hold"
    REFUSE_HOLD = "refuse_hold"
    RESUME = "resume"
    ADD_CO_HANDLER = "add_co_handler"
    FINISH_CO_HANDLING = "finish_co_handling"
    RETURN_CO_HANDLING = "return_co_handling"
    WAIVE_CO_HANDLING = "waive_co_handling"
    RESOLVE = "resolve"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    URGE = "urge"
    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"
    ESCALATE = "escalate"
    HEARTBEAT = "heartbeat"
    RATE = "rate"
    RECORD_CALL = "record_call"
    REOPEN = "reopen"
    CLOSE = "close"
    MERGE = "merge"
    UNMERGE = "unmerge"
    FOLLOW = "follow"
    ERASE = "erase"
    ADOPT_POLICY = "adopt_policy"
    QUICK_LOG = "quick_log"


@dataclass(frozen=True)
class Attempt:
    """An action somebody wants to take on a request, as the guards see it."""

    snapshot: Snapshot
    action: Action
    actor: Actor
    now: datetime


Guard = Callable[[Attempt], str | None]
"""None, or the sentence that says why not."""


@dataclass(frozen=True)
class Transition:
    """One row: from `sources`, by one of `roles`, to one of `targets` (empty: the state stays), because `why`."""

    row: int
    sources: frozenset[State]
    action: Action
    roles: frozenset[Role]
    targets: frozenset[State]
    why: str
    guards: tuple[Guard, ...] = ()


def _may_still_return(attempt: Attempt) -> str | None:
    if attempt.snapshot.binding:
        return "A supervisor's decision binds: this request cannot be returned."
    until = attempt.snapshot.return_until
    if until is not None and attempt.now > until:
        return f"The time for returning ended at {until:%Y-%m-%d %H:%M} UTC. Escalate it, or ask a dispatcher to reassign it."
    return None


def _few_returns(attempt: Attempt) -> str | None:
    if attempt.snapshot.return_count < MAX_RETURNS:
        return None
    return "It has been returned twice already: returning it once more asks for a supervisor's decision."


def _many_returns(attempt: Attempt) -> str | None:
    return "It can still be returned to the dispatchers." if attempt.snapshot.return_count < MAX_RETURNS else None


def _not_urged_today(attempt: Attempt) -> str | None:
    again_at = next_urging(attempt.snapshot)
    if again_at is not None and attempt.now < again_at:
        return f"You have urged it already; you can urge again after {again_at:%Y-%m-%d %H:%M} UTC."
    return None


def next_urging(snapshot: Snapshot) -> datetime | None:
    """From when the citizen may urge again; None before the first time."""
    if snapshot.urged_at is None:
        return None
    return snapshot.urged_at + timedelta(seconds=snapshot.urge_every_seconds)


def _not_danger(attempt: Attempt) -> str | None:
    if attempt.snapshot.urgency is Urgency.DANGER:
        return "A request about a danger to life is always followed up and cannot be withdrawn."
    return None


def _another_person(attempt: Attempt) -> str | None:
    if attempt.actor.id and attempt.actor.id == attempt.snapshot.resolved_by:
        return "The person who resolved a request cannot review it."
    return None


def _rung_left(attempt: Attempt) -> str | None:
    if attempt.snapshot.escalation_level >= MAX_ESCALATION_LEVEL:
        return "It is already at the highest level of escalation."
    return None


def _was_returned(attempt: Attempt) -> str | None:
    if attempt.snapshot.return_count:
        return None
    return "No department has returned it: assign it to the one in charge."


def _few_questions(attempt: Attempt) -> str | None:
    if attempt.snapshot.question_count < MAX_QUESTIONS:
        return None
    return "The citizen has been asked twice already. Call them, or go on with what is known."


def _before_due(attempt: Attempt) -> str | None:
    due_at = attempt.snapshot.due_at
    if due_at is not None and attempt.now >= due_at:
        return f"It was due on {due_at:%Y-%m-%d %H:%M} UTC: more time can only be asked for and granted before that."
    return None


def _not_extended(attempt: Attempt) -> str | None:
    if attempt.snapshot.extended_at is not None:
        return "More time was granted once already; that is all there is."
    if attempt.snapshot.extension_asked_by is not None:
        return "More time has been asked for already and waits for an answer."
    return None


def _extension_asked(attempt: Attempt) -> str | None:
    return None if attempt.snapshot.extension_asked_by is not None else "Nobody has asked for more time."


def _not_by_who_asked(attempt: Attempt) -> str | None:
    snapshot, actor = attempt.snapshot, attempt.actor
    asked_by = snapshot.hold_asked_by if attempt.action in HOLD_ANSWERS else snapshot.extension_asked_by
    if actor.id and actor.id == asked_by:
        return "Who asked for it cannot answer it: another person must."
    return None


def _no_hold_asked(attempt: Attempt) -> str | None:
    if attempt.snapshot.hold_asked_by is not None:
        return "A hold has been asked for already and waits for a supervisor."
    return None


def _hold_asked(attempt: Attempt) -> str | None:
    return None if attempt.snapshot.hold_asked_by is not None else "Nobody has asked to put it on hold."


def _co_handlers_settled(attempt: Attempt) -> str | None:
    waiting = [
        each.department for each in attempt.snapshot.co_handlers if each.state in (CoState.ASKED, CoState.RETURNED)
    ]
    if not waiting:
        return None
    return f"Co-handlers are neither done nor waived: {', '.join(waiting)}. Wait for them, or waive them."


def _has_no_followers(attempt: Attempt) -> str | None:
    if not attempt.snapshot.followers:
        return None
    return "Others are merged into this one: merge those elsewhere first."


def _parent_answered(attempt: Attempt) -> str | None:
    if attempt.snapshot.parent_state in (State.RESOLVED, State.CLOSED):
        return None
    return "The request that it was joined with has not been answered yet."


def _not_rated(attempt: Attempt) -> str | None:
    return None if attempt.snapshot.solved is None else "You have rated it already."


def _not_quick_logged(attempt: Attempt) -> str | None:
    if attempt.snapshot.quick_logged:
        return "It was settled on the spot. If it is not, please send a new request."
    return None


def _unhappy(attempt: Attempt) -> str | None:
    snapshot, roles = attempt.snapshot, attempt.actor.roles
    if snapshot.state is State.RESOLVED or Role.SUPERVISOR in roles:
        return None
    solved_well = snapshot.solved in (Solved.YES, Solved.PARTLY) and (snapshot.satisfied or 0) >= SATISFIED_FROM
    return (
        "You told us that it was solved and that you are satisfied. Please send a new request." if solved_well else None
    )


def _few_reworks(attempt: Attempt) -> str | None:
    if attempt.snapshot.rework_count < MAX_REWORKS:
        return None
    return "It has been reopened twice already; the outcome is final."


def _many_reworks(attempt: Attempt) -> str | None:
    return "It can still be reopened." if attempt.snapshot.rework_count < MAX_REWORKS else None


def _row(
    row: int,
    sources: frozenset[State] | set[State],
    action: Action,
    roles: set[Role],
    targets: set[State],
    why: str,
    *guards: Guard,
) -> Transition:
    return Transition(row, frozenset(sources), action, frozenset(roles), frozenset(targets), why, guards)


HOLD_ANSWERS = frozenset({Action.APPROVE_HOLD, Action.REFUSE_HOLD})

S, A, R = State, Action, Role
SAME: set[State] = set()

TRANSITIONS: tuple[Transition, ...] = (
    _row(1, SAME, A.SUBMIT, {R.CITIZEN, R.DISPATCHER}, {S.RECEIVED}, "every request is stored before anything else"),
    _row(2, {S.RECEIVED}, A.AUTO_ASSIGN, {R.SYSTEM}, {S.ASSIGNED}, "sure of the category, and a route exists"),
    _row(3, {S.RECEIVED}, A.TO_TRIAGE, {R.SYSTEM}, {S.TRIAGE}, "not sure, sensitive or no route: a person decides"),
    _row(4, {S.RECEIVED, S.TRIAGE}, A.DECLINE, {R.DISPATCHER}, {S.DECLINED}, "not the government's business; a person says so"),
    _row(5, {S.RECEIVED, S.TRIAGE, S.ASSIGNED, S.IN_PROGRESS}, A.TRANSFER, {R.DISPATCHER}, {S.TRANSFERRED},
         "another jurisdiction's matter; the citizen need not submit again"),
    _row(6, {S.TRIAGE}, A.ASSIGN, {R.DISPATCHER}, {S.ASSIGNED}, "a person chose category and department"),
    _row(7, {S.ASSIGNED}, A.ACCEPT, {R.HANDLER}, {S.IN_PROGRESS}, "the department takes it on"),
    _row(8, {S.ASSIGNED, S.IN_PROGRESS}, A.RETURN_REQUEST, {R.LEAD}, {S.TRIAGE},
         "not this department's matter; the citizen is not bothered", _may_still_return, _few_returns),
    _row(9, {S.ASSIGNED, S.IN_PROGRESS}, A.RETURN_REQUEST, {R.LEAD}, {S.ADJUDICATION},
         "departments must not push a request around: the third return is decided", _may_still_return, _many_returns),
    _row(9, {S.TRIAGE}, A.REFER, {R.DISPATCHER}, {S.ADJUDICATION},
         "the dispatcher does not agree with a return: a supervisor decides", _was_returned),
    _row(10, {S.ADJUDICATION}, A.DECIDE, {R.SUPERVISOR}, {S.ASSIGNED, S.CLOSED, S.DECLINED}, "a written decision binds all"),
    _row(11, {S.TRIAGE, S.ASSIGNED, S.IN_PROGRESS}, A.REASSIGN, {R.DISPATCHER}, {S.ASSIGNED}, "it went to the wrong department"),
    _row(11, {S.TRIAGE, S.ASSIGNED, S.IN_PROGRESS}, A.RECLASSIFY, {R.DISPATCHER}, SAME, "it has the wrong category"),
    _row(11, {S.TRIAGE, S.ASSIGNED, S.IN_PROGRESS}, A.SET_URGENCY, {R.DISPATCHER}, SAME, "it is more or less urgent than thought"),
    _row(12, {S.IN_PROGRESS}, A.CONTACT, {R.HANDLER}, SAME, "the citizen was spoken to: the response rate"),
    _row(13, {S.IN_PROGRESS}, A.PROGRESS, {R.HANDLER, R.CO_HANDLER}, SAME, "a note for colleagues, or for the citizen"),
    _row(14, {S.IN_PROGRESS}, A.ASK_CITIZEN, {R.HANDLER}, {S.AWAITING_CITIZEN}, "work cannot go on without the citizen's answer",
         _few_questions),
    _row(15, {S.AWAITING_CITIZEN}, A.ANSWER, {R.CITIZEN, R.SYSTEM}, {S.IN_PROGRESS}, "answered, or five days passed"),
    _row(16, {S.IN_PROGRESS}, A.REQUEST_EXTENSION, {R.LEAD}, SAME, "more time is asked for before the due date, once",
         _before_due, _not_extended),
    _row(16, {S.IN_PROGRESS}, A.GRANT_EXTENSION, {R.DISPATCHER}, SAME, "another person grants it", _extension_asked,
         _not_by_who_asked, _before_due),
    _row(16, {S.IN_PROGRESS}, A.REFUSE_EXTENSION, {R.DISPATCHER}, SAME, "another person refuses it", _extension_asked,
         _not_by_who_asked),
    _row(17, {S.IN_PROGRESS}, A.REQUEST_HOLD, {R.LEAD}, SAME, "it cannot be solved now, with evidence", _no_hold_asked),
    _row(17, {S.IN_PROGRESS}, A.APPROVE_HOLD, {R.SUPERVISOR}, {S.ON_HOLD}, "approved, with a date of review", _hold_asked,
         _not_by_who_asked),
    _row(17, {S.IN_PROGRESS}, A.REFUSE_HOLD, {R.SUPERVISOR}, SAME, "it can be solved now", _hold_asked,
         _not_by_who_asked),
    _row(18, {S.ON_HOLD}, A.RESUME, {R.SYSTEM, R.SUPERVISOR}, {S.IN_PROGRESS}, "the date of review has come"),
    _row(19, {S.ASSIGNED}, A.ADD_CO_HANDLER, {R.DISPATCHER}, SAME, "two departments' matter from the start"),
    _row(19, {S.IN_PROGRESS}, A.ADD_CO_HANDLER, {R.HANDLER}, SAME, "another department must help"),
    _row(19, {S.ASSIGNED, S.IN_PROGRESS}, A.FINISH_CO_HANDLING, {R.CO_HANDLER}, SAME, "its part is done"),
    _row(19, {S.ASSIGNED, S.IN_PROGRESS}, A.RETURN_CO_HANDLING, {R.CO_HANDLER}, SAME, "not its part"),
    _row(19, {S.ASSIGNED, S.IN_PROGRESS}, A.WAIVE_CO_HANDLING, {R.HANDLER}, SAME, "the lead department does without it"),
    _row(20, {S.IN_PROGRESS}, A.RESOLVE, {R.HANDLER}, {S.IN_REVIEW, S.RESOLVED}, "the department answers the citizen",
         _co_handlers_settled),
    _row(21, {S.IN_REVIEW}, A.APPROVE, {R.DISPATCHER}, {S.RESOLVED}, "another person found the answer good", _another_person),
    _row(21, {S.IN_REVIEW}, A.SEND_BACK, {R.DISPATCHER}, {S.IN_PROGRESS}, "the answer is not good enough", _another_person),
    _row(22, OPEN, A.URGE, {R.CITIZEN}, SAME, "the citizen waits; the more often urged, the higher it is heard", _not_urged_today),
    _row(23, OPEN, A.SUPPLEMENT, {R.CITIZEN}, SAME, "the citizen knows more"),
    _row(24, OPEN, A.WITHDRAW, {R.CITIZEN}, {S.WITHDRAWN}, "the citizen's own matter, but for a danger to others", _not_danger),
    _row(25, OPEN, A.ESCALATE, {R.SYSTEM, R.HANDLER, R.LEAD, R.SUPERVISOR}, {S.ASSIGNED},
         "late, or beyond the department's power: the next rung hears of it or takes over", _rung_left),
    _row(25, {S.AWAITING_CITIZEN}, A.RESUME, {R.SYSTEM}, {S.IN_PROGRESS},
         "who takes over does not wait for the answer to another's question"),
    _row(26, OPEN, A.HEARTBEAT, {R.SYSTEM}, SAME, "nobody shall think that they are forgotten"),
    _row(27, {S.RESOLVED}, A.RATE, {R.CITIZEN, R.CALLER}, {S.CLOSED, S.RESOLVED},
         "the person who asked judges; \"not solved\" goes on at once with row 28 or 29"),
    _row(27, {S.RESOLVED}, A.RECORD_CALL, {R.CALLER}, {S.CLOSED, S.RESOLVED},
         "asked by phone; what the citizen says counts as a rating, and nobody at home is tried again"),
    _row(28, {S.RESOLVED, S.CLOSED}, A.REOPEN, {R.CITIZEN, R.SUPERVISOR}, {S.ASSIGNED},
         "not solved, or not satisfied: done again, watched by the supervisor", _not_quick_logged, _unhappy,
         _few_reworks),
    _row(29, {S.RESOLVED}, A.REOPEN, {R.CITIZEN}, {S.ADJUDICATION}, "reworked twice in vain: a person decides", _many_reworks),
    _row(30, {S.RESOLVED}, A.CLOSE, {R.SYSTEM}, {S.CLOSED}, "no reply is never counted as satisfied"),
    _row(31, {S.RECEIVED, S.TRIAGE, S.ASSIGNED}, A.MERGE, {R.DISPATCHER}, {S.MERGED}, "one matter, several reporters",
         _has_no_followers),
    _row(31, {S.MERGED}, A.UNMERGE, {R.DISPATCHER}, {S.TRIAGE}, "two matters after all"),
    _row(31, {S.MERGED}, A.FOLLOW, {R.SYSTEM}, SAME, "whoever reported it too hears what the first one hears"),
    _row(31, {S.MERGED}, A.RATE, {R.CITIZEN, R.CALLER}, {S.MERGED, S.TRIAGE},
         "each reporter judges; who is not content is a matter of their own again", _parent_answered, _not_rated),
    _row(32, TERMINAL, A.ERASE, {R.SYSTEM}, SAME, "personal data is kept no longer than needed"),
    _row(33, {S.ASSIGNED, S.IN_PROGRESS, S.AWAITING_CITIZEN, S.ON_HOLD, S.IN_REVIEW}, A.ADOPT_POLICY, {R.ADMIN}, SAME,
         "a new version changes nothing in flight by itself; an admin moves chosen requests, with a reason"),
    _row(34, {S.RECEIVED}, A.QUICK_LOG, {R.HANDLER, R.DISPATCHER}, {S.CLOSED},
         "a small matter was settled on the spot: on file in one step, and counted apart"),
)  # fmt: skip

_STANDS_IN = {R.DISPATCHER: R.SUPERVISOR, R.CALLER: R.SUPERVISOR}
"""A supervisor may do everything a dispatcher may, and calls where a caller may not know of a confidential matter."""


_ROWS = {
    action: tuple(transition for transition in TRANSITIONS if transition.action is action)
    for action in dict.fromkeys(transition.action for transition in TRANSITIONS)
}
"""The rows of each action, in the order of the table."""


def _held_roles(snapshot: Snapshot, actor: Actor) -> frozenset[Role]:
    """The roles of the actor towards this request, the deputies included."""
    held = actor.roles_towards(snapshot.department)
    helps = {Role.CO_HANDLER} if actor.helps_in(snapshot.co_departments) else set()
    held |= helps
    return held | {role for role, deputy in _STANDS_IN.items() if deputy in held}


def rows_of(action: Action) -> tuple[Transition, ...]:
    return _ROWS.get(action, ())


def permit(snapshot: Snapshot, action: Action, actor: Actor, now: datetime) -> Transition:
    """The row under which this actor may take this action now.

    Raises NotAllowed when the state or a guard forbids it, Forbidden when the role or the department does.
    """
    attempt = Attempt(snapshot, action, actor, now)
    rows = [row for row in rows_of(action) if snapshot.state in row.sources]
    if not rows:
        raise NotAllowed(f"'{action}' is not possible while the request is {snapshot.state}.", state=snapshot.state)
    held = _held_roles(snapshot, actor)
    open_to_actor = [row for row in rows if row.roles & held]
    if not open_to_actor:
        raise Forbidden(_who_may(rows), state=snapshot.state)
    reasons = [_first_objection(row, attempt) for row in open_to_actor]
    for row, reason in zip(open_to_actor, reasons, strict=True):
        if reason is None:
            return row
    raise NotAllowed(next(filter(None, reasons)), state=snapshot.state)


def speaks_to_citizen(snapshot: Snapshot, actor: Actor) -> None:
    """Raises Forbidden for all but the department that has the request: a co-handler writes for colleagues (row 19)."""
    if Role.HANDLER not in actor.roles_towards(snapshot.department):
        raise Forbidden("Only the lead department speaks to the citizen: send it for colleagues.", state=snapshot.state)


def _first_objection(row: Transition, attempt: Attempt) -> str | None:
    return next(filter(None, (guard(attempt) for guard in row.guards)), None)


def _who_may(rows: list[Transition]) -> str:
    roles = sorted({role.replace("_", " ") for row in rows for role in row.roles - {R.SYSTEM}})
    if not roles:
        return "Only the system does this."
    return f"This needs the role {' or '.join(roles)}, for the department that has the request."


def allowed_actions(snapshot: Snapshot, actor: Actor, now: datetime) -> tuple[Action, ...]:
    """All that this actor may do with the request now, in the order of the table: what `permit` lets pass."""
    held = _held_roles(snapshot, actor)
    return tuple(
        action
        for action, rows in _ROWS.items()
        if any(
            snapshot.state in row.sources
            and row.roles & held
            and _first_objection(row, Attempt(snapshot, action, actor, now)) is None
            for row in rows
        )
    )
