"""docs/process.md: the page of the process, written from the tables that the program itself obeys.

What a table cannot say (a guard, an escalation's recipients) is a sentence here; a test sees to it that none is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from domain.lifecycle import (
    MAX_ESCALATION_LEVEL,
    MAX_QUESTIONS,
    MAX_RETURNS,
    MAX_REWORKS,
    SATISFIED_FROM,
    TRANSITIONS,
    Action,
    Transition,
)
from domain.notices import ALERTED, IN_TRIAGE, OWED, REMINDERS, NoticeKind, Recipient, owed_by_message
from domain.request import ALARM_NAMES, OPEN, PAUSED, TERMINAL, AlarmKind, Snapshot, State

GUARDS = {
    "_may_still_return": "in time, and not after a binding decision",
    "_few_returns": f"returned fewer than {MAX_RETURNS} times",
    "_many_returns": f"returned {MAX_RETURNS} times already",
    "_not_urged_today": "once in the policy's `urge_interval`",
    "_was_returned": "returned before",
    "_few_questions": f"asked fewer than {MAX_QUESTIONS} times",
    "_before_due": "before the due date",
    "_not_extended": "no extension granted or asked for",
    "_extension_asked": "an extension is asked for",
    "_not_by_who_asked": "not the person who asked",
    "_no_hold_asked": "no hold asked for",
    "_hold_asked": "a hold is asked for",
    "_co_handlers_settled": "all co-handlers are done or waived",
    "_has_no_followers": "nothing is merged into it",
    "_parent_answered": "the parent is answered",
    "_not_rated": "not rated before",
    "_not_quick_logged": "not settled on the spot",
    "_not_danger": "no danger to life",
    "_another_person": "not the person who resolved it",
    "_rung_left": f"below level {MAX_ESCALATION_LEVEL}",
    "_unhappy": f"once closed: not solved, or satisfied below {SATISFIED_FROM} of 5; a supervisor always",
    "_few_reworks": f"reopened fewer than {MAX_REWORKS} times",
    "_many_reworks": f"reopened {MAX_REWORKS} times already",
}
"""What each guard of the table asks for."""

BESIDES = {
    Action.REASSIGN: "`reassigned_away` to the assignee of the department that had it",
    Action.PROGRESS: "`progress` to the citizen, where the note is public",
    Action.ANSWER: "`answered` to the assignee, `unanswered` where the time is over",
    Action.RESUME: "`resumed` to the assignee",
    Action.ADD_CO_HANDLER: "`co_task` to the handlers of the co-handling department",
    Action.FINISH_CO_HANDLING: "`co_done` to the assignee",
    Action.RETURN_CO_HANDLING: "`co_returned` to the assignee",
    Action.WAIVE_CO_HANDLING: "`co_waived` to the handlers of the co-handling department",
    Action.RECORD_CALL: "`rated` to the assignee, where the citizen judged",
    Action.FOLLOW: "the notices of the parent's citizen",
    Action.ADOPT_POLICY: "where the due date moves: `due_moved` to the citizen, `due_changed` to the assignee",
    Action.ESCALATE: "see [Escalations](#escalations)",
    **dict.fromkeys((Action.URGE, Action.SUPPLEMENT, Action.WITHDRAW), "see [Messages of citizens](#messages-of-citizens)"),
}  # fmt: skip
"""What an action owes besides the table of notices."""

_BEGINNING = """\
<!-- Written by `huisheng docs process > docs/process.md` from domain/lifecycle.py and domain/notices.py. Do not edit it here. -->

# The process

How a request travels: which states there are, who may do what in each, what comes of it and why, and which notices are
owed to whom. The program obeys the same tables (`domain/lifecycle.py`, `domain/notices.py`), and its tests try every
allowed and every forbidden move. The words are explained in the [glossary](glossary.md).
"""

_STATES = """\
## States

"""

_WAY_THROUGH = """\
## The way of a request

Two moves are possible from any open state and stand in the table only: the citizen withdraws the
request, or an escalation hands it to another department, where it is assigned anew.

