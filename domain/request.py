"""What a request is: its states and attributes, who acts on it, and the line that each act leaves in its timeline.

Everything here is a value: frozen, comparable, and safe to keep in a workflow's history. Free text never appears: a text
is named by its id and stays, encrypted, in the database.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

DAY_SECONDS = 86_400


class State(StrEnum):
    """The states of PROCESS.md section 2, stored as they are."""

    RECEIVED = "received"  # stored durably, not yet classified
    TRIAGE = "triage"  # a person must decide where it belongs
    ASSIGNED = "assigned"  # sent to a lead department, not yet accepted
    IN_PROGRESS = "in_progress"  # accepted and worked on
    AWAITING_CITIZEN = "awaiting_citizen"  # one question asked of the citizen
    ON_HOLD = "on_hold"  # cannot be solved now; approved, with a review date
    IN_REVIEW = "in_review"  # result submitted, checked by another person
    ADJUDICATION = "adjudication"  # awaits a supervisor's binding decision
    RESOLVED = "resolved"  # citizen told, asked to rate
    CLOSED = "closed"  # over, with an outcome
    DECLINED = "declined"  # not the government's business, or not this channel's
    TRANSFERRED = "transferred"  # handed to another jurisdiction
    MERGED = "merged"  # a duplicate: follows its parent
    WITHDRAWN = "withdrawn"  # withdrawn by the citizen


TERMINAL = frozenset({State.CLOSED, State.DECLINED, State.TRANSFERRED, State.MERGED, State.WITHDRAWN})
"""The matter is over; only reopening (from closed), unmerging and retention may follow."""

OPEN = frozenset(State) - TERMINAL - {State.RESOLVED}
"""The city still owes the citizen an answer. A resolved request is not open: there the citizen is asked to rate."""

PAUSED = frozenset({State.AWAITING_CITIZEN, State.ON_HOLD})
"""The clocks of the request stand still; the pause has a timer of its own."""


class Role(StrEnum):
    """Who may act (PROCESS.md section 1). A department lead is a handler with the lead flag."""

    CITIZEN = "citizen"
    DISPATCHER = "dispatcher"
    HANDLER = "handler"
    LEAD = "lead"
    CO_HANDLER = "co_handler"
    SUPERVISOR = "supervisor"
    CALLER = "caller"
    ADMIN = "admin"
    SYSTEM = "system"


class Urgency(StrEnum):
    """How fast the matter must move; danger means danger to life."""

    NORMAL = "normal"
    URGENT = "urgent"
    DANGER = "danger"


class Channel(StrEnum):
    """How a request reached the city."""

    WEB = "web"
    API = "api"
    SMS = "sms"
    PHONE = "phone"
    OPEN311 = "open311"
    STAFF = "staff"


class Result(StrEnum):
    """What the department says it achieved."""

    SOLVED = "solved"
    PARTLY_SOLVED = "partly_solved"
    EXPLAINED = "explained"
    NOT_SOLVED = "not_solved"


class Solved(StrEnum):
    """What the citizen says of it."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Outcome(StrEnum):
    """How a closed request ended (PROCESS.md section 2)."""

    SOLVED = "solved"
    PARTLY_SOLVED = "partly_solved"
    EXPLAINED = "explained"
    ANSWERED = "answered"
    NOT_SOLVED_FINAL = "not_solved_final"
    NO_REPLY = "no_reply"


@dataclass(frozen=True)
class Actor:
    """Who acts, as the interface established it at the moment of the act.

    `departments` are those the person handles for; `led` those the person leads, with every department below them.
    """

    kind: str  # citizen, staff, admin or system
    id: str = ""
    roles: tuple[Role, ...] = ()
    departments: tuple[str, ...] = ()
    led: tuple[str, ...] = ()

    def roles_towards(self, department: str | None) -> frozenset[Role]:
        """The roles this actor has towards a request of that department.

        A handler counts only for a department of theirs, a lead also for the departments below.
        """
        held = set(self.roles) - {Role.HANDLER, Role.LEAD}
        if Role.HANDLER in self.roles and department is not None:
            if department in self.departments or department in self.led:
                held.add(Role.HANDLER)
            if department in self.led:
                held.add(Role.LEAD)
        return frozenset(held)

    def helps_in(self, departments: tuple[str, ...]) -> bool:
        """Whether this is a handler of one of them."""
        return Role.HANDLER in self.roles and not {*self.departments, *self.led}.isdisjoint(departments)


