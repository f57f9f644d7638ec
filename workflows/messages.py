"""What citizens and admins send as signals, read with mistrust: anybody with the Temporal UI can send anything.

A signal that cannot be read must neither fail the run nor vanish; it becomes a line in the timeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain import commands as c
    from domain.followed import Followed, Follower
    from domain.helped import CoClock
    from domain.lifecycle import Action
    from domain.request import CITIZEN, Actor, Role, Solved
    from workflows.contract import EscalateSignal, Message, ResolveSignal

Sent = tuple[object, ...]
"""The arguments of a signal as plain JSON values: none, one or many of whatever kind."""

Signal = TypeVar("Signal", Message, ResolveSignal, EscalateSignal, Follower, Followed, CoClock)

_KINDS = (Message, ResolveSignal, EscalateSignal, Follower, Followed, CoClock)
_READERS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in _KINDS}

UNKNOWN_SENDER = Actor("admin")
"""Of a signal that cannot be read: the relay sends none such."""


@dataclass(frozen=True)
class Heard:
    """A citizen's message as the command it asks for; `text` is the id of what it says."""

    inbox_id: int
    command: c.Command
    text: str | None


def read(kind: type[Signal], sent: Sent) -> Signal | None:
    """The one value that was sent; None where it is nothing of that kind."""
    if len(sent) != 1:
        return None
    try:
        signal: Signal = _READERS[kind].validate_python(sent[0])
    except ValidationError:
        return None
    return signal


def read_message(action: Action, sent: Sent) -> Heard | None:
    """What a citizen asks for; None where it is no message, or lacks what the action needs."""
    message = read(Message, sent)
    if message is None:
        return None
    command = _command(action, message, message.by or CITIZEN)
    return Heard(message.inbox_id, command, message.text) if command else None


def _command(action: Action, message: Message, by: Actor) -> c.Command | None:
    match action, message:
        case Action.SUPPLEMENT, Message(text=str(text)):
            return c.Supplement(by, text)
        case Action.ANSWER, Message(text=str(text)):
            return c.Answer(by, text)
        case Action.URGE, _:
            return c.Urge(by, message.text)
        case Action.WITHDRAW, _:
            return c.Withdraw(by, message.text)
        case Action.RATE, Message(solved=Solved() as solved, satisfied=int(satisfied)):
            return c.Rate(by, solved, satisfied, message.text)
        case Action.REOPEN, _:
            return c.Reopen(by, message.text)
    return None


def admin(name: str, department: str | None) -> Actor:
    """An admin in the Temporal UI acts for the department that has the request."""
    mine = (department,) if department else ()
    return Actor("admin", name, (Role.ADMIN, Role.HANDLER, Role.SUPERVISOR), mine, mine)


CITIZEN_SIGNALS = {
    "supplemented": Action.SUPPLEMENT,
    "urged": Action.URGE,
    "withdrawn": Action.WITHDRAW,
    "rated": Action.RATE,
    "answered": Action.ANSWER,
    "reopened": Action.REOPEN,
}
"""What a citizen asks for by which signal."""


class _Hears(Protocol):
    """The workflow, as its signals see it."""

    async def hear(self, signal: str, sent: Sent) -> None: ...


def heard_signal(name: str, description: str) -> Any:
    """A signal that waits for its turn with whatever was sent."""

    async def signal(self: _Hears, *sent: object) -> None:
        await self.hear(name, sent)

    return workflow.signal(name=name, description=description)(signal)
