"""Where a request stands in its run: its snapshot, the clocks that run, the rungs above it, and what it has heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.acts import ACTION_OF
    from domain.classified import Assignment
    from domain.clocks import alarms_after
    from domain.commands import Command, Escalate
    from domain.errors import NotAllowed
    from domain.forms import check_form
    from domain.lifecycle import Transition, permit
    from domain.planning import FeedbackPlan, Plan
    from domain.request import TERMINAL, Alarm, AlarmKind, Event, Rung, Snapshot, State, Turn
    from workflows.contract import Submitted
    from workflows.visibility import show

_SHOWN_EVENTS = 8


@dataclass
class Course:
    """The mutable state of one run. Everything that changes it goes through `follow`, one turn at a time."""

    snapshot: Snapshot
    alarms: tuple[Alarm, ...] = ()
    rungs: tuple[Rung, ...] = ()
    reopen_until: datetime | None = None
    heard: set[int] = field(default_factory=set)
    latest: tuple[Event, ...] = ()
    sending: list[asyncio.Task[None]] = field(default_factory=list)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    repeatable: bool = False

    @classmethod
    def of(cls, submitted: Submitted) -> Course:
        return cls(
            Snapshot(
                request_id=submitted.request_id,
                reference=submitted.reference,
                submitted_at=submitted.submitted_at,
                confidential=submitted.confidential,
            )
        )

    @asynccontextmanager
    async def in_turn(self, *, repeatable: bool = False) -> AsyncIterator[None]:
        """One at a time, in the order in which they came, and nobody before somebody has the request.

        A turn is `repeatable` if it comes again, before any other, should the workflow task that took it be lost: so it is
        with what stands in the history as the first of its kind, the start and the signals. Clocks and updates are not: a
        signal that came meanwhile would overtake them.
        """
        await workflow.wait_condition(lambda: self.snapshot.state is not State.RECEIVED)
        async with self.one_at_a_time:
            self.repeatable = repeatable
            yield

    def _is_over(self) -> bool:
        """The matter is over, nothing is left to send, and nobody waits for an answer: the run may end on the spot.

        Were anything awaited between this and the end, what arrives in the meantime would be lost.
        """
        over = self.snapshot.state in TERMINAL and not self.alarms and not self.sending
        return over and workflow.all_handlers_finished()

    def received(self, receipt: Turn, assignment: Assignment) -> Snapshot:
        """The snapshot after the receipt, with what the first look found."""
        plan = assignment.plan
        return replace(receipt.snapshot, category=plan.category, district=assignment.district, urgency=plan.urgency)

    def has_had(self, inbox_id: int) -> bool:
        """Whether this message came before: the relay delivers in order, but perhaps more than once."""
        if inbox_id in self.heard:
            return True
        self.heard.add(inbox_id)
        return False

    def permit(self, command: Command) -> Transition:
        """The row under which the command may be carried out now. Raises a Refusal."""
        check_form(command)
        row = permit(self.snapshot, ACTION_OF[type(command)], command.by, workflow.now())
        if isinstance(command, Escalate):
            self.next_rung()
        return row

    def next_rung(self) -> Rung:
        """The rung above the present level, for an escalation by hand. Raises NotAllowed where the chain has none."""
        above = [rung for rung in self.rungs if rung.level > self.snapshot.escalation_level]
        if not above:
            raise NotAllowed("The escalation chain of this request has no further level.", state=self.snapshot.state)
        return min(above, key=lambda rung: rung.level)

    def follow(self, turns: tuple[Turn, ...], planned: Plan | FeedbackPlan | None) -> None:
        """Take the turns: the snapshot, and the clocks that run from now on."""
        before, last = self.snapshot, turns[-1]
        self.snapshot = last.snapshot
        self.latest = (*self.latest, *(turn.event for turn in turns))[-_SHOWN_EVENTS:]
        if isinstance(planned, Plan):
            self.rungs, self.reopen_until = planned.rungs, None
        elif isinstance(planned, FeedbackPlan):
            self.reopen_until = planned.reopen_until
        self.alarms = alarms_after(last, self.alarms, planned.alarms if planned else None)
        if self.snapshot.state is State.CLOSED and self.reopen_until:
            self._ring_at(Alarm(self.reopen_until, AlarmKind.END_REOPENING))
        show(before, self.snapshot, self.latest)

    def hold_notices_until(self, at: datetime) -> None:
        """Quiet hours: one clock wakes the request when they are over."""
        if not any(alarm.kind is AlarmKind.SEND_HELD and alarm.at <= at for alarm in self.alarms):
            self._ring_at(Alarm(at, AlarmKind.SEND_HELD))

    def _ring_at(self, alarm: Alarm) -> None:
        self.alarms = tuple(sorted((*self.alarms, alarm), key=lambda each: (each.at, each.kind)))

    def silence(self, alarm: Alarm) -> bool:
        """Take a clock that has run out off the list; False where a turn has stopped it in the meantime."""
        if alarm not in self.alarms:
            return False
        self.alarms = tuple(each for each in self.alarms if each != alarm)
        return True

    async def next_alarm(self) -> Alarm | None:
        """Wait for the next clock to run out; None once the run may end."""
        while not self._is_over():
            if not self.alarms:
                await workflow.wait_condition(lambda: bool(self.alarms) or self._is_over())
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
            await workflow.wait_condition(lambda: not self._first_is(moment), timeout=left, timeout_summary=names)
        except TimeoutError:
            return self._first_is(moment)
        return False

    def _first_is(self, moment: datetime) -> bool:
        return bool(self.alarms) and self.alarms[0].at == moment
