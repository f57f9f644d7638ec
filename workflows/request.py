"""The life of one citizen's request, from the receipt to the rating: the procedure of PROCESS.md, made durable."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain import commands as c
    from domain.acts import ACTION_OF
    from domain.errors import Invalid, Refusal
    from domain.lifecycle import Action
    from domain.procedure import auto_assign, close_without_reply, escalate_by_rung, remind, submit, to_triage
    from domain.request import CITIZEN, SYSTEM, Actor, Alarm, AlarmKind, Rung, Solved
    from workflows.contract import ActionTaken, Ended, EscalateSignal, ResolveSignal, Submitted
    from workflows.course import Course
    from workflows.lasting import never_cancelled
    from workflows.messages import UNKNOWN_SENDER, Sent, admin, citizen_signal, read, read_message
    from workflows.steps import Steps
    from workflows.turns import refusals_as_failures, staff_update, take_turn


@workflow.defn
class RequestWorkflow:
    """One durable run per request. Staff act by updates, citizens by signals that the relay delivers in order."""

    @workflow.init
    def __init__(self, submitted: Submitted) -> None:
        self._course = Course.of(submitted)
        self._steps = Steps(self._course)

    @workflow.run
    @never_cancelled
    async def run(self, submitted: Submitted) -> Ended:
        async with self._course.one_at_a_time:
            self._course.repeatable = True
            # Put the request on file, find out what it is about and where it is.
            receipt = submit(self._course.snapshot, submitted.by)
            classified = await self._steps.classify()
            located = await self._steps.locate(submitted.located)

            # Send it to the department in charge, or to a person who decides; the citizen gets a receipt.
            assignment = await self._steps.assign_department(classified, located)
            received = self._course.received(receipt, assignment)
            if assignment.triage_reason is None:
                turn = auto_assign(received, assignment.plan, workflow.now(), assignment.facts)
            else:
                turn = to_triage(received, assignment.plan, workflow.now(), assignment.triage_reason, assignment.facts)
            await self._steps.record(receipt, turn, planned=assignment.plan)

        # Remind, escalate and close whenever a clock runs out, until the matter is over and everybody has had an answer.
        while alarm := await self._course.next_alarm():
            async with self._course.in_turn():
                if self._course.silence(alarm):
                    await self._ring(alarm)
        return Ended(self._course.snapshot.state, self._course.snapshot.outcome)

    async def _ring(self, alarm: Alarm) -> None:
        """A clock has run out."""
        if alarm.rung is not None:
            await self._escalate(alarm.rung, SYSTEM)
        elif alarm.kind is AlarmKind.END_FEEDBACK:
            await self._steps.record(close_without_reply(self._course.snapshot, workflow.now()))
        elif alarm.kind is AlarmKind.SEND_HELD:
            await self._steps.send_held()
        elif alarm.kind is not AlarmKind.END_REOPENING:
            await self._steps.record(remind(self._course.snapshot, alarm.kind, workflow.now()))

    async def _escalate(self, rung: Rung, by: Actor, reason: str | None = None) -> None:
        """The next rung hears of it; where the chain says so, it takes the request over."""
        plan = await self._steps.plan_take_over(rung)
        turn = escalate_by_rung(self._course.snapshot, rung, by, workflow.now(), plan, reason)
        await self._steps.record(turn, planned=plan)

    async def _act(self, command: c.Command) -> None:
        """A person's action, one at a time: permitted by the table, planned, recorded, told to whom it concerns."""
        if isinstance(command, c.Escalate):
            self._course.permit(command)
            await self._escalate(self._course.next_rung(), command.by, command.reason)
        else:
            await take_turn(self._steps, command)
        if isinstance(command, c.Rate) and command.solved is Solved.NO:
            # "Not solved" is not the end: it goes on at once (rows 28 and 29).
            await take_turn(self._steps, c.Reopen(CITIZEN))

    async def answer(self, command: c.Command) -> ActionTaken:
        """For staff: the new state, or the reason why not."""
        with refusals_as_failures(self._course):
            async with self._course.in_turn():
                await self._act(command)
                return ActionTaken(self._course.snapshot.state, self._course.snapshot.sequence)

    def check(self, command: c.Command) -> None:
        """The validator of every update: the table decides before anything enters history."""
        with refusals_as_failures(self._course):
            self._course.permit(command)

    async def hear(self, action: Action, sent: Sent) -> None:
        """For citizens: each message once, in order; one that comes too late stays in the timeline."""
        heard = read_message(action, sent)
        async with self._course.in_turn(repeatable=True):
            if heard is None:
                await self._steps.note(action, UNKNOWN_SENDER, Invalid.code)
            elif not self._course.has_had(heard.inbox_id):
                await self._act_or_note(heard.command, heard.text)

    async def _act_or_note(self, command: c.Command, text: str | None) -> None:
        """What a signal asks for is done, or stays in the timeline; it never fails the run."""
        action = ACTION_OF[type(command)]
        try:
            await self._act(command)
        except Invalid as invalid:
            await self._steps.note(action, UNKNOWN_SENDER, invalid.code)
        except Refusal as refusal:
            await self._steps.note(action, command.by, refusal.code, text)

    # What staff do. Each is refused before it enters history where the table of transitions forbids it.

    assign = staff_update("assign", c.Assign, "A dispatcher chooses category and department.")
    accept = staff_update("accept", c.Accept, "A handler takes the request on.")
    return_request = staff_update(
        "return_request", c.ReturnRequest, "A department lead returns it and proposes another."
    )
    decide = staff_update("decide", c.Decide, "A supervisor's binding decision.")
    reassign = staff_update("reassign", c.Reassign, "A dispatcher gives it to another department.")
    reclassify = staff_update("reclassify", c.Reclassify, "A dispatcher corrects the category.")
    set_urgency = staff_update("set_urgency", c.SetUrgency, "A dispatcher corrects the urgency.")
    contact = staff_update("contact", c.Contact, "The handler has spoken with the citizen.")
    progress = staff_update("progress", c.Progress, "A note for colleagues, or for the citizen.")
    resolve = staff_update("resolve", c.Resolve, "The department answers the citizen.")
    approve = staff_update("approve", c.Approve, "Another person found the answer good.")
    send_back = staff_update("send_back", c.SendBack, "The answer is not good enough.")
    escalate = staff_update("escalate", c.Escalate, "Pass it to the next rung, with a reason.")
    decline = staff_update("decline", c.Decline, "Not the government's business, or not this channel's.")
    transfer = staff_update("transfer", c.Transfer, "Hand it to another jurisdiction, with the material.")
    reopen = staff_update("reopen", c.Reopen, "A supervisor orders it to be done again.")

    # What citizens send.

    supplemented = citizen_signal("supplemented", Action.SUPPLEMENT, "The citizen adds to the request.")
    urged = citizen_signal("urged", Action.URGE, "The citizen urges.")
    withdrawn = citizen_signal("withdrawn", Action.WITHDRAW, "The citizen withdraws the request.")
    rated = citizen_signal("rated", Action.RATE, "The citizen rates the answer.")
    reopened = citizen_signal("reopened", Action.REOPEN, "The citizen asks to have it done again.")

    # What an admin sends from the Temporal UI or CLI.

    @workflow.signal(
        name="resolve", description='Answer the citizen: {"outcome": "solved", "reply": "...", "by": "name"}'
    )
    async def resolve_by_admin(self, *sent: object) -> None:
        signal = read(ResolveSignal, sent)
        async with self._course.in_turn(repeatable=True):
            if signal is None:
                await self._steps.note(Action.RESOLVE, UNKNOWN_SENDER, Invalid.code)
                return
            reply = await self._steps.keep_text(signal.reply)
            by = admin(signal.by, self._course.snapshot.department)
            await self._act_or_note(c.Resolve(by, signal.outcome, reply), reply)

    @workflow.signal(name="escalate", description='Pass it to the next rung: {"reason": "...", "by": "name"}')
    async def escalate_by_admin(self, *sent: object) -> None:
        signal = read(EscalateSignal, sent or ({},))
        async with self._course.in_turn(repeatable=True):
            if signal is None:
                await self._steps.note(Action.ESCALATE, UNKNOWN_SENDER, Invalid.code)
                return
            reason = await self._steps.keep_text(signal.reason) if signal.reason else None
            by = admin(signal.by, self._course.snapshot.department)
            await self._act_or_note(c.Escalate(by, reason), reason)
