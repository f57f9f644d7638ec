"""Where a request stands in its run: its snapshot, the clocks that run, the rungs above it, and what it has heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.acts import ACTION_OF
    from domain.classified import Assignment
    from domain.clocks import Clocks, clocks_after, in_order
    from domain.commands import Command, Escalate, Progress
    from domain.errors import NotAllowed
    from domain.forms import check_form
    from domain.lifecycle import Transition, permit, speaks_to_citizen
    from domain.pauses import Promised
    from domain.planned import Planned
    from domain.rebuilt import KEPT_ANSWERS, SHOWN_EVENTS, Rebuilt
    from domain.request import TERMINAL, Act, Alarm, AlarmKind, Event, Rung, Snapshot, State, Turn
    from workflows.carried import Answered, Carried, Waiting
    from workflows.contract import FOLLOWER_CHANGED, PARENT_MOVED, ActionTaken, Submitted
    from workflows.visibility import show

_MOST_HANDED_OVER = 1_000
"""Signals that wait: more than these are taken in this run first, for what a run is started with may not exceed 2 MiB."""


@dataclass
class Course:
    """The mutable state of one run. Everything that changes it goes through `follow`, one turn at a time."""

    snapshot: Snapshot
    alarms: tuple[Alarm, ...] = ()
    stopped: tuple[Alarm, ...] = ()  # the clocks that stand still in a pause
    rungs: tuple[Rung, ...] = ()
    reopen_until: datetime | None = None
    heard: set[int] = field(default_factory=set)
    heard_up_to: int = -1  # in the runs before this one
    pauses: tuple[tuple[datetime, datetime], ...] = ()  # those that are over, of this due date
    followers: tuple[str, ...] = ()  # references of the requests merged into this one
    parent_sequence: int = 0  # the latest event of the parent that was followed
    latest: tuple[Event, ...] = ()
    waiting: tuple[Waiting, ...] = ()  # signals in the order of their arrival, until their turn comes
    acting: int = 0  # updates that are accepted and not answered
    answered: tuple[Answered, ...] = ()
    procedure: int = 1  # of which version
    ready: bool = True  # False until a new run has done what the one before it left
    asked: Act | None = None  # the staff action under way, where it is recorded before the history knows of it
    moment: datetime | None = None  # of what is carried out once more
    sending: list[asyncio.Task[None]] = field(default_factory=list)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    repeatable: bool = False

    def now(self) -> datetime:
        """The moment of the turn under way: what is carried out once more has the one that it had."""
        return self.moment or workflow.now()

    @contextmanager
    def at(self, moment: datetime | None) -> Iterator[None]:
        """Within, it is that moment."""
        before, self.moment = self.moment, moment
        try:
            yield
        finally:
            self.moment = before

    @contextmanager
    def asked_to(self, act: Act | None, moment: datetime | None = None) -> Iterator[None]:
        """Within, what is recorded belongs to that act."""
        before, self.asked = self.asked, act
        was_repeatable, self.repeatable = self.repeatable, self.repeatable or act is not None
        try:
            with self.at(moment):
                yield
        finally:
            self.asked, self.repeatable = before, was_repeatable

    @classmethod
    def of(cls, submitted: Submitted) -> Course:
        """The course of a new request, or as the run before this one has handed it over."""
        if submitted.carried is not None:
            given = {each.name: getattr(submitted.carried, each.name) for each in fields(Carried)}
            del given["unsent"]
            return cls(**given, procedure=submitted.procedure, ready=False)
        return cls(
            ready=not submitted.rebuilt,
            snapshot=Snapshot(
                request_id=submitted.request_id,
                reference=submitted.reference,
                submitted_at=submitted.submitted_at,
                confidential=submitted.confidential,
            ),
            procedure=submitted.procedure,
        )

    @asynccontextmanager
    async def in_turn(self, *, repeatable: bool = False) -> AsyncIterator[None]:
        """One at a time, in the order in which they came, and nobody before somebody has the request.

        A turn is `repeatable` if it comes again, before any other, should the workflow task that took it be lost: so it is
        with what stands in the history as the first of its kind, the start and the signals. Clocks are not: a signal that
        came meanwhile would overtake them. An update may be overtaken, too, but what it asked for is kept beside its event.
        """
        await workflow.wait_condition(lambda: self.ready and self.snapshot.state is not State.RECEIVED)
        async with self.one_at_a_time:
            self.repeatable = repeatable
            yield

    def is_over(self) -> bool:
        """The matter is over, nothing is left to send, and nobody waits for an answer: the run may end on the spot.

        Were anything awaited between this and the end, what arrives in the meantime would be lost. What was left to the
        next run, that one takes note of.
        """
        if self.snapshot.state is State.MERGED and self.snapshot.parent_state not in TERMINAL:
            return False
        return (
            self.snapshot.state in TERMINAL
            and not self.alarms
            and not self.sending
            and not self.waiting
            and workflow.all_handlers_finished()
        )

    def grows_long(self) -> bool:
        """The history is so long that the next run should go on, and nothing is under way that it would not know of."""
        return self.postpones() and not self.one_at_a_time.locked() and workflow.all_handlers_finished()

    def postpones(self) -> bool:
        """Whether whatever comes now is left to the next run: under a stream of messages there is no quiet moment.

        From then on no turn begins in this run. A turn that overtook a message which an attempt nobody remembers has
        recorded already would take its place in the timeline.
        """
        return self.should_go_on_anew() and not self.acting and len(self.waiting) <= _MOST_HANDED_OVER

    def should_go_on_anew(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    @contextmanager
    def acts(self) -> Iterator[None]:
        """An update that was accepted must be answered by this run."""
        self.acting += 1
        try:
            yield
        finally:
            self.acting -= 1

    def answered_before(self) -> ActionTaken | None:
        """What the update at hand was answered by an earlier run; this run's own are known to the server."""
        update_id = current_update_id()
        known = next((each for each in self.answered if each.update_id == update_id), None)
        return ActionTaken(known.state, known.sequence) if known else None

    def carried(self) -> Carried:
        """All that the next run has to know."""
        return Carried(
            snapshot=self.snapshot,
            alarms=self.alarms,
            stopped=self.stopped,
            rungs=self.rungs,
            reopen_until=self.reopen_until,
            heard_up_to=max(self.heard, default=self.heard_up_to),
            latest=self.latest,
            pauses=self.pauses,
            followers=self.followers,
            parent_sequence=self.parent_sequence,
            waiting=self.waiting,
            unsent=bool(self.sending),
            answered=self.answered[-KEPT_ANSWERS:],
        )

    def take_up(self, rebuilt: Rebuilt) -> None:
        """Go on where a lost run stood; what it missed of other runs comes before what has arrived since."""
        before = self.snapshot
        for name in ("snapshot", "alarms", "stopped", "rungs", "reopen_until", "heard_up_to", "latest", "pauses"):
            setattr(self, name, getattr(rebuilt, name))
        self.followers, self.parent_sequence = rebuilt.followers, rebuilt.parent_sequence
        self.answered = tuple(Answered(each.update_id, each.state, each.sequence) for each in rebuilt.answered)
        self.waiting = (*_missed(rebuilt), *self.waiting)
        show(before, self.snapshot, self.latest)

    def note_answer(self, update_id: str | None = None) -> ActionTaken:
        """The answer to the update at hand, or to that one, which was carried out just now."""
        stands = Answered(update_id or current_update_id(), self.snapshot.state, self.snapshot.sequence)
        self.answered = (*self.answered, stands)[-KEPT_ANSWERS:]
        return ActionTaken(stands.state, stands.sequence)

    def received(self, receipt: Turn, assignment: Assignment) -> Snapshot:
        """The snapshot after the receipt, with what the first look found."""
        plan = assignment.plan
        return replace(receipt.snapshot, category=plan.category, district=assignment.district, urgency=plan.urgency)

    def has_had(self, inbox_id: int) -> bool:
        """Whether this message came before: the relay delivers in order, but perhaps more than once."""
        if inbox_id in self.heard or inbox_id <= self.heard_up_to:
            return True
        self.heard.add(inbox_id)
        return False

    def permit(self, command: Command) -> Transition:
        """The row under which the command may be carried out now. Raises a Refusal."""
        check_form(command)
        row = self._row_of(command)
        if isinstance(command, Progress) and command.public:
            speaks_to_citizen(self.snapshot, command.by)
        if isinstance(command, Escalate):
            self.next_rung()
        return row

    def _row_of(self, command: Command) -> Transition:
        """What is carried out once more was permitted in a moment between the event before it and its own: where its planning or
        recording took long, a time may have ended in between."""
        allowed = partial(permit, self.snapshot, ACTION_OF[type(command)], command.by)
        try:
            return allowed(self.now())
        except NotAllowed:
            if self.moment is None:
                raise
            return allowed(self.snapshot.updated_at or self.snapshot.submitted_at)

    def next_rung(self) -> Rung:
        """The rung above the present level, for an escalation by hand. Raises NotAllowed where the chain has none."""
        above = [rung for rung in self.rungs if rung.level > self.snapshot.escalation_level]
        if not above:
            raise NotAllowed("The escalation chain of this request has no further level.", state=self.snapshot.state)
        return min(above, key=lambda rung: rung.level)

    def promised(self, alarms: tuple[Alarm, ...]) -> Promised:
        """Where the request stands among its dates, for those who move them."""
        snapshot = self.snapshot
        assert snapshot.due_at is not None
        assert snapshot.policy_version is not None
        return Promised(
            version=snapshot.policy_version,
            at=self.now(),
            due_at=snapshot.due_at,
            alarms=alarms,
            service_level=snapshot.service_level,
            contact_due_at=None if snapshot.contacted_at else snapshot.contact_due_at,
            assigned_at=snapshot.assigned_at,
        )

    def follow(self, turns: tuple[Turn, ...], planned: Planned) -> None:
        """Take the turns: the snapshot, and the clocks that run from now on."""
        before, last = self.snapshot, turns[-1]
        if before.parent != last.snapshot.parent:
            self.parent_sequence = 0
        self.snapshot = last.snapshot
        self.latest = (*self.latest, *(turn.event for turn in turns))[-SHOWN_EVENTS:]
        clocks = Clocks(self.alarms, self.stopped, self.rungs, self.reopen_until, self.pauses)
        clocks = clocks_after(clocks, before, last, planned)
        self.alarms, self.stopped, self.rungs = clocks.alarms, clocks.stopped, clocks.rungs
        self.reopen_until, self.pauses = clocks.reopen_until, clocks.pauses
        show(before, self.snapshot, self.latest)

    def hold_notices_until(self, at: datetime) -> None:
        """Quiet hours: one clock wakes the request when they are over."""
        if not any(alarm.kind is AlarmKind.SEND_HELD and alarm.at <= at for alarm in self.alarms):
            self.ring_at(Alarm(at, AlarmKind.SEND_HELD))

    def ring_at(self, alarm: Alarm) -> None:
        self.alarms = in_order((*self.alarms, alarm))

    def silence(self, alarm: Alarm) -> bool:
        """Take a clock that has run out off the list; False where a turn has stopped it in the meantime."""
        if alarm not in self.alarms:
            return False
        self.alarms = tuple(each for each in self.alarms if each != alarm)
        return True

    async def next_alarm(self) -> Alarm | None:
        """Wait for the next clock to run out; None once the run may end, or another should go on."""
        while not self.is_over() and not self.grows_long():
            if not self.alarms:
                await workflow.wait_condition(lambda: bool(self.alarms) or self.is_over() or self.grows_long())
            elif await self._has_come(self.alarms[0].at):
                return self.alarms[0]
        return None

    async def _has_come(self, moment: datetime) -> bool:
        """Wait until that moment; False as soon as it is no longer the first that counts.

        The timer is one for all clocks of that moment, so that it goes on while any of them runs.
        """
        left = moment - workflow.now()
        if left <= timedelta(0):
            return True
        names = ", ".join(alarm.name for alarm in self.alarms if alarm.at == moment)
        try:
            await workflow.wait_condition(
                lambda: not self._first_is(moment) or self.grows_long(), timeout=left, timeout_summary=names
            )
        except TimeoutError:
            return self._first_is(moment)
        return False

    def _first_is(self, moment: datetime) -> bool:
        return bool(self.alarms) and self.alarms[0].at == moment


def _missed(rebuilt: Rebuilt) -> tuple[Waiting, ...]:
    return (
        *(Waiting(FOLLOWER_CHANGED, (each,)) for each in rebuilt.followers_changed),
        *(Waiting(PARENT_MOVED, (each,)) for each in rebuilt.parent_moved),
    )


def current_update_id() -> str:
    """The id of the update at hand; empty outside of one."""
    info = workflow.current_update_info()
    return info.id if info else ""
