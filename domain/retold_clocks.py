"""The clocks of a request told again from its timeline, for a run that Temporal knows no more.

The snapshot says where the request stands, and the policy versions are kept; so every plan since the latest assignment can be
made once more, as of its moment, and each clock that has rung since has left an event. What is planned here is within
milliseconds of what the lost run had planned; the dates that were promised are taken as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.adoption import AdoptionWanted, plan_adoption
from domain.clocks import Clocks, clocks_after, in_order
from domain.helped import clocks_of_part
from domain.lifecycle import Action
from domain.pauses import PausePlan, Promised, extend, move_by_pause, next_heartbeat, plan_hold
from domain.planned import Planned
from domain.planning import Plan, PlanWanted, plan_assignment, plan_feedback
from domain.policy import Policy
from domain.rebuilt import WatchedPart
from domain.request import PAUSED, Alarm, AlarmKind, CoState, Event, Snapshot, State, Turn
from domain.told import DUE_FROM_HERE, told_after

_IN_TRIAGE = frozenset({Action.TO_TRIAGE, Action.RETURN_REQUEST, Action.REFER, Action.UNMERGE})
_TO_A_DEPARTMENT = frozenset({Action.AUTO_ASSIGN, Action.ASSIGN, Action.REASSIGN})


class Timed(NamedTuple):
    """The clocks of a request at an instant, and the parts of its co-handlers with theirs."""

    clocks: Clocks
    parts: tuple[WatchedPart, ...]


def retell_clocks(policies: Mapping[str, Policy], snapshot: Snapshot, events: Sequence[Event], now: datetime) -> Timed:
    """The clocks as they stand now; those that should have rung while there was no run are among them, in the past.

    Raises KeyError for a policy version that is missing, and Invalid where one does not know its own codes.
    """
    begins = _latest_plan(events)
    walk = _Walk(policies, snapshot, events)
    for place, event in enumerate(events):
        if begins is not None and place >= begins:
            walk.pass_silently(event.at)
            walk.take(place, event, is_first=place == begins)
        else:
            walk.skip(event)
    walk.pass_silently(now)
    return Timed(walk.still_to_ring(now), _watched_parts(policies, snapshot, events))


def _latest_plan(events: Sequence[Event]) -> int | None:
    """Where the latest event stands that brought clocks of its own, so that none of an earlier one is left."""
    places = [place for place, event in enumerate(events) if _brings_all_clocks(event)]
    return places[-1] if places else None


def _brings_all_clocks(event: Event) -> bool:
    if event.action == Action.ESCALATE:
        return _takes_over(event)
    if event.action == Action.ADOPT_POLICY:
        return event.state not in PAUSED  # in a pause the clock of the pause goes on
    if event.action == Action.DECIDE:
        return event.state is State.ASSIGNED
    return event.action in _IN_TRIAGE | _TO_A_DEPARTMENT | {Action.REOPEN}


def _takes_over(event: Event) -> bool:
    return event.facts.get("department") != event.facts.get("previous_department")


@dataclass
class _Walk:
    """Goes through a timeline. `stands` holds what of the snapshot the clocks depend on, after each event."""

    policies: Mapping[str, Policy]
    snapshot: Snapshot
    events: Sequence[Event]

    def __post_init__(self) -> None:
        final = self.snapshot
        self.stands = Snapshot(final.request_id, final.reference, final.submitted_at, due_from=final.due_from)
        self.clocks = Clocks()
        self.has_due = False  # whether a due date of an earlier assignment stays
        self.version = ""

    def skip(self, event: Event) -> None:
        """Before the latest plan only that counts which outlives it."""
        before, self.stands = self.stands, told_after(self.stands, event)
        if before.paused_at is not None and self.stands.paused_at is None:
            self.clocks = Clocks(pauses=(*self.clocks.pauses, (before.paused_at, event.at)))
        self._note_due(event)

    def take(self, place: int, event: Event, *, is_first: bool) -> None:
        before = self.stands
        if is_first:
            self.version = self._version_at(place)
            planned: Planned = self._plan(place, event)
        else:
            planned = self._planned_since(event)
        self.stands = self._with_dates(told_after(before, event), place, planned)
        self._silence(event)
        self.clocks = clocks_after(self.clocks, before, Turn(self.stands, event), planned)
        if event.action == AlarmKind.HEARTBEAT:
            self._beat_next()
        self._note_due(event)

    def _note_due(self, event: Event) -> None:
        if _is_take_over(event) or (event.action in DUE_FROM_HERE and event.state is State.ASSIGNED):
            if not self._keeps_due(event):
                self.clocks = replace(self.clocks, pauses=())
            self.has_due = True
        elif event.action == Action.REOPEN:
            self.has_due = False

    # The plan that all clocks come from, and those since.

    def _plan(self, place: int, event: Event) -> Plan:
        if event.action == Action.ADOPT_POLICY:
            return self._adopted(event)
        wanted = self._wanted(place, event)
        if event.state is State.ASSIGNED and not self._keeps_due(event):
            return plan_assignment(self._policy, replace(wanted, at=self.snapshot.due_from or event.at))
        plan = plan_assignment(self._policy, wanted)
        # The plan was made a moment before it was recorded; the deadline for accepting tells how long.
        late = plan.accept_due_at - (self.snapshot.accept_due_at or plan.accept_due_at)
        if timedelta(0) < late < timedelta(minutes=1):
            return plan_assignment(self._policy, replace(wanted, at=event.at - late))
        return plan

    def _keeps_due(self, event: Event) -> bool:
        return self.has_due and event.action != Action.REOPEN

    def _wanted(self, place: int, event: Event) -> PlanWanted:
        is_assigned = event.state is State.ASSIGNED or _is_take_over(event)
        level = self.stands.escalation_level
        if event.action == Action.ESCALATE:
            level = told_after(self.stands, event).escalation_level
        elif event.action == Action.UNMERGE and event.actor_kind != "staff":
            level = 0  # it came loose by itself
        stays = self.has_due and event.action not in (Action.REOPEN, Action.UNMERGE)
        return PlanWanted(
            reference=self.snapshot.reference,
            at=event.at,
            category=self._category_at(place),
            department=self._department_at(place) if is_assigned else None,
            due_at=self._due_at(place) if stays else None,
            escalation_level=level,
            rework=event.action == Action.REOPEN,
        )

    def _planned_since(self, event: Event) -> Planned:
        match event.action:
            case Action.ASK_CITIZEN:
                until = datetime.fromisoformat(event.facts["answer_due"])
                return PausePlan(until, (Alarm(until, AlarmKind.ANSWER_OVERDUE),))
            case Action.APPROVE_HOLD:
                review_on = datetime.fromisoformat(event.facts["review_on"]).date()
                return plan_hold(self._policy, event.at, review_on)
            case Action.ANSWER | Action.RESUME if self.stands.paused_at is not None:
                return move_by_pause(self._policy, self._promised(event, self.clocks.stopped), self.stands.paused_at)
            case Action.GRANT_EXTENSION:
                return extend(self._policy, self._promised(event, self.clocks.alarms), int(event.facts["days"]))
            case Action.RESOLVE | Action.APPROVE if event.state is State.RESOLVED:
                return plan_feedback(self._policy, event.at, self.snapshot.reference, self.stands.category)
            case Action.ADOPT_POLICY:
                return self._adopted(event)
        return None

    def _adopted(self, event: Event) -> Plan:
        stands, self.version = self.stands, event.facts["version"]
        since = self.snapshot.due_from or self.snapshot.assigned_at or event.at
        wanted = PlanWanted(
            reference=self.snapshot.reference,
            at=since,
            category=self._category_at(event.sequence - 1),
            department=self.snapshot.department,
            escalation_level=stands.escalation_level,
            rework=stands.rework_count > 0,
        )
        extended = stands.extended_at is not None and stands.extended_at >= since
        days = stands.extension_days if extended else None
        now = stands.paused_at or event.at
        return plan_adoption(self._policy, AdoptionWanted(self.version, now, wanted, self.clocks.pauses, days))

    def _promised(self, event: Event, alarms: tuple[Alarm, ...]) -> Promised:
        stands = self.stands
        assert stands.due_at is not None
        return Promised(
            version=self.version,
            at=event.at,
            due_at=stands.due_at,
            alarms=alarms,
            service_level=stands.service_level,
            assigned_at=stands.assigned_at,
        )

    # What stood at an event: told by those after it, and at last by the snapshot.

    @property
    def _policy(self) -> Policy:
        return self.policies[self.version]

    def _version_at(self, place: int) -> str:
        event = self.events[place]
        if event.action == Action.ADOPT_POLICY:
            return event.facts["version"]
        later = _later(self.events, place, "previous_version")
        return (later.facts["previous_version"] if later else self.snapshot.policy_version) or ""

    def _category_at(self, place: int) -> str | None:
        later = next((each for each in self.events[place + 1 :] if each.action == Action.RECLASSIFY), None)
        return later.facts.get("previous_category") if later else self.snapshot.category

    def _department_at(self, place: int) -> str | None:
        return self.events[place].facts.get("department") or self.snapshot.department

    def _due_at(self, place: int) -> datetime | None:
        later = _later(self.events, place, "previous_due")
        return datetime.fromisoformat(later.facts["previous_due"]) if later else self.snapshot.due_at

    def _with_dates(self, stands: Snapshot, place: int, planned: Planned) -> Snapshot:
        stands = replace(
            stands,
            category=self._category_at(place),
            due_at=self._due_at(place),
            assigned_at=self.snapshot.assigned_at,
        )
        return replace(stands, service_level=planned.service_level) if isinstance(planned, Plan) else stands

    # Clocks that ring.

    def _silence(self, event: Event) -> None:
        """The clock that this event comes from is over."""
        if event.actor_kind != "system":
            return
        for alarm in self.clocks.alarms:
            if alarm.kind == event.action and (alarm.rung is None or str(alarm.rung.level) == event.facts.get("level")):
                kept = tuple(each for each in self.clocks.alarms if each != alarm)
                self.clocks = replace(self.clocks, alarms=kept)
                return

    def pass_silently(self, until: datetime) -> None:
        """A heartbeat that was not due when its clock rang leaves no event: it was only set again."""
        for alarm in self.clocks.alarms:
            if alarm.kind is AlarmKind.HEARTBEAT and alarm.at <= until and self._next_beat() > alarm.at:
                kept = (each for each in self.clocks.alarms if each != alarm)
                again = Alarm(self._next_beat(), AlarmKind.HEARTBEAT)
                self.clocks = replace(self.clocks, alarms=in_order((*kept, again)))
                return self.pass_silently(until)
        return None

    def _beat_next(self) -> None:
        again = Alarm(self._next_beat(), AlarmKind.HEARTBEAT)
        self.clocks = replace(self.clocks, alarms=in_order((*self.clocks.alarms, again)))

    def _next_beat(self) -> datetime:
        return next_heartbeat(self._policy, self.stands.told_at or self.snapshot.submitted_at)

    def still_to_ring(self, now: datetime) -> Clocks:
        """The end of the time for reopening is over without an event."""
        alarms = self.clocks.alarms
        kept = tuple(each for each in alarms if each.kind is not AlarmKind.END_REOPENING or each.at > now)
        return replace(self.clocks, alarms=kept)


def _is_take_over(event: Event) -> bool:
    return event.action == Action.ESCALATE and _takes_over(event)


def _later(events: Sequence[Event], place: int, fact: str) -> Event | None:
    return next((event for event in events[place + 1 :] if fact in event.facts), None)


def _watched_parts(
    policies: Mapping[str, Policy], snapshot: Snapshot, events: Sequence[Event]
) -> tuple[WatchedPart, ...]:
    asked = {str(part.number): part for part in snapshot.co_handlers if part.state is CoState.ASKED}
    parts = []
    for place, event in enumerate(events):
        part = asked.get(event.facts.get("number", "")) if event.action == Action.ADD_CO_HANDLER else None
        if part is None:
            continue
        later = _later(events, place, "previous_version")
        version = (later.facts["previous_version"] if later else snapshot.policy_version) or ""
        wanted = PlanWanted(snapshot.reference, event.at, snapshot.category, part.department)
        rung = {
            (each.facts.get("clock"), each.facts.get("level")) for each in events[place:] if _is_of(each, part.number)
        }
        alarms = clocks_of_part(policies[version], wanted, part.due_at)
        parts.append(WatchedPart(part.number, part.department, tuple(a for a in alarms if _rang_as(a) not in rung)))
    return tuple(parts)


def _is_of(event: Event, number: int) -> bool:
    return event.action in (AlarmKind.CO_REMINDED, AlarmKind.CO_ESCALATED) and event.facts.get("number") == str(number)


def _rang_as(alarm: Alarm) -> tuple[str | None, str | None]:
    return alarm.kind, str(alarm.rung.level) if alarm.rung else None
