"""Where a request stands in its run: its snapshot, the clocks that run, the rungs above it, and what it has heard."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.classified import Assignment
    from domain.clocks import alarms_after
    from domain.errors import NotAllowed
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
    last_inbox_id: int = 0
    latest: tuple[Event, ...] = ()
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

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

    @property
    def is_on_file(self) -> bool:
        """The first turns are recorded, so that messages find a request that somebody has."""
        return self.snapshot.sequence > 0 and self.snapshot.state is not State.RECEIVED

    @property
    def is_over(self) -> bool:
        return self.snapshot.state in TERMINAL and not self.alarms and not self.one_at_a_time.locked()

    def received(self, receipt: Turn, assignment: Assignment) -> Snapshot:
        """The snapshot after the receipt, with what the first look found."""
        plan = assignment.plan
        return replace(receipt.snapshot, category=plan.category, district=assignment.district, urgency=plan.urgency)

    def has_had(self, inbox_id: int) -> bool:
        """Whether this message came before: the relay delivers in order, but perhaps more than once."""
        if inbox_id <= self.last_inbox_id:
            return True
        self.last_inbox_id = inbox_id
        return False

    def next_rung(self) -> Rung:
        """The rung above the present level, for an escalation by hand. Raises NotAllowed where the chain has none."""
        above = [rung for rung in self.rungs if rung.level > self.snapshot.escalation_level]
        if not above:
            raise NotAllowed("The escalation chain of this request has no further level.")
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
        """Wait for the next clock to run out; None once the matter is over."""
        while not self.is_over:
            first = self.alarms[0] if self.alarms else None
            if first is None:
                await workflow.wait_condition(lambda: bool(self.alarms) or self.is_over)
            elif await self._runs_out(first):
                return first
        return None

    async def _runs_out(self, alarm: Alarm) -> bool:
        left = alarm.at - workflow.now()
        if left <= timedelta(0):
            return True
        try:
            await workflow.wait_condition(lambda: self.alarms[:1] != (alarm,), timeout=left, timeout_summary=alarm.name)
        except TimeoutError:
            return True
        return False