"""

_WAYS_OUT = """\
How a request ends without an answer from a department:

"""

_MOVES = """\
## Transitions

One row for each move; the numbers are those of the procedure that the tables were written from. *Same* means that the
state stays. A supervisor may do everything that a dispatcher may, and a lead everything that a handler may.

"""

_CLOCKS = """\
## Clocks

What a clock that has run out owes. Accepting stops the first, a contact the second, a new assignment starts all of them
anew; only the feedback reminder and the follow-up call run once the request is resolved. In a pause the clocks up to the
escalation stand still; the pause has one of its own.

"""

_CLOCKS_ELSEWHERE = {
    AlarmKind.ESCALATE: "see [Escalations](#escalations)",
    AlarmKind.ANSWER_OVERDUE: "`unanswered` to the assignee; the work goes on",
    AlarmKind.HOLD_REVIEW: "`resumed` to the assignee; the work goes on",
    AlarmKind.HEARTBEAT: "`heartbeat` to the citizen, who has heard nothing for the policy's `heartbeat_after`",
    AlarmKind.WANT_CALL: "`call_wanted` to the callers",
    AlarmKind.CO_REMINDED: "`co_reminder` to the handlers of the co-handling department",
    AlarmKind.CO_ESCALATED: "`co_escalated` to whom the rung names, as seen from the co-handling department, and to the assignee",
}
"""The clocks that the tables of reminders do not have."""
_ANYWHERE = (AlarmKind.ESCALATE, AlarmKind.HEARTBEAT)

_MESSAGES = """\
## Messages of citizens

Whom a citizen's message reaches. Who accepted the request is its assignee; as long as nobody has, the handlers are.

"""

_ESCALATIONS = """\
## Escalations

An escalation, by its clock or by hand, goes to the next rung of the chain that the city's policy names for the category.

- `escalated` goes to the leads of the departments that the rung names, and to the supervisors where it names them.
- `escalated_from` goes to the one below: the assignee, or the dispatchers while nobody has the request.
- Where the rung takes the request over, it is assigned to the rung's department: `new_task` goes to its handlers and
  `department_changed` to the citizen. The due date stays.

A citizen's message that the table forbids by the time it arrives stays in the timeline; `answer_not_applied` tells the
citizen so. A one-time code (`one_time_code`) is owed by no event: the citizen asks for it in order to look up a
request by phone. Nor is `topic_spike`, which goes to the supervisors when far more people than before write about one matter;
the latest of their requests carries it.
"""

_DANGERS = """\
## Dangers to life