CITIZEN = Actor("citizen", roles=(Role.CITIZEN,))
SYSTEM = Actor("system", roles=(Role.SYSTEM,))


class AlarmKind(StrEnum):
    """What a clock of the request does when it runs out."""

    ACCEPT_OVERDUE = "accept_overdue"  # nobody has accepted in time
    CONTACT_OVERDUE = "contact_overdue"  # the citizen has not been contacted in time
    REMIND_HALF = "remind_half"  # half of the time is used
    REMIND_EIGHTY = "remind_eighty"  # four fifths of the time are used
    ESCALATE = "escalate"  # due, or still not done long after: the next rung of the chain
    REMIND_FEEDBACK = "remind_feedback"  # ask the citizen once more to rate
    END_FEEDBACK = "end_feedback"  # no reply: close
    END_REOPENING = "end_reopening"  # the window in which a closed request may be reopened has passed
    SEND_HELD = "send_held"  # quiet hours are over: send the notices that they held back
    ANSWER_OVERDUE = "answer_overdue"  # the citizen has not answered the question: work goes on without
    HOLD_REVIEW = "hold_review"  # the date of review of a hold has come
    HEARTBEAT = "heartbeat"  # the citizen may have heard nothing for long
    WANT_CALL = "call_wanted"  # nobody has rated: a caller shall ask
    CO_REMINDED = "co_reminded"  # a co-handler's time runs out
    CO_ESCALATED = "co_escalated"  # a co-handler is late


ALARM_NAMES = {
    AlarmKind.ACCEPT_OVERDUE: "accept deadline",
    AlarmKind.CONTACT_OVERDUE: "first contact deadline",
    AlarmKind.REMIND_HALF: "reminder at half of the time",
    AlarmKind.REMIND_EIGHTY: "reminder at four fifths of the time",
    AlarmKind.ESCALATE: "escalation",
    AlarmKind.REMIND_FEEDBACK: "feedback reminder",
    AlarmKind.END_FEEDBACK: "end of feedback",
    AlarmKind.END_REOPENING: "end of reopening",
    AlarmKind.SEND_HELD: "end of quiet hours",
    AlarmKind.ANSWER_OVERDUE: "end of the citizen's time to answer",
    AlarmKind.HOLD_REVIEW: "review of the hold",
    AlarmKind.HEARTBEAT: "heartbeat",
    AlarmKind.WANT_CALL: "follow-up call",
    AlarmKind.CO_REMINDED: "reminder of a co-handler",
    AlarmKind.CO_ESCALATED: "escalation of a co-handler",
}


@dataclass(frozen=True)
class Rung:
    """One step of an escalation chain, with the policy's selectors already turned into department codes.

    A rung notifies the leads of `departments` (and the supervisors, if `supervisors`); where `take_over` names a
    department, the assignment moves there and is to be accepted anew.
    """

    level: int
    departments: tuple[str, ...] = ()
    supervisors: bool = False
    take_over: str | None = None


@dataclass(frozen=True)
class Alarm:
    """A clock of one request: what happens when, unless something comes first."""

    at: datetime
    kind: AlarmKind
    rung: Rung | None = None

    @property
    def name(self) -> str:
        """Words for the timer in the Temporal UI."""
        suffix = f" to level {self.rung.level}" if self.rung else ""
        return ALARM_NAMES[self.kind] + suffix


class CoState(StrEnum):
    """How far a co-handling department is with its part."""

    ASKED = "asked"
    DONE = "done"
    RETURNED = "returned"  # not its part; the lead department does without or asks another
    WAIVED = "waived"  # the lead department does without


@dataclass(frozen=True)
class CoHandler:
    """A department that does a part of the work. `number` counts those of one request, from 1."""

    number: int
    department: str
    state: CoState
    task: str  # id of the text: what is asked of it
    due_at: datetime
    settled_at: datetime | None = None


@dataclass(frozen=True)
class QuickLog:
    """What staff settled on the spot. Something that was not solved is no quick log."""

    department: str
    category: str
    outcome: Result
    reply: str  # id of the text: what was done


