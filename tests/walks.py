"""Random walks: several requests live side by side, people do what chance has them do, and every rule is looked after."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from db import policies
from domain import commands as c
from domain.acts import ACTION_OF
from domain.errors import Refusal
from domain.forms import check_form
from domain.lifecycle import Action, permit, speaks_to_citizen
from domain.policy import to_plain
from domain.request import CITIZEN, OPEN, SYSTEM, Actor, Event, Result, Snapshot, State
from tests.chance import DESCRIPTIONS, Chance
from tests.invariants import broken, wrongly_moved, wrongly_told
from tests.runs import is_at_rest, next_ring_at, running_timers
from tests.skipping import until_monday
from tests.town import Request, Town, a_text, until
from workflows.contract import ActionTaken, Message, co_workflow_id
from workflows.messages import CITIZEN_SIGNALS, admin

PLANNED = (
    c.Assign, c.Reassign, c.Decide, c.RequestHold, c.ApproveHold, c.RequestExtension, c.GrantExtension, c.AddCoHandler,
    c.Merge, c.AdoptPolicy,
)  # fmt: skip
"""What the table permits and the policy, or the other request, may not allow: then it is `invalid`."""
LOOKED_AT_CLOSELY = (
    c.Escalate, c.AddCoHandler, c.FinishCoHandling, c.ReturnCoHandling, c.WaiveCoHandling, c.Merge,
)  # fmt: skip
"""What the table permits and a rule about rungs, parts or parents may not: then it is `not_allowed`."""

QUIET = timedelta(minutes=10)
"""After time has passed no clock rings for as long, however slow the machine that walks."""


def objection(snapshot: Snapshot, command: c.Command, now: datetime) -> str | None:
    """The code with which the rules refuse it; None where they permit it."""
    try:
        check_form(command)
        permit(snapshot, ACTION_OF[type(command)], command.by, now)
        if isinstance(command, c.Progress) and command.public:
            speaks_to_citizen(snapshot, command.by)
    except Refusal as refusal:
        return refusal.code
    return None


@dataclass
class Walk:
    """A neighbourhood of requests. `told` says what has been done, the last thing last, for whoever has to find a fault."""

    town: Town
    seed: int
    requests: list[Request] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)  # references of requests that were merged, and of their parents
    accepted: int = 0
    refused: int = 0

    async def go(self, lives: int, steps: int) -> None:
        """So many lives at the same time, and so many steps of each."""
        other = replace(self.town.policy, reminders=(0.4, 0.7))
        await policies.keep(self.town.pool, other.version, "Small City", to_plain(other), datetime.now(UTC))
        self.chance = Chance(Random(self.seed), self.town, self.requests, other.version)
        await until_monday(self.town.environment)
        try:
            for _ in range(lives):
                description = self.chance.one(DESCRIPTIONS)
                self.requests.append(await self.town.submit(description, confidential=self.chance.happens(0.05)))
            for _ in range(lives * steps):
                await self.step()
            await self.look_at_all()
        except Exception as error:
            error.add_note(f"seed {self.seed}, after:\n" + "\n".join(self.told[-12:]))
            raise

    async def step(self) -> None:
        kind = self.chance.random.random()
        request = self.chance.one(self.requests)
        if kind < 0.09:
            await self.let_time_pass(self.chance.length())
        elif await request.is_over():
            return
        elif kind < 0.35:
            await self.tell(request)
        elif kind < 0.38:
            await self.tell_as_admin(request)
        else:
            await self.act(request)

    async def act(self, request: Request) -> None:
        """A member of staff acts: accepted exactly when the rules say so of the recorded snapshot."""
        command = await self.chance.command(request)
        before, events = await request.snapshot(), await request.events()
        expected = objection(before, command, await self.town.environment.get_current_time())
        self.note(request, before, f"{self._name(command.by)}: {_said(command)} ({expected or 'permitted'})")
        taken, refusal = await self._outcome(request, command)
        if taken is None:
            self.refused += 1
            assert refusal in self._refusals(command, expected), refusal
            assert await request.events() == events, "refused, and yet something has happened"
            return
        self.accepted += 1
        assert expected is None, f"accepted, and yet the rules say {expected}"
        assert taken.sequence > before.sequence
        if isinstance(command, c.Merge):
            self.joined |= {request.reference, command.parent}
        await self.settle(request)
        since = await self.look_at(request, before)
        # On a slow machine a clock may run out between the look before and the act.
        acted = next((event for event in since if event.actor_kind != SYSTEM.kind), None)
        assert acted is not None, since
        assert acted.action == ACTION_OF[type(command)] or acted.action == Action.RESUME, since

    async def _outcome(self, request: Request, command: c.Command) -> tuple[ActionTaken | None, str | None]:
        """What was done, or the code of the refusal."""
        try:
            return await request.act(command), None
        except ApplicationError as refusal:
            return None, refusal.type

    def _refusals(self, command: c.Command, expected: str | None) -> set[str]:
        if expected is not None:
            return {expected}
        planned = {"invalid"} if isinstance(command, PLANNED) else set()
        return planned | ({"not_allowed"} if isinstance(command, LOOKED_AT_CLOSELY) else set())

    async def tell(self, request: Request) -> None:
        """The citizen sends something, perhaps twice: it is done, or it stays in the timeline with the reason."""
        before = await request.snapshot()
        signal = self.chance.signal(before.state)
        message = self._message(request, signal)
        action = CITIZEN_SIGNALS[signal]
        self.note(request, before, f"the citizen: {signal} {message.solved} {message.satisfied}")
        now = await self.town.environment.get_current_time()
        for _ in range(2 if self.chance.happens(0.1) else 1):
            with suppress(RPCError):  # the first one may have ended it
                await request.handle.signal(signal, message)
        await self.settle(request)
        since = await self.look_at(request, before)
        expected = objection(before, _as_command(action, message), now)
        self._was_done_or_noted(action, expected, since)

    def _was_done_or_noted(self, action: Action, expected: str | None, since: Sequence[Event]) -> None:
        own = [event for event in since if event.action == action]
        noted = [event for event in since if event.action == "not_applied"]
        if expected is None:
            assert (len(own), len(noted)) == (1, 0), since
        else:
            assert [event.facts["reason"] for event in noted] == [expected], since

    def _message(self, request: Request, signal: str) -> Message:
        number = self.heard[request.reference] = self.heard.get(request.reference, 0) + 1
        rating = (self.chance.solved(), self.chance.satisfied()) if signal == "rated" else (None, None)
        return Message(number, datetime.now(UTC), a_text(), *rating)

    async def tell_as_admin(self, request: Request) -> None:
        """An admin sends a signal from the Temporal UI."""
        before, now = await request.snapshot(), await self.town.environment.get_current_time()
        by = admin("Operator 7", before.department)
        command: c.Command = c.Escalate(by)
        if self.chance.happens(0.5):
            command = c.Resolve(by, Result.SOLVED, a_text())
        self.note(request, before, f"an admin: {type(command).__name__}")
        if isinstance(command, c.Resolve):
            await request.handle.signal("resolve", {"outcome": "solved", "reply": "Done.", "by": by.id})
        else:
            await request.handle.signal("escalate", {"by": by.id})
        await self.settle(request)
        since = await self.look_at(request, before)
        expected = objection(before, command, now)
        if expected is None and isinstance(command, c.Escalate) and since[0].action == "not_applied":
            expected = "not_allowed"  # the chain has no further rung
        self._was_done_or_noted(ACTION_OF[type(command)], expected, since)

    async def let_time_pass(self, length: timedelta) -> None:
        """Whatever is due in it happens. A part that is being watched stops the clock of the test server: it is settled first."""
        for request in self.requests:
            await self._settle_parts(request)
        before = [await request.snapshot() for request in self.requests]
        self.told.append(f"{length} pass")
        await self.town.environment.sleep(length)
        await self.settle_all()
        await self._until_no_clock_is_near()
        for request, snapshot in zip(self.requests, before, strict=True):
            await self.look_at(request, snapshot)

    async def _until_no_clock_is_near(self) -> None:
        """Clocks last whole hours, and so does what passes: one would ring just while somebody acts or looks."""
        while (ring_at := await self._next_ring_at()) is not None:
            now = await self.town.environment.get_current_time()
            if ring_at > now + QUIET:
                return
            await self.town.environment.sleep(max(ring_at - now, timedelta(0)) + timedelta(seconds=1))
            await self.settle_all()

    async def _next_ring_at(self) -> datetime | None:
        rings = [await next_ring_at(request) for request in self.requests]
        return min((ring_at for ring_at in rings if ring_at is not None), default=None)

    async def _settle_parts(self, request: Request) -> None:
        snapshot = await request.snapshot()
        if not snapshot.co_departments:
            return
        supervisor, head = self.town.actor("supervisor"), self.town.actor("head")
        if snapshot.state is State.ON_HOLD:
            await request.act(c.Resume(supervisor, a_text()))
        elif snapshot.state is State.AWAITING_CITIZEN:
            await request.handle.signal("answered", self._message(request, "answered"))
            await self.settle(request)
        for department in snapshot.co_departments:
            await request.act(c.WaiveCoHandling(head, department, a_text()))
        for part in snapshot.co_handlers:
            await self._until_over(co_workflow_id(request.reference, part.number))

    async def _until_over(self, run: str) -> None:
        handle = self.town.environment.client.get_workflow_handle(run)

        async def is_over() -> bool:
            return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING

        await until(is_over)

    def _name(self, by: Actor) -> str:
        return next((name for name, staff_id in self.town.staff.items() if str(staff_id) == by.id), by.kind)

    def note(self, request: Request, before: Snapshot, what: str) -> None:
        self.told.append(f"{request.reference} {before.state} {before.sequence}: {what}")

    async def look_at(self, request: Request, before: Snapshot) -> list[Event]:
        """Checks the rules; answers with the events since then."""
        after, events = await request.snapshot(), await request.events()
        since = events[before.sequence :]
        faults = [*broken(after, events), *wrongly_moved(before, after, since)]
        assert not faults, f"{request.reference}: {faults}"
        return since

    async def look_at_all(self) -> None:
        """At the end: what has been sent, and that whatever is open has a clock that runs."""
        await self.settle_all()
        for request in self.requests:
            snapshot = await request.snapshot()
            assert await wrongly_told(request) == []
            if snapshot.state in OPEN:
                assert await running_timers(request) > 0, f"{request.reference}: open, and no clock runs"

    async def settle(self, request: Request) -> None:
        """Until nothing is under way in its run, nor in those that it is or was joined with."""
        await self.settle_all([each for each in self.requests if each is request or each.reference in self.joined])

    async def settle_all(self, requests: Sequence[Request] | None = None) -> None:
        calm = 0
        while calm < 2:
            calm += 1
            for request in requests or self.requests:
                if not await is_at_rest(request):
                    await until(lambda request=request: is_at_rest(request))  # type: ignore[misc]
                    calm = 0

    async def put_away(self) -> None:
        """Ends the runs, so that their clocks do not ring in the next walk."""
        for request in self.requests:
            await self._end_parts(request)
        await self.town.put_away()

    async def _end_parts(self, request: Request) -> None:
        for part in (await request.snapshot()).co_handlers:
            with suppress(RPCError):
                handle = self.town.environment.client.get_workflow_handle(
                    co_workflow_id(request.reference, part.number)
                )
                await handle.terminate("the walk is over")


def _said(command: c.Command) -> str:
    given = ", ".join(f"{name}={value}" for name, value in vars(command).items() if name != "by")
    return f"{type(command).__name__}({given})"


def _as_command(action: Action, message: Message) -> c.Command:
    assert message.text is not None
    match action:
        case Action.SUPPLEMENT:
            return c.Supplement(CITIZEN, message.text)
        case Action.ANSWER:
            return c.Answer(CITIZEN, message.text)
        case Action.URGE:
            return c.Urge(CITIZEN, message.text)
        case Action.WITHDRAW:
            return c.Withdraw(CITIZEN, message.text)
        case Action.RATE:
            assert message.solved is not None
            assert message.satisfied is not None
            return c.Rate(CITIZEN, message.solved, message.satisfied, message.text)
        case _:
            return c.Reopen(CITIZEN, message.text)
