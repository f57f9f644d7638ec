"""A person's action as a turn of the request: permitted by the table, planned where it needs a plan, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain import commands as c
    from domain.acts import needs_review, take
    from domain.errors import Invalid, Refusal
    from domain.helped import CoPlan
    from domain.lifecycle import Transition
    from domain.pauses import Moved, PausePlan
    from domain.planned import FeedbackWanted, Planned
    from domain.planning import FeedbackPlan, Plan, PlanWanted
    from domain.request import Snapshot, State, Turn
    from workflows.contract import DECIDED, PLANNED_ON_THE_WAY, SEQUENCE, ActionTaken
    from workflows.course import Course
    from workflows.steps import Steps


@contextmanager
def refusals_as_failures(course: Course, *, decided: bool = False) -> Iterator[None]:
    """A refusal fails the update with its stable code as the type, and leaves the request as it is.

    The number of the latest event is told with it: who has seen a later one knows that the run is behind, as it is for
    some seconds after a crash, and asks again. Not so where it is `decided`, by a run that had accepted the update.
    """
    try:
        yield
    except Refusal as refusal:
        facts = {**refusal.facts, SEQUENCE: str(course.snapshot.sequence)} | ({DECIDED: "yes"} if decided else {})
        raise ApplicationError(refusal.message, facts, type=refusal.code, non_retryable=True) from None


class _Answers(Protocol):
    """The workflow, as its updates see it."""

    async def answer(self, command: c.Command) -> ActionTaken: ...

    def check(self, command: c.Command) -> None: ...


def staff_update(name: str, command_type: type, description: str) -> Any:
    """An update that takes this command: checked against the table first, answered with the new state."""

    async def update(self: _Answers, command: c.Command) -> ActionTaken:
        return await self.answer(command)

    def validator(self: _Answers, command: c.Command) -> None:
        self.check(command)

    for function in (update, validator):
        # The SDK reads the type of the argument here, and takes an annotated self for one argument more.
        function.__annotations__["command"] = command_type
        del function.__annotations__["self"]
    update.__annotations__["return"] = ActionTaken
    defined = workflow.update(name=name, description=description)(update)
    defined.validator(validator)
    return defined


async def take_turn(steps: Steps, command: c.Command) -> None:
    """Permit, plan, record. Raises a Refusal where the rules forbid it; then nothing has changed."""
    before = steps.course.snapshot

    async def make() -> tuple[Turn, Planned]:
        row = steps.course.permit(command)
        planned = await _planned(steps, command, row, before)
        turn = take(command, before, row, steps.course.now(), planned)
        # A request only asks for what an approval or a grant will plan: it was planned to see whether it is possible.
        return turn, None if isinstance(command, c.RequestHold | c.RequestExtension) else planned

    turn, planned = await make()
    if isinstance(command, c.Merge):
        await steps.other_runs.join(command.parent)
    planned = await steps.record(turn, planned=planned, again=make)
    if isinstance(planned, CoPlan):
        await steps.other_runs.watch_part(steps.course.snapshot.co_handlers[-1], planned)


async def _planned(steps: Steps, command: c.Command, row: Transition, before: Snapshot) -> Planned:
    """The plan that the action needs: of a new assignment, of waiting in triage, of a pause or its end, of the feedback."""
    match command:
        case c.Approve():
            return await _plan_feedback(steps)
        case c.Resolve() if not needs_review(before, command.outcome):
            return await _plan_feedback(steps)
        case c.AddCoHandler():
            return await steps.plan_co_handling(command.department)
        case c.Merge():
            return await steps.find_parent(command.parent)
        case c.AdoptPolicy():
            return await steps.plan_adoption(command.version)
    return await _plan_dates(steps, command, before) or await _plan_assignment(steps, command, row, before)


async def _plan_feedback(steps: Steps) -> FeedbackPlan | FeedbackWanted:
    if steps.course.procedure < PLANNED_ON_THE_WAY:
        return await steps.plan_feedback()
    return FeedbackWanted()


async def _plan_dates(steps: Steps, command: c.Command, before: Snapshot) -> PausePlan | Moved | None:
    """Until when a pause lasts, or how far the dates move after one or by an extension."""
    match command:
        case c.AskCitizen():
            return await steps.plan_question()
        case c.RequestHold():
            return await steps.plan_hold(command.review_on)
        case c.ApproveHold():
            assert before.hold_review_on is not None
            return await steps.plan_hold(before.hold_review_on)
        case c.Answer() | c.Resume():
            return await steps.move_by_pause()
        case c.RequestExtension():
            return await steps.extend(command.days)
        case c.GrantExtension():
            assert before.extension_days is not None
            return await steps.extend(before.extension_days)
    return None


async def _plan_assignment(steps: Steps, command: c.Command, row: Transition, before: Snapshot) -> Plan | None:
    wanted = _wanted(command, row, before, steps.course.now())
    if wanted is None:
        return None
    try:
        return await steps.plan(wanted)
    except Invalid:
        if isinstance(command, c.Reopen):
            # The policy has changed and no longer knows whose matter it was: a person decides.
            return await steps.plan(replace(wanted, department=None))
        raise


def _wanted(command: c.Command, row: Transition, before: Snapshot, at: datetime) -> PlanWanted | None:
    stay = PlanWanted(
        reference=before.reference,
        at=at,
        category=before.category,
        urgency=before.urgency,
        due_at=before.due_at,
        escalation_level=before.escalation_level,
    )
    match command:
        case c.Assign():
            return replace(
                stay,
                department=command.department,
                category=command.category,
                urgency=command.urgency or before.urgency,
            )
        case c.Reassign():
            return replace(stay, department=command.department, category=command.category or before.category)
        case c.Decide(decision=c.Decision.ASSIGN):
            return replace(stay, department=command.department)
        case c.Reopen() if State.ADJUDICATION not in row.targets:
            return replace(stay, department=before.department, due_at=None, rework=True)
        case c.Reopen():
            return replace(stay, due_at=None)
        case c.ReturnRequest():
            return stay
        case c.Refer():
            return stay
        case c.Unmerge():
            return replace(stay, due_at=None)
    return None