@dataclass(frozen=True)
class Snapshot:
    """All that is known of a request after its latest event: the truth the workflow owns and the read model shows."""

    request_id: str
    reference: str
    submitted_at: datetime
    confidential: bool = False
    sequence: int = 0
    state: State = State.RECEIVED
    category: str | None = None
    department: str | None = None
    district: str | None = None
    urgency: Urgency = Urgency.NORMAL
    policy_version: str | None = None
    triage_reason: str | None = None
    assignee: str | None = None  # the member of staff who accepted
    binding: bool = False  # assigned by a supervisor's decision: may not be returned
    review_required: bool = False
    escalation_level: int = 0
    urge_count: int = 0
    urged_at: datetime | None = None
    urge_every_seconds: int = DAY_SECONDS  # from one urging to the next, as the policy says
    return_count: int = 0
    rework_count: int = 0
    assigned_at: datetime | None = None
    accepted_at: datetime | None = None
    contacted_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    accept_due_at: datetime | None = None
    contact_due_at: datetime | None = None
    return_until: datetime | None = None
    due_at: datetime | None = None
    result: Result | None = None
    reply: str | None = None  # id of the text
    resolved_by: str | None = None
    solved: Solved | None = None
    satisfied: int | None = None
    outcome: Outcome | None = None
    updated_at: datetime | None = None
    quick_logged: bool = False  # settled on the spot by staff, and counted apart
    service_level: str | None = None  # code of the promise under which it was assigned
    due_from: datetime | None = None  # the assignment that fixed the due date
    told_at: datetime | None = None  # the city's latest event that the citizen could see
    paused_at: datetime | None = None  # since when the clocks stand still
    paused_seconds: int = 0  # of all pauses that are over, by the wall clock
    question: str | None = None  # id of the text that waits for the citizen's answer
    question_count: int = 0
    answer_due_at: datetime | None = None
    hold_asked_by: str | None = None  # a hold waits for approval
    hold_reason: str | None = None  # id of the text with the evidence
    hold_review_on: date | None = None  # the date that was asked for or approved
    extension_asked_by: str | None = None  # an extension waits for being granted
    extension_reason: str | None = None  # id of the text
    extension_days: int | None = None  # working days: asked for, or granted
    extended_at: datetime | None = None
    call_wanted_at: datetime | None = None  # since when a caller shall ask how it went
    call_count: int = 0
    parent: str | None = None  # reference of the request that this one was merged into
    parent_state: State | None = None
    followers: int = 0  # requests merged into this one
    co_handlers: tuple[CoHandler, ...] = ()
    co_departments: tuple[str, ...] = ()  # those that are asked and not done

    def co_handler(self, department: str) -> CoHandler | None:
        """The latest part that was asked of that department."""
        return next((each for each in reversed(self.co_handlers) if each.department == department), None)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_overdue(self, now: datetime) -> bool:
        """The promise that counts now is broken: the due date, or before an assignment the time to decide. Never in a pause."""
        promised_at = self.due_at or self.accept_due_at
        return self.state in OPEN - PAUSED and promised_at is not None and promised_at < now


@dataclass(frozen=True)
class Event:
    """One line of the timeline: who did what when, and what came of it. Appended, never edited.

    `facts` holds codes, numbers and names of departments; `text` the id of a free text.
    """

    sequence: int
    at: datetime
    action: str
    actor_kind: str
    actor_id: str
    state_before: State | None
    state: State
    public: bool
    text: str | None = None
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OwedNotice:
    """A notice that an event owes to somebody; who that is by name, the database knows.

    `to` is citizen, handlers, leads, dispatchers, supervisors or assignee; `department` says whose handlers or leads.
    """

    kind: str
    to: str
    department: str | None = None
    urgent: bool = False
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """What one act makes of a request: the new snapshot, its event, and the notices that are owed."""

    snapshot: Snapshot
    event: Event
    notices: tuple[OwedNotice, ...] = ()


@dataclass(frozen=True)
class Act:
    """A member of staff's action as it was asked for: all that is needed to carry it out once more, word for word.

    `command` is the command of that `action` as JSON, `at` the moment in which it was carried out.
    """

    update_id: str
    action: str
    command: str
    at: datetime
