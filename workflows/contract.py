"""How others speak to the workflow of a request: queues, ids, inputs, names of messages. Plain frozen values only.

No value here carries personal data or free text: texts are ids, people are ids.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from domain.lifecycle import Action
from domain.request import Actor, Alarm, Outcome, QuickLog, Result, Solved, State
from workflows.carried import Carried

REQUESTS_QUEUE = "requests"
"""Task queue of the workflows and of the activities on our own database."""

NOTICES_QUEUE = "notices"
"""Task queue of the activity that speaks with an SMS gateway: a stranger, slow at times, with a rate of its own."""


GOES_ON = "goes_on"
"""The type of a refusal that says: ask again, the next run of the request is about to begin."""

CATCH_UP = "catch_up"
"""The signal that says: the database shows more than this run knows, make up for it."""

CO_CLOCK_RANG = "co_clock_rang"
CO_SETTLED = "settled"
PARENT_MOVED = "parent_moved"
FOLLOWER_CHANGED = "follower_changed"
"""Signals between runs."""


def co_workflow_id(reference: str, number: int) -> str:
    """The id of the run that watches the part of a co-handler."""
    return f"{workflow_id(reference)}-co-{number}"


def workflow_id(reference: str) -> str:
    """The id of the one run of a request: an admin finds it by the number that a citizen dictates."""
    return f"request-{reference}"


def reference_of(run: str) -> str:
    """The request that a run is about: its own, or one that watches a part of it."""
    return run.removeprefix(workflow_id("")).partition("-co-")[0]


ACTS_IN_TASK = 2
"""From this version on what staff do is recorded within the task that takes it (docs/decisions/0022)."""

ONE_FIRST_LOOK = 2
"""From this version on one step finds out what a request is about and where it is."""

PLANNED_ON_THE_WAY = 3
"""From this version on the first look says who is in charge and by when, and the step that records the answer plans the feedback
(docs/decisions/0031)."""

PROCEDURE = 3
"""The version of the procedure that runs begin with. One that is under way goes on as it began."""

KNOWN_PROCEDURES = range(1, 4)
"""The versions that this program can carry on. A version is known one release before runs begin with it, so that programs of
before and after work side by side, and one can go back (docs/decisions/0023-upgrades-with-requests-in-flight.md)."""


@dataclass(frozen=True)
class Submitted:
    """The input of RequestWorkflow."""

    request_id: str
    reference: str
    submitted_at: datetime
    by: Actor
    confidential: bool = False
    located: bool = False  # a point was given, or the text may name a place
    quick_log: QuickLog | None = None  # staff settled it on the spot
    carried: Carried | None = None  # by the run before this one, where a long life goes on
    procedure: int = 1  # of which version: PROCEDURE when the run began
    rebuilt: bool = False  # the run before this one was lost: the read model tells where it stood


@dataclass(frozen=True)
class CoHandling:
    """The input of CoHandlingWorkflow: which part of which request, and the clocks that watch it."""

    reference: str
    number: int
    department: str
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class Ended:
    """What the run of a request returns."""

    state: State
    outcome: Outcome | None


@dataclass(frozen=True)
class Message:
    """What a citizen or a gateway sent, as the relay delivers it: in order per request, perhaps more than once.

    `inbox_id` grows with each message of a request; the workflow leaves out what it has had.
    """

    inbox_id: int
    at: datetime
    text: str | None = None  # text id
    solved: Solved | None = None  # rate only
    satisfied: int | None = None  # rate only
    by: Actor | None = None  # who, where not the citizen


@dataclass(frozen=True)
class ActionTaken:
    """What a staff action answers: the request's new state and the number of the event."""

    state: State
    sequence: int


Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^\P{Cc}*$")]
"""Of an admin, who has no account with us: one line."""


@dataclass(frozen=True)
class ResolveSignal:
    """`resolve` sent by an admin from the Temporal UI or CLI. The reply is kept in the database before anything else."""

    outcome: Result
    reply: Annotated[Words, StringConstraints(min_length=1)]
    by: Name = "admin"


@dataclass(frozen=True)
class EscalateSignal:
    """`escalate` sent by an admin from the Temporal UI or CLI."""

    reason: Words = ""
    by: Name = "admin"


SUBMITTED = "submitted"
"""The kind of inbox row that starts a run."""

SIGNAL_OF_INBOX = {
    "supplemented": "supplemented",
    "urged": "urged",
    "withdrawn": "withdrawn",
    "rated": "rated",
    "reopened": "reopened",
    "answered": "answered",
}
"""Kinds of inbox rows that go as signals, by the signal's name."""

STAFF_UPDATES: dict[Action, str] = {
    action: action.value
    for action in (
        Action.ASSIGN, Action.ACCEPT, Action.RETURN_REQUEST, Action.DECIDE, Action.REASSIGN, Action.RECLASSIFY,
        Action.SET_URGENCY, Action.CONTACT, Action.PROGRESS, Action.RESOLVE, Action.APPROVE, Action.SEND_BACK,
        Action.ESCALATE, Action.DECLINE, Action.TRANSFER, Action.REOPEN, Action.REFER, Action.ASK_CITIZEN,
        Action.REQUEST_EXTENSION, Action.GRANT_EXTENSION, Action.REFUSE_EXTENSION, Action.REQUEST_HOLD,
        Action.APPROVE_HOLD, Action.REFUSE_HOLD, Action.RESUME, Action.RECORD_CALL, Action.ADD_CO_HANDLER,
        Action.FINISH_CO_HANDLING, Action.RETURN_CO_HANDLING, Action.WAIVE_CO_HANDLING, Action.MERGE, Action.UNMERGE,
        Action.ADOPT_POLICY,
    )
}  # fmt: skip
"""Actions of staff, by the name of the update that takes them."""

SEQUENCE = "sequence"
"""The fact of every refusal that tells the number of the latest event of the run that refused."""

DECIDED = "decided"
"""The fact of a refusal by a run that had accepted the update, for what came first has made it impossible. Temporal keeps it as the
outcome of that update, and says the same, with the same number, whenever it is asked again."""

RESOLVE_SIGNAL = "resolve"
ESCALATE_SIGNAL = "escalate"
