"""What a person does to a request, in its place: what the database shows already and the run has forgotten comes first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain import commands as c
    from domain.errors import Refusal
    from domain.lifecycle import Action
    from domain.planned import Planned
    from domain.procedure import escalate_by_rung
    from domain.request import CITIZEN, PAUSED, Act, Actor, Rung, Solved, State, Turn
    from domain.waiting import go_on
    from workflows.acts import command_of
    from workflows.relatives import stand_alone
    from workflows.steps import Behind, Steps
    from workflows.turns import take_turn


class Acting:
    """Carries out commands, for the request that the steps belong to."""

    def __init__(self, steps: Steps) -> None:
        self.course, self.steps = steps.course, steps

    async def escalate(self, rung: Rung, by: Actor, reason: str | None = None) -> None:
        """The next rung hears of it; where the chain says so, it takes the request over, and a pause is over."""
        course = self.course
        if rung.take_over not in (None, course.snapshot.department) and course.snapshot.state in PAUSED:

            async def pause_ends() -> tuple[Turn, Planned]:
                moved = await self.steps.move_by_pause()
                return go_on(course.snapshot, Action.RESUME, by, course.now(), moved, (), reason), moved

            turn, planned = await pause_ends()
            await self.steps.record(turn, planned=planned, again=pause_ends)

        async def rises() -> tuple[Turn, Planned]:
            plan = await self.steps.plan_take_over(rung)
            return escalate_by_rung(course.snapshot, rung, by, course.now(), plan, reason), plan

        turn, planned = await rises()
        await self.steps.record(turn, planned=planned, again=rises)

    async def act(self, command: c.Command) -> None:
        """A person's action, one at a time: permitted by the table, planned, recorded, told to whom it concerns."""
        if isinstance(command, c.Escalate):
            self.course.permit(command)
            await self.escalate(self.course.next_rung(), command.by, command.reason)
        else:
            await take_turn(self.steps, command)
        if isinstance(command, c.Rate | c.RecordCall) and command.solved is Solved.NO:
            # "Not solved" is not the end: it goes on at once (rows 28, 29 and 31).
            if self.course.snapshot.state is State.MERGED:
                await stand_alone(self.steps, CITIZEN)
            else:
                await take_turn(self.steps, c.Reopen(CITIZEN))

    async def in_its_place(self, deed: Callable[[], Awaitable[None]]) -> None:
        """What an update did whose task was lost, and which has not come again yet, stands before this deed."""
        while True:
            try:
                return await deed()
            except Behind as behind:
                await self.catch_up(behind.act)

    async def make_up(self) -> None:
        """All that the database is ahead."""
        while act := await self.steps.act_ahead():
            await self.catch_up(act)

    async def catch_up(self, act: Act) -> None:
        """Carry out once more, as of its moment, what the database shows already; asked again, it gets its answer."""
        with self.course.asked_to(act, act.at):
            try:
                await self.act(command_of(act))
            except Refusal as refusal:
                # It was allowed once. Only another program or policy finds it wrong now, and then a person must look.
                raise RuntimeError(f"{act.action} stands in the database and is refused: {refusal.code}") from refusal
        self.course.note_answer(act.update_id)