An assignment, a way into triage or a change of urgency that makes a request a danger to life alerts at once, at any hour,
besides all else that it owes: {owed}. While no department has it, the supervisors alone. Such a request cannot be
withdrawn.
"""

_EXITS = TERMINAL - {State.CLOSED}


def render_process_page() -> str:
    """The whole page as Markdown."""
    return "\n".join([
        _BEGINNING,
        _STATES + _states(),
        _WAY_THROUGH + _diagram(move for move in _moves() if move[1] not in _EXITS),
        _WAYS_OUT + _diagram(move for move in _moves() if move[1] in _EXITS),
        _MOVES + _transitions(),
        _CLOCKS + _clocks(),
        _MESSAGES + _messages(),
        _ESCALATIONS,
        _DANGERS.format(owed=_kinds(ALERTED)),
    ])  # fmt: skip


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _states() -> str:
    return _table(
        ("state", "the city owes an answer", "clocks"),
        ((f"`{state}`", "yes" if state in OPEN else "no", _clocks_in(state)) for state in State),
    )


def _clocks_in(state: State) -> str:
    if state in PAUSED:
        return "paused, with a timer of its own"
    if state in TERMINAL:
        return "stopped"
    return "stopped; feedback timer" if state is State.RESOLVED else "run"


def _moves() -> Iterator[tuple[State | None, State, Action]]:
    """Every change of state; those that any open request can make are left to the table."""
    for row in TRANSITIONS:
        if row.sources == OPEN:
            continue
        sources: list[State | None] = [state for state in State if state in row.sources]
        for source in sources or [None]:
            yield from (
                (source, target, row.action) for target in State if target in row.targets and target is not source
            )


def _diagram(moves: Iterable[tuple[State | None, State, Action]]) -> str:
    """Moves between the same two states share an arrow."""
    arrows: dict[tuple[State | None, State], list[Action]] = {}
    for source, target, action in moves:
        arrows.setdefault((source, target), []).append(action)
    lines = [
        f"    {source or '[*]'} --> {target}: {', '.join(actions)}\n" for (source, target), actions in arrows.items()
    ]
    return "```mermaid\nstateDiagram-v2\n" + "".join(lines) + "```\n"


def _transitions() -> str:
    return _table(
        ("#", "from", "action", "who", "only if", "to", "owed", "because"),
        (
            (
                str(row.row),
                _names(row.sources) or "–",
                f"`{row.action}`",
                ", ".join(sorted(role.replace("_", "-") for role in row.roles)),
                "; ".join(GUARDS[guard.__name__] for guard in row.guards) or "–",
                _to(row),
                _owed(row),
                row.why,
            )
            for row in TRANSITIONS
        ),
    )


def _names(states: frozenset[State]) -> str:
    if states == OPEN:
        return "any open"
    if states == TERMINAL:
        return "any that is over"
    return ", ".join(f"`{state}`" for state in State if state in states)


def _to(row: Transition) -> str:
    if not row.targets:
        return "same"
    return f"same, or {_names(row.targets)}" if row.action is Action.ESCALATE else _names(row.targets)


def _owed(row: Transition) -> str:
    """What the table owes for each state that the row leads to, said once where it is the same for all."""
    after = [state for state in State if state in (row.targets or row.sources)]
    owed = {state: _kinds(OWED[row.action, state]) for state in after if (row.action, state) in OWED}
    texts = [text for text in dict.fromkeys(owed.values()) if text]
    if len(row.targets) > 1 and len(texts) > 1:
        texts = [f"to `{state}`: {text}" for state, text in owed.items() if text]
    return "; ".join(filter(None, [*texts, BESIDES.get(row.action, "")])) or "–"


def _kinds(owed: Iterable[tuple[NoticeKind, Recipient]]) -> str:
    return ", ".join(f"`{kind}` to {_whom(to)}" for kind, to in owed)


def _whom(to: str) -> str:
    return f"the {to}"


def _clocks() -> str:
    def row(kind: AlarmKind) -> tuple[str, str, str]:
        return ALARM_NAMES[kind], _kinds(REMINDERS.get(kind, ())) or "–", _kinds(IN_TRIAGE.get(kind, ())) or "–"

    return _table(
        ("clock", "while a department has it, or once resolved", "in triage"),
        [*(row(kind) for kind in AlarmKind if kind in REMINDERS),
         *((ALARM_NAMES[kind], owed, owed if kind in _ANYWHERE else "–") for kind, owed in _CLOCKS_ELSEWHERE.items())],
    )  # fmt: skip


def _messages() -> str:
    messages = (
        ("first urging", NoticeKind.URGED, 1),
        ("second urging", NoticeKind.URGED, 2),
        ("third urging and later", NoticeKind.URGED, 3),
        ("supplement", NoticeKind.SUPPLEMENTED, 0),
        ("withdrawal", NoticeKind.WITHDRAWN, 0),
    )
    return _table(
        ("message", "notice", "while a department has it", "while nobody has it"),
        (
            (
                name,
                f"`{kind}`",
                _reached(kind, urged, "any"),
                "–" if name == "withdrawal" else _reached(kind, urged, None),
            )
            for name, kind, urged in messages
        ),
    )


def _reached(kind: NoticeKind, urged: int, department: str | None) -> str:
    at = datetime.min.replace(tzinfo=UTC)
    after = Snapshot("", "", at, department=department, urge_count=urged)
    return ", ".join(_whom(notice.to) for notice in owed_by_message(kind, after))
